//! Text for a terminal. In: anything a log may hold. Out: the same text with whatever a terminal
//! would obey, hide or turn round written out, so that what is read is what was there.

use std::{borrow::Cow, fmt::Write as _};
use unicode_width::UnicodeWidthChar;

/// Characters that are blank though their width says otherwise.
const FILLERS: &[char] = &['\u{115f}', '\u{2800}', '\u{3164}', '\u{ffa0}'];

/// `text` with control characters, escape sequences, characters that steer the direction of writing,
/// blanks other than the space, and characters without a width of their own as `\n` or `\u{202e}`.
///
/// A backslash stays as it is: the result is for people, not for reading back.
///
/// ```
/// assert_eq!(alerts::escape("hedda\u{1b}[31m"), "hedda\\u{1b}[31m");
/// ```
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c if is_hidden(c) => drop(write!(escaped, "\\u{{{:x}}}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// Whether a terminal would obey `c`, or show nothing for it.
pub(crate) fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.width().unwrap_or(0) == 0 || c.is_whitespace() || FILLERS.contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_text_is_not_copied() {
        for text in ["", "hedda@example.com", "Müller, 東京 \\ \"x\""] {
            assert!(matches!(escape(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn what_a_terminal_obeys_is_written_out() {
        for (hostile, shown) in [
            ("a\u{1b}]0;x\u{7}", "a\\u{1b}]0;x\\u{7}"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("\u{202e}txt", "\\u{202e}txt"),
            ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"),
            ("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("\u{2028}\u{a0}\u{3164}", "\\u{2028}\\u{a0}\\u{3164}"),
            ("\u{e0041}\u{7f}", "\\u{e0041}\\u{7f}"),
        ] {
            assert_eq!(escape(hostile), shown);
        }
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left(text in any::<String>()) {
            let escaped = escape(&text);
            prop_assert!(!escaped.chars().any(is_hidden));
            prop_assert_eq!(escape(&escaped), escaped.clone());
        }
    }
}
