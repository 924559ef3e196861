//! Points in time as people type them on the command line. In: `2025-03-14` or an RFC 3339
//! timestamp. Out: milliseconds since the Unix epoch, UTC. It never reads a clock.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

/// Longest text quoted back in an error. Unit: characters.
const QUOTED_CHARS_MAX: usize = 60;

/// Why a typed date was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstantError {
    /// Neither a date nor a timestamp.
    #[error("not a date: \"{0}\" (expected 2025-03-14 or 2025-03-14T10:00:00Z)")]
    NotADate(String),
    /// A timestamp that leaves open which zone it means; guessing would move the answer by hours.
    #[error("no time zone: \"{0}\" (expected 2025-03-14T10:00:00Z or 2025-03-14T10:00:00+01:00)")]
    NoZone(String),
}

/// Milliseconds since the Unix epoch of a typed date (its midnight, UTC) or timestamp.
///
/// ```
/// assert_eq!(ingest::instant::parse_instant("2025-03-14"), Ok(1_741_910_400_000));
/// assert_eq!(ingest::instant::parse_instant("2025-03-14T11:00:00+01:00"), Ok(1_741_946_400_000));
/// ```
pub fn parse_instant(text: &str) -> Result<i64, InstantError> {
    let text = text.trim();
    let quoted = || text.chars().take(QUOTED_CHARS_MAX).collect::<String>();
    // Dates of jiff may have other spellings (20250314, a time behind it); one is enough here.
    let is_date = text.len() == "2025-03-14".len() && text.is_ascii();
    if is_date {
        let date: Date = text.parse().map_err(|_| InstantError::NotADate(quoted()))?;
        return Offset::UTC
            .to_timestamp(date.at(0, 0, 0, 0))
            .map(Timestamp::as_millisecond)
            .map_err(|_| InstantError::NotADate(quoted()));
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Ok(timestamp.as_millisecond());
    }
    match text.parse::<jiff::civil::DateTime>() {
        Ok(_) if text.contains(['T', 't', ' ']) => Err(InstantError::NoZone(quoted())),
        _ => Err(InstantError::NotADate(quoted())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_date_means_its_midnight_utc() {
        assert_eq!(parse_instant("1970-01-02"), Ok(86_400_000));
        assert_eq!(parse_instant(" 2024-02-29 "), Ok(1_709_164_800_000));
    }

    #[test]
    fn a_timestamp_keeps_its_offset() {
        assert_eq!(parse_instant("1970-01-01T00:00:01Z"), Ok(1_000));
        assert_eq!(parse_instant("1970-01-01T00:00:00.250-01:00"), Ok(3_600_250));
        assert_eq!(parse_instant("1970-01-01 01:00Z"), Ok(3_600_000));
    }

    #[test]
    fn a_bad_date_is_refused_with_an_example() {
        let refused = |text: &str| parse_instant(text).unwrap_err().to_string();
        assert_eq!(
            refused("14.3.2025"),
            "not a date: \"14.3.2025\" (expected 2025-03-14 or 2025-03-14T10:00:00Z)"
        );
        for text in ["", "2025-02-30", "20250314", "2025-3-4", "yesterday", "2025-03-14T25:00:00Z"]
        {
            assert!(refused(text).starts_with("not a date"), "{text}");
        }
    }

    #[test]
    fn a_timestamp_without_zone_is_not_guessed() {
        let refused = parse_instant("2025-03-14T10:00:00").unwrap_err();
        assert_eq!(refused, InstantError::NoZone("2025-03-14T10:00:00".to_owned()));
    }

    proptest! {
        #[test]
        fn any_text_ends_in_an_answer(text in ".{0,80}") {
            let answer = parse_instant(&text);
            prop_assert!(answer.is_ok() || answer.is_err());
        }

        #[test]
        fn every_printed_timestamp_is_read_back(ms in -62_135_596_800_000_i64..253_402_207_200_000) {
            let text = Timestamp::from_millisecond(ms).unwrap().to_string();
            prop_assert_eq!(parse_instant(&text), Ok(ms));
        }
    }
}
