use crate::{Severity, anomaly::testkit};

const ID: &str = "anomalous-initial-access";

#[test]
fn fires_when_what_is_done_and_from_where_are_new() {
    let finding = testkit::intrusion(&["ssm:StartSession", "ssm:SendCommand"]).finding(ID);
    testkit::looks_like_an_intruder(&finding, Severity::Medium);
}

#[test]
fn is_quiet_about_what_is_done_every_day() {
    testkit::habit("ssm:StartSession").stays_quiet(ID);
}
