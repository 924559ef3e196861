use crate::{Severity, anomaly::testkit};

const ID: &str = "anomalous-discovery";

#[test]
fn fires_when_what_is_done_and_from_where_are_new() {
    let finding = testkit::sweep("iam:List").finding(ID);
    testkit::looks_like_an_intruder(&finding, Severity::Low);
}

#[test]
fn is_quiet_about_what_is_done_every_day() {
    testkit::habit("iam:ListAttachedUserPolicies").stays_quiet(ID);
}
