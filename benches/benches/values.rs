//! What it costs to work out what profiles remember of a record: the target of a call, which is asked of
//! every record, and the family of a user agent, which is asked once for each that a chunk holds.
//!
//! `cargo bench -p benches --bench values`

#![expect(clippy::unwrap_used, reason = "a bench that cannot read its input has nothing to say")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use ingest::agent::family;
use ingest::cloudtrail::{self, Record};
use ingest::target::{Targets, assumed_role};
use ingest::testkit::{self, Call};
use ingest::{Event, Text};
use serde_json::json;

/// Records of busy accounts, by how hard it is to say what they act on.
fn calls() -> [(&'static str, Call); 7] {
    let call = |api| testkit::call("alice").api(api);
    let object = json!({"bucketName": "rivermill-invoices", "Host": "s3.eu-west-1.amazonaws.com",
        "key": "inbox/2026/03/02/invoice-4711.pdf", "x-id": "GetObject"});
    let key = json!([{"accountId": "111122223333", "type": "AWS::KMS::Key",
        "ARN": "arn:aws:kms:eu-west-1:111122223333:key/1b2c3d4e-5f60-4711-8899-aabbccddeeff"}]);
    let context = json!({"encryptionContext": {"aws:s3:arn": "arn:aws:s3:::rivermill-invoices"},
        "encryptionAlgorithm": "SYMMETRIC_DEFAULT"});
    let policy = json!({"policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess", "roleName": "ci"});
    let launch = json!({"instancesSet": {"items": [{"imageId": "ami-0123456789abcdef0",
        "minCount": 1, "maxCount": 1}]}, "instanceType": "m7g.large", "clientToken": "x",
        "blockDeviceMapping": {"items": vec![json!({"deviceName": "/dev/sda1"}); 4]}});
    let role = json!({"roleArn": "arn:aws:iam::111122223333:role/deploy",
        "roleSessionName": "deploy-4711", "durationSeconds": 3600});
    [
        ("object", call("s3:GetObject").request(object)),
        ("key-by-resources", call("kms:Decrypt").request(context).resources(key)),
        ("second-key", call("iam:AttachRolePolicy").request(policy)),
        ("nothing-named", call("ec2:RunInstances").request(launch)),
        ("no-parameters", call("s3:ListBuckets")),
        (
            "unknown-service",
            call("cloudshell:SendHeartBeat").request(json!({"EnvironmentId": "1"})),
        ),
        ("role", call("sts:AssumeRole").request(role)),
    ]
}

/// What `work` takes of the event that a call is recorded as, `n` times.
fn timed(raw: &str, n: u64, work: impl Fn(&Event<'_>)) -> Duration {
    let mut taken = Duration::ZERO;
    let shape = cloudtrail::read(raw, |_, record| {
        if let Ok(Record::Event(event)) = &record {
            let start = Instant::now();
            (0..n).for_each(|_| work(black_box(event)));
            taken += start.elapsed();
        }
    });
    shape.unwrap();
    taken
}

fn target(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("target");
    for (name, call) in calls() {
        let raw = call.raw();
        // Looked up once for each API, as a reader does.
        let mut targets = Targets::of("");
        cloudtrail::read(&raw, |_, record| {
            if let Ok(Record::Event(event)) = &record {
                targets = Targets::of(&event.service());
            }
        })
        .unwrap();
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|n| {
                timed(&raw, n, |event| {
                    black_box(targets.target(event));
                    black_box(assumed_role(event));
                })
            });
        });
    }
    group.finish();
}

/// User agents of busy accounts.
const AGENTS: [(&str, &str); 4] = [
    ("service", "autoscaling.amazonaws.com"),
    (
        "sdk",
        "Boto3/1.36.3 md/Botocore#1.36.3 ua/2.0 os/linux#6.1.119 md/arch#x86_64 \
         lang/python#3.11.11 md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.36.3",
    ),
    (
        "terraform",
        "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) \
         terraform-provider-aws/5.90.0 aws-sdk-go-v2/1.36.3 os/linux lang/go#1.23.6",
    ),
    (
        "browser",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
         Chrome/133.0.0.0 Safari/537.36 Edg/133.0.0.0",
    ),
];

fn agent(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("agent");
    for (name, agent) in AGENTS {
        let text = Text(agent);
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(family(&black_box(text).get())).len());
        });
    }
    group.finish();
}

criterion_group!(benches, target, agent);
criterion_main!(benches);
