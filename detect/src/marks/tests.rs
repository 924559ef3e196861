use super::*;
use crate::{
    Finding,
    testkit::{Logs, TODAY},
};
use ingest::testkit::{self as raw, Call};
use std::sync::Arc;

const OUTSIDE: &str = "compute-credentials-outside-aws";

/// A machine whose credentials are used from outside, every day.
fn outside(call: impl Fn() -> Call) -> Logs {
    (-10..0).fold(Logs::new(), |logs, day| logs.call(day, "10:00", call()))
}

fn stranger() -> Call {
    raw::by(raw::instance_role("web", "i-01234567")).from_ip("8.8.8.8")
}

/// What is said of the findings of some days, on a day of its own.
fn said(findings: &[Finding], days: &[i32], (nature, on): (Nature, i32)) -> Vec<Marked> {
    let of_days = findings.iter().filter(|finding| days.contains(&(finding.day.0 - TODAY.0)));
    let mark = Mark { nature, day: Day(TODAY.0 + on) };
    let marked = |finding: &Finding| {
        let Finding { id, entity, day, news, .. } = finding.clone();
        Marked { id, entity, day, news, mark }
    };
    of_days.map(marked).collect()
}

/// The findings of the same logs once marks teach.
fn again(logs: &Logs, marked: &[Marked]) -> Vec<Finding> {
    logs.clone()
        .with_options(|options| options.lessons = Arc::new(Lessons::of(marked, &options.hash_key)))
        .all()
}

/// The days on which a detector speaks, counted from today.
fn days(findings: &[Finding], detector: &str) -> Vec<i32> {
    let of = findings.iter().filter(|finding| finding.about.id == detector);
    of.map(|finding| finding.day.0 - TODAY.0).collect()
}

#[test]
fn what_was_benign_is_known_from_the_day_on_which_that_was_said() {
    let logs = outside(stranger);
    let found = logs.clone().all();
    assert_eq!(days(&found, OUTSIDE), [-10, -9, -8, -7, -6]);
    for (on, last) in [(-10, -9), (-9, -8), (-8, -7), (0, -6)] {
        let told = again(&logs, &said(&found, &[-10], (Nature::Benign, on)));
        assert_eq!(days(&told, OUTSIDE), (-10..=last).collect::<Vec<_>>(), "{on}");
        // Earlier generations stay as they were.
        let same = |findings: &[Finding]| {
            let before = findings.iter().filter(|finding| finding.day.0 - TODAY.0 < on + 2);
            before.cloned().collect::<Vec<_>>()
        };
        assert_eq!(same(&told), same(&found), "{on}");
    }
    // Nobody can speak of a finding before its day.
    let early = again(&logs, &said(&found, &[-9], (Nature::Benign, -40)));
    assert_eq!(days(&early, OUTSIDE), [-10, -9, -8]);
}

#[test]
fn what_was_malicious_stays_unknown_for_ever() {
    let logs = outside(stranger);
    let found = logs.clone().all();
    for on in [-10, -9, -8, -7] {
        let told = again(&logs, &said(&found, &[-10], (Nature::Malicious, on)));
        assert_eq!(days(&told, OUTSIDE), (-10..0).collect::<Vec<_>>(), "{on}");
    }
    // Learned before anybody spoke, and forgotten then.
    let late = again(&logs, &said(&found, &[-10], (Nature::Malicious, -4)));
    assert_eq!(days(&late, OUTSIDE), [-10, -9, -8, -7, -6, -2, -1]);
}

#[test]
fn the_last_word_counts_and_of_one_day_the_more_cautious() {
    let logs = outside(stranger);
    let found = logs.clone().all();
    let malicious = said(&found, &[-10], (Nature::Malicious, -10));
    let later = said(&found, &[-9], (Nature::Benign, -7));
    let same_day = said(&found, &[-9], (Nature::Benign, -9));
    let on_its_day = said(&found, &[-10], (Nature::Malicious, -9));
    let lifted = [malicious, later].concat();
    assert_eq!(days(&again(&logs, &lifted), OUTSIDE), [-10, -9, -8, -7, -6]);
    let both = [on_its_day, same_day].concat();
    assert_eq!(days(&again(&logs, &both), OUTSIDE), (-10..0).collect::<Vec<_>>());
    for marked in [lifted, both] {
        let reversed: Vec<_> = marked.iter().rev().cloned().collect();
        assert_eq!(again(&logs, &reversed), again(&logs, &marked));
    }
}

#[test]
fn a_rate_of_a_benign_day_is_learned_as_that_of_a_plain_one() {
    let quiet = |_: u32| raw::call("alice").api("iam:ListUsers");
    let denied = |n: u32| quiet(n).error("AccessDenied");
    let logs = (-20..-6).fold(Logs::new(), |logs, day| logs.calls(day, "10:00", 5, quiet));
    let logs = (-6..1).fold(logs, |logs, day| logs.calls(day, "10:00", 40, denied));
    let found = logs.clone().findings("denied-burst");
    let first_bits = |findings: &[Finding], day: i32| {
        let of = findings.iter().filter(|finding| finding.about.id == "denied-burst");
        let mut of = of.filter(|finding| finding.day.0 - TODAY.0 == day);
        of.next().map(Finding::bits)
    };
    let all = logs.clone().all();
    let told = again(&logs, &said(&all, &[-6], (Nature::Benign, -6)));
    for day in -6..-4 {
        assert_eq!(first_bits(&told, day), first_bits(&found, day), "{day}");
    }
    assert!(first_bits(&told, -4) < first_bits(&found, -4));
    // With one finding of the day left unsaid it teaches what an alerted day teaches.
    let mut some = said(&all, &[-6], (Nature::Benign, -6));
    let is_burst = |marked: &Marked| found.iter().any(|finding| finding.id == marked.id);
    some.retain(|marked| !is_burst(marked));
    assert_eq!(first_bits(&again(&logs, &some), -4), first_bits(&found, -4));
}

#[test]
fn what_was_said_before_the_first_record_counts_too() {
    let logs = outside(stranger);
    let found = logs.all();
    let later = (-4..0).fold(Logs::new(), |logs, day| logs.call(day, "10:00", stranger()));
    assert_eq!(days(&later.clone().all(), OUTSIDE), [-4, -3, -2, -1]);
    let marked = said(&found, &[-10], (Nature::Benign, -10));
    assert_eq!(days(&again(&later, &marked), OUTSIDE), [0; 0]);
}

#[test]
fn a_finding_keeps_what_was_new_up_to_its_bound() {
    let alice = |api: &str| raw::call("alice").api(api).from_ip("81.2.69.142");
    let habit = Logs::new().habit(20, 8, || alice("s3:GetBucketLocation"));
    let logs = (0..12).fold(habit, |logs, hour: u32| {
        logs.calls(0, &format!("{}:00", 8 + hour), 60, |n| {
            let call = alice(&format!("ec2:DescribeThing{}", hour * 60 + n));
            call.from_ip("185.220.101.1").agent("python-requests/2.31.0")
        })
    });
    let found = logs.finding("anomalous-discovery");
    assert_eq!(found.news.len(), Finding::NEWS_MAX);
    assert!(found.news.iter().all(|(dimension, _)| *dimension == Dimension::Api));
}

#[test]
fn an_unusual_hour_that_was_benign_is_quiet_with_all_that_was_new_in_it() {
    let alice = |api: &str| raw::call("alice").api(api).from_ip("81.2.69.142");
    let moved = |_: u32| {
        let call = alice("iam:CreateAccessKey").from_ip("185.220.101.1");
        call.agent("python-requests/2.31.0")
    };
    let habit = Logs::new().habit(20, 8, || alice("s3:GetBucketLocation"));
    let logs = (0..5).fold(habit, |logs, day| logs.calls(day, "10:00", 3, moved));
    let all = logs.clone().all();
    let unusual = |findings: &[Finding]| days(findings, "anomalous-persistence");
    assert_eq!(unusual(&all), [0, 1, 2, 3, 4]);
    let mut marked = said(&all, &[0], (Nature::Benign, 0));
    marked.retain(|marked| {
        all.iter().any(|one| one.id == marked.id && one.about.id == "anomalous-persistence")
    });
    let news: Vec<_> = marked[0].news.iter().map(|(dimension, _)| *dimension).collect();
    for dimension in [Dimension::Api, Dimension::Network, Dimension::Country, Dimension::Agent] {
        assert!(news.contains(&dimension), "{dimension:?} in {news:?}");
    }
    assert_eq!(unusual(&again(&logs, &marked)), [0, 1]);
}
