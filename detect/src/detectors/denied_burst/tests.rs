use crate::{
    Severity,
    testkit::{Logs, at, says},
};
use ingest::testkit::{self, Call, call};

const ID: &str = "denied-burst";

fn denied(user: &str) -> Call {
    call(user).api("ec2:RunInstances").error("Client.UnauthorizedOperation")
}

fn working(days: i32) -> Logs {
    Logs::new().habit(days, 8, || call("mallory"))
}

#[test]
fn fires_at_the_floor_while_nobody_has_history() {
    let finding = Logs::new().calls(0, "10:00", 15, |_| denied("mallory")).finding(ID);
    assert_eq!((finding.severity, finding.count), (Severity::Medium, 15));
    assert_eq!(finding.times_ms, (at(0, "10:00"), at(0, "10:00") + 14_000));
    assert_eq!(finding.targets, ["ec2:RunInstances"]);
    says(&finding, &["denied 15 calls of 1 APIs", "ec2:RunInstances", "not known yet"]);
}

#[test]
fn is_quiet_below_the_floor_and_over_more_than_an_hour() {
    Logs::new().calls(0, "10:00", 14, |_| denied("mallory")).stays_quiet(ID);
    let logs = Logs::new().calls(0, "10:00", 14, |_| denied("mallory"));
    logs.call(0, "11:00", denied("mallory")).stays_quiet(ID);
}

#[test]
fn a_burst_across_the_full_hour_is_not_cut_in_two() {
    let logs = Logs::new().calls(0, "10:57", 8, |_| denied("mallory"));
    let finding = logs.calls(0, "11:02", 8, |_| denied("mallory")).finding(ID);
    assert_eq!((finding.count, finding.n_hours), (16, 1));
    let logs = Logs::new().calls(-1, "23:57", 8, |_| denied("mallory"));
    let finding = logs.calls(0, "00:02", 8, |_| denied("mallory")).finding(ID);
    assert_eq!((finding.count, finding.day), (16, crate::testkit::TODAY));
}

#[test]
fn many_apis_make_it_high() {
    let tries = |n: u32| {
        let logs = Logs::new();
        logs.calls(0, "10:00", 20, |i| denied("m").api(&format!("iam:Get{}", i % n))).finding(ID)
    };
    assert_eq!(tries(9).severity, Severity::Medium);
    assert_eq!(tries(10).severity, Severity::High);
}

#[test]
fn evidence_is_the_first_records() {
    let id = |i: u32| testkit::uuid(&i.to_string());
    let logs = Logs::new().calls(0, "10:00", 140, |i| denied("mallory").id(&id(i)));
    let finding = logs.finding(ID);
    assert_eq!(finding.count, 140);
    assert_eq!(finding.times_ms.1, at(0, "10:02") + 19_000, "the last record, not the last kept");
    let ids: Vec<_> = finding.records.iter().map(|record| record.id.to_string()).collect();
    assert_eq!(ids, (0..128).map(id).collect::<Vec<_>>());
    let first = &finding.records[0];
    assert_eq!(first.call.address.as_deref(), Some("198.51.100.7"));
    assert!(first.call.actor.as_deref().is_some_and(|actor| actor.ends_with(":user/mallory")));
}

#[test]
fn failures_that_are_no_denials_do_not_count() {
    Logs::new().calls(0, "10:00", 50, |_| call("x").error("ThrottlingException")).stays_quiet(ID);
    Logs::new().calls(0, "10:00", 50, |_| call("x")).stays_quiet(ID);
}

#[test]
fn services_that_are_denied_for_ever_do_not_count() {
    let service = || testkit::by(testkit::service("delivery.logs.amazonaws.com"));
    let denied = |_| service().api("s3:PutObject").error("AccessDenied");
    Logs::new().calls(0, "10:00", 100, denied).stays_quiet(ID);
}

#[test]
fn a_job_that_is_always_denied_is_usual() {
    let mut logs = working(10);
    for day in -12..0 {
        for hour in 8..16 {
            logs = logs.calls(day, &format!("{hour}:10"), 20, |_| denied("mallory"));
        }
    }
    let quiet = logs.calls(0, "10:00", 20, |_| denied("mallory"));
    assert!(quiet.today(ID).is_none());
}

#[test]
fn a_person_who_is_never_denied_is_judged_by_bits() {
    let finding = working(10).calls(0, "10:00", 25, |_| denied("mallory")).finding(ID);
    assert!(finding.bits().as_f64() >= 10.0, "{}", finding.bits());
    assert_eq!(finding.history_days, (10, 10));
    says(&finding, &["none in its"]);
}

#[test]
fn settings_move_the_floor() {
    let with =
        |calls_min| Logs::with(|options| options.detectors.denied_burst.calls_min = calls_min);
    with(3).calls(0, "10:00", 3, |_| denied("mallory")).finding(ID);
    with(30).calls(0, "10:00", 29, |_| denied("mallory")).stays_quiet(ID);
    let high = Logs::with(|options| options.detectors.denied_burst.apis_high = 1);
    let finding = high.calls(0, "10:00", 15, |_| denied("mallory")).finding(ID);
    assert_eq!(finding.severity, Severity::High);
    let deaf = Logs::with(|options| options.detectors.denied_burst.bits_min = 100.0);
    let deaf = deaf.habit(10, 8, || call("mallory"));
    deaf.calls(0, "10:00", 25, |_| denied("mallory")).stays_quiet(ID);
}

#[test]
fn a_short_history_is_no_worse_than_none() {
    for (days, hours) in [(1, 1), (1, 8), (2, 4), (2, 8), (3, 6), (4, 8), (10, 2)] {
        let logs = Logs::new().habit(days, hours, || call("mallory"));
        logs.calls(0, "10:00", 15, |_| denied("mallory")).finding(ID);
    }
}

#[test]
fn a_wide_burst_is_not_hidden_by_a_busier_narrow_one() {
    let wide = |i: u32| denied("mallory").api(&format!("iam:Get{i}"));
    let logs = Logs::new().calls(0, "10:02", 15, wide);
    let alone = logs.clone().finding(ID);
    let drowned = logs.calls(0, "10:58", 200, |_| denied("mallory")).finding(ID);
    assert_eq!((alone.severity, drowned.severity), (Severity::High, Severity::High));
    assert!(drowned.bits() >= alone.bits());
}

#[test]
fn the_last_record_is_told_though_it_is_not_kept() {
    let finding = Logs::new()
        .calls(0, "10:00", 20, |_| denied("mallory"))
        .calls(0, "10:50", 200, |_| denied("mallory"))
        .finding(ID);
    assert_eq!(finding.times_ms.1, crate::testkit::at(0, "10:50") + 199_000);
    let early = Logs::new()
        .calls(0, "9:10", 290, |_| denied("mallory"))
        .calls(0, "10:00", 1, |_| denied("mallory"))
        .calls(0, "10:50", 200, |_| denied("mallory"));
    let finding = early.today(ID).unwrap();
    assert_eq!(finding.times_ms.1, crate::testkit::at(0, "10:50") + 199_000);
}
