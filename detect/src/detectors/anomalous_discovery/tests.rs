use crate::{Severity, anomaly::testkit, testkit::says};

const ID: &str = "anomalous-discovery";

#[test]
fn fires_when_what_is_done_and_from_where_are_new() {
    let finding = testkit::sweep("iam:List").finding(ID);
    assert!(finding.severity >= Severity::Low, "{finding:?}");
    says(
        &finding,
        &[
            "UNSEEN by it, its peers and the account",
            "network new: AS60729",
            "agent new: python-requests",
        ],
    );
    assert!(finding.records.len() > 50, "{}", finding.records.len());
}

#[test]
fn is_quiet_about_what_is_done_every_day() {
    testkit::habit("iam:ListAttachedUserPolicies").stays_quiet(ID);
}
