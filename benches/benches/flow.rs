//! Flow text to columns, against inflating the same text. Both run over the same objects; the ratio
//! of the two is what counts (the goal is 0.8 or less).
//!
//! `cargo bench -p benches --bench flow`

#![expect(clippy::expect_used, reason = "a bench that cannot run has to stop")]

use std::hint::black_box;

use benches::real_objects;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ingest::decode::{Decoder, Inflated, WHOLE_BYTES_MAX, gunzip};
use ingest::flowlog::FlowReader;

fn flow(criterion: &mut Criterion) {
    for (name, folder) in [
        ("v2", "vpcflow/full_traces/internet-host-36h/v2-default"),
        ("v5", "vpcflow/full_traces/internet-host-36h/v5-custom"),
        ("client v5", "vpcflow/full_traces/phone-day"),
    ] {
        let objects = real_objects(folder, u64::MAX);
        if objects.is_empty() {
            continue;
        }
        let texts: Vec<Vec<u8>> = objects
            .iter()
            .map(|object| gunzip(object, WHOLE_BYTES_MAX).expect("real objects are whole"))
            .collect();
        let bytes = texts.iter().map(|text| text.len() as u64).sum();
        let mut group = criterion.benchmark_group(format!("flow/{name}"));
        group.sample_size(20).throughput(Throughput::Bytes(bytes));
        let mut decoder = Decoder::default();
        group.bench_function("inflate", |bencher| {
            bencher.iter(|| {
                for object in &objects {
                    if let Ok(Inflated::Whole(text)) = decoder.decode(object) {
                        black_box(text);
                    }
                }
            });
        });
        let mut reader = FlowReader::default();
        group.bench_function("columns", |bencher| {
            bencher.iter(|| {
                texts
                    .iter()
                    .map(|text| reader.read(text, &mut |batch| drop(black_box(batch))).rows)
                    .sum::<u64>()
            });
        });
        group.finish();
    }
}

criterion_group!(benches, flow);
criterion_main!(benches);
