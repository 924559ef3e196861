use crate::{Severity, anomaly::testkit};

const ID: &str = "anomalous-s3-impact";

#[test]
fn fires_when_what_is_done_and_from_where_are_new() {
    let finding = testkit::intrusion(&["s3:DeleteObject", "s3:PutBucketVersioning"]).finding(ID);
    testkit::looks_like_an_intruder(&finding, Severity::Medium);
}

#[test]
fn is_quiet_about_what_is_done_every_day() {
    testkit::habit("s3:DeleteObject").stays_quiet(ID);
}
