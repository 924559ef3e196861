//! Times as AWS writes them, from seconds since the Unix epoch. It never asks what time it is.

use jiff::Timestamp;

/// Unit: seconds.
pub const MINUTE_S: i64 = 60;
/// Unit: seconds.
pub const HOUR_S: i64 = 60 * MINUTE_S;
/// Unit: seconds.
pub const DAY_S: i64 = 24 * HOUR_S;

/// `2026-03-02T09:30:00Z`, as in `eventTime`.
pub fn iso(time_s: i64) -> String {
    format(time_s, "%Y-%m-%dT%H:%M:%SZ")
}

/// `20260302T0930Z`, as in the names of objects.
pub fn stamp(time_s: i64) -> String {
    format(time_s, "%Y%m%dT%H%MZ")
}

/// `20260302T093000Z`, as in the names of digests.
pub fn stamp_with_seconds(time_s: i64) -> String {
    format(time_s, "%Y%m%dT%H%M%SZ")
}

/// `2026/03/02`, as in the folders of objects.
pub fn folder(time_s: i64) -> String {
    format(time_s, "%Y/%m/%d")
}

/// `Mar 2, 2026, 9:30:00 AM`, as STS and IAM write times into their answers.
pub fn in_words(time_s: i64) -> String {
    format(time_s, "%b %-d, %Y, %-I:%M:%S %p")
}

/// The first whole multiple of `step_s` at or after `time_s`.
pub fn round_up(time_s: i64, step_s: i64) -> i64 {
    let past = time_s.rem_euclid(step_s);
    if past == 0 { time_s } else { time_s - past + step_s }
}

fn format(time_s: i64, pattern: &str) -> String {
    // jiff knows the years -9999 to 9999; a story outside of them shows the epoch.
    let time = Timestamp::from_second(time_s).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime(pattern).to_string()
}

#[cfg(test)]
mod tests {
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
}
