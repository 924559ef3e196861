use crate::{
    Severity,
    testkit::{Logs, says},
};
use ingest::testkit::{Call, call};
use serde_json::json;

const ID: &str = "s3-mass-deletion";

fn delete(bucket: &str) -> Call {
    call("eve").api("s3:DeleteObject").request(json!({"bucketName": bucket, "key": "k"}))
}

#[test]
fn fires_at_the_floor() {
    let finding = Logs::new().calls(0, "10:00", 50, |_| delete("photos")).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::Medium, 50));
    assert_eq!(finding.targets, ["photos"]);
    says(&finding, &["photos", "in 50 calls within 60 minutes", "not known yet"]);
    Logs::new().calls(0, "10:00", 49, |_| delete("photos")).stays_quiet(ID);
}

#[test]
fn several_buckets_or_ten_times_the_floor_make_it_high() {
    let wide = Logs::new().calls(0, "10:00", 50, |i| delete(["a", "b"][usize::from(i == 0)]));
    let wide = wide.finding(ID);
    assert_eq!((wide.severity, wide.targets.len()), (Severity::High, 2));
    says(&wide, &["of bucket a and 1 more"]);
    let many = Logs::new().calls(0, "10:00", 500, |_| delete("photos")).finding(ID);
    assert_eq!((many.severity, many.count), (Severity::High, 500));
    let fewer = Logs::new().calls(0, "10:00", 499, |_| delete("photos")).finding(ID);
    assert_eq!(fewer.severity, Severity::Medium);
}

#[test]
fn failed_deletions_do_not_count() {
    Logs::new().calls(0, "10:00", 90, |_| delete("b").error("AccessDenied")).stays_quiet(ID);
}

#[test]
fn a_call_that_deletes_many_keys_counts_once() {
    let many = |_| delete("photos").api("s3:DeleteObjects");
    let finding = Logs::new().calls(0, "10:00", 60, many).finding(ID);
    assert_eq!(finding.count, 60);
}

#[test]
fn a_cleaner_is_usual_and_a_worker_is_not() {
    let mut cleaner = Logs::new();
    for day in -12..1 {
        cleaner = cleaner.calls(day, "3:10", 80, |_| delete("tmp"));
        cleaner = cleaner.calls(day, "4:10", 80, |_| delete("tmp"));
    }
    assert!(cleaner.clone().today(ID).is_none());
    let wild = cleaner.calls(0, "4:20", 4_000, |_| delete("tmp")).today(ID).unwrap();
    says(&wild, &["usual: 80.0 in an hour with any, fewer than", "which are", "active hours"]);
    says(&wild, &["first 2025-03-02, last 2025-03-12"]);
    let worker = Logs::new().habit(10, 8, || call("eve"));
    let finding = worker.calls(0, "10:00", 60, |_| delete("photos")).finding(ID);
    assert!(finding.bits().as_f64() >= 10.0);
    assert_eq!(finding.history_days, (10, 10));
}

#[test]
fn settings_move_the_floors() {
    let cold = |n| Logs::with(|options| options.detectors.s3_mass_deletion.calls_min_cold = n);
    cold(5).calls(0, "10:00", 5, |_| delete("b")).finding(ID);
    cold(60).calls(0, "10:00", 59, |_| delete("b")).stays_quiet(ID);
    let warm = |n| {
        let logs = Logs::with(|options| {
            options.detectors.s3_mass_deletion.calls_min = n;
            options.detectors.s3_mass_deletion.bits_min = 1.0;
        });
        logs.habit(5, 8, || call("eve")).calls(0, "10:00", 20, |_| delete("b"))
    };
    warm(20).finding(ID);
    warm(21).stays_quiet(ID);
}

#[test]
fn a_short_history_is_no_worse_than_none() {
    for (days, hours) in [(1, 1), (1, 8), (2, 4), (2, 8), (3, 6), (4, 8), (10, 2)] {
        let logs = Logs::new().habit(days, hours, || call("eve"));
        logs.calls(0, "10:00", 50, |_| delete("b")).finding(ID);
    }
}

#[test]
fn several_buckets_are_not_hidden_by_a_busier_hour_of_one() {
    let logs = Logs::new().calls(0, "9:15", 49, |_| delete("a")).call(0, "10:02", delete("b"));
    assert_eq!(logs.clone().finding(ID).severity, Severity::High);
    let finding = logs.calls(0, "10:50", 90, |_| delete("b")).finding(ID);
    assert_eq!(finding.severity, Severity::High);
}
