use crate::{Severity, anomaly::testkit};

const ID: &str = "anomalous-privilege-escalation";

#[test]
fn fires_when_what_is_done_and_from_where_are_new() {
    let finding = testkit::intrusion(&["iam:AttachUserPolicy", "iam:PutUserPolicy"]).finding(ID);
    testkit::looks_like_an_intruder(&finding, Severity::Medium);
}

#[test]
fn is_quiet_about_what_is_done_every_day() {
    testkit::habit("iam:AttachUserPolicy").stays_quiet(ID);
}
