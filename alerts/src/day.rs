//! Days as texts, `2025-03-14`. In: what a file says. Out: days, and back.

use baseline::Day;
use ingest::time::parse_ms;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// The UTC day that a text such as `2025-03-14` names.
pub fn parse_day(text: &str) -> Option<Day> {
    parse_ms(&format!("{text}T00:00:00Z")).map(Day::of)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
pub(crate) fn serialize<S: Serializer>(day: &Day, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Day, D::Error> {
    let text = String::deserialize(from)?;
    parse_day(&text).ok_or_else(|| D::Error::custom(format!("no day \"{text}\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_year_month_and_day() {
        assert_eq!(parse_day("2025-03-14"), Some(Day(20_161)));
        for text in ["", "2025-3-14", "2025-02-30", "14.03.2025", "2025-03-14T00:00:00Z", "soon"] {
            assert_eq!(parse_day(text), None, "{text}");
        }
    }
}
