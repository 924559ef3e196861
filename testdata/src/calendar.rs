//! Working time: zones with summer time, weekends and holidays. Out of a moment it makes the hour
//! on the wall of an office.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::clock::{DAY_S, HOUR_S};

/// Where people keep the same hours and holidays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone {
    /// Name, for example `Europe/Berlin`.
    pub name: &'static str,
    /// The rule as POSIX writes it, summer time included.
    posix: &'static str,
    weekend: [Weekday; 2],
    holidays: &'static [Holiday],
}

/// A day on which offices of a country are closed, year after year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holiday {
    /// Month and day.
    Fixed(i8, i8),
    /// Month, which one of the month (-1: the last), day of the week.
    Nth(i8, i8, Weekday),
    /// So many days after Easter Sunday.
    Easter(i64),
}

use Holiday::{Easter, Fixed, Nth};

const WEEKEND: [Weekday; 2] = [Weekday::Saturday, Weekday::Sunday];
const GOOD_FRIDAY: Holiday = Easter(-2);
const EASTER_MONDAY: Holiday = Easter(1);

/// Pacific time in the United States.
pub const SEATTLE: Zone = Zone {
    name: "America/Los_Angeles",
    posix: "PST8PDT,M3.2.0,M11.1.0",
    weekend: WEEKEND,
    holidays: &[
        Fixed(1, 1),
        Nth(1, 3, Weekday::Monday),
        Nth(5, -1, Weekday::Monday),
        Fixed(6, 19),
        Fixed(7, 4),
        Nth(9, 1, Weekday::Monday),
        Nth(11, 4, Weekday::Thursday),
        Nth(11, 4, Weekday::Friday),
        Fixed(12, 24),
        Fixed(12, 25),
    ],
};
/// Eastern time in the United States.
pub const NEW_YORK: Zone =
    Zone { name: "America/New_York", posix: "EST5EDT,M3.2.0,M11.1.0", ..SEATTLE };
/// Central European time, with the holidays of Germany.
pub const BERLIN: Zone = Zone {
    name: "Europe/Berlin",
    posix: "CET-1CEST,M3.5.0,M10.5.0/3",
    weekend: WEEKEND,
    holidays: &[
        Fixed(1, 1),
        GOOD_FRIDAY,
        EASTER_MONDAY,
        Fixed(5, 1),
        Easter(39),
        Easter(50),
        Fixed(10, 3),
        Fixed(12, 24),
        Fixed(12, 25),
        Fixed(12, 26),
        Fixed(12, 31),
    ],
};
/// The United Kingdom.
pub const LONDON: Zone = Zone {
    name: "Europe/London",
    posix: "GMT0BST,M3.5.0/1,M10.5.0",
    weekend: WEEKEND,
    holidays: &[
        Fixed(1, 1),
        GOOD_FRIDAY,
        EASTER_MONDAY,
        Nth(5, 1, Weekday::Monday),
        Nth(5, -1, Weekday::Monday),
        Nth(8, -1, Weekday::Monday),
        Fixed(12, 25),
        Fixed(12, 26),
    ],
};
/// Portugal.
pub const LISBON: Zone = Zone {
    name: "Europe/Lisbon",
    posix: "WET0WEST,M3.5.0/1,M10.5.0",
    weekend: WEEKEND,
    holidays: &[
        Fixed(1, 1),
        GOOD_FRIDAY,
        Fixed(4, 25),
        Fixed(5, 1),
        Easter(60),
        Fixed(6, 10),
        Fixed(8, 15),
        Fixed(10, 5),
        Fixed(11, 1),
        Fixed(12, 1),
        Fixed(12, 8),
        Fixed(12, 25),
    ],
};
/// India, which has no summer time.
pub const BANGALORE: Zone = Zone {
    name: "Asia/Kolkata",
    posix: "IST-5:30",
    weekend: WEEKEND,
    holidays: &[Fixed(1, 26), GOOD_FRIDAY, Fixed(5, 1), Fixed(8, 15), Fixed(10, 2), Fixed(12, 25)],
};
/// Japan.
pub const TOKYO: Zone = Zone {
    name: "Asia/Tokyo",
    posix: "JST-9",
    weekend: WEEKEND,
    holidays: &[
        Fixed(1, 1),
        Fixed(1, 2),
        Fixed(1, 3),
        Nth(1, 2, Weekday::Monday),
        Fixed(2, 11),
        Fixed(2, 23),
        Fixed(4, 29),
        Fixed(5, 3),
        Fixed(5, 4),
        Fixed(5, 5),
        Nth(7, 3, Weekday::Monday),
        Fixed(8, 11),
        Nth(9, 3, Weekday::Monday),
        Nth(10, 2, Weekday::Monday),
        Fixed(11, 3),
        Fixed(11, 23),
        Fixed(12, 31),
    ],
};
/// Israel, where Friday and Saturday are free.
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
    holidays: &[
        Fixed(1, 1),
        Fixed(1, 26),
        GOOD_FRIDAY,
        EASTER_MONDAY,
        Fixed(4, 25),
        Nth(6, 2, Weekday::Monday),
        Nth(10, 1, Weekday::Monday),
        Fixed(12, 25),
        Fixed(12, 26),
    ],
};

impl Zone {
    /// From UTC to the clock on the wall, at `time_s`. Unit: seconds.
    pub fn offset_s(&self, time_s: i64) -> i64 {
        // The rules above are constants, which a test reads; UTC is what a mistake would show.
        let zone = TimeZone::posix(self.posix).unwrap_or(TimeZone::UTC);
        let time = Timestamp::from_second(time_s).unwrap_or(Timestamp::UNIX_EPOCH);
        i64::from(zone.to_offset(time).seconds())
    }

    /// When the clock on the wall shows `wall_s` after midnight, on the date that begins at
    /// `midnight_s` in UTC. An hour that summer time skips is the one after it. Unit: seconds since
    /// the Unix epoch.
    pub fn at(&self, midnight_s: i64, wall_s: i64) -> i64 {
        let zone = TimeZone::posix(self.posix).unwrap_or(TimeZone::UTC);
        let wall = Timestamp::from_second(midnight_s + wall_s).unwrap_or(Timestamp::UNIX_EPOCH);
        let time = zone.to_timestamp(TimeZone::UTC.to_datetime(wall));
        time.map_or(midnight_s + wall_s, Timestamp::as_second)
    }

    /// Whether people work on the day that begins at `midnight_s` (UTC, read as a local date).
    pub fn is_working_day(&self, midnight_s: i64) -> bool {
        let date = date(midnight_s);
        !self.weekend.contains(&date.weekday()) && !self.is_holiday(midnight_s)
    }

    /// Whether it is a public holiday.
    pub fn is_holiday(&self, midnight_s: i64) -> bool {
        let date = date(midnight_s);
        self.holidays.iter().any(|holiday| holiday.is_on(date))
    }

    /// Hour of the day on the wall, 0 to 23.
    pub fn hour(&self, time_s: i64) -> i64 {
        (time_s + self.offset_s(time_s)).rem_euclid(DAY_S) / HOUR_S
    }
}

/// The date that begins at `midnight_s` in UTC.
pub(crate) fn date(midnight_s: i64) -> Date {
    let time = Timestamp::from_second(midnight_s).unwrap_or(Timestamp::UNIX_EPOCH);
    TimeZone::UTC.to_datetime(time).date()
}

impl Holiday {
    fn is_on(self, date: Date) -> bool {
        match self {
            Fixed(month, day) => (date.month(), date.day()) == (month, day),
            Nth(month, nth, weekday) => {
                date.nth_weekday_of_month(nth, weekday).is_ok_and(|nth| nth == date)
                    && date.month() == month
            }
            Easter(days) => date.checked_sub(Span::new().days(days)).ok() == easter(date.year()),
        }
    }
}

/// Easter Sunday of the Gregorian calendar, by the algorithm of Meeus, Jones and Butcher.
fn easter(year: i16) -> Option<Date> {
    let year_of_moon = year % 19;
    let (century, in_century) = (year / 100, year % 100);
    let correction = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * year_of_moon + century - century / 4 - correction + 15) % 30;
    let to_sunday = (32 + 2 * (century % 4) + 2 * (in_century / 4) - epact - in_century % 4) % 7;
    let late = (year_of_moon + 11 * epact + 22 * to_sunday) / 451;
    let days = epact + to_sunday - 7 * late + 114;
    Date::new(year, i8::try_from(days / 31).ok()?, i8::try_from(days % 31 + 1).ok()?).ok()
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

    /// Midnight UTC of a date. Unit: seconds since the Unix epoch.
    fn midnight_s(year: i16, month: i8, day: i8) -> i64 {
        let date = Date::new(year, month, day).unwrap();
        date.to_zoned(TimeZone::UTC).unwrap().timestamp().as_second()
    }

    #[test]
    fn the_clock_is_right_on_days_when_it_is_changed() {
        // Summer time begins at 2 in the morning (3 in Sydney) and ends at 3.
        for (zone, date, before, after) in [
            (BERLIN, (2026, 3, 29), 1, 2),
            (BERLIN, (2026, 10, 25), 2, 1),
            (LONDON, (2026, 3, 29), 0, 1),
            (NEW_YORK, (2026, 3, 8), -5, -4),
            (SEATTLE, (2026, 11, 1), -7, -8),
            (SYDNEY, (2026, 4, 5), 11, 10),
            (SYDNEY, (2026, 10, 4), 10, 11),
        ] {
            let midnight_s = midnight_s(date.0, date.1, date.2);
            let at = |hour: i64| zone.at(midnight_s, hour * HOUR_S);
            for hour in (0..24).filter(|hour| !(1..=3).contains(hour)) {
                let offset = if hour < 2 { before } else { after };
                assert_eq!(at(hour), midnight_s + (hour - offset) * HOUR_S, "{} {hour}", zone.name);
                assert_eq!(zone.hour(at(hour)), hour, "{} {hour}", zone.name);
            }
        }
    }

    #[test]
    fn holidays_move_with_the_year() {
        let free = |zone: Zone, year, month, day| zone.is_holiday(midnight_s(year, month, day));
        assert!(free(BERLIN, 2026, 4, 3) && free(BERLIN, 2026, 4, 6) && free(BERLIN, 2026, 5, 14));
        assert!(
            free(LONDON, 2025, 4, 18) && free(LONDON, 2027, 3, 29) && free(LONDON, 2026, 8, 31)
        );
        assert!(free(SEATTLE, 2026, 11, 26) && !free(SEATTLE, 2026, 11, 25));
        assert!(free(LISBON, 2026, 6, 4) && free(TOKYO, 2026, 7, 20) && free(SYDNEY, 2026, 6, 8));
        assert!(!free(TEL_AVIV, 2026, 4, 3));
    }

    #[test]
    fn the_wall_shows_local_time() {
        assert_eq!(BANGALORE.hour(JANUARY_S), 5);
        assert_eq!(BERLIN.hour(JULY_S), 2);
    }
}
