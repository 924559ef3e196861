//! Timestamps as the logs write them, to milliseconds since the Unix epoch and back; and how long what we do
//! ourselves takes.

use std::time::Instant;

/// 1970-01-01T00:00:00.000Z. Unit: milliseconds since the Unix epoch.
pub(crate) const TIME_MS_MIN: i64 = 0;
/// 9999-12-31T23:59:59.999Z. Unit: milliseconds since the Unix epoch.
pub(crate) const TIME_MS_MAX: i64 = 253_402_300_799_999;

const DAY_MS: i64 = 86_400_000;

/// From when to when something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// When it began.
    pub from: Instant,
    /// When it ended.
    pub to: Instant,
}

impl Stretch {
    /// What began then and ends now.
    pub fn since(from: Instant) -> Self {
        Self { from, to: Instant::now() }
    }
}

/// Reads `2013-11-02T01:06:28Z`, the same with a fraction, an offset or a space for the `T`, and
/// `20131102T010628Z`. `None` for anything else, for impossible dates and for years outside
/// 1970 to 9999. Result: milliseconds since the Unix epoch, fractions cut off.
#[inline]
pub fn parse_ms(text: &str) -> Option<i64> {
    if let Ok(fixed) = <&[u8; 20]>::try_from(text.as_bytes())
        && let Some(time_ms) = parse_fixed(fixed)
    {
        return Some(time_ms);
    }
    parse_other(text)
}

/// Writes `2013-11-02T01:06:28Z`, with `.123` before the `Z` only where there are milliseconds.
/// Times outside 1970 to 9999 are moved to the nearest end.
pub fn format_ms(time_ms: i64) -> String {
    let time_ms = time_ms.clamp(TIME_MS_MIN, TIME_MS_MAX);
    let (days, ms) = (time_ms.div_euclid(DAY_MS), time_ms.rem_euclid(DAY_MS));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    let fraction = match ms % 1_000 {
        0 => String::new(),
        fraction => format!(".{fraction:03}"),
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

/// `YYYY-MM-DDTHH:MM:SSZ`.
#[inline]
fn parse_fixed(text: &[u8; 20]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', o1, o2, b'-', d1, d2, b'T', rest @ ..] = *text else { return None };
    let [h1, h2, b':', m1, m2, b':', s1, s2, b'Z'] = rest else { return None };
    from_parts(&[y1, y2, y3, y4, o1, o2, d1, d2, h1, h2, m1, m2, s1, s2])
}

/// Everything else that the logs were seen to hold.
#[cold]
fn parse_other(text: &str) -> Option<i64> {
    if let Ok(compact) = <&[u8; 16]>::try_from(text.as_bytes())
        && let [y1, y2, y3, y4, o1, o2, d1, d2, b'T', h1, h2, m1, m2, s1, s2, b'Z'] = *compact
    {
        return from_parts(&[y1, y2, y3, y4, o1, o2, d1, d2, h1, h2, m1, m2, s1, s2]);
    }
    if let Some(time_ms) = parse_fraction(text) {
        return Some(time_ms);
    }
    // `jiff` ends a day before [`TIME_MS_MAX`].
    let time: jiff::Timestamp = text.parse().ok()?;
    (time.as_nanosecond() >= 0).then(|| time.as_millisecond())
}

/// `YYYY-MM-DDTHH:MM:SS.fffZ` with any number of digits, up to [`TIME_MS_MAX`].
fn parse_fraction(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.strip_suffix('Z')?.split_once('.')?;
    let mut fixed = [b'Z'; 20];
    fixed.get_mut(..19)?.copy_from_slice(<&[u8; 19]>::try_from(seconds.as_bytes()).ok()?);
    if fraction.is_empty() || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let ms = fraction.bytes().chain([b'0'; 2]).take(3);
    let ms = ms.fold(0, |ms, digit| ms * 10 + i64::from(digit - b'0'));
    parse_fixed(&fixed).map(|time_ms| time_ms + ms)
}

/// From the fourteen digits of year, month, day, hour, minute and second.
#[inline]
fn from_parts(digits: &[u8; 14]) -> Option<i64> {
    let values = digits.map(|digit| i64::from(digit.wrapping_sub(b'0')));
    if values.iter().any(|value| *value > 9) {
        return None;
    }
    let [y1, y2, y3, y4, o1, o2, d1, d2, h1, h2, m1, m2, s1, s2] = values;
    let year = y1 * 1000 + y2 * 100 + y3 * 10 + y4;
    let (month, day) = (o1 * 10 + o2, d1 * 10 + d2);
    let (hour, minute, second) = (h1 * 10 + h2, m1 * 10 + m2, s1 * 10 + s2);
    let within = year >= 1970
        && (1..=12).contains(&month)
        && (1..=month_days(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    let seconds = hour * 3600 + minute * 60 + second;
    within.then(|| days_since_epoch(year, month, day) * DAY_MS + seconds * 1000)
}

#[inline]
fn month_days(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`, for years
/// after Christ: the year begins in March, so that the leap day comes last.
#[inline]
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse, `civil_from_days`.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    (era * 400 + year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_of_one_instant_reads_alike() {
        for text in [
            "2013-11-02T01:06:28Z",
            "20131102T010628Z",
            "2013-11-02T01:06:28.000Z",
            "2013-11-02T02:06:28+01:00",
            "2013-11-02 02:06:28+01:00",
            "2013-11-01T22:06:28.0-03:00",
        ] {
            assert_eq!(parse_ms(text), Some(1_383_354_388_000), "{text}");
        }
        assert_eq!(parse_ms("2013-11-02T01:06:28.123999Z"), Some(1_383_354_388_123));
        let leap_second = parse_ms("2016-12-31T23:59:60Z");
        assert_eq!(leap_second, parse_ms("2016-12-31T23:59:59Z"), "it is of the old year");
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "Z",
            "2013-11-02",
            "2013-11-02T01:06:28",
            "2013-13-02T01:06:28Z",
            "2013-02-29T01:06:28Z",
            "2100-02-29T01:06:28Z",
            "2013-11-02T24:06:28Z",
            "2013-11-02T01:60:28Z",
            "201311 2T010628Z",
            "1969-12-31T23:59:59Z",
            "1969-12-31T23:59:59.9999Z",
            "1970-01-01T00:00:00+01:00",
            "+12013-11-02T01:06:28Z",
        ] {
            assert_eq!(parse_ms(text), None, "{text}");
        }
    }

    #[test]
    fn the_ends_of_the_range_are_inside() {
        for (time_ms, text) in [
            (TIME_MS_MIN, "1970-01-01T00:00:00Z"),
            (TIME_MS_MAX, "9999-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
        ] {
            assert_eq!(parse_ms(text), Some(time_ms));
            assert_eq!(format_ms(time_ms), text);
        }
        assert_eq!(format_ms(-5), "1970-01-01T00:00:00Z");
        assert_eq!(format_ms(i64::MAX), "9999-12-31T23:59:59.999Z");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(time_ms in TIME_MS_MIN..=TIME_MS_MAX) {
            prop_assert_eq!(parse_ms(&format_ms(time_ms)), Some(time_ms));
        }

        #[test]
        fn whole_seconds_read_as_jiff_reads_them(seconds in 0..=TIME_MS_MAX / 1000) {
            let time = jiff::Timestamp::from_second(seconds).unwrap();
            prop_assert_eq!(parse_ms(&time.to_string()), Some(seconds * 1000));
        }

        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            if let Some(time_ms) = parse_ms(&text) {
                prop_assert!((TIME_MS_MIN..=TIME_MS_MAX).contains(&time_ms));
            }
        }
    }
}
