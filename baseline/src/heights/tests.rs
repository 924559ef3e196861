use super::*;
use crate::{form::Texts, value::HashKey};
use proptest::prelude::*;

/// An identity's day: the day, its kind, its height in hundredths, whether it weighs less.
type Sample = (i32, usize, u32, bool);

const KINDS: [Kind; 3] = [Kind::Human, Kind::Workload, Kind::Root];

fn add(history: &mut HeightHistory, &(day, kind, hundredths, is_alerted): &Sample) {
    let weight = if is_alerted { Weight::ALERTED } else { Weight::PLAIN };
    let bits = Bits::of(f64::from(hundredths) / 100.0);
    history.add(Day(100 + day), KINDS[kind], (bits, weight));
}

fn of(samples: &[Sample]) -> HeightHistory {
    let mut history = HeightHistory::default();
    for sample in samples {
        add(&mut history, sample);
    }
    history
}

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    prop::collection::vec((0..9, 0..3_usize, 0..30_000_u32, any::<bool>()), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn neither_order_nor_the_moment_of_merging_matters(
        samples in samples(), merges in prop::collection::vec(0..20, 0..4), seed in any::<u64>(),
    ) {
        let mut expected = of(&samples);
        let mut by_day = samples;
        by_day.sort_by_key(|sample| {
            let hash = crate::stable_hash(&[format!("{sample:?}{seed}").as_bytes()]);
            (sample.0, hash)
        });
        let mut merged = HeightHistory::default();
        for sample in &by_day {
            for merge in &merges {
                // A day is merged once it is closed.
                if *merge < sample.0 {
                    merged.merge(Day(100 + merge));
                }
            }
            if sample.2 % 8 == 0 {
                merged.prepare(Day(120));
            }
            add(&mut merged, sample);
        }
        for history in [&mut expected, &mut merged] {
            history.prepare(Day(130));
        }
        prop_assert_eq!(expected.at(Day(130)), merged.at(Day(130)));
        merged.merge(Day(130));
        prop_assert_eq!(expected.at(Day(130)), merged.at(Day(130)));
    }

    #[test]
    fn no_more_days_than_asked_for_reach_it_and_more_reach_a_tenth_less(
        samples in samples(), n in 0..40_u32,
    ) {
        let mut history = of(&samples);
        history.merge(Day(100));
        history.prepare(Day(108));
        let heights = history.at(Day(108));
        let n = f64::from(n) / 2.0;
        for kind in KINDS {
            let bits = heights.reached_by(kind, n);
            let reach = |tenths: u64| {
                let spread = heights.by_kind.get(&kind).into_iter().flat_map(Spread::iter);
                let above = spread.filter(|(height, _)| *height >= tenths).map(|(_, weight)| weight);
                days(above.sum())
            };
            prop_assert!(reach(bits.tenths()) <= n);
            prop_assert!(bits == Bits::ZERO || reach(bits.tenths() - 1) > n, "{bits}");
        }
    }

    #[test]
    fn what_is_written_is_read(samples in samples(), through in 90..110) {
        let mut history = of(&samples);
        history.merge(Day(through));
        let mut to = Writer::default();
        history.write(&mut to);
        let (bytes, key, mut texts) = (to.finish(), HashKey::DEFAULT, Texts::default());
        let mut from = Reader::new(&bytes, &key, &mut texts).unwrap();
        prop_assert_eq!(HeightHistory::read(&mut from).unwrap(), history);
        prop_assert_eq!(from.finish(), Ok(()));
    }
}

#[test]
fn heights_are_told_apart_to_a_tenth_and_end_where_parts_end() {
    let mut history = of(&[(0, 0, 4_019, false), (0, 0, 4_020, false), (0, 1, 90_000, false)]);
    history.add(Day(100), Kind::Root, (Bits::of(1_000.0).halves(4), Weight::PLAIN));
    history.prepare(Day(100));
    let heights = history.at(Day(100));
    assert_eq!(heights.reached_by(Kind::Human, 1.5), Bits::of(40.2));
    assert_eq!(heights.reached_by(Kind::Human, 0.0), Bits::of(40.3));
    assert_eq!(heights.reached_by(Kind::Human, 2.0), Bits::ZERO);
    assert_eq!(heights.reached_by(Kind::Agent, 0.0), Bits::ZERO);
    // Beyond 204 bits a step is more than a tenth, and beyond the last all is one.
    let (far, last) =
        (heights.reached_by(Kind::Workload, 0.0), heights.reached_by(Kind::Root, 0.0));
    assert!((900.1..901.0).contains(&far.as_f64()) && last.as_f64() > 1_000.0, "{far} {last}");
}

#[test]
fn days_fade_by_halves_and_to_nothing() {
    let mut history = of(&[(0, 0, 4_000, false), (0, 1, 4_000, true)]);
    for (days, of_human) in [(0, 0.977), (29, 0.5), (59, 0.25)] {
        history.prepare(Day(100 + days));
        let heights = history.at(Day(100 + days));
        let n = heights.n_of(Kind::Human);
        assert!((n - of_human).abs() < 0.001, "{n}");
        assert!((heights.n_of(Kind::Workload) * 8.0 - n).abs() < 0.001);
        assert!((heights.n_days() - n).abs() < 0.001);
        assert!((heights.n_all() - n * 1.125).abs() < 0.001);
    }
    history.merge(Day(100 + FADED_AFTER));
    assert_eq!(history.at(Day(9_999)).n_all().to_bits(), 0.0_f64.to_bits());
    assert_eq!(history.base.n_days, 0);
}
