//! A remembered text, ordered by a keyed hash.

use siphasher::sip::SipHasher13;
use std::{cmp::Ordering, hash::Hasher, sync::Arc};

/// The key of the hashes that order values (setting `hash-key`): whoever does not know it cannot
/// choose values that push others out of a bounded memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashKey(pub [u8; 16]);

impl HashKey {
    /// The key of a program without configuration. Public, so a determined intruder knows it.
    pub const DEFAULT: Self = Self(*b"sentrail-hashkey");

    /// SipHash-1-3-64 of `text` (Aumasson and Bernstein 2012).
    pub fn hash(&self, text: &str) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write(text.as_bytes());
        hasher.finish()
    }

    /// Remembers `text`.
    pub fn value(&self, text: &str) -> Value {
        self.value_of(kept(text))
    }

    /// Remembers what [`kept`] gave.
    pub(crate) fn value_of(&self, text: Arc<str>) -> Value {
        Value { hash: self.hash(&text), text }
    }
}

/// What is kept of a text that a log holds; AWS's own names are shorter. Unit: bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 2_048;

/// `text` as it is kept: whole, or where it is longer than `TEXT_BYTES_MAX`, its start and a hash of
/// all of it, so that different texts stay different.
pub fn kept(text: &str) -> Arc<str> {
    if text.len() <= TEXT_BYTES_MAX {
        return text.into();
    }
    let start = text.get(..text.floor_char_boundary(TEXT_BYTES_MAX)).unwrap_or_default();
    format!("{start}... {:032x}", stable_hash(&[text.as_bytes()])).into()
}

/// A remembered text. Ordered by hash, so that the k smallest do not depend on any order.
#[derive(Debug, Clone)]
pub struct Value {
    hash: u64,
    /// As the log had it: hostile, escaped at the door out.
    pub text: Arc<str>,
}

impl Value {
    /// Its keyed hash.
    pub fn hash(&self) -> u64 {
        self.hash
    }
}

impl Ord for Value {
    /// The text of equal hashes is nearly always the same one, and need not be looked at then.
    fn cmp(&self, other: &Self) -> Ordering {
        let is_same = || Arc::ptr_eq(&self.text, &other.text);
        match self.hash.cmp(&other.hash) {
            Ordering::Equal if !is_same() => self.text.cmp(&other.text),
            by_hash => by_hash,
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Value {}

/// xxh3-128 of `fields`, each with its length in front: equal for ever and on every platform.
pub fn stable_hash(fields: &[&[u8]]) -> u128 {
    let mut hasher = xxhash_rust::xxh3::Xxh3Default::new();
    for field in fields {
        hasher.update(&(field.len() as u64).to_le_bytes());
        hasher.update(field);
    }
    hasher.digest128()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_values_depends_on_the_key() {
        let order = |key: HashKey| {
            let mut values: Vec<_> = (0..20).map(|n| key.value(&n.to_string())).collect();
            values.sort();
            values.into_iter().map(|value| value.text).collect::<Vec<_>>()
        };
        assert_ne!(order(HashKey::DEFAULT), order(HashKey([7; 16])));
    }

    #[test]
    fn long_texts_are_cut_and_stay_different() {
        let short = "\u{e4}".repeat(TEXT_BYTES_MAX / 2);
        assert_eq!(&*kept(&short), short);
        let [one, other] = ["x", "y"].map(|end| kept(&format!("{short}{end}")));
        assert_ne!(one, other);
        assert_eq!(one.len(), TEXT_BYTES_MAX + "... ".len() + 32);
        let long = HashKey::DEFAULT.value(&"x".repeat(1 << 20));
        assert!(long.text.len() < TEXT_BYTES_MAX + 40);
    }

    #[test]
    fn fields_do_not_run_into_each_other() {
        assert_ne!(stable_hash(&[b"1", b"23"]), stable_hash(&[b"12", b"3"]));
    }
}
