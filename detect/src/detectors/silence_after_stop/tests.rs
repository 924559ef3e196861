use crate::{
    Severity,
    testkit::{Logs, at, flow, says},
};
use ingest::{
    flow::Call,
    testkit::{Call as Record, call},
};
use serde_json::json;

const ID: &str = "silence-after-stop";

/// What an interface called in an hour, the time told by its minute.
fn hour(name: &str, hour: i64) -> Call {
    let end_ms = at(0, "0:0") + (hour * 60 + 20) * 60_000;
    Call { interface: name.into(), ..flow("-", ([198, 51, 100, 9].into(), 443), end_ms) }
}

/// Interfaces that are heard in these hours.
fn heard(logs: Logs, names: &[&str], hours: std::ops::Range<i64>) -> Logs {
    let all = names.iter().flat_map(|name| hours.clone().map(move |n| hour(name, n)));
    all.fold(logs, Logs::flow)
}

/// Records of a region in these hours.
fn logged(logs: Logs, region: &str, hours: std::ops::Range<i64>) -> Logs {
    hours.fold(logs, |logs, hour| logs.call(0, &format!("{hour}:40"), call("alice").region(region)))
}

fn stops(api: &str) -> Record {
    call("eve").api(api).request(json!({"name": "main"}))
}

const THREE: [&str; 3] = ["eni-1", "eni-2", "eni-3"];

/// Flow logs are deleted at 10:30, while CloudTrail goes on until 20:00.
fn deleted() -> Logs {
    let logs = Logs::new().call(0, "10:30", stops("ec2:DeleteFlowLogs"));
    logged(logs, "eu-central-1", 2..20)
}

/// The trail is stopped at 10:30, while flow logs go on until 20:00.
fn stopped() -> Logs {
    let logs = Logs::new().call(0, "10:30", stops("cloudtrail:StopLogging"));
    heard(logs, &THREE, 2..20)
}

#[test]
fn interfaces_that_fall_silent_are_told() {
    let finding = heard(deleted(), &THREE, 2..11).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::High, 1));
    says(&finding, &["ec2:DeleteFlowLogs", "all 3 interfaces", "silent for 9 hours"]);
    assert_eq!(finding.flow.unwrap().interface, "eni-1");
    assert_eq!(&*finding.records[0].call.api, "ec2:DeleteFlowLogs");
    // What was under way comes an hour later.
    heard(deleted(), &["eni-1"], 2..12).finding(ID);
}

#[test]
fn a_silence_that_somebody_ended_is_told_too() {
    let finding = heard(heard(deleted(), &THREE, 2..11), &THREE, 15..20).finding(ID);
    says(&finding, &["all 3 interfaces", "silent for 4 hours"]);
    heard(heard(deleted(), &THREE, 2..11), &THREE, 13..20).stays_quiet(ID);
    let again = logged(logged(stopped(), "eu-central-1", 2..11), "eu-central-1", 16..20);
    says(&again.finding(ID), &["CloudTrail of eu-central-1", "for 5 hours"]);
}

#[test]
fn a_habit_of_stopping_is_low() {
    let usual = deleted().daily(9, "10:30", |_| stops("ec2:DeleteFlowLogs"));
    assert_eq!(heard(usual, &THREE, 2..11).finding(ID).severity, Severity::Low);
}

#[test]
fn a_trail_that_falls_silent_is_told() {
    let finding = logged(stopped(), "eu-central-1", 2..11).finding(ID);
    says(&finding, &["cloudtrail:StopLogging", "CloudTrail of eu-central-1", "for 9 hours"]);
    // By another region, too, it is known that the account is heard.
    let logs = Logs::new().call(0, "10:30", stops("cloudtrail:DeleteTrail"));
    let logs = logged(logged(logs, "eu-central-1", 2..11), "us-east-1", 2..20);
    logs.finding(ID);
}

#[test]
fn logs_that_go_on_stay_quiet() {
    heard(deleted(), &THREE, 2..20).stays_quiet(ID);
    logged(stopped(), "eu-central-1", 2..20).stays_quiet(ID);
    // Nothing else is heard either: the archive ends, or nobody is at work.
    let end = Logs::new().call(0, "10:30", stops("cloudtrail:StopLogging"));
    heard(logged(end, "eu-central-1", 2..11), &THREE, 2..11).stays_quiet(ID);
}

#[test]
fn pauses_failures_and_other_calls_stay_quiet() {
    let pauses = heard(heard(deleted(), &THREE, 2..6), &THREE, 10..11);
    pauses.stays_quiet(ID);
    let failed = Logs::new().call(0, "10:30", stops("ec2:DeleteFlowLogs").error("AccessDenied"));
    heard(logged(failed, "eu-central-1", 2..20), &THREE, 2..11).stays_quiet(ID);
    let other = Logs::new().call(0, "10:30", stops("config:StopConfigurationRecorder"));
    heard(logged(other, "eu-central-1", 2..20), &THREE, 2..11).stays_quiet(ID);
    // Somebody else's silence.
    let later = Logs::new().call(0, "15:30", stops("ec2:DeleteFlowLogs"));
    heard(logged(later, "eu-central-1", 2..20), &THREE, 2..11).stays_quiet(ID);
}

#[test]
fn beside_others_several_must_fall_silent() {
    let others = || heard(deleted(), &["eni-8", "eni-9"], 2..20);
    says(
        &heard(others(), &THREE, 2..11).finding(ID),
        &["3 interfaces of the account, not 2 others"],
    );
    heard(others(), &THREE[..2], 2..11).stays_quiet(ID);
    let fewer = heard(others(), &THREE[..2], 2..11);
    fewer.with_settings(|all| all.silence_after_stop.interfaces_min = 2).finding(ID);
}

#[test]
fn short_silence_is_none() {
    let until = |hour| {
        let logs = Logs::new().call(0, "10:30", stops("ec2:DeleteFlowLogs"));
        heard(logged(logs, "eu-central-1", 2..hour), &THREE, 2..11)
    };
    until(14).finding(ID);
    until(13).stays_quiet(ID);
    until(13).with_settings(|all| all.silence_after_stop.hours_min = 2).finding(ID);
}
