//! A hash for keys of a few numbers, several times as fast as the standard one. Its seed is drawn
//! anew for each table, so that chosen addresses cannot collide; nothing depends on its order.

use std::hash::{BuildHasher, RandomState};

/// Hashes of one seed.
#[derive(Debug)]
pub(super) struct Seeded {
    seed: u64,
    step: u64,
}

impl Default for Seeded {
    fn default() -> Self {
        let random = RandomState::new();
        Self { seed: random.hash_one(0), step: random.hash_one(1) | 1 }
    }
}

impl Seeded {
    /// Folds 128-bit products, after Yi, "wyhash" (2019).
    #[expect(clippy::cast_possible_truncation, reason = "all halves are taken")]
    #[inline]
    pub(super) fn hash(&self, n: u64, a: u128, b: u128) -> u64 {
        let Self { seed, step } = self;
        let first = fold(n ^ seed, a as u64 ^ step).wrapping_add((a >> 64) as u64);
        let second = fold(b as u64 ^ seed, (b >> 64) as u64 ^ step);
        fold(first ^ step, second ^ seed)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn neighbours_spread_in_all_bits() {
        let seeded = Seeded { seed: 0x9e37_79b9_7f4a_7c15, step: 0xff51_afd7_ed55_8ccd };
        for shift in [0, 32, 57] {
            let hashes: BTreeSet<u64> =
                (0..1_000_u128).map(|n| seeded.hash(22, n, 0) >> shift & 0x7f).collect();
            assert_eq!(hashes.len(), 128, "{shift}");
        }
    }

    #[test]
    fn every_table_has_a_seed_of_its_own() {
        assert_ne!(Seeded::default().hash(1, 2, 3), Seeded::default().hash(1, 2, 3));
    }
}
