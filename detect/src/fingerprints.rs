//! Which records were seen already: 64-bit fingerprints of their ids by event hour.

use crate::pieces::Pieces;
use baseline::{Day, Hour};
use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// Fingerprints are hashes already.
#[derive(Debug, Default, Clone, Copy)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxhash_rust::xxh3::xxh3_64(bytes);
    }

    fn write_u64(&mut self, fingerprint: u64) {
        self.0 = fingerprint;
    }
}

type Hourly = HashSet<u64, BuildHasherDefault<Identity>>;

/// The records of the open days.
#[derive(Debug)]
pub(crate) struct Fingerprints {
    hours: BTreeMap<Hour, Hourly>,
    n_held: usize,
    n_max: usize,
    /// What of them is to be kept, if anything is.
    pub(crate) kept: Option<Pieces<u64>>,
    /// Hours given up before their day closed, because the budget was full. Unit: hours.
    pub(crate) n_hours_dropped: u64,
}

/// What a fingerprint takes in a set that is, on average, two thirds full. Unit: bytes.
const BYTES_EACH: usize = 14;

impl Fingerprints {
    /// At most about `budget_bytes` in memory.
    pub(crate) fn new(budget_bytes: usize) -> Self {
        let n_max = (budget_bytes / BYTES_EACH).max(1);
        Self { hours: BTreeMap::new(), n_held: 0, n_max, kept: None, n_hours_dropped: 0 }
    }

    /// Notes a record; false if it was there already.
    pub(crate) fn insert(&mut self, hour: Hour, fingerprint: u64) -> bool {
        let is_new = self.hours.entry(hour).or_default().insert(fingerprint);
        self.n_held += usize::from(is_new);
        if let Some(kept) = self.kept.as_mut().filter(|_| is_new) {
            kept.push(hour.0, fingerprint);
        }
        while self.n_held > self.n_max {
            let Some((hour, dropped)) = self.hours.pop_first() else { break };
            self.n_held -= dropped.len();
            self.n_hours_dropped += 1;
            self.kept.iter_mut().for_each(|kept| kept.forget(hour.0));
        }
        is_new
    }

    /// Forgets the hours of days before `oldest_open`.
    pub(crate) fn forget(&mut self, oldest_open: Day) {
        let kept = self.hours.split_off(&Hour(oldest_open.0.saturating_mul(24)));
        let dropped = std::mem::replace(&mut self.hours, kept);
        for (hour, dropped) in dropped {
            self.n_held -= dropped.len();
            self.kept.iter_mut().for_each(|kept| kept.forget(hour.0));
        }
    }

    /// Takes back what was kept of an hour.
    pub(crate) fn recall(&mut self, key: u128, fingerprints: Vec<u64>) -> Option<()> {
        let hour = self.kept.get_or_insert_default().recall(key, fingerprints.clone())?;
        let held = self.hours.entry(Hour(hour)).or_default();
        let n_before = held.len();
        held.extend(fingerprints);
        self.n_held += held.len() - n_before;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_new_once() {
        let mut seen = Fingerprints::new(1 << 20);
        assert!(seen.insert(Hour(1), 7));
        assert!(!seen.insert(Hour(1), 7));
        assert!(seen.insert(Hour(2), 7));
    }

    #[test]
    fn a_full_budget_shortens_the_horizon_and_says_so() {
        let mut seen = Fingerprints::new(10 * BYTES_EACH);
        for n in 0..12 {
            assert!(seen.insert(Hour(n / 6), u64::try_from(n).unwrap()));
        }
        assert_eq!((seen.n_hours_dropped, seen.n_held), (1, 6));
        assert!(seen.insert(Hour(0), 0), "given up, so it counts as new");
    }

    #[test]
    fn one_hour_cannot_outgrow_the_budget() {
        let mut seen = Fingerprints::new(10 * BYTES_EACH);
        for n in 0..25 {
            assert!(seen.insert(Hour(0), n));
            assert!(seen.n_held <= 10);
        }
        assert_eq!(seen.n_hours_dropped, 2);
    }

    #[test]
    fn closed_days_are_forgotten() {
        let mut seen = Fingerprints::new(1 << 20);
        seen.insert(Hour(23), 1);
        seen.insert(Hour(24), 1);
        seen.forget(Day(1));
        assert_eq!((seen.n_held, seen.n_hours_dropped), (1, 0));
    }
}
