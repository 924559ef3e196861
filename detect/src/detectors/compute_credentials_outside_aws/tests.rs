use crate::{
    Severity,
    testkit::{Logs, says},
};
use ingest::testkit::{self, Call};

const ID: &str = "compute-credentials-outside-aws";
/// Google's resolver, outside AWS.
const OUTSIDE: &str = "8.8.8.8";
/// An address of EC2.
const AMAZON: &str = "18.236.0.1";

fn web(address: &str) -> Call {
    testkit::by(testkit::instance_role("web", "i-0123456789abcdef0")).from_ip(address)
}

#[test]
fn fires_outside_aws() {
    let id = testkit::uuid("one");
    let finding = Logs::new().call(0, "10:00", web(OUTSIDE).id(&id)).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::High, 1));
    assert_eq!(finding.records[0].id.to_string(), id);
    says(&finding, &["called from 8.8.8.8 in AS15169", "outside AWS"]);
}

#[test]
fn denied_calls_count_too() {
    Logs::new().call(0, "10:00", web(OUTSIDE).error("AccessDenied")).finding(ID);
}

#[test]
fn is_quiet_inside_aws_and_where_nothing_is_known() {
    for address in [AMAZON, "10.0.0.7", "ec2.amazonaws.com", "AWS Internal", "198.51.100.7", ""] {
        Logs::new().call(0, "10:00", web(address)).stays_quiet(ID);
    }
}

#[test]
fn is_quiet_for_credentials_of_no_machine() {
    for identity in [testkit::iam_user("alice"), testkit::role_session("deploy", "x")] {
        let call = testkit::by(identity).from_ip(OUTSIDE);
        Logs::new().call(0, "10:00", call).stays_quiet(ID);
    }
}

#[test]
fn a_network_that_is_usual_is_quiet_but_a_new_one_is_not() {
    let logs = Logs::new().daily(12, "9:00", |_| web(OUTSIDE));
    assert!(logs.clone().call(0, "10:00", web(OUTSIDE)).today(ID).is_none());
    let logs = logs.call(0, "10:00", web(OUTSIDE));
    let finding = logs.call(0, "10:30", web("1.1.1.1")).today(ID).unwrap();
    says(&finding, &["called from 1.1.1.1 in AS13335", "usual networks: AS15169"]);
    assert_eq!((finding.count, finding.records.len()), (1, 1));
}

#[test]
fn a_network_that_others_of_the_account_use_makes_it_medium() {
    let other = |role: &str| testkit::by(testkit::instance_role(role, "i-01234567"));
    let mut logs = Logs::new();
    for role in ["db", "app"] {
        logs = logs.daily(12, "9:00", |_| other(role).from_ip(OUTSIDE));
    }
    let finding = logs.call(0, "10:00", web(OUTSIDE)).today(ID).unwrap();
    assert_eq!(finding.severity, Severity::Medium);
}

fn pipeline(address: &str) -> Call {
    testkit::by(testkit::role_session("deploy", "GitHubActions")).from_ip(address)
}

#[test]
fn a_pipeline_that_leaves_its_runners_is_told() {
    // Microsoft's cloud, where hosted runners are.
    let logs = || Logs::new().daily(8, "9:00", |_| pipeline("20.55.0.1"));
    let finding = logs().call(0, "10:00", pipeline("1.1.1.1")).today(ID).unwrap();
    assert_eq!((finding.severity, finding.count), (Severity::Medium, 1));
    says(&finding, &["called from 1.1.1.1 in AS13335"]);
    // Another large cloud, and Amazon's.
    for address in [OUTSIDE, AMAZON] {
        assert!(logs().call(0, "10:00", pipeline(address)).today(ID).is_none(), "{address}");
    }
}

#[test]
fn a_pipeline_is_quiet_where_its_runners_are_known_or_nothing_is() {
    Logs::new().call(0, "10:00", pipeline("1.1.1.1")).stays_quiet(ID);
    let logs = Logs::new().daily(12, "9:00", |_| pipeline("1.1.1.1"));
    assert!(logs.call(0, "10:00", pipeline("1.1.1.1")).today(ID).is_none());
}

#[test]
fn settings_allow_networks() {
    let with = |n| {
        Logs::with(|options| options.detectors.compute_credentials_outside_aws.networks = vec![n])
    };
    with(15_169).call(0, "10:00", web(OUTSIDE)).stays_quiet(ID);
    with(13_335).call(0, "10:00", web(OUTSIDE)).finding(ID);
}
