use super::*;
use crate::value::HashKey;
use proptest::prelude::*;
use std::collections::BTreeMap;

const PLAIN: [u32; 2] = [1, 0];
const ALERTED: [u32; 2] = [0, 1];

fn value(text: &str) -> Value {
    HashKey::DEFAULT.value(text)
}

#[test]
fn the_tail_is_monotone_and_never_overstated() {
    let mut rate = Rate::default();
    for x in [0, 0, 1, 5, 0, 2] {
        rate.note(x);
    }
    let expected = rate.weighed(Weight::PLAIN).expected(Expected::VAGUE);
    let (m, r) = (expected.mean, expected.size());
    // Exact: one less the terms of the negative binomial below x.
    let (mut term, mut at_least) = ((r / (r + m)).powf(r), 1.0_f64);
    for x in 0..20_u32 {
        let bits = expected.tail(u64::from(x));
        assert!(bits <= expected.tail(u64::from(x) + 1), "{x}");
        assert!(bits <= Bits::of(0.01 - log2(at_least)), "{x}: {bits}");
        at_least -= term;
        term *= (f64::from(x) + r) / (f64::from(x) + 1.0) * m / (r + m);
    }
}

#[test]
fn what_an_alerted_day_brought_is_unknown_until_the_fourth() {
    let mut seen = Seen::default();
    for day in 1..=4 {
        seen.learn([(&value("x"), ALERTED)]);
        seen.end_day();
        assert_eq!(Seen::is_known(seen.weight(&value("x"))), day == 4, "{day}");
    }
    seen.learn([(&value("y"), PLAIN)]);
    assert!(Seen::is_known(seen.weight(&value("y"))));
}

#[test]
fn a_group_that_gave_a_value_up_stops_vouching_for_it() {
    let mut seen = Seen::default();
    seen.learn([(&value("x"), [3, 0])]);
    let right_after = seen.n_members(&value("x"));
    (0..60).for_each(|_| seen.end_day());
    let later = seen.n_members(&value("x"));
    assert!(right_after >= 3.0 && (0.7..1.0).contains(&later), "{right_after} {later}");
}

#[test]
fn one_hour_in_a_hundred_comes_to_the_bound() {
    let mut rate = Rate::default();
    (0..400).for_each(|n| rate.note(10 + n % 5));
    let expected = rate.weighed(Weight::PLAIN).expected(Expected::VAGUE);
    let from = expected.rare_from();
    let rare = Bits::of(log2(100.0));
    assert!(expected.tail(from) >= rare && expected.tail(from - 1) < rare, "{from}");
    assert!((15..60).contains(&from), "{from}");
    assert!(Expected::VAGUE.rare_from() > 1);
}

#[test]
fn weights_halve_in_thirty_days() {
    let mut seen = Seen::default();
    seen.learn([(&value("x"), PLAIN)]);
    let before = seen.known[0].decayed;
    (0..30).for_each(|_| seen.end_day());
    let ratio = seen.known[0].decayed as f64 / before as f64;
    assert!((ratio - 0.5).abs() < 0.02, "{ratio}");
}

#[test]
fn a_day_moves_a_settled_rate_by_a_twentieth_at_most() {
    let day = |x: u64| {
        let mut day = Rate::default();
        (0..8).for_each(|_| day.note(x));
        day.weighed(Weight::PLAIN)
    };
    let mut settled = Rate::default();
    for n in 0..200 {
        settled.learn(&day([5, 15][n % 2]), false);
        settled.end_day();
    }
    let moved = |x, is_settled| {
        let mut rate = settled;
        rate.learn(&day(x), is_settled);
        let square = |rate: &Rate| rate.0[2] as f64 / rate.0[0] as f64;
        (rate.mean() / settled.mean(), square(&rate) / square(&settled))
    };
    for x in [0, 5, 10, 20] {
        assert_eq!(moved(x, true), moved(x, false), "{x}");
    }
    assert!(moved(1_000, false).0 > 3.0);
    for x in [40, 100, 1_000, 60_000] {
        let (mean, square) = moved(x, true);
        assert!((mean - 1.05).abs() < 0.001 && (square - 1.1025).abs() < 0.001, "{x}");
    }
}

#[test]
fn an_hour_teaches_no_more_than_its_bound() {
    let of = |x: u64| {
        let mut rate = Rate::default();
        rate.note(x);
        rate
    };
    assert_eq!(of(u64::MAX), of(65_536));
    assert_ne!(of(65_535), of(65_536));
}

#[test]
fn decay_comes_to_rest() {
    let days = (0..2_000).fold(u64::MAX, |x, _| decayed(x));
    assert_eq!(days, decayed(days));
}

#[test]
fn the_least_useful_goes_first() {
    let mut seen = Seen::default();
    for n in 0..Seen::MAX + 10 {
        seen.learn([(&value(&n.to_string()), if n < 10 { ALERTED } else { PLAIN })]);
    }
    seen.end_day();
    assert_eq!(seen.known.len(), Seen::MAX);
    assert_eq!(seen.weight(&value("3")), 0);
    assert!(seen.weight(&value("300")) > 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn probabilities_of_the_known_and_of_the_unseen_sum_to_one(
        days in prop::collection::vec((prop::collection::btree_set(0..40_u32, 1..12), 1..4_u32), 0..20),
    ) {
        let mut seen = Seen::default();
        for (values, n_members) in days {
            let values: Vec<_> = values.iter().map(|n| value(&n.to_string())).collect();
            seen.learn(values.iter().map(|value| (value, [n_members, 0])));
            seen.end_day();
        }
        // Of 50 values that could be, the last 10 never are: what nobody has shown shares the escape.
        let vocabulary = (0..50_u32).map(|n| value(&n.to_string()));
        let sum: f64 = vocabulary.map(|value| seen.probability(&value, 1.0 / 50.0)).sum();
        prop_assert!((sum - 1.0).abs() < 1e-9, "{}", sum);
    }

    #[test]
    fn days_learned_in_parts_are_the_same_memory(
        parts in prop::collection::vec((0..600_u32, 0..5_u32, 0..5_u32), 1..60),
    ) {
        // What a day teaches arrives by member; within a day no order and no grouping counts.
        let [mut up, mut down] = [Seen::default(), Seen::default()];
        let sums = parts.iter().fold(BTreeMap::<u32, [u32; 2]>::new(), |mut sums, (n, plain, alerted)| {
            let sum = sums.entry(*n).or_default();
            *sum = [sum[0] + plain, sum[1] + alerted];
            sums
        });
        let values: Vec<_> = sums.iter().map(|(n, sum)| (value(&n.to_string()), *sum)).collect();
        up.learn(values.iter().map(|(value, sum)| (value, *sum)));
        down.learn(values.iter().rev().map(|(value, sum)| (value, *sum)));
        up.end_day();
        down.end_day();
        prop_assert_eq!(up, down);
    }
}

#[test]
fn a_day_of_a_large_group_is_learned_as_its_values_one_by_one() {
    let values: Vec<_> = (0..100_000).map(|n| value(&n.to_string())).collect();
    let [mut at_once, mut by_part] = [Seen::default(), Seen::default()];
    at_once.learn(values.iter().map(|value| (value, PLAIN)));
    for part in values.chunks(30_000).rev() {
        by_part.learn(part.iter().map(|value| (value, PLAIN)));
    }
    assert_eq!(at_once, by_part);
}
