//! Hours in which people are not to be woken. In: from when to when on the clock of a place, and a moment. Out:
//! whether it is such an hour, and when these end.

use jiff::{Timestamp, ToSpan as _, civil::Time, tz::TimeZone};

/// From a time of day to another, past midnight where that is earlier, on the clock of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiet {
    from: Time,
    to: Time,
    zone: TimeZone,
}

/// Why hours cannot be kept quiet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoQuiet {
    /// No time of day.
    #[error("no time of day (expected such as \"22:00\")")]
    Time,
    /// The day would have no other hours.
    #[error("from and to are the same (expected hours that end)")]
    Endless,
    /// Nobody has such a clock.
    #[error("no time zone (expected such as \"Europe/Berlin\" or \"UTC\")")]
    Zone,
}

impl Quiet {
    /// From `22:00` to `07:00`, on the clock of such as `Europe/Berlin`; of what is wrong also which of them it is.
    pub fn new(from: &str, to: &str, zone: &str) -> Result<Self, (&'static str, NoQuiet)> {
        let from = time(from).ok_or(("from", NoQuiet::Time))?;
        let to = time(to).ok_or(("to", NoQuiet::Time))?;
        if from == to {
            return Err(("to", NoQuiet::Endless));
        }
        // The zones of the program itself: the same on every machine.
        let zone = TimeZone::get(zone).map_err(|_| ("zone", NoQuiet::Zone))?;
        Ok(Self { from, to, zone })
    }

    /// When the quiet hours end in which `now_ms` lies; `None` outside of them. Unit: milliseconds since the Unix
    /// epoch.
    pub fn ends_ms(&self, now_ms: i64) -> Option<i64> {
        let now = Timestamp::from_millisecond(now_ms).ok()?.to_zoned(self.zone.clone());
        let time = now.time();
        let is_quiet = if self.from < self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        };
        let days = i64::from(time >= self.to);
        let date = now.date().checked_add(days.days()).ok().filter(|_| is_quiet)?;
        // Where the clock is put back there may be two, of which the first lies behind.
        let ends = self.zone.to_ambiguous_zoned(date.to_datetime(self.to));
        let ends = [ends.clone().compatible().ok()?, ends.later().ok()?];
        let mut ends_ms = ends.iter().map(|end| end.timestamp().as_millisecond());
        Some(ends_ms.find(|end_ms| *end_ms > now_ms).unwrap_or(now_ms.saturating_add(1)))
    }
}

/// Hours and minutes, in digits.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |digits: &str| {
        let is_number = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse().ok()).flatten()
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingest::time::{format_ms, parse_ms};
    use proptest::prelude::*;

    #[track_caller]
    fn ends(quiet: &Quiet, now: &str) -> Option<String> {
        quiet.ends_ms(parse_ms(now).unwrap()).map(format_ms)
    }

    #[test]
    fn a_night_ends_on_the_clock_of_its_place() {
        let night = Quiet::new("22:00", "07:00", "Europe/Berlin").unwrap();
        for (now, end) in [
            ("2026-01-15T20:59:59Z", None),
            ("2026-01-15T21:00:00Z", Some("2026-01-16T06:00:00Z")),
            ("2026-01-16T00:30:00Z", Some("2026-01-16T06:00:00Z")),
            ("2026-01-16T05:59:59Z", Some("2026-01-16T06:00:00Z")),
            ("2026-01-16T06:00:00Z", None),
            // In summer the same night is an hour earlier.
            ("2026-07-15T20:00:00Z", Some("2026-07-16T05:00:00Z")),
            // In this one the clock is put forward.
            ("2026-03-28T22:00:00Z", Some("2026-03-29T05:00:00Z")),
        ] {
            assert_eq!(ends(&night, now).as_deref(), end, "{now}");
        }
    }

    #[test]
    fn hours_that_come_twice_end_twice() {
        let night = Quiet::new("22:00", "02:30", "Europe/Berlin").unwrap();
        for (now, end) in [
            ("2026-10-25T00:29:59Z", Some("2026-10-25T00:30:00Z")),
            ("2026-10-25T00:30:00Z", None),
            // At three the clock is put back to two.
            ("2026-10-25T01:00:00Z", Some("2026-10-25T01:30:00Z")),
            ("2026-10-25T01:30:00Z", None),
        ] {
            assert_eq!(ends(&night, now).as_deref(), end, "{now}");
        }
    }

    #[test]
    fn hours_of_one_day_end_on_it() {
        let noon = Quiet::new("12:00", "13:30", "UTC").unwrap();
        assert_eq!(ends(&noon, "2026-01-15T12:00:00Z").as_deref(), Some("2026-01-15T13:30:00Z"));
        assert_eq!(ends(&noon, "2026-01-15T13:30:00Z"), None);
        assert_eq!(ends(&noon, "2026-01-15T00:00:00Z"), None);
    }

    #[test]
    fn what_is_no_hour_or_place_is_refused() {
        for (from, to, zone, wrong) in [
            ("24:00", "07:00", "UTC", ("from", NoQuiet::Time)),
            ("22:00", "7:00", "UTC", ("to", NoQuiet::Time)),
            ("22:00", "+7:00", "UTC", ("to", NoQuiet::Time)),
            ("22:00", "22:00", "UTC", ("to", NoQuiet::Endless)),
            ("22:00", "07:00", "Europe/Atlantis", ("zone", NoQuiet::Zone)),
        ] {
            assert_eq!(Quiet::new(from, to, zone).unwrap_err(), wrong);
        }
    }

    proptest! {
        #[test]
        fn quiet_hours_end_within_a_day(
            now_ms in 0_i64..4_000_000_000_000,
            hours in (0_u8..24, 0_u8..24),
            zone in prop::sample::select(vec!["Europe/Berlin", "America/St_Johns", "Pacific/Apia", "UTC"]),
        ) {
            let (from, to) = (format!("{:02}:15", hours.0), format!("{:02}:00", hours.1));
            let quiet = Quiet::new(&from, &to, zone).unwrap();
            if let Some(end_ms) = quiet.ends_ms(now_ms) {
                // Samoa left out a day, and clocks are put back by an hour.
                prop_assert!(end_ms > now_ms && end_ms - now_ms <= 49 * 3_600_000);
            }
        }
    }
}
