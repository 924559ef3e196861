//! Which objects were read already: hashes of their content, by the oldest day that was open when
//! they came.

use crate::pieces::Pieces;
use baseline::Day;
use std::collections::{BTreeMap, BTreeSet};

/// How long a content is known: 30 days of late delivery, 14 of waiting in a queue, one to spare.
/// Unit: days.
const DAYS_MAX: i32 = 45;

/// Most contents that are held, about 256 MiB of them; beyond, the oldest day is forgotten early.
/// Unit: objects.
const CONTENTS_MAX: usize = 8 << 20;

/// The contents of the last [`DAYS_MAX`] days.
#[derive(Debug)]
pub(crate) struct Contents {
    days: BTreeMap<Day, BTreeSet<u128>>,
    n_held: usize,
    n_max: usize,
    /// What of them is to be kept, if anything is.
    pub(crate) kept: Option<Pieces<u128>>,
    /// Contents that were forgotten early. Unit: objects.
    pub(crate) n_dropped: u64,
}

impl Default for Contents {
    fn default() -> Self {
        Self { days: BTreeMap::new(), n_held: 0, n_max: CONTENTS_MAX, kept: None, n_dropped: 0 }
    }
}

impl Contents {
    /// Notes an object; false if its content was there already.
    pub(crate) fn insert(&mut self, oldest_open: Day, content: u128) -> bool {
        if self.days.values().any(|day| day.contains(&content)) {
            return false;
        }
        self.days.entry(oldest_open).or_default().insert(content);
        self.n_held += 1;
        while self.n_held > self.n_max && self.days.len() > 1 {
            let Some((day, dropped)) = self.days.pop_first() else { break };
            self.n_held -= dropped.len();
            self.n_dropped += dropped.len() as u64;
            self.kept.iter_mut().for_each(|kept| kept.forget(day.0));
        }
        // Of one day that is full by itself, the new one is not held.
        if self.n_held > self.n_max
            && let Some(mut day) = self.days.first_entry()
            && day.get_mut().remove(&content)
        {
            self.n_held -= 1;
            self.n_dropped += 1;
        } else if let Some(kept) = &mut self.kept {
            kept.push(oldest_open.0, content);
        }
        true
    }

    /// Forgets what came more than [`DAYS_MAX`] days before.
    pub(crate) fn forget(&mut self, oldest_open: Day) {
        // What came before the first day was known came on it.
        if let Some(early) = self.days.remove(&Day(i32::MIN)) {
            if let Some(kept) = &mut self.kept {
                kept.forget(i32::MIN);
                for content in &early {
                    kept.push(oldest_open.0, *content);
                }
            }
            self.days.entry(oldest_open).or_default().extend(early);
        }
        let kept = self.days.split_off(&Day(oldest_open.0.saturating_sub(DAYS_MAX)));
        let dropped = std::mem::replace(&mut self.days, kept);
        for (day, dropped) in dropped {
            self.n_held -= dropped.len();
            self.kept.iter_mut().for_each(|kept| kept.forget(day.0));
        }
    }

    /// Takes back what was kept of a day.
    pub(crate) fn recall(&mut self, key: u128, contents: Vec<u128>) -> Option<()> {
        let day = self.kept.get_or_insert_default().recall(key, contents.clone())?;
        let held = self.days.entry(Day(day)).or_default();
        let n_before = held.len();
        held.extend(contents);
        self.n_held += held.len() - n_before;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Engine, Options,
        testkit::{at, read},
    };
    use ingest::{enrich::Enrich, testkit::call};

    #[test]
    fn a_content_is_new_once_in_45_days() {
        let mut contents = Contents::default();
        assert!(contents.insert(Day(100), 1));
        assert!(!contents.insert(Day(100), 1));
        contents.forget(Day(145));
        assert!(!contents.insert(Day(145), 1));
        contents.forget(Day(146));
        assert_eq!(contents.n_held, 0);
        assert!(contents.insert(Day(146), 1));
    }

    #[test]
    fn what_came_before_the_first_day_is_known_on_it() {
        let mut contents = Contents::default();
        assert!(contents.insert(Day(i32::MIN), 1));
        contents.forget(Day(100));
        contents.forget(Day(145));
        assert!(!contents.insert(Day(145), 1));
        contents.forget(Day(146));
        assert!(contents.insert(Day(146), 1));
    }

    #[test]
    fn objects_of_nothing_are_no_duplicates_of_each_other() {
        let mut engine = Engine::new(Options::default(), Enrich::built_in());
        let mut reader = engine.reader();
        let record = call("alice").at_ms(at(0, "10:00")).raw();
        for records in [&[][..], &[], &[&record], &[&record]] {
            read::<&String>(&mut reader, None, records);
        }
        let chunk = reader.finish();
        engine.apply(&[chunk]).unwrap();
        let counts = engine.intake();
        assert_eq!((counts.n_duplicate_objects, counts.n_records), (1, 1));
    }

    #[test]
    fn too_many_contents_shorten_the_memory() {
        let mut contents = Contents { n_max: 2, ..Contents::default() };
        for (day, content) in [(1, 10), (1, 11), (2, 20)] {
            assert!(contents.insert(Day(day), content));
        }
        assert_eq!((contents.n_held, contents.n_dropped), (1, 2));
        for content in [21, 22, 23] {
            assert!(contents.insert(Day(2), content));
        }
        assert_eq!((contents.n_held, contents.n_dropped), (2, 4));
        assert!(!contents.insert(Day(2), 21));
    }
}
