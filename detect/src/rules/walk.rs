//! Ways through a JSON value that was only cut out so far.

use super::{
    matcher::{Pattern, Value},
    sigma::{Glob, GlobPart},
    view::Member,
};
use ingest::{Raw, Text};
use memchr::memchr2;
use std::borrow::Cow;

/// Texts that hold JSON within texts that hold JSON. Unit: levels.
const TEXTS_MAX: u32 = 4;

/// Keys below a value, from it down.
#[derive(Debug, Clone)]
pub(crate) struct Path {
    keys: Box<[String]>,
    /// What finds the last key in a text.
    last: Option<Pattern>,
}

impl Path {
    pub(crate) fn of(keys: Box<[String]>) -> Self {
        let last = keys.last().map(|key| Glob(vec![GlobPart::Text(key.clone())]));
        Self { keys, last: last.map(|key| Pattern::anywhere(&key, false)) }
    }

    /// Whether it is the value itself.
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether `is` holds for any value at its end. Arrays are walked through; `null` is no value; what
    /// is an object there is the text that it was written as.
    pub(crate) fn any(&self, raw: Raw<'_>, is: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        self.may_be_in(raw.0) && walk(raw, &self.keys, TEXTS_MAX, is)
    }

    /// The same of the members of an object that it leads into.
    pub(crate) fn any_below(
        &self,
        members: &[Member<'_>],
        is: &mut dyn FnMut(Value<'_>) -> bool,
    ) -> bool {
        members.iter().any(|(key, value)| {
            below(*key, &self.keys).is_some_and(|path| walk(*value, path, TEXTS_MAX, is))
        })
    }

    /// Whether a text may hold its last key. What is escaped may be anything.
    fn may_be_in(&self, text: &str) -> bool {
        self.last.as_ref().is_none_or(|last| {
            last.matches(text) || memchr2(b'\\', b'%', text.as_bytes()).is_some()
        })
    }
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
    let (first, rest) = path.split_first()?;
    if !key.0.bytes().any(|byte| matches!(byte, b'\\' | b'.')) {
        return key.0.eq_ignore_ascii_case(first).then_some(rest);
    }
    let key = key.get();
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
