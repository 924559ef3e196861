//! Whether any of many words stands in a record, told by one pass over its text: what lets rules that
//! look for words in whole records leave out nearly all of them.

use regex::bytes::{Regex, RegexBuilder};

/// What the words may take when they are made ready, and again while they are looked for. Unit: bytes.
const WORDS_BYTES_MAX: usize = 4 << 20;

/// Words, whatever their case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words(Option<Regex>);

impl Words {
    /// These words. Where one is empty, beyond ASCII, or they are too many, any text may hold one.
    pub(crate) fn of<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let mut source = String::new();
        for word in words {
            if word.is_empty() || !word.is_ascii() {
                return Self(None);
            }
            source.push_str(if source.is_empty() { "" } else { "|" });
            source.push_str(&regex::escape(word));
        }
        let mut builder = RegexBuilder::new(&source);
        let builder = builder.unicode(false).case_insensitive(true);
        let limited = builder.size_limit(WORDS_BYTES_MAX).dfa_size_limit(WORDS_BYTES_MAX);
        Self(limited.build().ok())
    }

    /// Whether JSON may hold one of the words, escapes undone. What is escaped or beyond ASCII may
    /// hold anything.
    pub(crate) fn may_be_in(&self, json: &str) -> bool {
        let is_plain = json.is_ascii() && !json.contains('\\');
        !is_plain || self.0.as_ref().is_none_or(|words| words.is_match(json.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn a_text_without_the_words_is_told() {
        let words = Words::of(["kali", "a.b"]);
        for (text, is) in [
            ("linux KALI 5", true),
            ("axb", false),
            ("xA.Bx", true),
            ("", false),
            (r"\u006bali", true),
            ("\u{212a}ali", true),
        ] {
            assert_eq!(words.may_be_in(text), is, "{text}");
        }
    }

    #[test]
    fn words_that_cannot_be_told_may_be_anywhere() {
        assert!(Words::of(["kali", ""]).may_be_in("x"));
        assert!(Words::of(["käse"]).may_be_in("x"));
        let many: Vec<String> =
            (0_u64..100_000).map(|n| format!("word-{n}-{}", n * 7_919)).collect();
        assert!(Words::of(many.iter().map(String::as_str)).may_be_in("x"));
    }
}
