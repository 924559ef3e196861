//! References to the records that a count rests on.

use std::sync::Arc;

/// `eventID`: nearly always a UUID, which takes 16 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventId {
    /// A UUID in its usual form, lower case.
    Uuid(u128),
    /// Anything else, as the log had it.
    Text(Arc<str>),
}

impl EventId {
    /// Reads an `eventID`.
    pub fn new(text: &str) -> Self {
        uuid(text.as_bytes()).map_or_else(|| Self::Text(text.into()), Self::Uuid)
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Uuid(uuid) => {
                let group = |shift: u32, digits: u32| (uuid >> shift) & ((1 << (4 * digits)) - 1);
                write!(
                    f,
                    "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
                    group(96, 8),
                    group(80, 4),
                    group(64, 4),
                    group(48, 4),
                    group(0, 12)
                )
            }
        }
    }
}

/// The 128 bits that an `eventID` mostly is: those of `8-4-4-4-12` lower-case hexadecimal digits.
pub fn uuid(text: &[u8]) -> Option<u128> {
    if text.len() != 36 {
        return None;
    }
    let mut bits = 0;
    for (at, &byte) in text.iter().enumerate() {
        let digit = match byte {
            b'-' if matches!(at, 8 | 13 | 18 | 23) => continue,
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        if matches!(at, 8 | 13 | 18 | 23) {
            return None;
        }
        bits = bits << 4 | u128::from(digit);
    }
    Some(bits)
}

/// A record that a count rests on: enough to name it and to say from where it came.
/// Ordered by time and id, so that the first k do not depend on any order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// Event time. Unit: milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// Which record.
    pub id: EventId,
    /// What was called, for example `s3:PutObject`.
    pub api: Arc<str>,
    /// `sourceIPAddress`.
    pub address: Option<Arc<str>>,
    /// `accessKeyId`.
    pub access_key: Option<Arc<str>>,
    /// `awsRegion`.
    pub region: Option<Arc<str>>,
    /// Who it was in full: the ARN, session name included.
    pub actor: Option<Arc<str>>,
}

/// The k records smallest by (time, id).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Records(Vec<Evidence>);

impl Records {
    /// Records kept per slot and dimension. Unit: records.
    pub const MAX: usize = 128;

    /// Adds one record; a record that is there already changes nothing.
    pub fn add(&mut self, record: Evidence, max: usize) {
        if self.0.len() >= max && self.0.last().is_some_and(|last| *last < record) {
            return;
        }
        if let Err(at) = self.0.binary_search(&record) {
            self.0.insert(at, record);
            self.0.truncate(max);
        }
    }

    /// In order of time.
    pub fn iter(&self) -> impl Iterator<Item = &Evidence> {
        self.0.iter()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(time_ms: i64) -> Evidence {
        let id = EventId::new(&format!("e-{time_ms}"));
        let (address, access_key, region, actor) = (None, None, None, None);
        Evidence { time_ms, id, api: "s3:PutObject".into(), address, access_key, region, actor }
    }

    #[test]
    fn ids_read_back_as_written() {
        for text in [
            "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
            "0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9",
            "00000000-0000-0000-0000-000000000000",
            "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f",
            "0a1b2c3d04e5f-6071-8293-a4b5c6d7e8f9",
            "EXAMPLE",
            "",
        ] {
            assert_eq!(EventId::new(text).to_string(), text);
        }
        assert!(matches!(
            EventId::new("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"),
            EventId::Uuid(0x0a1b_2c3d_4e5f_6071_8293_a4b5_c6d7_e8f9)
        ));
    }

    #[test]
    fn the_first_are_kept_whatever_the_order() {
        let mut up = Records::default();
        let mut down = Records::default();
        for n in 0..200 {
            up.add(record(n), Records::MAX);
            down.add(record(199 - n), Records::MAX);
            up.add(record(n), Records::MAX);
        }
        assert_eq!(up, down);
        assert_eq!(up.iter().count(), Records::MAX);
        assert_eq!(up.iter().last().map(|last| last.time_ms), Some(127));
    }
}
