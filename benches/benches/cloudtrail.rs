//! Parsing CloudTrail objects against inflating the same ones, which is the floor, and against
//! serde's typed and borrowed way. Prints the ratio that the goals are stated in.

#![expect(clippy::unwrap_used, reason = "a bench that cannot read its input has nothing to say")]
#![expect(clippy::print_stderr, reason = "a bench speaks to the person who runs it")]

use std::borrow::Cow;
use std::hint::black_box;
use std::time::Duration;

use benches::{cost, real_objects};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ingest::cloudtrail::{self, Record};
use ingest::testkit;
use libdeflater::{CompressionLvl, Compressor, Decompressor};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// Inflated bytes to measure on. Unit: bytes.
const INPUT_BYTES: u64 = 64 << 20;

struct Object {
    gzip: Vec<u8>,
    text: Vec<u8>,
}

fn objects() -> Vec<Object> {
    let objects = real_objects("cloudtrail/bootstrap_account/AWSLogs", INPUT_BYTES);
    if objects.is_empty() {
        return generated();
    }
    let object = |gzip: Vec<u8>| Object { text: inflate(&gzip), gzip };
    objects.into_iter().map(object).collect()
}

fn generated() -> Vec<Object> {
    let records: Vec<String> = (0..20_000)
        .map(|index| testkit::call("alice").id(&format!("event-{index}")).raw())
        .collect();
    let objects = records.chunks(200).map(|chunk| testkit::object(chunk).into_bytes());
    objects.map(|text| Object { gzip: deflate(&text), text }).collect()
}

fn deflate(text: &[u8]) -> Vec<u8> {
    let mut compressor = Compressor::new(CompressionLvl::default());
    let mut gzip = vec![0; compressor.gzip_compress_bound(text.len())];
    let length = compressor.gzip_compress(text, &mut gzip).unwrap();
    gzip.truncate(length);
    gzip
}

fn inflate(gzip: &[u8]) -> Vec<u8> {
    let size = u32::from_le_bytes(*gzip.last_chunk().unwrap());
    let mut text = vec![0; usize::try_from(size).unwrap()];
    Decompressor::new().gzip_decompress(gzip, &mut text).unwrap();
    text
}

fn inflate_all(objects: &[Object], buffer: &mut Vec<u8>) {
    let mut decompressor = Decompressor::new();
    for object in objects {
        buffer.resize(object.text.len(), 0);
        black_box(decompressor.gzip_decompress(&object.gzip, buffer).unwrap());
    }
}

fn parse_all(objects: &[Object]) -> usize {
    let mut records = 0;
    for object in objects {
        let decoded = cloudtrail::text(&object.text);
        let shape = cloudtrail::read(&decoded.text, |_, record| {
            if let Ok(Record::Event(event)) = &record {
                records += 1;
                black_box(event);
            }
        });
        black_box(shape).unwrap();
    }
    records
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct File<'a> {
    #[serde(borrow)]
    records: Vec<Typed<'a>>,
}

/// Without this newtype serde would copy what is inside an option.
#[derive(Deserialize)]
#[expect(dead_code, reason = "read for the time it takes")]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The fields of `ingest::Event` as serde reads them best: borrowed, nested values passed over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "read for the time it takes")]
struct Typed<'a> {
    #[serde(borrow)]
    event_time: Text<'a>,
    #[serde(borrow)]
    event_source: Text<'a>,
    #[serde(borrow)]
    event_name: Cow<'a, str>,
    user_identity: Option<IgnoredAny>,
    #[serde(borrow, rename = "eventID")]
    event_id: Option<Text<'a>>,
    #[serde(borrow)]
    aws_region: Option<Text<'a>>,
    #[serde(borrow, rename = "sourceIPAddress")]
    source_ip_address: Option<Text<'a>>,
    #[serde(borrow)]
    user_agent: Option<Text<'a>>,
    #[serde(borrow)]
    error_code: Option<Text<'a>>,
    #[serde(borrow)]
    error_message: Option<Text<'a>>,
    #[serde(borrow)]
    event_type: Option<Text<'a>>,
    #[serde(borrow)]
    recipient_account_id: Option<Text<'a>>,
    request_parameters: Option<IgnoredAny>,
    response_elements: Option<IgnoredAny>,
    resources: Option<IgnoredAny>,
}

fn serde_all(objects: &[Object]) -> usize {
    let typed = |object: &Object| {
        let file: File<'_> = serde_json::from_slice(&object.text).unwrap();
        black_box(file.records).len()
    };
    objects.iter().map(typed).sum()
}

/// Median of paired runs, so that a busy machine slows both sides alike.
fn report_ratio(objects: &[Object]) {
    const PAIRS: usize = 15;
    let mut buffer = Vec::new();
    let mut ratios: Vec<f64> = (0..PAIRS)
        .map(|_| {
            let floor = cost(|| inflate_all(objects, &mut buffer));
            cost(|| assert!(parse_all(objects) > 0)) / floor
        })
        .collect();
    ratios.sort_by(f64::total_cmp);
    if let [least, .., most] = ratios[..] {
        let median = ratios.get(PAIRS / 2).copied().unwrap_or_default();
        eprintln!("parse / inflate, CPU: {median:.3} ({least:.3} to {most:.3}, {PAIRS} pairs)");
    }
}

fn bench(criterion: &mut Criterion) {
    let objects = objects();
    let total_bytes: usize = objects.iter().map(|object| object.text.len()).sum();
    let records = parse_all(&objects);
    eprintln!("{} objects, {records} records, {total_bytes} bytes", objects.len());
    assert_eq!(records, serde_all(&objects), "both read the same records");
    report_ratio(&objects);
    let mut group = criterion.benchmark_group("cloudtrail");
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    group.throughput(Throughput::Bytes(u64::try_from(total_bytes).unwrap()));
    let mut buffer = Vec::new();
    group.bench_function("inflate", |bencher| {
        bencher.iter(|| inflate_all(&objects, &mut buffer));
    });
    group.bench_function("parse", |bencher| bencher.iter(|| parse_all(&objects)));
    group.bench_function("serde", |bencher| bencher.iter(|| serde_all(&objects)));
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
