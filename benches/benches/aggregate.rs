//! From records to profiles: rows by the workers, sums by entity, shards. The records were parsed
//! before, so what is measured is what comes after parsing.
//!
//! `cargo bench -p benches --bench aggregate`

#![expect(clippy::expect_used, reason = "a bench that cannot read its input has to stop")]

use benches::real_objects;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use detect::{Chunk, Engine, Options};
use ingest::{
    cloudtrail::{self, Record},
    decode::gunzip,
    enrich::Enrich,
};
use std::{hint::black_box, time::Duration};

/// Unit: bytes of content.
const CONTENT_BYTES_MAX: u64 = 32 << 20;

fn engine() -> Engine {
    Engine::new(Options::default(), Enrich::built_in())
}

/// Parses and makes rows: parsing by itself is the bench `cloudtrail`.
fn chunk(engine: &Engine, texts: &[String]) -> Chunk {
    let mut reader = engine.reader();
    for (number, text) in (0..).zip(texts) {
        reader.begin(number, None);
        let shape = cloudtrail::read(text, |_, record| {
            if let Ok(Record::Event(event)) = record {
                reader.record(&event);
            }
        });
        shape.expect("real objects are whole");
    }
    reader.finish()
}

fn parse(texts: &[String]) -> u64 {
    let mut n = 0;
    for text in texts {
        let shape = cloudtrail::read(text, |_, record| n += u64::from(black_box(record).is_ok()));
        shape.expect("real objects are whole");
    }
    n
}

fn bench(criterion: &mut Criterion) {
    let objects = real_objects("cloudtrail/bootstrap_account/AWSLogs", CONTENT_BYTES_MAX);
    if objects.is_empty() {
        return;
    }
    let inflated = objects.iter().map(|object| gunzip(object, 64 << 20));
    let text = |bytes| String::from_utf8(bytes).expect("real objects are UTF-8");
    let texts: Vec<String> = inflated.map(|bytes| text(bytes.expect("whole objects"))).collect();
    let n_records = parse(&texts);
    let mut group = criterion.benchmark_group("aggregate");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    group.throughput(Throughput::Elements(n_records));
    group.bench_function("parse", |bencher| bencher.iter(|| parse(&texts)));
    group.bench_function("parse and rows", |bencher| {
        let engine = engine();
        bencher.iter(|| chunk(&engine, &texts));
    });
    let read = [chunk(&engine(), &texts)];
    group.bench_function("sums and shards", |bencher| {
        bencher.iter_batched_ref(
            engine,
            |engine| engine.apply(black_box(&read)),
            criterion::BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
