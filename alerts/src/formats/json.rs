//! JSON: lossless, and safe to show. What a terminal would obey or hide is written as `\u....`.

use crate::{escape::is_hidden, report::Report};
use serde::Serialize as _;
use serde_json::ser::{Formatter, Serializer};
use std::io::{self, Write};

/// Writes one object without a line break.
pub(super) fn write(out: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    Ok(report.serialize(&mut Serializer::with_formatter(out, Visible))?)
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
