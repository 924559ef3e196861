//! Distinct values of the records behind a finding, first and last kept.

use serde::Serialize;
use std::collections::BTreeSet;

/// Values that a list names: the first half and the last half of them, in order of first appearance.
/// Unit: values.
pub(crate) const SEEN_MAX: usize = 20;

/// The distinct values of one field of the records behind a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Seen<'a> {
    /// Distinct values among the records that were kept.
    pub(crate) count: usize,
    /// Whether every record was kept, so that `count` is exact; else it is the least.
    pub(crate) is_complete: bool,
    /// At most [`SEEN_MAX`] of them; above that the first and the last.
    pub(crate) values: Vec<&'a str>,
}

impl<'a> Seen<'a> {
    /// The distinct `values`, which come in order of time.
    pub(crate) fn of(values: impl Iterator<Item = &'a str>, is_complete: bool) -> Self {
        let mut known = BTreeSet::new();
        let mut values: Vec<_> = values.filter(|value| known.insert(*value)).collect();
        let count = values.len();
        if count > SEEN_MAX {
            values.drain(SEEN_MAX / 2..count - SEEN_MAX / 2);
        }
        Self { count, is_complete, values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_once_in_order_of_appearance() {
        let seen = Seen::of(["b", "a", "b", "c"].into_iter(), true);
        assert_eq!((seen.count, seen.values), (3, vec!["b", "a", "c"]));
    }

    #[test]
    fn the_first_and_the_last_are_kept_of_many() {
        let all: Vec<_> = (0..50).map(|n| format!("{n:02}")).collect();
        let seen = Seen::of(all.iter().map(String::as_str), false);
        assert_eq!((seen.count, seen.values.len()), (50, SEEN_MAX));
        assert_eq!((seen.values[0], seen.values[9]), ("00", "09"));
        assert_eq!((seen.values[10], seen.values[19]), ("40", "49"));
    }
}
