use crate::{
    Engine, Finding, Options,
    testkit::{Logs, TODAY, says},
};
use ingest::{
    enrich::Enrich,
    testkit::{Call, call},
};
use std::collections::BTreeSet;

fn alice(api: &str) -> Call {
    call("alice").api(api).from_ip("81.2.69.142").agent("aws-cli/2.15.30 os/linux")
}

/// Fourteen days of work, of which this is the first.
const FIRST: i32 = -16;

fn working() -> Logs {
    Logs::new().habit(14, 8, || alice("s3:GetBucketLocation"))
}

/// What is told of unusual behaviour in hindsight, and what without.
fn told(logs: Logs) -> [Vec<Finding>; 2] {
    let mut first = Engine::new(Options::default(), Enrich::built_in());
    first.learn_for_hindsight();
    assert_eq!(logs.clone().judged_by(&mut first), []);
    let hindsight = logs.clone().judged_by(&mut first.in_hindsight());
    [hindsight, logs.all()].map(|mut findings| {
        findings.retain(|finding| finding.about.id.starts_with("anomalous-"));
        findings
    })
}

/// Somebody with Alice's key, from a Tor exit.
fn theft(day: i32) -> Logs {
    let stranger = |api: &str| alice(api).from_ip("185.220.101.1").agent("python-requests/2.31.0");
    let logs = working().call(day, "9:40", stranger("iam:CreateUser"));
    logs.call(day, "9:45", stranger("iam:CreateAccessKey"))
}

#[test]
fn an_archive_without_history_shows_what_is_rare_in_it() {
    let [hindsight, before] = told(theft(FIRST));
    assert_eq!(before, []);
    let finding = hindsight.iter().find(|one| one.about.id == "anomalous-persistence").unwrap();
    assert_eq!((finding.day.0 - TODAY.0, finding.history_days), (FIRST, (13, 13)));
    says(finding, &["UNSEEN by it, its peers and the account"]);
}

#[test]
fn a_later_day_is_judged_as_well_as_without() {
    let [hindsight, before] = told(theft(-4));
    let ids = |findings: &[Finding]| findings.iter().map(|one| one.id).collect::<Vec<_>>();
    assert!(!before.is_empty());
    assert_eq!(ids(&hindsight), ids(&before));
}

#[test]
fn what_becomes_a_habit_is_none_that_is_told_when_it_begins() {
    // From the eighth day on there is something new each day, and it stays.
    let mut logs = working();
    for day in FIRST + 7..-2 {
        let new_place = |api: &str| alice(api).from_ip("185.220.101.1").agent("terraform/1.9");
        logs = logs.call(day, "9:40", new_place("iam:CreateUser"));
        logs = logs.call(day, "9:45", new_place("iam:CreateAccessKey"));
    }
    let [hindsight, before] = told(logs);
    assert!(!before.is_empty());
    assert_eq!(hindsight, []);
}

#[test]
fn days_on_which_an_intruder_was_found_do_not_vouch_for_each_other() {
    let mut logs = working();
    for day in -8..-3 {
        let stolen = |api: &str| alice(api).from_ip("185.220.101.1").agent("terraform/1.9");
        logs = logs.call(day, "9:40", stolen("iam:CreateUser"));
        logs = logs.call(day, "9:45", stolen("iam:CreateAccessKey"));
    }
    let [hindsight, before] = told(logs);
    let days = |findings: &[Finding]| findings.iter().map(|one| one.day.0 - TODAY.0).collect();
    let (hindsight, before): (BTreeSet<i32>, BTreeSet<i32>) = (days(&hindsight), days(&before));
    assert_eq!(before, BTreeSet::from([-8, -7, -6, -5, -4]));
    assert_eq!(hindsight, before);
}
