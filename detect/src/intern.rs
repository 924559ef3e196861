//! Texts that come again and again, looked up by their bytes and remembered with what they mean.

use hashbrown::HashTable;
use std::ops::Range;
use xxhash_rust::xxh3::xxh3_64;

/// More room is given back when all is forgotten. Unit: bytes.
const ROOM_BYTES_MAX: usize = 16 << 20;

/// What is remembered of each text, under numbers in the order of first sight.
#[derive(Debug)]
pub(crate) struct Interner<T> {
    /// Numbers with the hash of their text, which is not worked out again when the table grows.
    table: HashTable<(u64, u32)>,
    entries: Vec<(Range<usize>, T)>,
    /// The texts, one after the other.
    texts: Vec<u8>,
    /// The number found last: records of one object tend to repeat it.
    last: u32,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { table: HashTable::new(), entries: Vec::new(), texts: Vec::new(), last: 0 }
    }
}

impl<T> Interner<T> {
    /// The number of `text`; `remember` is called for one that was not seen before.
    pub(crate) fn number(&mut self, text: &[u8], remember: impl FnOnce() -> T) -> u32 {
        if self.is(self.last, text) {
            return self.last;
        }
        let hash = xxh3_64(text);
        let same = |(of_known, n): &(u64, u32)| *of_known == hash && self.is(*n, text);
        if let Some((_, n)) = self.table.find(hash, same) {
            self.last = *n;
            return *n;
        }
        let n = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let from = self.texts.len();
        self.texts.extend_from_slice(text);
        self.entries.push((from..self.texts.len(), remember()));
        self.table.insert_unique(hash, (hash, n), |(hash, _)| *hash);
        self.last = n;
        n
    }

    /// Forgets all, and begins anew in the room that it took, unless that was more than `ROOM_BYTES_MAX`.
    pub(crate) fn clear(&mut self) {
        if self.n_bytes() > ROOM_BYTES_MAX {
            *self = Self::default();
            return;
        }
        self.table.clear();
        self.entries.clear();
        self.texts.clear();
        self.last = 0;
    }

    fn is(&self, n: u32, text: &[u8]) -> bool {
        let known = self.entries.get(n as usize).and_then(|(at, _)| self.texts.get(at.clone()));
        known == Some(text)
    }

    /// What is remembered under `n`.
    pub(crate) fn get(&self, n: u32) -> Option<&T> {
        self.entries.get(n as usize).map(|(_, what)| what)
    }

    /// What is remembered under the numbers from 0.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|(_, what)| what)
    }

    /// How many texts there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What texts and their numbers take, without what is remembered elsewhere. Unit: bytes.
    pub(crate) fn n_bytes(&self) -> usize {
        self.texts.len() + self.entries.len() * size_of::<(Range<usize>, T, u64, u32)>()
    }
}

/// A table by such numbers.
pub(crate) type Map<K, V> = hashbrown::HashMap<K, V, Mixer>;

/// A hash for small numbers that only this program chooses.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Mixer;

impl std::hash::BuildHasher for Mixer {
    type Hasher = Mixed;

    fn build_hasher(&self) -> Mixed {
        Mixed(0)
    }
}

pub(crate) struct Mixed(u64);

impl std::hash::Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, n: u32) {
        self.write_u64(u64::from(n));
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0.rotate_left(23) ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }

    #[expect(clippy::cast_possible_truncation, reason = "both halves are written")]
    fn write_u128(&mut self, n: u128) {
        self.write_u64(n as u64 ^ (n >> 64) as u64);
    }

    fn write_i32(&mut self, n: i32) {
        self.write_u32(n.cast_unsigned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_remembered_once() {
        let mut interner = Interner::default();
        let numbers: Vec<u32> = ["a", "b", "a", "a", "c", "b"]
            .iter()
            .map(|text| interner.number(text.as_bytes(), || (*text).to_owned()))
            .collect();
        assert_eq!(numbers, [0, 1, 0, 0, 2, 1]);
        assert_eq!(interner.get(2).map(String::as_str), Some("c"));
        assert_eq!(interner.iter().count(), 3);
        interner.clear();
        assert_eq!((interner.number(b"b", || "b".to_owned()), interner.len()), (0, 1));
    }
}
