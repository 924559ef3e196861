//! What was worked out of texts, kept from chunk to chunk and shared by workers: only the text decides
//! it, so it is the same whoever worked it out, and may be forgotten.

use hashbrown::HashTable;
use std::{
    mem::size_of,
    sync::{Mutex, PoisonError},
};
use xxhash_rust::xxh3::xxh3_64;

/// What is kept of one kind, texts and what is known of them; before more all is forgotten. Unit: bytes.
const BYTES_MAX: usize = 8 << 20;

/// What can be kept.
pub(crate) trait Keep: Clone {
    /// What it holds besides itself. Unit: bytes.
    fn n_bytes(&self) -> usize;
}

/// What is known, by text.
#[derive(Debug)]
pub(crate) struct Known<T>(Mutex<Kept<T>>);

#[derive(Debug)]
struct Kept<T> {
    table: HashTable<(Box<[u8]>, T)>,
    n_bytes: usize,
    /// Numbers that were given away.
    n_given: u64,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self(Mutex::new(Kept { table: HashTable::new(), n_bytes: 0, n_given: 0 }))
    }
}

impl<T> Clone for Known<T> {
    /// Begins anew.
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<T: Keep> Known<T> {
    /// What is known of a text; `find` is called where nothing is, with a number that no other text
    /// has or will have.
    pub(crate) fn get(&self, text: &[u8], find: impl FnOnce(u64) -> T) -> T {
        let hash = xxh3_64(text);
        let is = |(of, _): &(Box<[u8]>, T)| **of == *text;
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = {
            let mut kept = kept();
            if let Some((_, known)) = kept.table.find(hash, is) {
                return known.clone();
            }
            kept.n_given += 1;
            kept.n_given
        };
        let found = find(number);
        let mut kept = kept();
        if let Some((_, known)) = kept.table.find(hash, is) {
            return known.clone();
        }
        let n_bytes = text.len() + found.n_bytes() + size_of::<(Box<[u8]>, T)>();
        // What is too large by itself is worked out each time.
        if n_bytes > BYTES_MAX {
            return found;
        }
        if kept.n_bytes + n_bytes > BYTES_MAX {
            kept.table = HashTable::new();
            kept.n_bytes = 0;
        }
        kept.n_bytes += n_bytes;
        let one = (text.into(), found.clone());
        kept.table.insert_unique(hash, one, |(of, _)| xxh3_64(of));
        found
    }
}

/// Texts as one, so that others never make the same.
pub(crate) fn together(texts: &[&[u8]]) -> Vec<u8> {
    let mut one = Vec::with_capacity(texts.iter().map(|text| text.len() + 8).sum());
    for text in texts {
        one.extend_from_slice(&(text.len() as u64).to_le_bytes());
        one.extend_from_slice(text);
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Keep for (u64, usize) {
        fn n_bytes(&self) -> usize {
            self.1
        }
    }

    /// Whether `text` was asked, and its number.
    fn ask(known: &Known<(u64, usize)>, text: &str, n_bytes: usize) -> (bool, u64) {
        let mut is_asked = false;
        let (number, _) = known.get(text.as_bytes(), |number| {
            is_asked = true;
            (number, n_bytes)
        });
        (is_asked, number)
    }

    #[test]
    fn what_is_known_is_found_once_up_to_the_bound() {
        let known = Known::default();
        let third = BYTES_MAX / 3;
        assert_eq!(ask(&known, "a", third), (true, 1));
        assert_eq!(ask(&known, "b", third), (true, 2));
        assert_eq!(ask(&known, "a", third), (false, 1));
        // The third does not fit beside the others: their own bytes count too.
        assert_eq!(ask(&known, "c", third), (true, 3));
        assert_eq!(ask(&known, "c", third), (false, 3));
        // A forgotten text never has the number of another.
        assert_eq!(ask(&known, "a", third), (true, 4));
    }

    #[test]
    fn what_is_too_large_is_never_kept() {
        let known = Known::default();
        assert_eq!(ask(&known, "a", 0), (true, 1));
        let text = "x".repeat(BYTES_MAX);
        assert_eq!(ask(&known, &text, 0), (true, 2));
        assert_eq!(ask(&known, &text, 0), (true, 3));
        assert_eq!(ask(&known, "a", 0), (false, 1));
    }

    #[test]
    fn texts_do_not_run_into_each_other() {
        assert_ne!(together(&[b"1", b"23"]), together(&[b"12", b"3"]));
    }
}
