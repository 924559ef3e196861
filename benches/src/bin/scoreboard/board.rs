//! What all seeds come to.

use std::collections::{BTreeMap, BTreeSet};

use testdata::story::STORIES;

use crate::{archive::Archive, novelty::Novelty, program::Told};

/// When a story was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    /// How many of its records had happened.
    pub(crate) n_records: usize,
    /// From its first record to the last of these. Unit: milliseconds.
    pub(crate) after_ms: i64,
}

/// A story over all seeds.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// One for each seed in which the program told of it.
    pub(crate) found: Vec<Found>,
    /// By what.
    pub(crate) detectors: BTreeSet<String>,
    /// The same of the novelty counter.
    pub(crate) novelty: Vec<Found>,
}

/// The sums of all seeds.
#[derive(Debug, Default)]
pub(crate) struct Board {
    /// Organisations.
    pub(crate) n_seeds: u64,
    /// By story, in the order of `STORIES`, once a seed was added.
    pub(crate) lines: Vec<Line>,
    /// By detector, findings about no story after the learning days.
    pub(crate) others: BTreeMap<String, u64>,
    /// The same on the learning days, of all detectors.
    pub(crate) n_others_learning: u64,
    /// Alerts of the novelty counter about no story.
    pub(crate) n_novelty_false: u64,
    /// After the learning days.
    pub(crate) n_identity_days: u64,
    /// After the learning days.
    pub(crate) n_records: u64,
}

impl Board {
    /// Adds one seed: what the program told with the records that it needed, and the counter.
    pub(crate) fn add(
        &mut self,
        archive: &Archive,
        (told, needed): (&Told, &[Option<usize>]),
        novelty: &Novelty,
    ) {
        self.n_seeds += 1;
        self.lines.resize_with(STORIES.len(), Line::default);
        for (number, (line, times)) in self.lines.iter_mut().zip(&archive.stories).enumerate() {
            let found = |n_records: usize| {
                let last = times.get(n_records.checked_sub(1)?)?;
                Some(Found { n_records, after_ms: last - times.first()? })
            };
            line.found.extend(needed.get(number).copied().flatten().and_then(found));
            line.novelty.extend(novelty.needed.get(&number).copied().and_then(found));
            line.detectors.extend(told.stories.get(&number).into_iter().flatten().cloned());
        }
        for (detector, n) in &told.others {
            *self.others.entry(detector.clone()).or_default() += n;
        }
        self.n_others_learning += told.n_others_learning;
        self.n_novelty_false += novelty.n_false;
        self.n_identity_days += novelty.n_identity_days;
        self.n_records += novelty.n_records;
    }
}
