//! Event time in the grains that are counted: slots of 5 minutes, hours, days. All UTC.

use crate::ablation::{Piece, lacks};
use std::fmt;

/// Slots of 5 minutes in an hour.
pub const SLOTS: i32 = 12;
/// An hour. Unit: milliseconds.
pub const HOUR_MS: i64 = 3_600_000;
/// A day. Unit: milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;
const SLOT_MS: i64 = HOUR_MS / SLOTS as i64;

/// A UTC day, by its number from 1970-01-01, which is 0; negative before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// A UTC hour, by its number from 1970-01-01T00.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(pub i32);

/// Five minutes of UTC, by their number from 1970-01-01T00:00.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub i32);

/// Quotients of the years 1970 to 9999 in slots fit an `i32`; what lies outside is clamped.
fn quotient(at_ms: i64, grain_ms: i64) -> i32 {
    let n = at_ms.div_euclid(grain_ms);
    i32::try_from(n).unwrap_or(if n < 0 { i32::MIN } else { i32::MAX })
}

impl Day {
    /// The day that holds `at_ms`. Unit: milliseconds since the Unix epoch.
    pub fn of(at_ms: i64) -> Self {
        Self(quotient(at_ms, DAY_MS))
    }

    /// Its first moment. Unit: milliseconds since the Unix epoch.
    pub fn start_ms(self) -> i64 {
        i64::from(self.0) * DAY_MS
    }

    /// Its first slot.
    pub fn first_slot(self) -> Slot {
        Slot(self.0.saturating_mul(24 * SLOTS))
    }
}

/// `2013-11-02`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = ingest::time::format_ms(self.start_ms());
        f.write_str(text.split('T').next().unwrap_or_default())
    }
}

impl Hour {
    /// The hour that holds `at_ms`. Unit: milliseconds since the Unix epoch.
    pub fn of(at_ms: i64) -> Self {
        Self(quotient(at_ms, HOUR_MS))
    }

    /// The day that holds this hour.
    pub fn day(self) -> Day {
        Day(self.0.div_euclid(24))
    }

    /// Its first moment. Unit: milliseconds since the Unix epoch.
    pub fn start_ms(self) -> i64 {
        i64::from(self.0) * HOUR_MS
    }

    /// Its first slot.
    pub fn first_slot(self) -> Slot {
        Slot(self.0.saturating_mul(SLOTS))
    }

    /// Its last slot.
    pub fn last_slot(self) -> Slot {
        Slot(self.0.saturating_mul(SLOTS).saturating_add(SLOTS - 1))
    }
}

impl Slot {
    /// Its first moment. Unit: milliseconds since the Unix epoch.
    pub fn start_ms(self) -> i64 {
        i64::from(self.0) * SLOT_MS
    }

    /// The slot that holds `at_ms`. Unit: milliseconds since the Unix epoch.
    pub fn of(at_ms: i64) -> Self {
        Self(quotient(at_ms, SLOT_MS))
    }

    /// The hour that holds this slot.
    pub fn hour(self) -> Hour {
        Hour(self.0.div_euclid(SLOTS))
    }

    /// The first slot of the 60 minutes that end with this one.
    #[must_use]
    pub(crate) fn window_start(self) -> Self {
        Self(self.0.saturating_sub(SLOTS - 1))
    }
}

/// How late a record may come and still be in time (L), and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lateness {
    hours: u16,
}

impl Default for Lateness {
    fn default() -> Self {
        Self { hours: 24 }
    }
}

impl Lateness {
    /// The least and the most that may be set. Unit: hours.
    pub const RANGE_H: std::ops::RangeInclusive<u16> = 24..=168;

    /// A lateness of `hours`; `None` outside of [`Self::RANGE_H`].
    pub fn from_hours(hours: u16) -> Option<Self> {
        Self::RANGE_H.contains(&hours).then_some(Self { hours })
    }

    /// How late that is. Unit: milliseconds.
    pub fn ms(self) -> i64 {
        i64::from(self.hours) * HOUR_MS
    }

    fn days(self) -> i32 {
        i32::from(self.hours.div_ceil(24))
    }

    /// The oldest day that still learns: a day closes when `now_ms` has passed its end by L.
    pub fn oldest_open(self, now_ms: i64) -> Day {
        Day::of(now_ms.saturating_sub(self.ms()))
    }

    /// The last day that G(`day`) knows: closed when the first record of `day` is read.
    pub(crate) fn learned_through(self, day: Day) -> Day {
        let later = i32::from(lacks(Piece::Generation));
        Day(day.0.saturating_sub(self.lags().0 - later))
    }

    /// Whether all that G(`day`) knows is learned, while `oldest_open` is the oldest day that learns.
    pub fn is_complete(self, day: Day, oldest_open: Day) -> bool {
        self.learned_through(day) < oldest_open
    }

    /// How far `day` lies behind the last day that G(`day`) knows, and that P(`day`) knows. Unit: days.
    pub fn lags(self) -> (i32, i32) {
        (1 + self.days(), 2 + self.days())
    }

    /// The oldest open day whose generation knows `day`.
    pub(crate) fn learning(self, day: Day) -> Day {
        Day(day.0.saturating_add(1 + self.days()))
    }

    /// The last day that P(`day`), the priors, know: one less, so that merging the members has a
    /// whole day.
    pub fn prior_through(self, day: Day) -> Day {
        Day(day.0.saturating_sub(self.lags().1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_judged_by_what_closed_before_its_first_record() {
        for hours in [24, 25, 48, 168] {
            let lateness = Lateness::from_hours(hours).unwrap();
            for day in [Day(0), Day(20_000)] {
                let first_open = lateness.oldest_open(day.start_ms());
                assert!(lateness.learned_through(day) < first_open, "{hours} {day:?}");
                assert!(lateness.prior_through(day) < lateness.learned_through(day));
            }
        }
        assert_eq!(Lateness::from_hours(23), None);
        assert_eq!(Lateness::from_hours(169), None);
    }

    #[test]
    fn days_read_as_dates() {
        assert_eq!(Day(20_161).to_string(), "2025-03-14");
        assert_eq!(Day(i32::MIN).to_string(), "1970-01-01");
    }

    #[test]
    fn grains_agree_before_and_after_1970() {
        for at_ms in [-1, 0, 299_999, 300_000, 1_741_946_400_123, i64::MAX, i64::MIN] {
            let slot = Slot::of(at_ms);
            if at_ms.unsigned_abs() < 1 << 50 {
                assert_eq!(slot.hour(), Hour::of(at_ms));
                assert_eq!(slot.hour().day(), Day::of(at_ms));
            }
            assert!(slot.window_start() <= slot);
        }
    }
}
