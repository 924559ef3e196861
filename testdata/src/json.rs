//! JSON whose keys stay in the order they were written: AWS has an order of its own, and readers
//! that stop early depend on it.
//!
//! Values are written straight into text. What never changes is not written twice: `Fixed` and
//! `Shared` hold text that is JSON already.

use std::borrow::Cow;
use std::sync::Arc;

/// A value; an object is a list of pairs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A whole number; the logs written here need no other.
    Number(i64),
    /// A string, escaped when written.
    Text(Cow<'static, str>),
    /// An array.
    List(Vec<Json>),
    /// An object in the order given.
    Object(Vec<(&'static str, Json)>),
    /// JSON in the source, copied as it is.
    Fixed(&'static str),
    /// JSON rendered before, copied as it is.
    Shared(Arc<str>),
}

impl Json {
    /// The text in one line, without spaces, as AWS writes it.
    pub fn line(&self) -> String {
        let mut out = String::with_capacity(256);
        self.write(&mut out);
        out
    }

    /// The same value, rendered: copies of it are cheap, and it is written in one piece.
    #[must_use]
    pub fn rendered(self) -> Self {
        match self {
            Self::Fixed(_) | Self::Shared(_) => self,
            other => Self::Shared(Arc::from(other.line())),
        }
    }

    /// The value of `key`, where this is an object that has it and is not rendered yet.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(pairs) = self else { return None };
        pairs.iter().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// The text of a string that is not rendered yet.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Appends the text of `line` to `out`.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(value) => write_number(*value, out),
            Self::Text(value) => write_text(value, out),
            Self::List(values) => {
                out.push('[');
                for (n, value) in values.iter().enumerate() {
                    if n > 0 {
                        out.push(',');
                    }
                    value.write(out);
                }
                out.push(']');
            }
            Self::Object(pairs) => {
                out.push('{');
                for (n, (key, value)) in pairs.iter().enumerate() {
                    if n > 0 {
                        out.push(',');
                    }
                    write_text(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
            Self::Fixed(text) => out.push_str(text),
            Self::Shared(text) => out.push_str(text),
        }
    }
}

/// Appends `text` as a JSON string.
pub fn write_text(text: &str, out: &mut String) {
    out.push('"');
    // Without an early exit the compiler looks at many bytes at once; few texts need more.
    if text.bytes().fold(false, |found, byte| found | needs_escape(byte)) {
        write_escaped(text, out);
    } else {
        out.push_str(text);
    }
    out.push('"');
}

const fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn write_escaped(text: &str, out: &mut String) {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..'\u{20}' => {
                out.push_str("\\u00");
                out.push(if letter < '\u{10}' { '0' } else { '1' });
                out.extend(HEX.get(usize::from(letter as u8 & 15)));
            }
            _ => out.push(letter),
        }
    }
}

/// Appends `value` in decimal digits.
fn write_number(value: i64, out: &mut String) {
    let mut digits = [b'0'; 20];
    let mut rest = value.unsigned_abs();
    let mut length = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        length += 1;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push('-');
    }
    let written = digits.get(digits.len() - length..).unwrap_or_default();
    out.push_str(str::from_utf8(written).unwrap_or_default());
}

impl From<&str> for Json {
    fn from(value: &str) -> Self {
        Self::Text(Cow::Owned(value.to_owned()))
    }
}

impl From<String> for Json {
    fn from(value: String) -> Self {
        Self::Text(Cow::Owned(value))
    }
}

impl From<&String> for Json {
    fn from(value: &String) -> Self {
        Self::from(value.as_str())
    }
}

impl From<Cow<'static, str>> for Json {
    fn from(value: Cow<'static, str>) -> Self {
        Self::Text(value)
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self::Number(value)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Vec<Json>> for Json {
    fn from(values: Vec<Json>) -> Self {
        Self::List(values)
    }
}

/// What can stand in the source: a text in it is not copied.
pub trait Literal {
    /// The value.
    fn json(self) -> Json;
}

impl Literal for &'static str {
    fn json(self) -> Json {
        Json::Text(Cow::Borrowed(self))
    }
}

impl Literal for i64 {
    fn json(self) -> Json {
        Json::Number(self)
    }
}

impl Literal for bool {
    fn json(self) -> Json {
        Json::Bool(self)
    }
}

/// A text of the source, which is not copied.
pub fn fixed(text: &'static str) -> Json {
    text.json()
}

/// An object: `object! { "bucketName": bucket, "acl": "" }`.
#[macro_export]
macro_rules! object {
    (@pairs [$($done:tt)*]) => {
        $crate::json::Json::Object(vec![$($done)*])
    };
    (@pairs [$($done:tt)*] $key:literal : $value:literal, $($rest:tt)*) => {
        $crate::object!(@pairs [$($done)* ($key, $crate::json::Literal::json($value)),] $($rest)*)
    };
    (@pairs [$($done:tt)*] $key:literal : $value:expr, $($rest:tt)*) => {
        $crate::object!(@pairs [$($done)* ($key, $crate::json::Json::from($value)),] $($rest)*)
    };
    (@pairs [$($done:tt)*] $key:literal : $value:literal) => {
        $crate::object!(@pairs [$($done)* ($key, $crate::json::Literal::json($value)),])
    };
    (@pairs [$($done:tt)*] $key:literal : $value:expr) => {
        $crate::object!(@pairs [$($done)* ($key, $crate::json::Json::from($value)),])
    };
    ($($pairs:tt)*) => {
        $crate::object!(@pairs [] $($pairs)*)
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_order_and_texts_are_escaped() {
        let value = object! {
            "z": 1, "a": object! { "y": "say \"no\"", "b": Json::Null }, "m": vec![Json::Bool(true)],
        };
        assert_eq!(value.line(), r#"{"z":1,"a":{"y":"say \"no\"","b":null},"m":[true]}"#);
    }

    #[test]
    fn every_character_is_written_as_serde_json_writes_it() {
        for letter in ('\0'..='\u{2ff}').chain(['\u{2028}', '\u{fffd}', '\u{1f980}']) {
            let text = format!("a{letter}b");
            assert_eq!(Json::from(&text).line(), serde_json::to_string(&text).unwrap());
        }
    }

    #[test]
    fn numbers_are_written_to_their_ends() {
        for value in [0, 7, -7, 10, 99, 100, i64::MAX, i64::MIN] {
            assert_eq!(Json::from(value).line(), value.to_string());
        }
    }

    #[test]
    fn what_is_rendered_is_written_as_before() {
        let value = object! { "type": "Root", "nothing": object! {} };
        assert_eq!(value.get("type").and_then(Json::as_text), Some("Root"));
        let rendered = value.clone().rendered();
        assert_eq!(rendered.line(), value.line());
        assert_eq!(rendered.get("type"), None);
        assert_eq!(Json::Fixed("{}").rendered(), Json::Fixed("{}"));
    }
}
