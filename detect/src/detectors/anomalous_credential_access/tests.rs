use crate::{Severity, anomaly::testkit};

const ID: &str = "anomalous-credential-access";

#[test]
fn fires_when_what_is_done_and_from_where_are_new() {
    let finding =
        testkit::intrusion(&["secretsmanager:GetSecretValue", "ec2:GetPasswordData"]).finding(ID);
    testkit::looks_like_an_intruder(&finding, Severity::Medium);
}

#[test]
fn is_quiet_about_what_is_done_every_day() {
    testkit::habit("secretsmanager:GetSecretValue").stays_quiet(ID);
}
