use crate::{Severity, anomaly::testkit, testkit::says};

const ID: &str = "anomalous-s3-discovery";

#[test]
fn fires_when_what_is_done_and_from_where_are_new() {
    let finding = testkit::intrusion(&["s3:ListBuckets", "s3:GetBucketPolicy"]).finding(ID);
    assert!(finding.severity >= Severity::Low, "{finding:?}");
    says(&finding, &["UNSEEN by it", "network new: 60729", "agent new: python-requests"]);
    assert_eq!(finding.records.len(), 2);
}

#[test]
fn is_quiet_about_what_is_done_every_day() {
    testkit::habit("s3:ListBuckets").stays_quiet(ID);
}
