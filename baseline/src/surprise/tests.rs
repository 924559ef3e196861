use super::*;
use crate::{
    aggregate::{Aggregate, Entry, First},
    generation::N_PRIORS,
    history::History,
    identity::{Entity, Kind},
    impact::Impact,
    memory::Weight,
    profile::Profile,
    time::{Day, Hour, Lateness, Slot},
    value::HashKey,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

const TRACK: Track = Track { impact: Impact::Write, is_s3: false };
const TODAY: i32 = 30;

fn entries(day: i32, slot: i32, api: &str, target: &str) -> Vec<Entry> {
    let slot = Slot(Day(day).first_slot().0 + slot);
    let entry = |dimension, value: Option<&str>| Entry {
        dimension,
        slot,
        value: value.map(|value| HashKey::DEFAULT.value(value)),
        amount: 1,
        n_records: 1,
        evidence: None,
        first: Some(First { track: TRACK, time_ms: 0, row: 0 }),
        others: Vec::new(),
    };
    vec![
        entry(Dimension::calls(TRACK), None),
        entry(Dimension::Api, Some(api)),
        entry(Dimension::Target, Some(target)),
    ]
}

fn apply(profile: &mut Profile, entries: Vec<Entry>) {
    let entity = Entity { account: "1".into(), kind: Kind::Human, key: "alice".into() };
    let aggregate = Aggregate { entries, ..Aggregate::of(entity) };
    profile.apply(&aggregate, (&|_| None, &|_| 0), (Day(TODAY), Lateness::default()));
}

/// Somebody who calls one of a few APIs in some hours of each day.
fn working(n_days: i32) -> Profile {
    working_with(n_days, |_| None)
}

/// And on some days another one.
fn working_with(n_days: i32, other: impl Fn(i32) -> Option<&'static str>) -> Profile {
    let mut profile = Profile::new(Day(0), Lateness::default());
    for day in TODAY - 2 - n_days..TODAY - 2 {
        for hour in 8..14 {
            let api = format!("api-{}", (day + hour) % 4);
            apply(&mut profile, entries(day, hour * 12, &api, "bucket"));
        }
        if let Some(api) = other(day) {
            apply(&mut profile, entries(day, 121, api, "bucket"));
        }
        profile.settle(Day(day), Some(0), Lateness::default());
        profile.close(Day(day), Weight::PLAIN, Lateness::default());
        profile.advance(Day(day + 1), Lateness::default());
    }
    profile.advance(Day(TODAY), Lateness::default());
    profile
}

/// The bits of the hour from 10 to 11 of today.
fn bits(profile: Profile, group: &mut History) -> f64 {
    hundredths(profile, group).as_f64()
}

fn hundredths(mut profile: Profile, group: &mut History) -> Bits {
    profile.settle(Day(TODAY), Some(0), Lateness::default());
    group.prepare(Lateness::default().prior_through(Day(TODAY)));
    let nothing = History::default();
    let mut priors = [&nothing; N_PRIORS];
    priors[1] = group;
    let (usual, hours) = profile.generation(Day(TODAY), priors, Lateness::default());
    let span = hours.span(Hour(TODAY * 24 + 10));
    let terms = usual.deeds(&span, TRACK).into_iter().chain(usual.context(&span));
    terms.map(|term| term.part.bits).sum()
}

#[test]
fn what_is_done_every_day_is_no_surprise() {
    let mut profile = working(14);
    apply(&mut profile, entries(TODAY, 121, "api-0", "bucket"));
    assert!(bits(profile, &mut History::default()) < 2.0);
}

#[test]
fn what_nobody_knows_costs_the_constant_and_the_number() {
    let mut profile = working(14);
    apply(&mut profile, entries(TODAY, 121, "never", "bucket"));
    let bits = bits(profile, &mut History::default());
    // 14 bits for an API that nobody knows; without peers a new value in an hour is not rare yet.
    assert!((15.0..20.0).contains(&bits), "{bits}");
}

#[test]
fn what_peers_know_costs_less() {
    let mut group = History::default();
    for day in 10..25 {
        let mut peer = Profile::new(Day(day), Lateness::default());
        apply(&mut peer, entries(day, 121, "never", "bucket"));
        group.close(Day(day), &peer.close(Day(day), Weight::PLAIN, Lateness::default()));
    }
    let surprised = |group: &mut History| {
        let mut profile = working(14);
        apply(&mut profile, entries(TODAY, 121, "never", "bucket"));
        bits(profile, group)
    };
    let (alone, among_peers) = (surprised(&mut History::default()), surprised(&mut group));
    assert!(among_peers + 8.0 < alone, "{among_peers} {alone}");
}

#[test]
fn ten_new_values_at_once_are_one_event() {
    let surprised = |n: i32| {
        let mut profile = working(14);
        for i in 0..n {
            apply(&mut profile, entries(TODAY, 121, &format!("never-{i}"), "bucket"));
        }
        bits(profile, &mut History::default())
    };
    let (one, ten) = (surprised(1), surprised(10));
    assert!(one < ten && ten < one + 14.0, "{one} {ten}");
}

#[test]
fn what_is_unknown_is_told_where_somebody_asked_for_news() {
    let mut profile = working(14);
    apply(&mut profile, entries(TODAY, 121, "never", "bucket"));
    profile.settle(Day(TODAY), Some(0), Lateness::default());
    let nothing = History::default();
    let (usual, hours) = profile.generation(Day(TODAY), [&nothing; N_PRIORS], Lateness::default());
    let unknown = |dimension| {
        let span = hours.span(Hour(TODAY * 24 + 10));
        let values = usual.unknown_values(&span, &BTreeSet::from([dimension]));
        values.into_iter().map(|(of, value)| (of, value.text.to_string())).collect::<Vec<_>>()
    };
    let never = [(Dimension::Api, "never".to_owned())];
    assert_eq!(unknown(Dimension::calls(TRACK)), never);
    assert_eq!(unknown(Dimension::Target), never);
    assert_eq!(unknown(Dimension::Denied), []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn more_records_never_say_less(
        some in prop::collection::vec((108..132_i32, 0..9_u8, 0..3_u8), 1..12),
        more in prop::collection::vec((108..132_i32, 0..9_u8, 0..3_u8), 1..12),
    ) {
        let mut profile = working(10);
        let call = |profile: &mut Profile, (slot, api, target): (i32, u8, u8)| {
            apply(profile, entries(TODAY, slot, &format!("api-{api}"), &format!("target-{target}")));
        };
        for one in some {
            call(&mut profile, one);
        }
        let before = bits(profile.clone(), &mut History::default());
        for one in more {
            call(&mut profile, one);
        }
        let after = bits(profile, &mut History::default());
        prop_assert!(after >= before, "{before} {after}");
    }

    #[test]
    fn the_order_of_records_says_nothing(
        calls in prop::collection::vec((108..132_i32, 0..9_u8, 0..3_u8), 2..20),
    ) {
        let [mut up, mut down] = [working(10), working(10)];
        let call = |profile: &mut Profile, (slot, api, target): (i32, u8, u8)| {
            apply(profile, entries(TODAY, slot, &format!("api-{api}"), &format!("target-{target}")));
        };
        for (one, other) in calls.iter().zip(calls.iter().rev()) {
            call(&mut up, *one);
            call(&mut down, *other);
        }
        let nothing = &mut History::default();
        prop_assert_eq!(hundredths(up, nothing), hundredths(down, nothing));
    }

    #[test]
    fn a_day_that_shows_a_value_makes_it_less_surprising(n_days in 1..9_i32) {
        let surprised = |n_days: i32| {
            let mut profile = working_with(20, |day| (day >= TODAY - 2 - n_days).then_some("seldom"));
            apply(&mut profile, entries(TODAY, 121, "seldom", "bucket"));
            bits(profile, &mut History::default())
        };
        prop_assert!(surprised(n_days) <= surprised(n_days - 1));
    }
}
