//! JSON: lossless, and safe to show. What a terminal would obey or hide is written as `\u....`.

use crate::escape::is_hidden;
use serde::Serialize;
use serde_json::{
    Value,
    ser::{Formatter, Serializer},
};
use std::io::{self, Write};

/// Writes `value` in one line, without a line break behind it. What a terminal would obey or hide
/// is written as `\u....`.
pub fn write_json(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    Ok(value.serialize(&mut Serializer::with_formatter(out, Visible))?)
}

/// Compact, and nothing hidden.
struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        mut fragment: &str,
    ) -> io::Result<()> {
        while let Some((at, hidden)) = fragment.char_indices().find(|(_, c)| is_hidden(*c)) {
            let (before, rest) = fragment.split_at(at);
            out.write_all(before.as_bytes())?;
            for unit in hidden.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            fragment = rest.split_at(hidden.len_utf8()).1;
        }
        out.write_all(fragment.as_bytes())
    }
}

/// Takes what is `null` and empty lists out of objects, at any depth.
pub(super) fn leave_out_unknown(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(leave_out_unknown);
            fields.retain(|_, value| {
                !value.is_null() && value.as_array().is_none_or(|values| !values.is_empty())
            });
        }
        Value::Array(values) => values.iter_mut().for_each(leave_out_unknown),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::leave_out_unknown;
    use serde_json::json;

    #[test]
    fn what_is_not_known_is_left_out() {
        let mut value = json!({"a": null, "b": [], "c": [{"d": null, "e": 0}], "f": ""});
        leave_out_unknown(&mut value);
        assert_eq!(value, json!({"c": [{"e": 0}], "f": ""}));
    }
}
