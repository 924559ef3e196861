use crate::{Severity, anomaly::testkit, testkit::says};

const ID: &str = "anomalous-s3-discovery";

#[test]
fn fires_when_what_is_done_and_from_where_are_new() {
    let finding = testkit::sweep("s3:GetBucket").finding(ID);
    assert!(finding.severity >= Severity::Low, "{finding:?}");
    says(&finding, &["UNSEEN by it, its peers and the account", "network new: AS60729"]);
    assert!(finding.records.len() > 50, "{}", finding.records.len());
}

#[test]
fn is_quiet_about_what_is_done_every_day() {
    testkit::habit("s3:ListBuckets").stays_quiet(ID);
}
