//! JSON: lossless, and safe to show. What a terminal would obey or hide is written as `\u....`.

use crate::escape::is_hidden;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
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
