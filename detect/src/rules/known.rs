//! What was worked out of texts, kept from chunk to chunk and shared by workers: only the text decides
//! it, so it is the same whoever worked it out, and may be forgotten.

use hashbrown::HashTable;
use std::sync::{Mutex, PoisonError};

/// Texts that are kept; before one more all are forgotten. Unit: texts.
const TEXTS_MAX: usize = 1 << 16;

/// What is known, by hash of the text.
#[derive(Debug)]
pub(crate) struct Known<T>(Mutex<HashTable<(u128, T)>>);

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(Mutex::new(HashTable::new()))
    }
}

impl<T> Clone for Known<T> {
    /// Begins anew.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<T: Clone> Known<T> {
    /// What is known of the text with this hash; `find` is called where nothing is.
    pub(crate) fn get(&self, text: u128, find: impl FnOnce() -> T) -> T {
        let is = |(of, _): &(u128, T)| *of == text;
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = kept().find(hash(text), is) {
            return known.clone();
        }
        let found = find();
        let mut kept = kept();
        if kept.len() >= TEXTS_MAX {
            kept.clear();
        }
        if kept.find(hash(text), is).is_none() {
            kept.insert_unique(hash(text), (text, found.clone()), |(of, _)| hash(*of));
        }
        found
    }
}

fn hash(text: u128) -> u64 {
    u64::try_from(text >> 64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_found_once_up_to_the_bound() {
        let known = Known::default();
        let ask = |n: usize| {
            let mut is_asked = false;
            let text = baseline::stable_hash(&[&n.to_le_bytes()]);
            let found = known.get(text, || {
                is_asked = true;
                n
            });
            assert_eq!(found, n);
            is_asked
        };
        assert!((0..TEXTS_MAX).all(ask));
        assert!((0..TEXTS_MAX).all(|n| !ask(n)));
        assert!(ask(TEXTS_MAX));
        assert!(!ask(TEXTS_MAX) && ask(0));
    }
}
