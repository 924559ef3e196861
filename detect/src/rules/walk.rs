//! Ways through a JSON value that was only cut out so far.

use super::matcher::Value;
use ingest::{Raw, Text};
use std::borrow::Cow;

/// Texts that hold JSON within texts that hold JSON. Unit: levels.
const TEXTS_MAX: u32 = 4;

/// Whether `is` holds for any value at the end of `path`. Arrays are walked through; `null` is no
/// value; what is an object there is the text that it was written as.
pub(crate) fn any(raw: Raw<'_>, path: &[String], is: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
    walk(raw, path, TEXTS_MAX, is)
}

fn walk(
    raw: Raw<'_>,
    path: &[String],
    n_texts: u32,
    is: &mut dyn FnMut(Value<'_>) -> bool,
) -> bool {
    let value = raw.0.trim_ascii();
    match (value.as_bytes().first(), path) {
        (Some(b'['), _) => raw.each().any(|element| walk(element, path, n_texts, is)),
        (_, []) => {
            let text = raw.text().unwrap_or(Text(value));
            value != "null" && is(Value::Json(text))
        }
        (Some(b'{'), _) => raw.entries().any(|(key, value)| {
            below(key, path).is_some_and(|path| walk(value, path, n_texts, is))
        }),
        (Some(b'"'), _) if n_texts > 0 => raw.text().is_some_and(|text| {
            document(text).is_some_and(|inner| walk(Raw(&inner), path, n_texts - 1, is))
        }),
        _ => false,
    }
}

/// What is left of `path` below `key`, if it leads there. A key that holds dots may be several
/// names of the path.
fn below<'p>(key: Text<'_>, path: &'p [String]) -> Option<&'p [String]> {
    let key = key.get();
    let (first, rest) = path.split_first()?;
    if key.eq_ignore_ascii_case(first) {
        return Some(rest);
    }
    if !key.contains('.') {
        return None;
    }
    let mut rest = path;
    for part in key.split('.') {
        let (first, others) = rest.split_first()?;
        if !part.eq_ignore_ascii_case(first) {
            return None;
        }
        rest = others;
    }
    Some(rest)
}

/// The object or array that a text holds, URL-encoded as in the answers of IAM or plain.
pub(crate) fn document(text: Text<'_>) -> Option<Cow<'_, str>> {
    // Most texts are neither, and most that are have nothing before them to unescape.
    let start = text.0.trim_ascii_start();
    if !start.starts_with(['{', '[', '%', '\\']) {
        return None;
    }
    let text = text.get();
    match text.trim_ascii_start().as_bytes() {
        [b'{' | b'[', ..] => Some(text),
        [b'%', b'7' | b'5', b'B' | b'b', ..] => {
            Some(Cow::Owned(ingest::notification::decode_key(&text)?.into_owned()))
        }
        _ => None,
    }
}

/// Every text in a value, with the key that it or its array stands under.
pub(crate) fn texts<'a>(raw: Raw<'a>, visit: &mut dyn FnMut(Text<'a>, Text<'a>)) {
    texts_under(Text(""), raw, visit);
}

fn texts_under<'a>(key: Text<'a>, raw: Raw<'a>, visit: &mut dyn FnMut(Text<'a>, Text<'a>)) {
    match raw.0.trim_ascii_start().as_bytes().first() {
        Some(b'{') => raw.entries().for_each(|(key, value)| texts_under(key, value, visit)),
        Some(b'[') => raw.each().for_each(|value| texts_under(key, value, visit)),
        _ => raw.text().into_iter().for_each(|text| visit(key, text)),
    }
}
