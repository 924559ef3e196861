//! Patterns as users write them: `*` is anything, `?` one character, and case counts. `\*`, `\?` and `\\` are the
//! characters themselves. In: a pattern and a text. Out: whether the whole of the text fits.

use std::str::Chars;

/// What a place of a pattern asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token {
    Anything,
    One,
    Plain(char),
}

/// Whether the whole of `text` fits `pattern`.
///
/// ```
/// assert!(detect::fits("*:role/web#*", "arn:aws:iam::111122223333:role/web#program"));
/// assert!(!detect::fits("web", "web-2") && !detect::fits(r"we\*", "web"));
/// ```
pub fn fits(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // Where it does not fit, only the last `*` has to take more: what stands before it has fitted as early as it can.
    let mut retry = None;
    loop {
        let (before, here) = (pattern.clone(), text.clone());
        match (token(&mut pattern), text.next()) {
            (Some(Token::Anything), _) => {
                text = here.clone();
                let mut more = here;
                retry = more.next().map(|_| (before, more));
            }
            (None, None) => return true,
            (Some(Token::One), Some(_)) => {}
            (Some(Token::Plain(expected)), Some(found)) if expected == found => {}
            _ => match retry.take() {
                Some((star, more)) => (pattern, text) = (star, more),
                None => return false,
            },
        }
    }
}

/// Whether `pattern` says nothing but how long a text is.
pub fn fits_any(pattern: &str) -> bool {
    let mut chars = pattern.chars();
    let mut tokens = std::iter::from_fn(|| token(&mut chars));
    !pattern.is_empty() && tokens.all(|token| !matches!(token, Token::Plain(_)))
}

/// What every text that fits `pattern` begins with.
pub(crate) fn beginning(pattern: &str) -> String {
    let mut chars = pattern.chars();
    let tokens = std::iter::from_fn(|| token(&mut chars));
    let plain = tokens.map_while(|token| match token {
        Token::Plain(c) => Some(c),
        Token::Anything | Token::One => None,
    });
    plain.collect()
}

/// The pattern that fits `text` and nothing else.
pub fn literal(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

fn token(chars: &mut Chars<'_>) -> Option<Token> {
    Some(match chars.next()? {
        '*' => Token::Anything,
        '?' => Token::One,
        '\\' => {
            let mut ahead = chars.clone();
            match ahead.next() {
                Some(c @ ('*' | '?' | '\\')) => {
                    *chars = ahead;
                    Token::Plain(c)
                }
                _ => Token::Plain('\\'),
            }
        }
        c => Token::Plain(c),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_whole_text_has_to_fit() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
            ("*role/bot#*", "arn:aws:iam::1:role/bot#program", true),
            ("*role/bot", "arn:aws:iam::1:role/bot#program", false),
            ("a?c", "aéc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xxbxa", false),
            ("*a*b*", "xxaxb", true),
            ("**", "x", true),
            (r"a\*", "a*", true),
            (r"a\*", "ab", false),
            (r"\\*", r"\ab", true),
            (r"a\b", r"a\b", true),
            (r"a\", r"a\", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
        // A hostile name costs a product of lengths, not a power.
        assert!(!fits(&"*a".repeat(500), &("a".repeat(2_000) + "b")));
    }

    #[test]
    fn a_pattern_without_a_plain_character_fits_any_text() {
        assert!(["*", "**", "?*", "????"].iter().all(|pattern| fits_any(pattern)));
        assert!(["", "a", "*a*", r"\*"].iter().all(|pattern| !fits_any(pattern)));
    }

    #[test]
    fn what_fits_begins_as_the_pattern_does() {
        for (pattern, expected) in
            [("a/*", "a/"), ("*", ""), ("a?", "a"), (r"a\*b*c", "a*b"), ("a", "a")]
        {
            assert_eq!(beginning(pattern), expected, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn a_pattern_is_a_regular_expression(pattern in "[ab*?]{0,9}", text in "[ab]{0,12}") {
            let regex = pattern.replace('*', ".*").replace('?', ".");
            let regex = regex::Regex::new(&format!("^{regex}$")).unwrap();
            prop_assert_eq!(fits(&pattern, &text), regex.is_match(&text));
        }

        #[test]
        fn a_literal_fits_its_text_alone(text in r"[a*?\\]{0,6}", other in r"[a*?\\]{0,6}") {
            prop_assert!(fits(&literal(&text), &text));
            prop_assert_eq!(fits(&literal(&text), &other), text == other);
        }
    }
}
