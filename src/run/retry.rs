//! Objects that could not be read: when each is tried again, and when no more.

use super::watched::id_of;
use ingest::source::Object;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Waits before each new attempt; after the last of them the object is left. They are those of messages of
/// a queue that cannot be read. Unit: seconds.
pub(super) const WAITS_S: [u64; 4] = [30, 60, 120, 240];

/// Objects that are remembered, about 300 bytes each. Unit: objects.
pub(super) const FAILED_MAX: usize = 100_000;

/// One object that could not be read.
#[derive(Debug, Clone, Copy)]
struct Failed {
    id: u128,
    n_attempts: usize,
    again: Option<Instant>,
}

/// Of objects that could not be read, by key.
#[derive(Debug)]
pub(super) struct Retries {
    failed: BTreeMap<Box<str>, Failed>,
    n_max: usize,
}

impl Default for Retries {
    fn default() -> Self {
        Self { failed: BTreeMap::new(), n_max: FAILED_MAX }
    }
}

impl Retries {
    /// Whether to read an object now: one that failed waits, or until it is another.
    pub(super) fn is_due(&self, object: &Object) -> bool {
        match self.failed.get(object.key()) {
            Some(failed) if failed.id == id_of(object) => {
                failed.again.is_some_and(|again| Instant::now() >= again)
            }
            _ => true,
        }
    }

    /// Makes room for an object that could not be read, and answers of how many others that takes: those that
    /// were left are tried again, as if they had never failed.
    pub(super) fn make_room(&mut self, object: &Object) -> usize {
        let n_before = self.failed.len();
        if n_before >= self.n_max && !self.failed.contains_key(object.key()) {
            self.failed.retain(|_, failed| failed.again.is_some());
        }
        n_before - self.failed.len()
    }

    /// Notes that it could not be read, and answers when it will be tried again, if at all; without room for it,
    /// with the next look.
    pub(super) fn failed(&mut self, object: &Object) -> Option<Duration> {
        if self.failed.len() >= self.n_max && !self.failed.contains_key(object.key()) {
            return Some(Duration::ZERO);
        }
        let n_before = match self.failed.get(object.key()) {
            Some(before) if before.id == id_of(object) => before.n_attempts,
            _ => 0,
        };
        let wait = WAITS_S.get(n_before).copied().map(Duration::from_secs);
        let again = wait.map(|wait| Instant::now() + wait);
        let failed = Failed { id: id_of(object), n_attempts: n_before + 1, again };
        self.failed.insert(object.key().into(), failed);
        wait
    }

    /// It was read.
    pub(super) fn read(&mut self, object: &Object) {
        self.failed.remove(object.key());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingest::source::Place;

    fn named(key: &str, size_bytes: u64) -> Object {
        Object::new(Place::Stdin, key, size_bytes, None)
    }

    fn object(size_bytes: u64) -> Object {
        named("a", size_bytes)
    }

    #[test]
    fn of_too_many_those_that_were_left_are_tried_again() {
        let mut retries = Retries { n_max: 2, ..Retries::default() };
        for _ in 0..=WAITS_S.len() {
            assert_eq!(retries.make_room(&object(1)), 0);
            retries.failed(&object(1));
        }
        assert!(!retries.is_due(&object(1)));
        assert_eq!(retries.failed(&named("b", 1)), Some(Duration::from_secs(30)));
        // The first was left; the second waits for its time.
        assert_eq!(retries.make_room(&named("c", 1)), 1);
        assert_eq!(retries.failed(&named("c", 1)), Some(Duration::from_secs(30)));
        assert!(retries.is_due(&object(1)) && !retries.is_due(&named("b", 1)));
        // Nobody was left: it is not remembered, and comes with the next look.
        assert_eq!(retries.make_room(&named("d", 1)), 0);
        assert_eq!(retries.failed(&named("d", 1)), Some(Duration::ZERO));
        assert!(retries.is_due(&named("d", 1)));
        assert_eq!(retries.failed(&named("c", 1)), Some(Duration::from_mins(1)));
    }

    #[test]
    fn what_failed_five_times_is_left_until_it_is_another() {
        let mut retries = Retries::default();
        assert!(retries.is_due(&object(1)));
        let waits: Vec<_> = (0..5).map(|_| retries.failed(&object(1))).collect();
        let waits: Vec<_> = waits.iter().map(|wait| wait.map(|wait| wait.as_secs())).collect();
        assert_eq!(waits, [Some(30), Some(60), Some(120), Some(240), None]);
        assert!(!retries.is_due(&object(1)));
        assert!(retries.is_due(&object(2)));
        assert_eq!(retries.failed(&object(2)).map(|wait| wait.as_secs()), Some(30));
        retries.read(&object(2));
        assert!(retries.is_due(&object(2)));
    }
}
