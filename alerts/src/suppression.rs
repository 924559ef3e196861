//! What nobody has to be told: findings that somebody answers for, until a day. In: entries of the user's file, and
//! a finding. Out: on whose word it is suppressed, if it is.
//!
//! A suppressed finding is found, kept and counted, and teaches as ever: detectors know nothing of this. It never
//! asks a clock: an entry is in force for findings of days up to its last, whenever they are read.

mod criterion;
mod snippet;

pub use criterion::{Criterion, Field, PATTERN_BYTES_MAX, WrongValue};
pub(crate) use snippet::toml_text;
pub use snippet::{OWNER_OPEN, REASON_OPEN, suppression_snippet};

use crate::day;
use baseline::Day;
use detect::Finding;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// On whose word findings are suppressed, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grounds {
    /// Of the entry; no other has it.
    pub name: String,
    /// Why nobody has to be told.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The last day whose findings are suppressed.
    #[serde(with = "day")]
    pub expires: Day,
}

impl std::fmt::Display for Grounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, reason, owner, expires } = self;
        write!(f, "suppressed by {name} until {expires}: {reason} (owner: {owner})")
    }
}

/// An entry of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// Who says so.
    pub grounds: Grounds,
    /// All of them have to hold.
    pub criteria: Vec<Criterion>,
}

impl Suppression {
    /// Whether it leaves anything to be told of any one day.
    pub fn narrows(&self) -> bool {
        self.criteria.iter().any(Criterion::narrows)
    }

    fn holds(&self, finding: &Finding) -> bool {
        finding.day <= self.grounds.expires
            && !self.criteria.is_empty()
            && self.criteria.iter().all(|criterion| criterion.holds(finding))
    }
}

/// The entries of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suppressions {
    entries: Vec<Suppression>,
    of_the_watch: BTreeSet<&'static str>,
}

impl Suppressions {
    /// Entries in the order of their file. Findings of the detectors `of_the_watch` say that sentrail itself sees
    /// less than it should: only an entry that names the detector suppresses them.
    pub fn new(entries: Vec<Suppression>, of_the_watch: &[&'static str]) -> Self {
        Self { entries, of_the_watch: of_the_watch.iter().copied().collect() }
    }

    /// On whose word a finding is suppressed: the first entry that fits counts.
    pub fn of(&self, finding: &Finding) -> Option<&Grounds> {
        let id = finding.about.id.as_str();
        let has_to_be_named = self.of_the_watch.contains(id);
        let is_meant = |entry: &&Suppression| {
            let is_named = || entry.criteria.iter().any(|criterion| criterion.names_detector(id));
            entry.holds(finding) && (!has_to_be_named || is_named())
        };
        self.entries.iter().find(is_meant).map(|entry| &entry.grounds)
    }

    /// Those of all entries, in the order of the file.
    pub fn grounds(&self) -> impl Iterator<Item = &Grounds> {
        self.entries.iter().map(|entry| &entry.grounds)
    }

    /// All entries, in the order of the file.
    pub fn entries(&self) -> &[Suppression] {
        &self.entries
    }
}

#[cfg(test)]
mod tests;
