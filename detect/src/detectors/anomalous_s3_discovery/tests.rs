use crate::{Severity, anomaly::testkit};

const ID: &str = "anomalous-s3-discovery";

#[test]
fn fires_when_what_is_done_and_from_where_are_new() {
    let finding = testkit::sweep("s3:GetBucket").finding(ID);
    testkit::looks_like_an_intruder(&finding, Severity::Low);
}

#[test]
fn is_quiet_about_what_is_done_every_day() {
    testkit::habit("s3:ListBuckets").stays_quiet(ID);
}
