//! The low-level JSON walker: where strings, containers and values end, found in blocks and
//! without building anything. In: UTF-8 text. Out: byte offsets.
//!
//! It checks what decides where a value ends (quotes, escapes, bracket kinds, literals, numbers)
//! and nothing else: control characters inside strings, unknown escapes and the grammar inside a
//! skipped container are let through. What it accepts and a strict parser accepts too, both read
//! alike; differential fuzzing holds it to that.

use std::borrow::Cow;

use crate::json::block::{BLOCK_BYTES, Masks};

pub(crate) mod block;

/// Deepest nesting of one value that is read. Unit: containers; the same as `serde_json`'s.
pub(crate) const DEPTH_MAX: u32 = 128;

/// Where reading stopped, and what would have been right there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Unit: bytes from the start of the text.
    pub(crate) at: usize,
    /// Completes "expected ...".
    pub(crate) expected: &'static str,
}

impl Fault {
    pub(crate) fn new(at: usize, expected: &'static str) -> Self {
        Self { at, expected }
    }
}

/// What to hold a container to while its end is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nesting {
    /// Brackets pair up by kind and at most [`DEPTH_MAX`] deep.
    Checked,
    /// Brackets are only counted: the way past a value that is damaged or too deep.
    Counted,
}

/// The byte at `at`; 0, which is no JSON, past the end.
#[inline]
pub(crate) fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

/// The first offset from `at` on that is not white space.
#[inline]
pub(crate) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while matches!(byte(bytes, at), b' ' | b'\n' | b'\r' | b'\t') {
        at += 1;
    }
    at
}

/// Offset of the quote that closes the string whose first inner byte is at `at`.
#[inline]
pub(crate) fn string_end(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    let mut here = at;
    while let Some(chunk) = bytes.get(here..).and_then(|rest| rest.first_chunk()) {
        let (quotes, backslashes) = block::string_masks(chunk);
        let stops = quotes | backslashes;
        if stops == 0 {
            here += block::STRING_BYTES;
            continue;
        }
        here += stops.trailing_zeros() as usize;
        if quotes & stops & stops.wrapping_neg() != 0 {
            return Ok(here);
        }
        here += 2;
    }
    string_end_near_end(bytes, here)
}

#[cold]
fn string_end_near_end(bytes: &[u8], mut at: usize) -> Result<usize, Fault> {
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok(at),
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
            None => return Err(Fault::new(bytes.len(), "the closing quote of a string")),
        }
    }
}

/// Offset after the object or array that opens at `open`.
pub(crate) fn container_end(bytes: &[u8], open: usize, nesting: Nesting) -> Result<usize, Fault> {
    let mut scan = Scan::default();
    let mut at = open;
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<BLOCK_BYTES>()) {
        if let Some(end) = scan.step(block, at, nesting)? {
            return Ok(end);
        }
        at += BLOCK_BYTES;
    }
    let mut last = [b' '; BLOCK_BYTES];
    for (to, from) in last.iter_mut().zip(bytes.get(at..).unwrap_or_default()) {
        *to = *from;
    }
    match scan.step(&last, at, nesting)? {
        Some(end) => Ok(end),
        None => Err(Fault::new(bytes.len(), "the closing bracket of an object or array")),
    }
}

/// What one block of a container leaves for the next.
#[derive(Default)]
struct Scan {
    /// All ones while a string is open.
    inside: u64,
    /// 1 when the last byte was a backslash that escapes the next.
    escape: u64,
    depth: u64,
    /// One bit a level, the innermost lowest: 1 for an object, 0 for an array.
    kinds: u128,
}

impl Scan {
    #[inline]
    fn step(
        &mut self,
        block: &[u8; BLOCK_BYTES],
        at: usize,
        nesting: Nesting,
    ) -> Result<Option<usize>, Fault> {
        let masks = Masks::of(block);
        let mut quotes = masks.quotes;
        if masks.backslashes | self.escape != 0 {
            quotes &= !block::escaped(masks.backslashes, &mut self.escape);
        }
        let inside = block::prefix_xor(quotes) ^ self.inside;
        self.inside = 0u64.wrapping_sub(inside >> 63);
        let mut brackets = masks.brackets & !inside;
        while brackets != 0 {
            let index = brackets.trailing_zeros() as usize;
            brackets &= brackets - 1;
            let bracket = byte(block, index);
            if self.turn(bracket, nesting).map_err(|expected| Fault::new(at + index, expected))? {
                return Ok(Some(at + index + 1));
            }
        }
        Ok(None)
    }

    /// Takes one bracket; says whether it closes the container.
    #[inline]
    fn turn(&mut self, bracket: u8, nesting: Nesting) -> Result<bool, &'static str> {
        let object = bracket & 0x20 != 0;
        if bracket & 0x04 == 0 {
            self.depth += 1;
            self.kinds = self.kinds << 1 | u128::from(object);
            if self.depth > u64::from(DEPTH_MAX) && nesting == Nesting::Checked {
                return Err("at most 128 nested containers");
            }
            return Ok(false);
        }
        if (self.kinds & 1 == 1) != object && nesting == Nesting::Checked {
            return Err("the bracket that closes the innermost container");
        }
        self.kinds >>= 1;
        self.depth -= 1;
        Ok(self.depth == 0)
    }
}

/// Offset after the value that begins at `at`.
#[inline]
pub(crate) fn value_end(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    match byte(bytes, at) {
        b'"' => Ok(string_end(bytes, at + 1)? + 1),
        b'{' | b'[' => container_end(bytes, at, Nesting::Checked),
        _ => scalar_end(bytes, at),
    }
}

/// Offset after the literal or number that begins at `at`.
#[inline]
pub(crate) fn scalar_end(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    let rest = bytes.get(at..).unwrap_or_default();
    if rest.starts_with(b"null") || rest.starts_with(b"true") {
        return Ok(at + 4);
    }
    if rest.starts_with(b"false") {
        return Ok(at + 5);
    }
    number_end(bytes, at)
}

fn number_end(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    let digits = |from: usize| {
        let mut end = from;
        while byte(bytes, end).is_ascii_digit() {
            end += 1;
        }
        if end > from { Ok(end) } else { Err(Fault::new(from, "a value")) }
    };
    let first = at + usize::from(byte(bytes, at) == b'-');
    let mut end = digits(first)?;
    if byte(bytes, first) == b'0' && end > first + 1 {
        return Err(Fault::new(first, "a number without a leading zero"));
    }
    if byte(bytes, end) == b'.' {
        end = digits(end + 1)?;
    }
    if matches!(byte(bytes, end), b'e' | b'E') {
        end += 1 + usize::from(matches!(byte(bytes, end + 1), b'+' | b'-'));
        end = digits(end)?;
    }
    Ok(end)
}

/// The string that the escaped text between two quotes stands for. Lone surrogates become
/// U+FFFD; an escape that JSON does not know stays as it was written.
#[inline]
pub(crate) fn unescape(raw: &str) -> Cow<'_, str> {
    if raw.as_bytes().contains(&b'\\') { unescape_some(raw) } else { Cow::Borrowed(raw) }
}

#[cold]
fn unescape_some(raw: &str) -> Cow<'_, str> {
    let Some((plain, mut rest)) = raw.split_once('\\') else { return Cow::Borrowed(raw) };
    let mut out = String::with_capacity(raw.len());
    out.push_str(plain);
    loop {
        rest = unescape_one(rest, &mut out);
        let Some((plain, after)) = rest.split_once('\\') else { break };
        out.push_str(plain);
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Writes the escape whose backslash stands before `rest`; returns what follows it.
fn unescape_one<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let mut chars = rest.chars();
    match chars.next() {
        Some(plain @ ('"' | '\\' | '/')) => out.push(plain),
        Some('b') => out.push('\u{8}'),
        Some('f') => out.push('\u{c}'),
        Some('n') => out.push('\n'),
        Some('r') => out.push('\r'),
        Some('t') => out.push('\t'),
        Some('u') => return unescape_unit(chars.as_str(), out),
        Some(other) => out.extend(['\\', other]),
        None => out.push('\\'),
    }
    chars.as_str()
}

fn unescape_unit<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let Some((high, after)) = hex_unit(rest) else {
        out.push(char::REPLACEMENT_CHARACTER);
        return rest;
    };
    if let 0xd800..=0xdbff = high
        && let Some((low @ 0xdc00..=0xdfff, after)) = after.strip_prefix("\\u").and_then(hex_unit)
    {
        let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        return after;
    }
    out.push(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER));
    after
}

/// Four hexadecimal digits, and what follows them.
fn hex_unit(text: &str) -> Option<(u32, &str)> {
    let (digits, after) = text.split_at_checked(4)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    Some((u32::from_str_radix(digits, 16).ok()?, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check_end(text: &str, end: usize) {
        assert_eq!(value_end(text.as_bytes(), 0), Ok(end), "{text}");
    }

    #[test]
    fn values_end_where_they_end() {
        check_end(r#""",1"#, 2);
        check_end(r#""a\"b"]"#, 6);
        check_end(r#""a\\"]"#, 5);
        check_end("null,", 4);
        check_end("-0.5e+10}", 8);
        check_end("{}x", 2);
        check_end(r#"{"a":[1,{"b":"]}"}]} "#, 20);
    }

    #[test]
    fn damage_is_located() {
        for (text, at) in
            [("nul", 0), ("01", 0), ("1.", 2), ("-", 1), (r#""ab"#, 3), ("[1,", 3), ("{]", 1)]
        {
            assert_eq!(value_end(text.as_bytes(), 0).map_err(|fault| fault.at), Err(at), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded_unless_counted() {
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        let limit = DEPTH_MAX as usize;
        check_end(&deep(limit), 2 * limit);
        let bomb = deep(limit + 1);
        assert!(container_end(bomb.as_bytes(), 0, Nesting::Checked).is_err());
        assert_eq!(container_end(bomb.as_bytes(), 0, Nesting::Counted), Ok(2 * limit + 2));
    }

    #[test]
    fn escapes_are_undone() {
        for (raw, plain) in [
            (r"plain", "plain"),
            (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r"\u00e9\ud83d\ude00", "é😀"),
            (r"\ud83dx", "\u{fffd}x"),
            (r"\ude00\ud83d", "\u{fffd}\u{fffd}"),
            (r"\ud83d\u0041", "\u{fffd}A"),
            (r"\u12", "\u{fffd}12"),
            (r"\u+123", "\u{fffd}+123"),
            (r"\q\", r"\q\"),
        ] {
            assert_eq!(unescape(raw), plain, "{raw}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn strings_read_as_serde_reads_them(plain in any::<String>(), tail in "[ -~]{0,40}") {
            let quoted = serde_json::to_string(&plain).unwrap();
            let text = format!("{quoted}{tail}");
            let end = string_end(text.as_bytes(), 1).unwrap();
            prop_assert_eq!(end + 1, quoted.len());
            prop_assert_eq!(unescape(text.get(1..end).unwrap()), plain);
        }

        #[test]
        fn containers_end_whatever_is_in_their_strings(
            strings in proptest::collection::vec(r#"[\[\]{}"\\a,:]{0,70}"#, 0..8),
            before in "[ ]{0,70}",
        ) {
            let nested = serde_json::json!({"a": &strings, "b": {"c": [{}, [&strings]]}});
            let text = format!("{before}{nested}]}}");
            let end = container_end(text.as_bytes(), before.len(), Nesting::Checked);
            prop_assert_eq!(end, Ok(text.len() - 2));
        }

        #[test]
        fn any_text_ends_in_order(text in r#"[\[\]{}"\\a,:0-9.eE+-]{0,200}"#) {
            for nesting in [Nesting::Checked, Nesting::Counted] {
                if let Ok(end) = container_end(format!("[{text}").as_bytes(), 0, nesting) {
                    prop_assert!(end <= text.len() + 1);
                }
            }
            let end = value_end(text.as_bytes(), 0).unwrap_or_else(|fault| fault.at);
            prop_assert!(end <= text.len() + 1);
        }
    }
}
