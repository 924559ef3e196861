//! "Did you mean": the known word that a mistyped one is nearest to.

/// Longer words are compared by their beginning. Unit: characters.
const WORD_CHARS_MAX: usize = 64;

/// The nearest of `known`, if it is near enough to be meant: a third of its characters may differ.
pub fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = fold(word);
    let near = known.into_iter().filter_map(|known| {
        let other = fold(known);
        let distance = distance(&word, &other);
        (distance <= other.len().div_ceil(3)).then_some((distance, known))
    });
    near.min().map(|(_, known)| known)
}

/// Case and dashes do not tell words apart.
fn fold(word: &str) -> Vec<char> {
    let chars = word.chars().take(WORD_CHARS_MAX);
    chars.map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// Characters to insert, delete or replace (Levenshtein 1966).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (n, x) in a.iter().enumerate() {
        let (mut left, mut above_left) = (n + 1, n);
        for (cell, y) in row.iter_mut().skip(1).zip(b) {
            let replaced = above_left + usize::from(x != y);
            above_left = *cell;
            left = replaced.min(left + 1).min(*cell + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = n + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::suggest;

    const KNOWN: [&str; 4] = ["bits-min", "calls-min", "root-use", "port-scan"];

    #[test]
    fn a_slip_finds_its_word() {
        for (word, known) in [
            ("calls-mn", "calls-min"),
            ("call-min", "calls-min"),
            ("CALLS_MIN", "calls-min"),
            ("rootuse", "root-use"),
            ("port-scna", "port-scan"),
        ] {
            assert_eq!(suggest(word, KNOWN), Some(known));
        }
    }

    #[test]
    fn another_word_finds_nothing() {
        for word in ["", "frobnicate", &"x".repeat(1_000_000)] {
            assert_eq!(suggest(word, KNOWN), None);
        }
    }
}
