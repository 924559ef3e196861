//! The alert budget: how many bits unusual behaviour must carry, so that no more of it is told than people
//! can look at. In: how high the days of each kind reached. Out: a bound for each kind, which may raise the
//! one of its own (`anomaly.rs`) a little. It is about what is told, never about what is learned.

use baseline::{Bits, Heights, Kind};
use std::num::NonZeroU32;

/// Setting `alerts-per-day`, unless it is set. Unit: identities that alert on a day.
pub(crate) const ALERTS_PER_DAY: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);

/// The budget raises a bound by so much at most: whoever owns a noisy identity must not deafen the rest. Unit:
/// bits.
pub(crate) const RAISE_MAX: f64 = 10.0;

/// Fewer days than these beyond a bound cannot tell where it lies: their number varies by its root, a third.
/// Unit: decayed days.
const BEYOND_MIN: f64 = 10.0;

/// Where the bits come from that an hour has to carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// What is unusual for its kind.
    Kind,
    /// The alert budget.
    Budget,
}

impl Bound {
    /// Every bound.
    pub const ALL: &[Self] = &[Self::Kind, Self::Budget];

    /// Its name, lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Budget => "budget",
        }
    }
}

/// What an hour has to carry.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// So much. Unit: bits.
    pub bits: f64,
    /// Why so much.
    pub bound: Bound,
}

impl Threshold {
    /// The larger of what is unusual for a kind and what the budget asks, within reason.
    pub(crate) fn of(kind_bits: f64, asked: Option<Bits>) -> Self {
        let asked = asked.map_or(0.0, Bits::as_f64);
        if asked > kind_bits {
            Self { bits: asked.min(kind_bits + RAISE_MAX), bound: Bound::Budget }
        } else {
            Self { bits: kind_bits, bound: Bound::Kind }
        }
    }
}

/// What the budget asks of a kind: the bits that no more of its days reached than its share of the alerts, by
/// its share of the identities. `None` where too few days are known.
pub(crate) fn asked(heights: &Heights, kind: Kind, alerts_per_day: NonZeroU32) -> Option<Bits> {
    let share = heights.n_of(kind) / heights.n_all();
    let beyond = heights.n_days() * f64::from(alerts_per_day.get()) * share;
    (beyond >= BEYOND_MIN).then(|| heights.reached_by(kind, beyond))
}

#[cfg(test)]
mod tests;
