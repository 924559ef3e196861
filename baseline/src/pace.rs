//! How a rate moves: whether it drifts, and what alerted days have made usual. All sums are of integers.

use crate::{
    bits::{Bits, log2},
    form,
    memory::{DAY, decayed},
};

/// The logarithm of what each day brings, over 90 days and over 7; alerted days count as others do, or
/// their own alerts would hide them. `docs/model.md` has the formulae.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Pace {
    /// Weights, weighed values, weighed squares of the differences between days that follow each other;
    /// decayed like all that is learned: `(1+l)/(1-l)`, with `l` what a day leaves of a weight, is 87
    /// days.
    long: [u64; 3],
    /// Weights and weighed values, of which a day leaves three quarters: 7 days.
    recent: [u64; 2],
    /// The value of the last day.
    last: u32,
}

/// What a rate has come to lately.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    /// Geometric mean of the last 7 days, or what one day brings. Unit: that of the rate, a day.
    pub recent: f64,
    /// Geometric mean of the last 90 days. Unit: the same.
    pub usual: f64,
    /// How surprising it is that the one is so much larger than the other.
    pub bits: Bits,
}

impl Pace {
    /// Values are kept in so many parts of a doubling.
    const PARTS: f64 = 256.0;
    /// Independent days that the recent view is worth.
    const RECENT_D: f64 = 7.0;
    /// Days cannot be told to be more alike than this. Unit: doublings.
    const DEVIATION_MIN: f64 = 0.125;

    /// Adds a day: its weight, and what its hours brought, weighed alike.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "64 doublings")]
    pub(crate) fn learn(&mut self, weight: u64, sum: u64) {
        if weight == 0 {
            return;
        }
        let value = (log2(1.0 + sum as f64 / weight as f64) * Self::PARTS).round() as u32;
        let [weights, values, squares] = &mut self.long;
        if *weights > 0 {
            let difference = u64::from(value.abs_diff(self.last));
            *squares = squares.saturating_add(DAY * difference * difference);
        }
        *weights = weights.saturating_add(DAY);
        *values = values.saturating_add(DAY * u64::from(value));
        let [weights, values] = &mut self.recent;
        *weights = weights.saturating_add(DAY);
        *values = values.saturating_add(DAY * u64::from(value));
        self.last = value;
    }

    /// Lets a day pass.
    pub(crate) fn end_day(&mut self) {
        self.long = self.long.map(decayed);
        self.recent = self.recent.map(|sum| sum - sum.div_ceil(4));
    }

    /// What the rate has come to, if it has grown; nothing while there are too few days lately. The
    /// deviation of days is that of successive ones (von Neumann 1941), or a drift would hide itself; the
    /// bits are Chernoff's bound on the tail of a normal mean.
    pub(crate) fn drift(&self) -> Option<Drift> {
        let [weights, ..] = self.long.map(|sum| sum as f64);
        let [recent_weights, recent_values] = self.recent.map(|sum| sum as f64);
        if recent_weights < 2.0 * DAY as f64 || weights <= recent_weights {
            return None;
        }
        self.above(recent_values / recent_weights, Self::RECENT_D)
    }

    /// What one day that brings `x` is to the long view, if it is more: by the same bound.
    pub(crate) fn of_day(&self, x: u64) -> Option<Drift> {
        self.above(log2(1.0 + x as f64) * Self::PARTS, 1.0)
    }

    /// How far the mean of `n_days` independent days is above the long view, if it is.
    fn above(&self, recent: f64, n_days: f64) -> Option<Drift> {
        let [weights, values, squares] = self.long.map(|sum| sum as f64);
        if weights <= 0.0 {
            return None;
        }
        let usual = values / weights;
        let deviation = libm::sqrt(squares / (2.0 * weights)) / Self::PARTS;
        let height = (recent - usual) / Self::PARTS / deviation.max(Self::DEVIATION_MIN);
        if height <= 0.0 {
            return None;
        }
        let of_day = |value: f64| libm::exp2(value / Self::PARTS) - 1.0;
        let bits = Bits::of(height * height * n_days / 2.0 * std::f64::consts::LOG2_E);
        Some(Drift { recent: of_day(recent), usual: of_day(usual), bits })
    }
}

/// The largest hours of alerted days: what so many days in a row brought, and nobody called an attack,
/// is usual. A value is known after as many.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Alerted([u32; 4]);

impl Alerted {
    /// Notes an alerted day whose largest hour brought `most`.
    pub(crate) fn learn(&mut self, most: u32) {
        if let [.., least] = &mut self.0
            && *least < most
        {
            *least = most;
        }
        self.0.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// What has become usual: half as much again as the least of them, for days are never alike.
    pub(crate) fn usual(self) -> u64 {
        let [.., least] = self.0;
        u64::from(least) * 3 / 2
    }
}

form! {
    Pace { long, recent, last }
    Alerted { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What days of these totals come to.
    fn pace(totals: impl Iterator<Item = f64>) -> Pace {
        let mut pace = Pace::default();
        for total in totals {
            let sum = format!("{:.0}", total * DAY as f64).parse().unwrap();
            pace.learn(DAY, sum);
            pace.end_day();
        }
        pace
    }

    #[test]
    fn a_steady_rate_does_not_drift() {
        // Twice and half as much by turns.
        let steady = (0..200).map(|day| [50.0, 100.0, 200.0, 100.0][day % 4]);
        let drift = pace(steady).drift();
        assert!(drift.is_none_or(|drift| drift.bits.as_f64() < 1.0), "{drift:?}");
    }

    #[test]
    fn a_slow_ramp_drifts_long_before_it_is_told_by_its_size() {
        let ramp = |days: i32| {
            let old = (0..90).map(|day| if day % 2 == 0 { 80.0 } else { 125.0 });
            let new = (0..days).map(|day| 100.0 * 1.03_f64.powi(day));
            pace(old.chain(new)).drift()
        };
        let early = ramp(7);
        assert!(early.is_none_or(|drift| drift.recent < 1.4 * drift.usual), "{early:?}");
        let late = ramp(40).unwrap();
        assert!(late.recent > 1.75 * late.usual && late.bits.as_f64() > 10.0, "{late:?}");
    }

    #[test]
    fn one_day_is_held_against_how_much_days_differ() {
        let days = |high: f64| pace((0..60).map(move |day| if day % 2 == 0 { 50.0 } else { high }));
        let bits = |pace: &Pace, x| pace.of_day(x).map_or(0.0, |drift| drift.bits.as_f64());
        let (steady, varied) = (days(60.0), days(400.0));
        assert_eq!((steady.of_day(40), Pace::default().of_day(40)), (None, None));
        assert!(bits(&steady, 400) > 50.0 && bits(&varied, 400) < 2.0);
        assert!(bits(&steady, 400) > bits(&steady, 100));
        let Drift { recent, usual, .. } = steady.of_day(400).unwrap();
        assert!((recent - 400.0).abs() < 0.01 && (54.0..56.0).contains(&usual), "{recent} {usual}");
    }

    #[test]
    fn what_shrinks_or_has_ended_does_not_drift() {
        assert_eq!(pace((0..60).map(|day| f64::from(1000 - 10 * day))).drift(), None);
        let mut ended = pace((0..60).map(|day| 100.0 * 1.03_f64.powi(day)));
        ended.end_day();
        assert!(ended.drift().is_some());
        // Of the last days less than two are left.
        ended.end_day();
        assert_eq!(ended.drift(), None);
    }

    #[test]
    fn days_that_are_all_alike_are_held_to_differ_by_an_eighth_of_a_doubling() {
        let alike = (0..107).map(|day| if day < 100 { 100.0 } else { 110.0 });
        let Drift { recent, usual, bits } = pace(alike).drift().unwrap();
        let z = (log2(1.0 + recent) - log2(1.0 + usual)) / 0.125;
        let expected = 7.0 * z * z / 2.0 * std::f64::consts::LOG2_E;
        assert!(expected > 2.0 && (bits.as_f64() - expected).abs() < 0.01, "{bits} {expected}");
    }

    #[test]
    fn four_alerted_days_make_usual_what_the_least_of_them_brought() {
        let mut alerted = Alerted::default();
        for (most, usual) in [(90, 0), (40, 0), (70, 0), (60, 60), (10, 60), (80, 90), (500, 105)] {
            alerted.learn(most);
            assert_eq!(alerted.usual(), usual, "{most}");
        }
    }
}
