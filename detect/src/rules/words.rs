//! Whether any of many words stands in a record, told by one pass over its text: what lets rules that
//! look for words in whole records leave out nearly all of them.

use super::matcher::rarity;
use memchr::memchr2_iter;
use regex::bytes::{Regex, RegexBuilder};

/// What the words may take when they are made ready, and again while they are looked for. Unit: bytes.
const WORDS_BYTES_MAX: usize = 4 << 20;

/// Bytes that are looked for, of which each word has one; where it takes more, texts are read whole.
/// Unit: bytes.
const BYTES_MAX: usize = 4;

/// Places of a text that are looked at by themselves; where there are more, it is read whole. Unit:
/// places.
const PLACES_MAX: usize = 4;

/// Words, whatever their case.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    any: Option<Regex>,
    /// The byte of some words, in lower case, and those that stand after it in them.
    bytes: Vec<(u8, [bool; 256])>,
    /// The longest. Unit: bytes.
    word_bytes_max: usize,
}

impl Words {
    /// These words. Where one is empty, beyond ASCII, or they are too many, any text may hold one.
    pub(crate) fn of<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        Self::within(WORDS_BYTES_MAX, words)
    }

    fn within<'w>(bytes_max: usize, words: impl IntoIterator<Item = &'w str>) -> Self {
        let mut lower = Vec::new();
        for word in words {
            if word.is_empty() || !word.is_ascii() {
                return Self::default();
            }
            lower.push(word.to_ascii_lowercase());
        }
        let source: Vec<String> = lower.iter().map(|word| regex::escape(word)).collect();
        let mut builder = RegexBuilder::new(&source.join("|"));
        let builder = builder.unicode(false).case_insensitive(true);
        let limited = builder.size_limit(bytes_max).dfa_size_limit(bytes_max);
        let word_bytes_max = lower.iter().map(String::len).max().unwrap_or(0);
        Self { any: limited.build().ok(), bytes: bytes(&lower), word_bytes_max }
    }

    /// Whether JSON may hold one of the words, escapes undone. What is escaped or beyond ASCII may
    /// hold anything.
    pub(crate) fn may_be_in(&self, json: &str) -> bool {
        let is_plain = json.is_ascii() && !json.contains('\\');
        !is_plain || self.any.as_ref().is_none_or(|any| self.are_in(any, json.as_bytes()))
    }

    fn are_in(&self, any: &Regex, text: &[u8]) -> bool {
        if self.bytes.is_empty() {
            return any.is_match(text);
        }
        let mut n_places = 0;
        for (byte, after) in &self.bytes {
            for at in memchr2_iter(*byte, byte.to_ascii_uppercase(), text) {
                let next = text.get(at + 1).copied().unwrap_or(0).to_ascii_lowercase();
                if !after.get(usize::from(next)).is_some_and(|is| *is) {
                    continue;
                }
                n_places += 1;
                if n_places > PLACES_MAX {
                    return any.is_match(text);
                }
                let from = at.saturating_sub(self.word_bytes_max);
                let to = text.len().min(at + self.word_bytes_max);
                if any.is_match(text.get(from..to).unwrap_or_default()) {
                    return true;
                }
            }
        }
        false
    }
}

/// Few bytes that are rare in logs, of which each word has one, and what stands after them; nothing
/// where it takes too many.
fn bytes(words: &[String]) -> Vec<(u8, [bool; 256])> {
    let mut found = Vec::new();
    let mut left: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
    while !left.is_empty() {
        if found.len() >= BYTES_MAX {
            return Vec::new();
        }
        let byte = best(&left);
        let mut after = [false; 256];
        left.retain(|word| {
            let Some(at) = word.iter().position(|one| *one == byte) else { return true };
            match word.get(at + 1).map(|next| after.get_mut(usize::from(*next))) {
                Some(next) => next.into_iter().for_each(|is| *is = true),
                None => after = [true; 256],
            }
            false
        });
        found.push((byte, after));
    }
    found
}

/// The byte that most words have for what it costs to look for it.
fn best(words: &[&[u8]]) -> u8 {
    let mut n_words = [0_usize; 256];
    for word in words {
        for (at, byte) in word.iter().enumerate() {
            let is_first = !word.iter().take(at).any(|before| before == byte);
            if let Some(n) = n_words.get_mut(usize::from(*byte)) {
                *n += usize::from(is_first);
            }
        }
    }
    // What a pass takes, and what places take that are looked at in vain.
    let price = |byte: u8| 8 + 256 / (rarity(byte) + 1);
    let all = (0..=u8::MAX).zip(n_words).map(|(byte, n)| (byte, n, price(byte)));
    // Of two ratios the greater, told by whole numbers.
    let best = all.reduce(|one, other| if other.1 * one.2 > one.1 * other.2 { other } else { one });
    best.map_or(0, |(byte, ..)| byte)
}

#[cfg(test)]
mod tests {
    use super::Words;
    use proptest::prelude::*;

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
        let many: Vec<String> = (0_u64..1_000).map(|n| format!("word-{n}-{}", n * 7_919)).collect();
        let words = || many.iter().map(String::as_str);
        assert!(!Words::of(words()).may_be_in("x"));
        assert!(Words::within(64 << 10, words()).may_be_in("x"));
    }
    proptest! {
        /// Bytes that are looked for first leave out no text that holds a word.
        #[test]
        fn words_are_found_as_if_texts_were_read_whole(
            words in proptest::collection::vec("[a-eK.]{1,4}", 1..12),
            text in "[a-eA-Ekz.]{0,40}",
        ) {
            let found = Words::of(words.iter().map(String::as_str)).may_be_in(&text);
            let lower = text.to_ascii_lowercase();
            let is_in = words.iter().any(|word| lower.contains(&word.to_ascii_lowercase()));
            prop_assert_eq!(found, is_in);
        }
    }
}
