//! Flow records as JSON: one object a record, one after the other with or without line ends, or
//! inside the `message` strings of a `CloudWatch` Logs subscription.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, Visitor};

use super::{FlowReader, JSON_BYTES_MAX, RowError, Visit, newlines};
use crate::flow::Field;
use crate::flowlog::FlowFormat;

/// One JSON object of interest.
#[derive(Debug, Default)]
struct Record {
    /// Values by field; the last of equal keys counts.
    values: Vec<(Field, String)>,
    /// Lines of a subscription message; `None` for a plain record.
    messages: Option<Vec<String>>,
    /// A subscription's sign of life: its messages are no log lines.
    control: bool,
}

#[derive(Deserialize)]
struct LogEvent {
    #[serde(default)]
    message: String,
}

impl FlowReader {
    /// Reads one JSON value and returns its length and the line ends in it; `None` if it is not
    /// complete yet.
    pub(super) fn json(
        &mut self,
        text: &[u8],
        last: bool,
        visit: Visit<'_>,
    ) -> Option<(usize, u64)> {
        let window = text.get(..JSON_BYTES_MAX).unwrap_or(text);
        let mut values = serde_json::Deserializer::from_slice(window).into_iter::<Record>();
        let used = match values.next() {
            Some(Ok(record)) => {
                let used = values.byte_offset();
                match record.messages {
                    Some(_) if record.control => {}
                    Some(messages) => {
                        for message in messages {
                            self.message(&message, visit);
                        }
                    }
                    None => self.record(&record.values, visit),
                }
                used
            }
            Some(Err(error)) if error.is_eof() && !last && window.len() == text.len() => {
                return None;
            }
            Some(Err(error)) => {
                self.bad(RowError::Json(plain(&error)));
                // Whatever follows on this line cannot be told from the broken value.
                memchr::memchr(b'\n', text).map_or(text.len(), |at| at + 1)
            }
            None => text.len(),
        };
        Some((used, newlines(text.get(..used).unwrap_or_default())))
    }

    /// One message of a subscription: a flow line or a flow record in JSON.
    fn message(&mut self, message: &str, visit: Visit<'_>) {
        if message.trim_start().starts_with('{') {
            match serde_json::from_str::<Record>(message) {
                Ok(Record { values, messages: None, .. }) => self.record(&values, visit),
                Ok(_) => self.bad(RowError::Json("a message inside a message".to_owned())),
                Err(error) => self.bad(RowError::Json(plain(&error))),
            }
        } else {
            self.line_of_tokens(message.as_bytes(), visit);
        }
        if self.rows >= super::BATCH_ROWS {
            self.flush(visit);
        }
    }

    fn record(&mut self, values: &[(Field, String)], visit: Visit<'_>) {
        if values.is_empty() {
            self.bad(RowError::Json(
                "no flow log field; expected one such as `srcaddr`".to_owned(),
            ));
            return;
        }
        let known = self.shape.format.positions();
        if !self.from_json || !values.iter().all(|(field, _)| known.contains(&Some(*field))) {
            // The columns grow; a record without one of them has a null there.
            let mut fields: Vec<Field> = values.iter().map(|(field, _)| *field).collect();
            if self.from_json {
                fields.extend(known.iter().flatten());
            }
            fields.sort_unstable();
            fields.dedup();
            self.change(FlowFormat::of(fields), visit);
            self.from_json = true;
        }
        let tokens: Vec<Vec<u8>> = self
            .shape
            .format
            .positions()
            .iter()
            .map(|place| {
                let value = values.iter().rev().find(|(field, _)| Some(*field) == *place);
                value.map_or_else(|| b"-".to_vec(), |(_, text)| token(text))
            })
            .collect();
        self.tokens(tokens.iter().map(Vec::as_slice));
    }
}

/// The value as it would stand in a line. AWS encodes spaces in tags just so.
pub(super) fn token(text: &str) -> Vec<u8> {
    if text.is_empty() {
        return b"-".to_vec();
    }
    let mut token = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        if byte <= b' ' {
            token.extend(format!("%{byte:02X}").bytes());
        } else {
            token.push(byte);
        }
    }
    token
}

/// What the parser says, without the place, which it counts from where the value begins.
fn plain(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let said = said.strip_suffix(&place).unwrap_or(&said);
    if error.is_data() {
        // It says what it expected.
        return said.to_owned();
    }
    format!("{said}; expected an object of flow log fields")
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RecordVisitor)
    }
}

struct RecordVisitor;

impl<'de> Visitor<'de> for RecordVisitor {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of flow log fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
        let mut record = Record::default();
        while let Some(key) = map.next_key::<String>()? {
            if key == "logEvents" {
                let events = map.next_value::<Vec<LogEvent>>()?;
                record.messages = Some(events.into_iter().map(|event| event.message).collect());
            } else if key == "messageType" {
                record.control = map.next_value::<String>()? == "CONTROL_MESSAGE";
            } else if let Some(field) = Field::of(key.as_bytes()) {
                let value = map.next_value_seed(Scalar)?;
                record.values.retain(|(known, _)| *known != field);
                record.values.push((field, value));
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(record)
    }
}

/// A value as text; `-` for null. Numbers may come as floats.
struct Scalar;

impl<'de> DeserializeSeed<'de> for Scalar {
    type Value = String;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Scalar {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a string or null")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_unit<E: de::Error>(self) -> Result<String, E> {
        Ok("-".to_owned())
    }
}
