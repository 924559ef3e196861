//! A map of few entries: a vector in order of keys, hardly larger than what it holds. A tree has room for
//! eleven entries at once, of which a profile would hold one or two, dozens of times.

use crate::form::{Form, FormError, Reader, Writer};
use std::ops::{Bound, RangeBounds};

/// Entries in order of their keys, with the methods of a [`std::collections::BTreeMap`].
#[derive(Debug, Clone, PartialEq)]
pub struct Few<K, V>(Vec<(K, V)>);

/// Where an entry is, or would be.
#[derive(Debug)]
pub struct Place<'few, K, V> {
    all: &'few mut Vec<(K, V)>,
    key: K,
    at: Result<usize, usize>,
}

/// Puts `one` into its place, with room for more only where there are many already.
pub(crate) fn insert<T>(all: &mut Vec<T>, at: usize, one: T) {
    if all.len() == all.capacity() {
        all.reserve_exact(all.len() / 4 + 1);
    }
    all.insert(at, one);
}

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> Few<K, V> {
    fn find(&self, key: &K) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.cmp(key))
    }

    /// The value of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.0.get(self.find(key).ok()?).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let at = self.find(key).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    pub(crate) fn contains_key(&self, key: &K) -> bool {
        self.find(key).is_ok()
    }

    /// Where the entry of a key is, or would be.
    pub fn entry(&mut self, key: K) -> Place<'_, K, V> {
        let at = self.find(&key);
        Place { all: &mut self.0, key, at }
    }

    pub(crate) fn insert(&mut self, key: K, value: V) {
        match self.find(&key) {
            Ok(at) => {
                if let Some((_, old)) = self.0.get_mut(at) {
                    *old = value;
                }
            }
            Err(at) => insert(&mut self.0, at, (key, value)),
        }
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let at = self.find(key).ok()?;
        Some(self.0.remove(at).1)
    }

    /// The entries.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.into_iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// The values, in order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    pub(crate) fn range(&self, keys: impl RangeBounds<K>) -> impl Iterator<Item = (&K, &V)> {
        let from = self.0.partition_point(|(key, _)| match keys.start_bound() {
            Bound::Included(start) => key < start,
            Bound::Excluded(start) => key <= start,
            Bound::Unbounded => false,
        });
        let to = self.0.partition_point(|(key, _)| match keys.end_bound() {
            Bound::Included(end) => key <= end,
            Bound::Excluded(end) => key < end,
            Bound::Unbounded => true,
        });
        let those = self.0.get(from..to).unwrap_or_default();
        those.iter().map(|(key, value)| (key, value))
    }

    pub(crate) fn retain(&mut self, mut wanted: impl FnMut(&K, &mut V) -> bool) {
        self.0.retain_mut(|(key, value)| wanted(key, value));
    }

    /// Adds entries in any order; `sum` puts together what has the same key. Runs in order cost a pass.
    pub(crate) fn absorb(&mut self, more: impl IntoIterator<Item = (K, V)>, sum: impl Fn(&mut V, V))
    where
        V: Copy,
    {
        self.0.extend(more);
        self.0.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.0.dedup_by(|(key, value), (kept, sum_of_kept)| {
            let is_same = key == kept;
            if is_same {
                sum(sum_of_kept, *value);
            }
            is_same
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    pub(crate) fn clear(&mut self) {
        self.0 = Vec::new();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'few, K, V> Place<'few, K, V> {
    /// The value; where there is none, the default takes its place.
    pub fn or_default(self) -> &'few mut V
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }

    pub(crate) fn or_insert_with(self, new: impl FnOnce() -> V) -> &'few mut V {
        self.with_before(new).1
    }

    /// The value, and the entries before it.
    #[expect(clippy::indexing_slicing, reason = "it was found or put there")]
    pub(crate) fn with_before(self, new: impl FnOnce() -> V) -> (&'few [(K, V)], &'few mut V) {
        let Self { all, key, at } = self;
        let at = at.unwrap_or_else(|at| {
            insert(all, at, (key, new()));
            at
        });
        let (before, from) = all.split_at_mut(at);
        (before, &mut from[0].1)
    }
}

impl<'few, K, V> IntoIterator for &'few Few<K, V> {
    type Item = (&'few K, &'few V);
    type IntoIter =
        std::iter::Map<std::slice::Iter<'few, (K, V)>, fn(&'few (K, V)) -> (&'few K, &'few V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().map(|(key, value)| (key, value))
    }
}

impl<K, V> IntoIterator for Few<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<K: Form + Ord, V: Form> Form for Few<K, V> {
    fn write(&self, to: &mut Writer) {
        self.0.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        // The order of dimensions may be another one since they were written.
        let mut all = Vec::<(K, V)>::read(from)?;
        all.sort_by(|(a, _), (b, _)| a.cmp(b));
        let is_once = all.is_sorted_by(|(a, _), (b, _)| a < b);
        if is_once { Ok(Self(all)) } else { Err(FormError::Damaged) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn entries(few: &Few<u8, u32>) -> Vec<(u8, u32)> {
        few.iter().map(|(key, value)| (*key, *value)).collect()
    }

    proptest! {
        #[test]
        fn holds_what_a_tree_holds(
            steps in proptest::collection::vec((0..5_u8, 0..20_u8, any::<u32>()), 0..80),
            (from, to) in (0..20_u8, 0..20_u8),
        ) {
            let (mut few, mut tree) = (Few::default(), BTreeMap::new());
            for (step, key, value) in steps {
                match step {
                    4 => {
                        let more = [(key, value), (19 - key, 7), (key, 1)];
                        few.absorb(more, |sum: &mut u32, one| *sum = sum.wrapping_add(one));
                        for (key, value) in more {
                            let sum = tree.entry(key).or_insert(0_u32);
                            *sum = sum.wrapping_add(value);
                        }
                    }
                    0 => {
                        few.insert(key, value);
                        tree.insert(key, value);
                    }
                    1 => *few.entry(key).or_default() ^= value,
                    2 => prop_assert_eq!(few.remove(&key), tree.remove(&key)),
                    _ => few.retain(|known, _| *known != key),
                }
                if step == 1 {
                    *tree.entry(key).or_default() ^= value;
                } else if step == 3 {
                    tree.remove(&key);
                }
                prop_assert_eq!(few.get(&key), tree.get(&key));
                prop_assert_eq!(few.contains_key(&key), tree.contains_key(&key));
            }
            prop_assert_eq!(entries(&few), tree.clone().into_iter().collect::<Vec<_>>());
            let (from, to) = (from.min(to), from.max(to));
            let some: Vec<_> = few.range(from..=to).collect();
            prop_assert_eq!(some, tree.range(from..=to).collect::<Vec<_>>());
        }
    }
}
