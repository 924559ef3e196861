use crate::{
    Severity,
    testkit::{Logs, says},
};
use ingest::testkit::{Call, call};
use serde_json::{Value, json};

const ID: &str = "s3-mass-reencryption";
const SSE_C: &str = "x-amz-server-side-encryption-customer-algorithm";
const KMS_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";

fn write(key: &str, value: impl Into<Value>) -> Call {
    call("eve").api("s3:PutObject").request(json!({"bucketName": "photos", key: value.into()}))
}

fn ransom() -> Call {
    write(SSE_C, "AES256")
}

#[test]
fn fires_at_the_floor() {
    let finding = Logs::new().calls(0, "10:00", 20, |_| ransom()).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::Critical, 20));
    says(&finding, &["wrote 20 objects", "bucket photos", "does not hold", "floor decides"]);
    Logs::new().calls(0, "10:00", 19, |_| ransom()).stays_quiet(ID);
}

#[test]
fn keys_of_the_own_account_do_not_count() {
    let own = "arn:aws:kms:eu-central-1:111122223333:key/0a1b";
    let foreign = "arn:aws:kms:eu-central-1:444455556666:key/0a1b";
    let alias = "arn:aws:kms:eu-central-1:444455556666:alias/x";
    for (key, fires) in [(own, false), ("0a1b", false), (foreign, true), (alias, true)] {
        let findings = Logs::new().calls(0, "10:00", 30, |_| write(KMS_KEY, key)).findings(ID);
        assert_eq!(findings.len(), usize::from(fires), "{key}");
    }
    Logs::new().calls(0, "10:00", 30, |_| write("key", "k")).stays_quiet(ID);
}

#[test]
fn copies_and_answers_tell_it_too() {
    let copy = |_| ransom().api("s3:CopyObject");
    Logs::new().calls(0, "10:00", 20, copy).finding(ID);
    let applied = |_| write("key", "k").additional(json!({"SSEApplied": "SSE_C"}));
    Logs::new().calls(0, "10:00", 20, applied).finding(ID);
    let own = |_| write("key", "k").additional(json!({"SSEApplied": "SSE_KMS"}));
    Logs::new().calls(0, "10:00", 20, own).stays_quiet(ID);
}

#[test]
fn failed_writes_do_not_count() {
    Logs::new().calls(0, "10:00", 90, |_| ransom().error("AccessDenied")).stays_quiet(ID);
}

#[test]
fn a_job_that_always_brings_its_key_is_usual_and_a_worker_is_not() {
    let mut job = Logs::new();
    for day in -12..1 {
        for hour in 8..16 {
            job = job.calls(day, &format!("{hour}:10"), 30, |_| ransom());
        }
    }
    assert!(job.today(ID).is_none());
    let worker = Logs::new().habit(10, 8, || call("eve"));
    let finding = worker.calls(0, "10:00", 20, |_| ransom()).finding(ID);
    assert_eq!(finding.severity, Severity::Critical);
    says(&finding, &["usual: none in its"]);
}

#[test]
fn settings_move_the_floor() {
    let with = |n| Logs::with(|options| options.detectors.s3_mass_reencryption.objects_min = n);
    with(3).calls(0, "10:00", 3, |_| ransom()).finding(ID);
    with(21).calls(0, "10:00", 20, |_| ransom()).stays_quiet(ID);
}

#[test]
fn a_short_history_is_no_worse_than_none() {
    for (days, hours) in [(1, 1), (1, 8), (2, 4), (2, 8), (3, 6), (4, 8), (10, 2)] {
        let logs = Logs::new().habit(days, hours, || call("eve"));
        logs.calls(0, "10:00", 20, |_| ransom()).finding(ID);
    }
}

#[test]
fn a_header_that_is_null_is_no_key() {
    Logs::new().calls(0, "10:00", 30, |_| write(SSE_C, Value::Null)).stays_quiet(ID);
    Logs::new().calls(0, "10:00", 30, |_| write(SSE_C, "")).stays_quiet(ID);
}
