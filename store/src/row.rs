//! Values of a row, taken in the order of its columns.

pub use rusqlite::types::Value;

use std::vec::IntoIter;

/// A value is not what its column should hold; [`crate::Store::damaged`] names the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WrongValue(pub String);

/// The values of one row that were not taken yet.
#[derive(Debug, Clone)]
pub struct Row(IntoIter<Value>);

impl Row {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self(values.into_iter())
    }

    /// The values that were not taken yet.
    pub fn values(&self) -> &[Value] {
        self.0.as_slice()
    }

    /// The next value, a text.
    pub fn text(&mut self) -> Result<String, WrongValue> {
        self.maybe_text()?.ok_or_else(|| wrong("a text", &Value::Null))
    }

    /// The next value, a text or nothing.
    pub fn maybe_text(&mut self) -> Result<Option<String>, WrongValue> {
        match self.take() {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            other => Err(wrong("a text", &other)),
        }
    }

    /// The next value, bytes.
    pub fn blob(&mut self) -> Result<Vec<u8>, WrongValue> {
        self.maybe_blob()?.ok_or_else(|| wrong("bytes", &Value::Null))
    }

    /// The next value, bytes or nothing.
    pub fn maybe_blob(&mut self) -> Result<Option<Vec<u8>>, WrongValue> {
        match self.take() {
            Value::Null => Ok(None),
            Value::Blob(bytes) => Ok(Some(bytes)),
            other => Err(wrong("bytes", &other)),
        }
    }

    /// The next value, a whole number.
    pub fn integer(&mut self) -> Result<i64, WrongValue> {
        self.maybe_integer()?.ok_or_else(|| wrong("a whole number", &Value::Null))
    }

    /// The next value, a whole number or nothing.
    pub fn maybe_integer(&mut self) -> Result<Option<i64>, WrongValue> {
        match self.take() {
            Value::Null => Ok(None),
            Value::Integer(number) => Ok(Some(number)),
            other => Err(wrong("a whole number", &other)),
        }
    }

    /// The next value, a whole number that is not negative.
    pub fn count(&mut self) -> Result<u64, WrongValue> {
        let number = self.integer()?;
        u64::try_from(number)
            .map_err(|_| WrongValue(format!("holds {number} where a count should be")))
    }

    /// The next value, a number.
    pub fn real(&mut self) -> Result<f64, WrongValue> {
        self.maybe_real()?.ok_or_else(|| wrong("a number", &Value::Null))
    }

    /// The next value, a number or nothing.
    pub fn maybe_real(&mut self) -> Result<Option<f64>, WrongValue> {
        match self.take() {
            Value::Null => Ok(None),
            Value::Real(number) => Ok(Some(number)),
            other => Err(wrong("a number", &other)),
        }
    }

    /// A row that is shorter holds nothing there.
    fn take(&mut self) -> Value {
        self.0.next().unwrap_or(Value::Null)
    }
}

fn wrong(expected: &str, found: &Value) -> WrongValue {
    let found = match found {
        Value::Null => "nothing",
        Value::Integer(_) => "a whole number",
        Value::Real(_) => "a number with a fraction",
        Value::Text(_) => "a text",
        Value::Blob(_) => "bytes",
    };
    WrongValue(format!("holds {found} where {expected} should be"))
}
