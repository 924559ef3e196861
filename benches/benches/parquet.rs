//! Flow logs as Parquet against text: the same records from their bytes as stored to columns, in one run, all of
//! them and those that a replay asks for. The ratio of the two is what counts (the goal is below 1).
//!
//! `cargo bench -p benches --bench parquet`

#![expect(clippy::expect_used, reason = "a bench that cannot run has to stop")]

use std::hint::black_box;

use benches::real_objects;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ingest::decode::{Decoder, Inflated, Limits, WHOLE_BYTES_MAX, gunzip};
use ingest::flow::{FIELDS, FlowBatch};
use ingest::flowlog::FlowReader;
use ingest::parquet::Parquet;
use testdata::aws::{gzip, parquet::parquet};

/// Records in an object. AWS's hold five minutes of a VPC, as far as 75 MB go.
const RECORDS: usize = 100_000;

/// One object of each format with the same records.
fn objects() -> Option<(Vec<u8>, Vec<u8>)> {
    let real = real_objects("vpcflow/full_traces/internet-host-36h/v5-custom", u64::MAX);
    let texts: Vec<String> = real
        .iter()
        .map(|object| gunzip(object, WHOLE_BYTES_MAX).expect("real objects are whole"))
        .map(|text| String::from_utf8(text).expect("real objects are text"))
        .collect();
    let header = texts.first()?.lines().next()?;
    let lines = texts.iter().flat_map(|text| text.lines().skip(1));
    let lines: Vec<&str> = [header].into_iter().chain(lines.cycle().take(RECORDS)).collect();
    let text = lines.join("\n") + "\n";
    let packed = gzip(text.as_bytes()).expect("it fits");
    Some((packed, parquet(&text).expect("it fits")))
}

fn read(criterion: &mut Criterion) {
    let Some((text, table)) = objects() else { return };
    let mut visit = |batch: FlowBatch| drop(black_box(batch));
    for (name, fields) in [("all", None), ("replay", Some(FIELDS))] {
        let reader = || {
            let reader = FlowReader::default();
            if let Some(fields) = fields { reader.with_fields(fields) } else { reader }
        };
        let mut group = criterion.benchmark_group(format!("parquet/{name}"));
        group.sample_size(20).throughput(Throughput::Elements(RECORDS as u64));
        let (mut decoder, mut of_text, mut of_table) = (Decoder::default(), reader(), reader());
        group.bench_function("text", |bencher| {
            bencher.iter(|| match decoder.decode(&text) {
                Ok(Inflated::Whole(text)) => of_text.read(text, &mut visit).rows,
                _ => 0,
            });
        });
        group.bench_function("parquet", |bencher| {
            bencher.iter(|| {
                let object = Parquet::open(&table, &Limits::default()).expect("it is whole");
                of_table.parquet(&object, &mut visit).expect("it is whole");
                of_table.finish(&mut visit).rows
            });
        });
        group.finish();
    }
}

criterion_group!(benches, read);
criterion_main!(benches);
