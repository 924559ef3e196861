//! How improbable it is that events spread so evenly over time by chance: the index of dispersion of counts
//! (Fisher, Thornton and Mackenzie 1922; Cox and Lewis, "The Statistical Analysis of Series of Events", 1966).
//! It needs no exact period: events that come every 200 to 350 seconds fill each five minutes alike, which
//! events by chance do not. In: events by slot. Out: bits.

use crate::bits::Bits;

/// Events that come evenly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Regularity {
    /// How improbable that is of a Poisson process of as many events.
    pub bits: Bits,
    /// How many events the even stretch holds.
    pub n: u32,
    /// The mean time from one to the next. Unit: seconds.
    pub period_s: u32,
    /// The first and the last slot of the even stretch.
    pub slots: (u16, u16),
}

/// Widths of the bins that are counted: as wide as events need to fall into each. Unit: slots.
const WIDTHS: [u16; 6] = [1, 2, 3, 6, 12, 24];

/// What the choice among the widths costs. Unit: bits, log2 of their number.
const CHOICE_BITS: f64 = 2.6;

/// Fewer bins tell nothing; the approximation of the tail needs a dozen as well.
const BINS_MIN: usize = 12;

/// A longer pause ends a stretch: a machine that was switched off was not irregular. Unit: slots.
const PAUSE_MAX: u16 = 24;

/// A slot. Unit: seconds.
const SLOT_S: u32 = 300;

/// The most regular stretch of events, given as slots of a day in order with how many fell into each.
pub fn most_regular(events: &[(u16, u16)]) -> Option<Regularity> {
    let is_near = |a: &(u16, u16), b: &(u16, u16)| b.0.saturating_sub(a.0) <= PAUSE_MAX;
    let stretches = events.chunk_by(is_near);
    let all = stretches.flat_map(|stretch| WIDTHS.iter().filter_map(|width| even(stretch, *width)));
    // The first of equals.
    all.reduce(|most, next| if next.bits > most.bits { next } else { most })
}

fn even(stretch: &[(u16, u16)], width: u16) -> Option<Regularity> {
    let (first, last) = (stretch.first()?.0, stretch.last()?.0);
    let n_bins = usize::from((last - first + 1) / width);
    if n_bins < BINS_MIN {
        return None;
    }
    let mut bins = vec![0_u32; n_bins];
    for (slot, n) in stretch {
        if let Some(bin) = bins.get_mut(usize::from((slot - first) / width)) {
            *bin += u32::from(*n);
        }
    }
    let n: u32 = bins.iter().sum();
    if (n as usize) < n_bins {
        return None;
    }
    let bits = (chi_square_bits(&bins).min(pattern_bits(&bins)) - CHOICE_BITS).max(0.0);
    let covered_s =
        SLOT_S.saturating_mul(u32::from(width)).saturating_mul(u32::try_from(n_bins).ok()?);
    let slots = (first, last);
    Some(Regularity { bits: Bits::of(bits), n, period_s: covered_s / n.max(1), slots })
}

fn mean(bins: &[u32]) -> (f64, f64) {
    let sum: f64 = bins.iter().copied().map(f64::from).sum();
    (sum, sum / count(bins.len()))
}

#[expect(clippy::cast_precision_loss, reason = "at most 288 bins")]
fn count(n: usize) -> f64 {
    n as f64
}

/// The lower tail of chi-square by the approximation of Wilson and Hilferty (1931).
fn chi_square_bits(bins: &[u32]) -> f64 {
    let (_, mean) = mean(bins);
    let dispersion: f64 =
        bins.iter().map(|n| (f64::from(*n) - mean) * (f64::from(*n) - mean)).sum();
    let freedom = count(bins.len()) - 1.0;
    let ninth = 2.0 / (9.0 * freedom);
    let z = (libm::cbrt(dispersion / mean / freedom) - (1.0 - ninth)) / libm::sqrt(ninth);
    let p = 0.5 * libm::erfc(-z / std::f64::consts::SQRT_2);
    if p <= 0.0 { f64::INFINITY } else { -libm::log2(p) }
}

/// The bits of this pattern itself, in any order of the bins: the tail that it belongs to is no rarer, and
/// where counts are small the approximation would claim more.
fn pattern_bits(bins: &[u32]) -> f64 {
    let (n, _) = mean(bins);
    let n_bins = count(bins.len());
    let ln_factorial = |n: f64| libm::lgamma(n + 1.0);
    let mut sorted = bins.to_vec();
    sorted.sort_unstable();
    let alike = sorted.chunk_by(|a, b| a == b).map(|same| ln_factorial(count(same.len())));
    let orders = ln_factorial(n_bins) - alike.sum::<f64>();
    let within: f64 = bins.iter().map(|n| ln_factorial(f64::from(*n))).sum();
    let ln_p = ln_factorial(n) - within - n * libm::log(n_bins) + orders;
    (-ln_p / std::f64::consts::LN_2).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// Events at these seconds of a day, by slot.
    fn by_slot(seconds: impl IntoIterator<Item = u32>) -> Vec<(u16, u16)> {
        let mut slots = BTreeMap::new();
        for second in seconds {
            *slots.entry(u16::try_from(second / SLOT_S).unwrap()).or_default() += 1;
        }
        slots.into_iter().collect()
    }

    /// Numbers from 0 to 1 that a seed stands for.
    fn random(seed: u32) -> impl Iterator<Item = f64> {
        let mut state = u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        std::iter::from_fn(move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            #[expect(clippy::cast_precision_loss, reason = "53 bits")]
            Some((state >> 11) as f64 / (1_u64 << 53) as f64)
        })
    }

    /// Events whose distances `distance` makes of a random number.
    fn process(seed: u32, day_s: u32, distance: impl Fn(f64) -> f64) -> Vec<(u16, u16)> {
        let mut at = 0.0;
        let times = random(seed).skip(8).map(|r| {
            at += distance(r);
            at
        });
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "seconds of a day"
        )]
        by_slot(times.map(|at| at as u32).take_while(|at| *at < day_s))
    }

    #[test]
    fn a_jittered_beacon_stands_out() {
        for seed in 1..40 {
            let beacon = most_regular(&process(seed, 6 * 3_600, |r| 200.0 + 150.0 * r)).unwrap();
            assert!(beacon.bits.as_f64() >= 20.0, "{seed}: {beacon:?}");
            assert!((250..=300).contains(&beacon.period_s), "{beacon:?}");
        }
    }

    #[test]
    fn every_pace_from_seconds_to_an_hour_is_found() {
        for (period, jitter) in
            [(5.0, 0.5), (60.0, 0.3), (275.0, 0.5), (900.0, 0.3), (3_600.0, 0.1)]
        {
            let events = process(7, 86_400, |r| period * (1.0 - jitter / 2.0 + jitter * r));
            let beacon = most_regular(&events).unwrap();
            assert!(beacon.bits.as_f64() >= 20.0, "{period}: {beacon:?}");
        }
    }

    #[test]
    fn events_by_chance_carry_few_bits() {
        let most = |mean: f64| {
            let bits = (1..300).filter_map(|seed| {
                most_regular(&process(seed, 86_400, |r| -mean * libm::log(1.0 - r)))
            });
            bits.map(|one| one.bits.as_f64()).fold(0.0, f64::max)
        };
        for mean in [20.0, 150.0, 275.0, 1_000.0, 3_600.0] {
            assert!(most(mean) < 12.0, "{mean}: {}", most(mean));
        }
    }

    #[test]
    fn a_pause_ends_a_stretch() {
        let working = (0..6 * 3_600).step_by(275);
        let later = (12 * 3_600..18 * 3_600).step_by(275);
        let beacon = most_regular(&by_slot(working.chain(later))).unwrap();
        assert!(beacon.bits.as_f64() >= 20.0 && beacon.slots.1 < 73, "{beacon:?}");
    }

    #[test]
    fn few_events_or_a_short_time_say_nothing() {
        assert_eq!(most_regular(&[]), None);
        assert_eq!(most_regular(&by_slot((0..3_000).step_by(60))), None);
        assert_eq!(most_regular(&by_slot((0..86_400).step_by(9_000))), None);
    }

    proptest! {
        #[test]
        fn any_counts_have_finite_bits(
            counts in proptest::collection::btree_map(0_u16..288, 1_u16..=u16::MAX, 0..288),
        ) {
            let events: Vec<_> = counts.into_iter().collect();
            if let Some(one) = most_regular(&events) {
                prop_assert!((0.0..1e9).contains(&one.bits.as_f64()), "{:?}", one);
            }
        }
    }
}
