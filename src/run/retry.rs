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

/// One object that could not be read.
#[derive(Debug, Clone, Copy)]
struct Failed {
    id: u128,
    n_attempts: usize,
    again: Option<Instant>,
}

/// Of objects that could not be read, by key.
#[derive(Debug, Default)]
pub(super) struct Retries(BTreeMap<Box<str>, Failed>);

impl Retries {
    /// Whether to read an object now: one that failed waits, or until it is another.
    pub(super) fn is_due(&self, object: &Object) -> bool {
        match self.0.get(&object.key) {
            Some(failed) if failed.id == id_of(object) => {
                failed.again.is_some_and(|again| Instant::now() >= again)
            }
            _ => true,
        }
    }

    /// Notes that it could not be read, and answers when it will be tried again, if at all.
    pub(super) fn failed(&mut self, object: &Object) -> Option<Duration> {
        let n_before = match self.0.get(&object.key) {
            Some(before) if before.id == id_of(object) => before.n_attempts,
            _ => 0,
        };
        let wait = WAITS_S.get(n_before).copied().map(Duration::from_secs);
        let again = wait.map(|wait| Instant::now() + wait);
        let failed = Failed { id: id_of(object), n_attempts: n_before + 1, again };
        self.0.insert(object.key.clone(), failed);
        wait
    }

    /// It was read.
    pub(super) fn read(&mut self, object: &Object) {
        self.0.remove(&object.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingest::source::{KeyInfo, Place};

    fn object(size_bytes: u64) -> Object {
        let (place, info) = (Place::Stdin, KeyInfo::of("a"));
        Object { place, size_bytes, modified_ms: None, info, key: "a".into() }
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
