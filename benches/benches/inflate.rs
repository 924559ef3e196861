//! The floor of everything: inflating real objects. libdeflate with kept buffers, the block reader
//! that large objects take, and flate2's reader as the usual way.
//!
//! `cargo bench -p benches --bench inflate`

#![expect(clippy::disallowed_types, reason = "the usual way is what is compared with")]
#![expect(clippy::expect_used, reason = "a bench that cannot run has to stop")]

use std::hint::black_box;
use std::io::Read;

use benches::real_objects;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ingest::decode::{Decoder, Inflated, Limits};

fn whole(decoder: &mut Decoder, object: &[u8]) -> u64 {
    match decoder.decode(object).expect("real objects are whole") {
        Inflated::Whole(bytes) => bytes.len() as u64,
        Inflated::Stream(mut stream) => {
            let mut n = 0;
            loop {
                match stream.next_block().expect("checked before").len() {
                    0 => return n,
                    block => n += block as u64,
                }
            }
        }
    }
}

fn inflate(criterion: &mut Criterion) {
    for (name, folder) in [
        ("flow v2", "vpcflow/full_traces/internet-host-36h/v2-default"),
        ("flow v5", "vpcflow/full_traces/internet-host-36h/v5-custom"),
        ("cloudtrail", "cloudtrail/full_traces/invictus-stratus"),
    ] {
        let objects = real_objects(folder, u64::MAX);
        if objects.is_empty() {
            continue;
        }
        let mut decoder = Decoder::default();
        let bytes = objects.iter().map(|object| whole(&mut decoder, object)).sum();
        let mut group = criterion.benchmark_group(format!("inflate/{name}"));
        group.sample_size(10).throughput(Throughput::Bytes(bytes));
        group.bench_function("kept buffers", |bencher| {
            bencher.iter(|| objects.iter().map(|object| whole(&mut decoder, object)).sum::<u64>());
        });
        let joined = objects.concat();
        group.bench_function("one object of many members", |bencher| {
            bencher.iter(|| whole(&mut decoder, &joined));
        });
        let mut blocks = Decoder::new(Limits { whole_bytes_max: 0, ..Limits::default() });
        group.bench_function("check and read in blocks", |bencher| {
            bencher.iter(|| objects.iter().map(|object| whole(&mut blocks, object)).sum::<u64>());
        });
        group.bench_function("flate2", |bencher| {
            bencher.iter(|| {
                for object in &objects {
                    let mut out = Vec::new();
                    flate2::read::MultiGzDecoder::new(object.as_slice())
                        .read_to_end(&mut out)
                        .expect("real objects are whole");
                    black_box(out);
                }
            });
        });
        group.finish();
    }
}

criterion_group!(benches, inflate);
criterion_main!(benches);
