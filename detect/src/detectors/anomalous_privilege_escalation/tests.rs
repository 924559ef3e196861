use crate::{Severity, anomaly::testkit, testkit::says};

const ID: &str = "anomalous-privilege-escalation";

#[test]
fn fires_when_what_is_done_and_from_where_are_new() {
    let finding = testkit::intrusion(&["iam:AttachUserPolicy", "iam:PutUserPolicy"]).finding(ID);
    assert!(finding.severity >= Severity::Medium, "{finding:?}");
    says(
        &finding,
        &[
            "UNSEEN by it, its peers and the account",
            "network new: AS60729",
            "agent new: python-requests",
        ],
    );
    assert_eq!(finding.records.len(), 2);
}

#[test]
fn is_quiet_about_what_is_done_every_day() {
    testkit::habit("iam:AttachUserPolicy").stays_quiet(ID);
}
