//! Times as AWS writes them, from seconds since the Unix epoch. It never asks what time it is.

/// Unit: seconds.
pub const MINUTE_S: i64 = 60;
/// Unit: seconds.
pub const HOUR_S: i64 = 60 * MINUTE_S;
/// Unit: seconds.
pub const DAY_S: i64 = 24 * HOUR_S;

/// Moments that logs can name: the years 1970 to 9999. Unit: seconds since the Unix epoch.
pub const NAMED_S: std::ops::Range<i64> = 0..253_402_300_800;

/// `2026-03-02T09:30:00Z`, as in `eventTime`.
pub fn iso(time_s: i64) -> String {
    let mut text = String::with_capacity(20);
    write_iso(time_s, &mut text);
    text
}

/// Appends what `iso` gives.
pub fn write_iso(time_s: i64, out: &mut String) {
    let Civil { year, month, day, hour, minute, second } = Civil::of(time_s);
    let mut text = *b"0000-00-00T00:00:00Z";
    let pairs = [(0, year / 100), (2, year % 100), (5, month), (8, day)];
    for (place, value) in pairs.into_iter().chain([(11, hour), (14, minute), (17, second)]) {
        if let Some([tens, ones]) = text.get_mut(place..place + 2) {
            *tens = digit(value / 10);
            *ones = digit(value % 10);
        }
    }
    out.push_str(str::from_utf8(&text).unwrap_or_default());
}

/// `20260302T0930Z`, as in the names of objects.
pub fn stamp(time_s: i64) -> String {
    let Civil { year, month, day, hour, minute, .. } = Civil::of(time_s);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}Z")
}

/// `20260302T093000Z`, as in the names of digests.
pub fn stamp_with_seconds(time_s: i64) -> String {
    let Civil { year, month, day, hour, minute, second } = Civil::of(time_s);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// `2026/03/02`, as in the folders of objects.
pub fn folder(time_s: i64) -> String {
    let Civil { year, month, day, .. } = Civil::of(time_s);
    format!("{year:04}/{month:02}/{day:02}")
}

/// `Mar 2, 2026, 9:30:00 AM`, as STS and IAM write times into their answers.
pub fn in_words(time_s: i64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let Civil { year, month, day, hour, minute, second } = Civil::of(time_s);
    let name = usize::try_from(month - 1).ok().and_then(|n| MONTHS.get(n)).copied();
    let (half, on_the_clock) = (if hour < 12 { "AM" } else { "PM" }, (hour + 11) % 12 + 1);
    format!("{} {day}, {year}, {on_the_clock}:{minute:02}:{second:02} {half}", name.unwrap_or(""))
}

/// The first whole multiple of `step_s` at or after `time_s`.
pub fn round_up(time_s: i64, step_s: i64) -> i64 {
    let past = time_s.rem_euclid(step_s);
    if past == 0 { time_s } else { time_s - past + step_s }
}

/// A time of the calendar, UTC.
#[derive(Debug, Clone, Copy)]
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Civil {
    /// By H. Hinnant's `civil_from_days` (<https://howardhinnant.github.io/date_algorithms.html>).
    /// Names have room for the years 0 to 9999: a story outside of them shows the epoch.
    fn of(time_s: i64) -> Self {
        const YEAR_0_S: i64 = -62_167_219_200;
        let time_s = if (YEAR_0_S..NAMED_S.end).contains(&time_s) { time_s } else { 0 };
        let (days, second) = (time_s.div_euclid(DAY_S), time_s.rem_euclid(DAY_S));
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: of_year - (153 * from_march + 2) / 5 + 1,
            hour: second / HOUR_S,
            minute: second % HOUR_S / MINUTE_S,
            second: second % MINUTE_S,
        }
    }
}

/// The digit of `value`, which is below 10.
fn digit(value: i64) -> u8 {
    b'0' + u8::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn times_read_as_in_the_logs() {
        let time_s = 1_772_443_800;
        assert_eq!(iso(time_s), "2026-03-02T09:30:00Z");
        assert_eq!(stamp(time_s), "20260302T0930Z");
        assert_eq!(stamp_with_seconds(time_s), "20260302T093000Z");
        assert_eq!(folder(time_s), "2026/03/02");
        assert_eq!(in_words(time_s), "Mar 2, 2026, 9:30:00 AM");
    }

    #[test]
    fn rounding_up_keeps_whole_steps() {
        assert_eq!(round_up(600, 300), 600);
        assert_eq!(round_up(601, 300), 900);
    }

    #[test]
    fn every_day_of_four_centuries_is_the_one_that_jiff_finds() {
        for day in -150_000..80_000 {
            let time_s = day * DAY_S + (day * 7_919).rem_euclid(DAY_S);
            let time = Timestamp::from_second(time_s).unwrap();
            assert_eq!(iso(time_s), time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
            let words = time.strftime("%b %-d, %Y, %-I:%M:%S %p").to_string();
            assert_eq!(in_words(time_s), words);
        }
    }

    #[test]
    fn a_time_that_has_no_name_shows_the_epoch() {
        for time_s in [i64::MIN, i64::MAX, 253_402_300_800] {
            assert_eq!(iso(time_s), "1970-01-01T00:00:00Z");
        }
        assert_eq!(iso(253_402_300_799), "9999-12-31T23:59:59Z");
    }
}
