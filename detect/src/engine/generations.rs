//! Generations at work: what is repeated stays unknown long enough, and no longer.

use crate::{
    Finding,
    testkit::{Logs, TODAY},
};
use ingest::testkit::{Call, call};

fn alice(api: &str) -> Call {
    call("alice").api(api).from_ip("81.2.69.142").agent("aws-cli/2.15.30 os/linux")
}

fn working() -> Logs {
    Logs::new().habit(30, 8, || alice("s3:GetBucketLocation"))
}

/// The days on which a detector speaks, counted from today, and the bits of each.
fn told(logs: Logs, detector: &str) -> Vec<(i32, f64)> {
    let found: Vec<Finding> = logs.findings(detector);
    found.iter().map(|finding| (finding.day.0 - TODAY.0, finding.bits().as_f64())).collect()
}

#[test]
fn measure() {
    let stranger = |api: &str| alice(api).from_ip("185.220.101.1").agent("python-requests/2.31.0");
    let at_work = |logs: Logs, n: i32| {
        (0..n).fold(logs, |logs, day| logs.call(day, "11:30", alice("s3:GetBucketLocation")))
    };
    let values = (0..14).fold(at_work(working(), 14), |logs, day| {
        logs.calls(day, "10:00", 3, |_| stranger("iam:CreateAccessKey"))
    });
    println!("values {:?}", told(values, "anomalous-persistence"));
    for n in [30, 60, 200] {
        let denied = (0..40).fold(at_work(working(), 40), |logs, day| {
            logs.calls(day, "10:00", n, |_| alice("s3:GetBucketLocation").error("AccessDenied"))
        });
        println!("denied {n} {:?}", told(denied, "denied-burst"));
        let deleted = (0..40).fold(at_work(working(), 40), |logs, day| {
            let delete = |_: u32| {
                alice("s3:DeleteObject").request(serde_json::json!({"bucketName": "b"}))
            };
            logs.calls(day, "10:00", n, delete)
        });
        println!("deleted {n} {:?}", told(deleted, "s3-mass-deletion"));
    }
}
