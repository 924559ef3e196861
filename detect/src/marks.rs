//! What people said of findings.

use crate::finding::FindingId;
use baseline::{ClosedDay, Day, Dimension, Entity, HashKey, Lesson};
use std::collections::BTreeMap;

/// What a finding is about, as a person found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// Nothing to worry about.
    Benign,
    /// An attack.
    Malicious,
}

impl Nature {
    /// Every nature.
    pub const ALL: &[Self] = &[Self::Benign, Self::Malicious];

    /// Its name, lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Benign => "benign",
            Self::Malicious => "malicious",
        }
    }
}

/// What a person said of one finding, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// What the finding is about.
    pub nature: Nature,
    /// The UTC day on which it was said.
    pub day: Day,
}

/// What people said of findings, the last word on each.
pub type Marks = BTreeMap<FindingId, Mark>;

/// A finding of which somebody said something, as far as it teaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// Its id.
    pub id: FindingId,
    /// On whom it opened.
    pub entity: Entity,
    /// The day it belongs to.
    pub day: Day,
    /// What the entity did not know.
    pub news: Vec<(Dimension, String)>,
    /// What was said.
    pub mark: Mark,
}

/// What marks teach: each enters the day on which it was said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lessons {
    by_entity: BTreeMap<u128, BTreeMap<Day, ClosedDay>>,
    benign: BTreeMap<FindingId, Day>,
}

impl Lessons {
    /// The lessons of findings and their marks, in any order; `key` is that of the replay.
    pub fn of(marked: &[Marked], key: &HashKey) -> Self {
        let mut lessons = Self::default();
        for Marked { id, entity, day, news, mark } in marked {
            // Nobody can speak of a finding before its day.
            let said_on = mark.day.max(*day);
            let lesson = match mark.nature {
                Nature::Benign => Lesson::Known,
                Nature::Malicious => Lesson::Unknown,
            };
            if mark.nature == Nature::Benign {
                lessons.benign.insert(*id, said_on);
            }
            let values = news.iter().map(|(dimension, text)| (*dimension, key.value(text)));
            let of_entity = lessons.by_entity.entry(entity.id()).or_default();
            of_entity.entry(said_on).or_default().merge(&ClosedDay::said(values, lesson));
        }
        lessons
    }

    /// What was said of an entity, by day.
    pub(crate) fn on(&self, entity: u128) -> Option<&BTreeMap<Day, ClosedDay>> {
        self.by_entity.get(&entity)
    }

    /// The day from which on one with these findings counts as one like any other: somebody has said of
    /// each by then that it is benign.
    pub(crate) fn plain_from(&self, mut findings: impl Iterator<Item = FindingId>) -> Option<Day> {
        if self.benign.is_empty() {
            return None;
        }
        let days = findings.try_fold(None, |latest: Option<Day>, id| {
            Some(latest.max(Some(*self.benign.get(&id)?)))
        });
        days.flatten()
    }
}

#[cfg(test)]
mod tests;
