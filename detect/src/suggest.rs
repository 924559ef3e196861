//! "Did you mean": the known word that a mistyped one is nearest to.

/// Longer words are compared by their beginning. Unit: characters.
const WORD_CHARS_MAX: usize = 64;

/// The nearest of `known`, if it is near enough to be meant: a third of its characters may differ.
pub fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest(word, known, |length| length.div_ceil(3))
}

/// The one of `known` that a word can only be a slip of, where other words are right too: a quarter of
/// its characters may differ, at most two.
pub fn slip_of<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest(word, known, |length| (length / 4).min(2))
}

fn nearest<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
    distance_max: impl Fn(usize) -> usize,
) -> Option<&'a str> {
    let word = fold(word);
    let near = known.into_iter().filter_map(|known| {
        let other = fold(known);
        let distance_max = distance_max(other.len());
        // What is longer by more is farther, and hostile files hold many words.
        if word.len().abs_diff(other.len()) > distance_max {
            return None;
        }
        let distance = distance(&word, &other);
        (distance <= distance_max).then_some((distance, known))
    });
    near.min().map(|(_, known)| known)
}

/// Case and dashes do not tell words apart.
fn fold(word: &str) -> Vec<char> {
    let chars = word.chars().take(WORD_CHARS_MAX);
    chars.map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// Characters to insert, delete, replace or swap with their neighbour (Damerau 1964, each place edited
/// once).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut above: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (n, x) in a.iter().enumerate() {
        let before = n.checked_sub(1).and_then(|n| a.get(n));
        let at = |row: &[usize], m: usize| row.get(m).copied().unwrap_or(usize::MAX - 1);
        let mut next = vec![n + 1];
        let (mut left, mut last) = (n + 1, None);
        for (m, y) in b.iter().enumerate() {
            let replaced = at(&row, m) + usize::from(x != y);
            let is_swap = before == Some(y) && last == Some(x);
            let swapped = m.checked_sub(1).filter(|_| is_swap).map(|m| at(&above, m) + 1);
            left = replaced.min(left + 1).min(at(&row, m + 1) + 1).min(swapped.unwrap_or(replaced));
            next.push(left);
            last = Some(y);
        }
        above = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{slip_of, suggest};

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
    fn distances_count_edits() {
        for (a, b, edits) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("title", "titel", 1),
            ("ab", "ba", 1),
            ("abcd", "badc", 2),
            ("ca", "abc", 3),
        ] {
            assert_eq!(super::distance(&super::fold(a), &super::fold(b)), edits, "{a} {b}");
        }
    }

    #[test]
    fn another_word_finds_nothing() {
        for word in ["", "frobnicate", &"x".repeat(1_000_000)] {
            assert_eq!(suggest(word, KNOWN), None);
        }
    }

    #[test]
    fn a_slip_is_nearer_than_a_suggestion() {
        let known = ["related", "falsepositives", "id"];
        assert_eq!(slip_of("falsepositive", known), Some("falsepositives"));
        assert_eq!(slip_of("realted", known), Some("related"));
        assert_eq!(slip_of("relatd", known), Some("related"));
        assert_eq!(slip_of("ID", known), Some("id"));
        assert_eq!((slip_of("created", known), suggest("created", known)), (None, Some("related")));
    }
}
