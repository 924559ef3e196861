//! A hash for keys of a few numbers, several times as fast as the standard one. Its seed is drawn
//! anew for each table, so that chosen addresses cannot collide; nothing depends on its order.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Makes hashers of one seed.
#[derive(Debug, Clone)]
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

impl BuildHasher for Seeded {
    type Hasher = Folded;

    #[inline]
    fn build_hasher(&self) -> Folded {
        Folded { state: self.seed, step: self.step }
    }
}

/// Folds 128-bit products, after Yi, "wyhash" (2019).
#[derive(Debug)]
pub(super) struct Folded {
    state: u64,
    step: u64,
}

#[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

impl Hasher for Folded {
    #[inline]
    fn finish(&self) -> u64 {
        fold(self.state, self.step)
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    #[inline]
    fn write_u64(&mut self, n: u64) {
        self.state = fold(self.state ^ n, self.step).wrapping_add(n);
    }

    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    #[inline]
    fn write_u128(&mut self, n: u128) {
        self.write_u64((n >> 64) as u64);
        self.write_u64(n as u64);
    }
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
                (0..1_000_u128).map(|n| seeded.hash_one((n, 22_u64)) >> shift & 0x7f).collect();
            assert_eq!(hashes.len(), 128, "{shift}");
        }
    }

    #[test]
    fn every_table_has_a_seed_of_its_own() {
        assert_ne!(Seeded::default().hash_one(1_u64), Seeded::default().hash_one(1_u64));
    }
}
