//! How fast records are written: building a call, its text, and gzip at the level of a load source.
//! A load source has 6.6 ns a byte in all; gzip takes 2.2 to 2.9 of them.
//!
//! `cargo bench -p benches --bench records`

#![expect(clippy::expect_used, reason = "a bench that cannot run has to stop")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use libdeflater::{CompressionLvl, Compressor};
use testdata::aws::api::{At, console, console::Things};
use testdata::aws::call::{Call, Encryption, Transfer};
use testdata::aws::caller::{Caller, Role, Session};
use testdata::json::Json;
use testdata::object;
use testdata::rng::Rng;

const ACCOUNT: &str = "111122223333";
const REGION: &str = "eu-west-1";
/// As many as a large object of CloudTrail holds.
const RECORDS: i64 = 1_000;
const AGENT: &str = "aws-sdk-rust/1.3.11 ua/2.1 api/s3/1.119.0 os/linux lang/rust/1.92.0";

fn worker() -> Caller {
    let role = Role {
        account: ACCOUNT.to_owned(),
        path: String::new(),
        name: "worker".to_owned(),
        principal: "AROA2R5EXAMPLE7Q4W3KX".to_owned(),
    };
    let session = Session {
        name: "i-0b7c41d29e5f8a603",
        key: "ASIA2R5EXAMPLE7Q4W3K",
        since_s: 1_772_409_600,
    };
    let extra = [("ec2RoleDelivery", Json::from("2.0"))];
    Caller::new(role.session(session, &extra), "198.51.100.7", AGENT)
}

fn read_object(n: i64, caller: &Caller, rng: &mut Rng, out: &mut String) {
    let key = format!("inbox/2026/03/02/invoice-{n}.pdf");
    let moved = Transfer { in_bytes: 0, out_bytes: 48_213, encryption: Encryption::Default };
    let call = Call::new(1_772_409_600 + n, REGION, "s3", "GetObject");
    let call = call.on_object(ACCOUNT, ("rivermill-invoices", &key), moved, rng);
    call.write(caller, ACCOUNT, rng, out);
}

fn describe(n: i64, caller: &Caller, rng: &mut Rng, out: &mut String) {
    let call = Call::new(1_772_409_600 + n, REGION, "ec2", "DescribeInstances").asking(object! {
        "maxResults": 1000, "instancesSet": object! {}, "filterSet": object! {},
    });
    call.write(caller, ACCOUNT, rng, out);
}

fn browse(n: i64, caller: &Caller, rng: &mut Rng, out: &mut String) {
    let things = Things {
        user: "ada",
        role: "platform",
        group: "engineers",
        bucket: "rivermill-invoices",
        instance: "i-0b7c41d29e5f8a603",
        volume: "vol-0b7c41d29e5f8a603",
        snapshot: "snap-0b7c41d29e5f8a603",
        security_group: "sg-0b7c41d29e5f8a603",
        launch_template: "lt-0b7c41d29e5f8a603",
        kms_key: "0b7c41d2-9e5f-4a60-8b7c-41d29e5f8a60",
        trail: "main",
        service: "billing",
    };
    let reads: Vec<&console::Read> = console::READS.iter().collect();
    let at = At { time_s: 1_772_409_600 + n, region: REGION, account: ACCOUNT };
    let call = console::draw(&reads, rng).call(at, &things, rng);
    call.write(caller, ACCOUNT, rng, out);
}

fn records(criterion: &mut Criterion) {
    let caller = worker();
    let mut rng = Rng::new(1);
    for (name, tell) in [
        ("s3 GetObject", read_object as fn(i64, &Caller, &mut Rng, &mut String)),
        ("ec2 DescribeInstances", describe),
        ("console", browse),
    ] {
        let mut out = String::new();
        (0..RECORDS).for_each(|n| tell(n, &caller, &mut rng, &mut out));
        let mut group = criterion.benchmark_group(format!("records/{name}"));
        group.sample_size(20).throughput(Throughput::Bytes(out.len() as u64));
        group.bench_function("write", |bencher| {
            bencher.iter(|| {
                out.clear();
                (0..RECORDS).for_each(|n| tell(n, &caller, &mut rng, &mut out));
                out.len()
            });
        });
        let mut compressor = Compressor::new(CompressionLvl::new(1).expect("there is a level 1"));
        let mut bytes = vec![0; compressor.gzip_compress_bound(out.len() * 2)];
        group.bench_function("write and gzip", |bencher| {
            bencher.iter(|| {
                out.clear();
                (0..RECORDS).for_each(|n| tell(n, &caller, &mut rng, &mut out));
                compressor.gzip_compress(out.as_bytes(), &mut bytes).expect("the bound holds")
            });
        });
        group.finish();
    }
}

criterion_group!(benches, records);
criterion_main!(benches);
