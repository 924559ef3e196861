//! Generations at work: what is repeated stays unknown long enough, and no longer.

use crate::{
    Finding,
    testkit::{Logs, TODAY},
};
use ingest::testkit::{Call, call};

fn alice(api: &str) -> Call {
    call("alice").api(api).from_ip("81.2.69.142").agent("aws-cli/2.15.30 os/linux")
}

fn working() -> Logs {
    Logs::new().habit(30, 8, || alice("s3:GetBucketLocation"))
}

/// The days on which a detector speaks, counted from today, and the bits of each.
fn told(logs: Logs, detector: &str) -> Vec<(i32, f64)> {
    let found: Vec<Finding> = logs.findings(detector);
    found.iter().map(|finding| (finding.day.0 - TODAY.0, finding.bits().as_f64())).collect()
}

/// The first active days are so many, and then it is quiet.
#[track_caller]
fn fades(told: &[(i32, f64)]) {
    let days: Vec<i32> = told.iter().map(|(day, _)| *day).collect();
    let n = i32::try_from(days.len()).unwrap();
    assert_eq!(days, (0..n).collect::<Vec<_>>(), "one series");
    assert!((5..=7).contains(&n), "{told:?}");
}

/// Thirty days of ordinary work, then twenty on which it goes on.
fn with(change: impl Fn(Logs, i32) -> Logs) -> Logs {
    (0..20).fold(working(), |logs, day| {
        change(logs.call(day, "11:30", alice("s3:GetBucketLocation")), day)
    })
}

#[test]
fn what_an_intruder_repeats_is_as_unknown_on_the_fifth_day_as_on_the_first() {
    let stranger = |api: &str| alice(api).from_ip("185.220.101.1").agent("python-requests/2.31.0");
    let repeated =
        |logs: Logs, day| logs.calls(day, "10:00", 3, |_| stranger("iam:CreateAccessKey"));
    let found = with(repeated).findings("anomalous-persistence");
    assert!(found.len() >= 5, "{found:#?}");
    for finding in found.iter().take(5) {
        assert_eq!(finding.news, found[0].news, "{:?}", finding.day);
        let lost = found[0].bits().as_f64() - finding.bits().as_f64();
        // That new values come at all is learned a little.
        assert!(lost < 2.0, "{:?} {lost}", finding.day);
    }
    fades(&told(with(repeated), "anomalous-persistence"));
}

#[test]
fn a_rate_that_an_intruder_repeats_is_told_five_days_long_and_a_benign_one_fades() {
    for n in [40, 200] {
        let denied = with(|logs, day| {
            logs.calls(day, "10:00", n, |_| alice("s3:GetBucketLocation").error("AccessDenied"))
        });
        let told = told(denied, "denied-burst");
        fades(&told);
        let (first, fifth) = (told[0].1, told[4].1);
        // An eighth of a day weighs little against thirty, but a rate is told by its rarest hours.
        assert!(first - fifth < 4.0, "{first} {fifth}");
    }
}

#[test]
fn what_varies_as_days_do_fades_all_the_same_and_what_is_larger_is_told() {
    let denied = |sizes: &'static [u32]| {
        with(move |logs, day| {
            let n = sizes[usize::try_from(day).unwrap() % sizes.len()];
            logs.calls(day, "10:00", n, |_| alice("s3:GetBucketLocation").error("AccessDenied"))
        })
    };
    fades(&told(denied(&[60, 50, 70]), "denied-burst"));
    let mut sizes = vec![60; 20];
    sizes[12] = 300;
    let told = told(denied(sizes.leak()), "denied-burst");
    assert_eq!(told.last().map(|(day, _)| *day), Some(12), "{told:?}");
}
