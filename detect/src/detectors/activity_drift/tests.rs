use crate::{
    Finding, Severity,
    testkit::{Logs, TODAY, says},
};
use ingest::testkit::{Call, call};
use serde_json::json;

const ID: &str = "activity-drift";
/// Calls of the hours of a day before they grow: the largest is their 99th percentile.
const HOURS: [f64; 3] = [6.0, 10.0, 15.0];
const OLD_P99: f64 = 15.0;

fn read() -> Call {
    call("alice").api("s3:GetObject").request(json!({"bucketName": "b"})).from_ip("81.2.69.142")
}

/// Sixty steady days, then `n` that grow by `share` a day; the last is today.
fn growing(n: i32, share: f64, call: impl Fn() -> Call) -> Logs {
    let days = -59 - n..=0;
    days.fold(Logs::new(), |logs, day| {
        let grown = (1.0 + share).powi((day + n).max(0));
        // Days are never alike: a third more and a third less by turns.
        let times = grown * if day % 2 == 0 { 1.15 } else { 0.87 };
        (8..).zip(HOURS).fold(logs, |logs, (hour, n)| {
            let n = format!("{:.0}", n * times).parse().unwrap();
            logs.calls(day, &format!("{hour}:10"), n, |_| call())
        })
    })
}

fn first(findings: &[Finding]) -> Option<i32> {
    findings.iter().map(|finding| finding.day.0 - TODAY.0).min()
}

#[test]
fn fires_before_slow_growth_has_come_to_five_times_the_old_p99() {
    let n = 60;
    let found = growing(n, 0.03, read).findings(ID);
    let day = n + first(&found).unwrap();
    let largest = HOURS[2] * 1.15 * 1.03_f64.powi(day);
    assert!(largest < 4.0 * OLD_P99, "day {day}: {largest}");
    assert!(day > 7, "day {day}");
    assert_eq!(found[0].severity, Severity::Medium);
    says(&found[0], &["has come to make", "s3-calls-read a day", "times the"]);
    // It fades as everything that goes on, and is told again when it has come to half as much again.
    let days: Vec<i32> = found.iter().map(|finding| finding.day.0 - TODAY.0 + n - day).collect();
    let n_early = days.iter().filter(|day| **day < 10).count();
    assert!((4..=7).contains(&n_early) && days.last() > Some(&12), "{days:?}");
}

#[test]
fn a_change_that_stays_fades() {
    // Three times as much from one day on, which no hour of it tells.
    let logs = (-60..30).fold(Logs::new(), |logs, day| {
        let times = if day < 0 { 1 } else { 3 };
        let n = times * if day % 2 == 0 { 9 } else { 11 };
        (8..11).fold(logs, |logs, hour| logs.calls(day, &format!("{hour}:10"), n, |_| read()))
    });
    let found = logs.findings(ID);
    let days: Vec<i32> = found.iter().map(|finding| finding.day.0 - TODAY.0).collect();
    assert!(!days.is_empty() && days.len() <= 7, "{days:?}");
    assert!(days.windows(2).all(|days| days[1] == days[0] + 1), "{days:?}");
}

#[test]
fn is_quiet_about_days_as_they_always_were() {
    growing(30, 0.0, read).stays_quiet(ID);
}

#[test]
fn is_quiet_about_growth_that_the_mean_follows() {
    growing(60, 0.012, read).stays_quiet(ID);
}

#[test]
fn is_quiet_about_few_calls() {
    let settings = |min| {
        growing(45, 0.03, read).with_settings(move |settings| {
            settings.activity_drift.calls_min = min;
        })
    };
    assert!(!settings(50.0).findings(ID).is_empty());
    settings(500.0).stays_quiet(ID);
}

#[test]
fn is_low_for_looking_around() {
    let look = || call("alice").api("ec2:DescribeInstances").from_ip("81.2.69.142");
    let found = growing(45, 0.03, look).findings(ID);
    assert!(found.iter().all(|finding| finding.severity == Severity::Low) && !found.is_empty());
}
