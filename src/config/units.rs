//! Durations, sizes and keys as people write them in TOML. In: text. Out: checked values, or what was expected.

use super::keys::{WORD_CHARS_MAX, shown};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::num::NonZeroU32;

/// What serde expects, and what a person is asked for instead.
const EXPECTED: [(&str, &str); 6] = [
    ("a sequence", "a list in square brackets"),
    ("a string", "a text in quotes"),
    ("path string", "a path in quotes"),
    ("a boolean", "true or false"),
    ("u32", "a whole number from 0 to 4294967295"),
    ("u64", "a whole number from 0 on"),
];

/// What `toml` or serde says of a value, in the words of this file; of a long value only the beginning.
pub(super) fn plain(message: &str) -> String {
    let Some((found, expected)) = message.rsplit_once(", expected ") else {
        return message.to_owned();
    };
    let in_words = EXPECTED.iter().find(|(known, _)| *known == expected);
    let expected = in_words.map_or(expected, |(_, words)| words);
    let found: String = found.chars().take(WORD_CHARS_MAX).collect();
    format!("{found}, expected {expected}")
}

/// `24h` or `2d`, within [`baseline::Lateness::RANGE_H`].
pub(super) mod lateness {
    use super::{Deserialize, Deserializer, Error, Serializer, shown};
    use baseline::{Lateness, time::HOUR_MS};

    pub(in super::super) fn parse(text: &str) -> Result<Lateness, String> {
        super::hours(text).and_then(Lateness::from_hours).ok_or_else(|| {
            let (low, high) = (Lateness::RANGE_H.start(), Lateness::RANGE_H.end());
            let text = shown(text);
            format!(
                "no lateness {text} (expected {low}h to {high}h, for example \"24h\" or \"2d\")"
            )
        })
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Lateness, D::Error> {
        parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    pub(in super::super) fn serialize<S: Serializer>(
        lateness: &Lateness,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{}h", lateness.ms() / HOUR_MS))
    }
}

/// `24h` or `2d`, within [`heartbeat::RANGE_H`].
pub(super) mod heartbeat {
    use super::{Deserialize, Deserializer, Error, Serializer, hours, shown};

    /// More often nobody reads it, more seldom nobody misses it. Unit: hours.
    pub(in super::super) const RANGE_H: std::ops::RangeInclusive<u16> = 1..=168;

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<u16>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let hours = hours(&text).filter(|hours| RANGE_H.contains(hours));
        let expected = || {
            let (low, high) = (RANGE_H.start(), RANGE_H.end());
            let text = shown(&text);
            format!("no time {text} (expected {low}h to {high}h, for example \"24h\")")
        };
        hours.map(Some).ok_or_else(|| D::Error::custom(expected()))
    }

    #[expect(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "serde gives a reference"
    )]
    pub(in super::super) fn serialize<S: Serializer>(
        hours: &Option<u16>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text = hours.map(|hours| format!("{hours}h"));
        serializer.serialize_str(text.as_deref().unwrap_or_default())
    }
}

/// A whole number of hours, or of days.
fn hours(text: &str) -> Option<u16> {
    let (digits, hours) = match (text.strip_suffix('h'), text.strip_suffix('d')) {
        (Some(digits), _) => (digits, 1),
        (_, Some(digits)) => (digits, 24),
        _ => ("", 1),
    };
    let hours = number(digits)?.checked_mul(hours)?;
    u16::try_from(hours).ok()
}

/// A whole number from 1 on.
pub(super) fn from_one<'de, D: Deserializer<'de>>(from: D) -> Result<NonZeroU32, D::Error> {
    let number = NonZeroU32::deserialize(from);
    let expected = format!("expected a whole number from 1 to {}, without quotes", u32::MAX);
    number.map_err(|_| D::Error::custom(expected))
}

/// 32 hexadecimal digits.
pub(super) mod hash_key {
    use super::{Deserialize, Deserializer, Error, Serializer};
    use baseline::HashKey;

    pub(in super::super) fn parse(text: &str) -> Result<HashKey, String> {
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let key = is_hex.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        // The text is a secret, so the message must not repeat it.
        key.map(|key| HashKey(key.to_be_bytes()))
            .ok_or_else(|| "not 32 hexadecimal digits in quotes (16 bytes)".to_owned())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<HashKey, D::Error> {
        // Without its quotes it may be a number, which the message must not repeat either.
        let text = String::deserialize(deserializer).unwrap_or_default();
        parse(&text).map_err(D::Error::custom)
    }

    pub(in super::super) fn serialize<S: Serializer>(
        key: &HashKey,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:032x}", u128::from_be_bytes(key.0)))
    }
}

/// A number of bytes, written `256 MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

const MIB: u64 = 1 << 20;
const UNITS: [(&str, u64); 4] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", MIB), ("KiB", 1 << 10)];

impl Size {
    /// The least and the most that may be set: below one MiB no object fits, and no machine has more
    /// than a TiB to spare. Unit: bytes.
    const RANGE: std::ops::RangeInclusive<u64> = MIB..=1 << 40;

    fn parse(text: &str) -> Result<Self, String> {
        let split = UNITS.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, bytes)));
        let bytes = split.and_then(|(digits, unit)| number(digits.trim_end())?.checked_mul(*unit));
        bytes.filter(|bytes| Self::RANGE.contains(bytes)).map(Self).ok_or_else(|| {
            let text = shown(text);
            format!("no size {text} (expected 1 MiB to 1 TiB, for example \"256 MiB\")")
        })
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = UNITS.iter().find(|(_, bytes)| self.0.is_multiple_of(*bytes) && self.0 > 0);
        match unit {
            Some((unit, bytes)) => write!(f, "{} {unit}", self.0 / bytes),
            None => write!(f, "{} bytes", self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Digits only: `parse` of the standard library takes a sign too.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_is_hours_or_days_within_its_range() {
        for (text, hours) in [("24h", 24), ("168h", 168), ("2d", 48), ("7d", 168), ("025h", 25)] {
            assert_eq!(lateness::parse(text).unwrap().ms(), hours * 3_600_000, "{text}");
        }
        for text in
            ["", "h", "23h", "169h", "8d", "24", "24 h", "+24h", "1.5d", "99999999999999999999d"]
        {
            assert!(lateness::parse(text).unwrap_err().contains("24h to 168h"), "{text}");
        }
    }

    #[test]
    fn sizes_are_whole_units_within_their_range() {
        for (text, bytes, back) in [
            ("256 MiB", 256 << 20, "256 MiB"),
            ("8GiB", 8 << 30, "8 GiB"),
            ("1024 KiB", 1 << 20, "1 MiB"),
            ("1536 MiB", 1536 << 20, "1536 MiB"),
            ("1 TiB", 1 << 40, "1 TiB"),
        ] {
            let size = Size::parse(text).unwrap();
            assert_eq!((size.0, size.to_string().as_str()), (bytes, back));
        }
        for text in [
            "",
            "MiB",
            "1",
            "1 MB",
            "1023 KiB",
            "2 TiB",
            "-1 GiB",
            "1.5 GiB",
            "99999999999999999999 TiB",
        ] {
            assert!(Size::parse(text).unwrap_err().contains("1 MiB to 1 TiB"), "{text}");
        }
    }

    #[test]
    fn a_refused_key_is_not_repeated() {
        let secret = "00112233445566778899aabbccddeef";
        for unquoted in ["1234567812345678", "1234.5678"] {
            let table: toml::Table = toml::from_str(&format!("key = {unquoted}")).unwrap();
            let error = hash_key::deserialize(table["key"].clone()).unwrap_err().to_string();
            assert!(error.contains("32 hexadecimal digits") && !error.contains("1234"), "{error}");
        }
        let error = hash_key::parse(secret).unwrap_err();
        assert!(error.contains("32 hexadecimal digits") && !error.contains(secret));
        assert_eq!(hash_key::parse(&format!("{secret}f")).unwrap().0[..2], [0x00, 0x11]);
        assert!(hash_key::parse("+0112233445566778899aabbccddeeff").is_err());
    }
}
