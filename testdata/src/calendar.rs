//! Working time: zones with summer time, weekends and holidays. Out of a moment it makes the hour
//! on the wall of an office.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use crate::clock::{DAY_S, HOUR_S};

/// Where people keep the same hours and holidays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone {
    /// Name, for example `Europe/Berlin`.
    pub name: &'static str,
    /// The rule as POSIX writes it, summer time included.
    posix: &'static str,
    weekend: [Weekday; 2],
    /// Month and day of holidays that have a fixed date.
    holidays: &'static [(i8, i8)],
}

const WEEKEND: [Weekday; 2] = [Weekday::Saturday, Weekday::Sunday];

/// Pacific time in the United States.
pub const SEATTLE: Zone = Zone {
    name: "America/Los_Angeles",
    posix: "PST8PDT,M3.2.0,M11.1.0",
    weekend: WEEKEND,
    holidays: &[(1, 1), (7, 4), (11, 11), (12, 25)],
};
/// Eastern time in the United States.
pub const NEW_YORK: Zone =
    Zone { name: "America/New_York", posix: "EST5EDT,M3.2.0,M11.1.0", ..SEATTLE };
/// Central European time, with the holidays of Germany.
pub const BERLIN: Zone = Zone {
    name: "Europe/Berlin",
    posix: "CET-1CEST,M3.5.0,M10.5.0/3",
    weekend: WEEKEND,
    holidays: &[(1, 1), (5, 1), (10, 3), (12, 24), (12, 25), (12, 26)],
};
/// The United Kingdom.
pub const LONDON: Zone = Zone {
    name: "Europe/London",
    posix: "GMT0BST,M3.5.0/1,M10.5.0",
    weekend: WEEKEND,
    holidays: &[(1, 1), (12, 25), (12, 26)],
};
/// Portugal.
pub const LISBON: Zone = Zone {
    name: "Europe/Lisbon",
    posix: "WET0WEST,M3.5.0/1,M10.5.0",
    weekend: WEEKEND,
    holidays: &[(1, 1), (4, 25), (5, 1), (6, 10), (12, 8), (12, 25)],
};
/// India, which has no summer time.
pub const BANGALORE: Zone = Zone {
    name: "Asia/Kolkata",
    posix: "IST-5:30",
    weekend: WEEKEND,
    holidays: &[(1, 26), (8, 15), (10, 2)],
};
/// Japan.
pub const TOKYO: Zone = Zone {
    name: "Asia/Tokyo",
    posix: "JST-9",
    weekend: WEEKEND,
    holidays: &[(1, 1), (1, 2), (1, 3), (2, 11), (4, 29), (5, 3), (5, 4), (5, 5), (11, 3)],
};
/// The United Arab Emirates until 2021 kept Friday and Saturday free; Israel does today.
pub const TEL_AVIV: Zone = Zone {
    name: "Asia/Jerusalem",
    posix: "IST-2IDT,M3.4.4/26,M10.5.0",
    weekend: [Weekday::Friday, Weekday::Saturday],
    holidays: &[],
};
/// New South Wales: summer is in January.
pub const SYDNEY: Zone = Zone {
    name: "Australia/Sydney",
    posix: "AEST-10AEDT,M10.1.0,M4.1.0/3",
    weekend: WEEKEND,
    holidays: &[(1, 1), (1, 26), (4, 25), (12, 25), (12, 26)],
};

impl Zone {
    /// From UTC to the clock on the wall, at `time_s`. Unit: seconds.
    pub fn offset_s(&self, time_s: i64) -> i64 {
        // The rules above are constants, which a test reads; UTC is what a mistake would show.
        let zone = TimeZone::posix(self.posix).unwrap_or(TimeZone::UTC);
        let time = Timestamp::from_second(time_s).unwrap_or(Timestamp::UNIX_EPOCH);
        i64::from(zone.to_offset(time).seconds())
    }

    /// When it is `hour_s` after midnight on the wall, on the UTC day that begins at `midnight_s`.
    /// Unit: seconds since the Unix epoch.
    pub fn at(&self, midnight_s: i64, hour_s: i64) -> i64 {
        midnight_s + hour_s - self.offset_s(midnight_s + hour_s)
    }

    /// Whether people work on the day that begins at `midnight_s` (UTC, read as a local date).
    pub fn is_working_day(&self, midnight_s: i64) -> bool {
        let date = Timestamp::from_second(midnight_s)
            .unwrap_or(Timestamp::UNIX_EPOCH)
            .to_zoned(TimeZone::UTC)
            .date();
        !self.weekend.contains(&date.weekday())
            && !self.holidays.contains(&(date.month(), date.day()))
    }

    /// Hour of the day on the wall, 0 to 23.
    pub fn hour(&self, time_s: i64) -> i64 {
        (time_s + self.offset_s(time_s)).rem_euclid(DAY_S) / HOUR_S
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Zone; 9] =
        [SEATTLE, NEW_YORK, BERLIN, LONDON, LISBON, BANGALORE, TOKYO, TEL_AVIV, SYDNEY];

    /// 2026-01-05, a Monday, midnight UTC.
    const JANUARY_S: i64 = 1_767_571_200;
    /// 2026-07-06, a Monday, midnight UTC.
    const JULY_S: i64 = 1_783_296_000;

    #[test]
    fn every_rule_can_be_read() {
        for zone in ALL {
            assert!(TimeZone::posix(zone.posix).is_ok(), "{}", zone.name);
        }
    }

    #[test]
    fn offices_open_an_hour_earlier_in_utc_in_summer() {
        let nine = |zone: Zone, midnight_s| (zone.at(midnight_s, 9 * HOUR_S) - midnight_s) / HOUR_S;
        assert_eq!((nine(BERLIN, JANUARY_S), nine(BERLIN, JULY_S)), (8, 7));
        assert_eq!((nine(SEATTLE, JANUARY_S), nine(SEATTLE, JULY_S)), (17, 16));
        assert_eq!((nine(SYDNEY, JANUARY_S), nine(SYDNEY, JULY_S)), (-2, -1));
        assert_eq!((nine(TOKYO, JANUARY_S), nine(TOKYO, JULY_S)), (0, 0));
    }

    #[test]
    fn weekends_and_holidays_are_free() {
        assert!(BERLIN.is_working_day(JANUARY_S));
        assert!(!BERLIN.is_working_day(JANUARY_S - DAY_S));
        assert!(!BERLIN.is_working_day(JANUARY_S - 4 * DAY_S), "new year's day");
        assert!(TEL_AVIV.is_working_day(JANUARY_S - DAY_S), "a Sunday");
    }

    #[test]
    fn the_wall_shows_local_time() {
        assert_eq!(BANGALORE.hour(JANUARY_S), 5);
        assert_eq!(BERLIN.hour(JULY_S), 2);
    }
}
