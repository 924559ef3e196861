//! What people say of findings while an engine goes on. In: marks, and what alerted days held back. Out: profiles
//! that know of both as in a replay that knew the marks before its first record.

use crate::{
    engine::{Engine, shard_of},
    finding::{Finding, FindingId},
    learned::Blob,
    marks::{Lessons, Mark, Marked, Nature},
    shelf::ShelfError,
    state::ResumeError,
};
use baseline::{
    ClosedDay, Day, Form, FormError, HashKey, form,
    form::{Reader, Texts, Writer},
    ids_beside, stable_hash,
};
use std::collections::{BTreeMap, BTreeSet};

/// What alerted days hold back is kept of so many profiles a day, those of the smallest ids. Unit: profiles.
const WITHHELD_MAX: usize = 1_024;

/// The bits of a key that tell days apart are above these.
const DAY_SHIFT: u32 = 96;

/// What an alerted day of a profile holds back, until somebody has said of each of its findings that it is benign.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Withheld {
    /// Of the profile.
    id: u128,
    day: Day,
    /// With the day from which on it is benign.
    findings: BTreeMap<u128, Option<Day>>,
    taught: ClosedDay,
}

form! { Withheld { id, day, findings, taught } }

impl Withheld {
    /// What the day of an entity holds back on which these findings opened.
    pub(crate) fn of(
        (id, day): (u128, Day),
        findings: impl Iterator<Item = FindingId>,
        taught: &ClosedDay,
    ) -> Self {
        let findings = findings.map(|FindingId(finding)| (finding, None)).collect();
        Self { id, day, findings, taught: taught.held_back() }
    }

    fn key(&self) -> u128 {
        key(self.id, self.day)
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut to = Writer::default();
        Form::write(self, &mut to);
        to.finish()
    }

    fn read(blob: &Blob, hash_key: &HashKey) -> Result<Self, FormError> {
        let mut texts = Texts::default();
        let mut from = Reader::new(&blob.bytes, hash_key, &mut texts)?;
        let withheld = <Self as Form>::read(&mut from)?;
        from.finish()?;
        if withheld.key() == blob.key { Ok(withheld) } else { Err(FormError::Damaged) }
    }

    /// The day from which on it holds nothing back, if somebody has said so of each finding.
    fn plain_from(&self) -> Option<Day> {
        let days =
            self.findings.values().try_fold(Day(i32::MIN), |latest, day| Some(latest.max((*day)?)));
        days.filter(|_| !self.findings.is_empty())
    }
}

/// Keys sort by day.
fn key(id: u128, Day(day): Day) -> u128 {
    let day = u128::from(day.unsigned_abs());
    day << DAY_SHIFT | stable_hash(&[&id.to_be_bytes()]) >> (u128::BITS - DAY_SHIFT)
}

/// The smallest key of a blob of [`Part::Withheld`](crate::Part::Withheld) of this day or a later one.
pub fn withheld_since(Day(day): Day) -> u128 {
    u128::from(day.unsigned_abs()) << DAY_SHIFT
}

/// Of which profile a blob of [`Part::Withheld`](crate::Part::Withheld) is: the key of its blob of
/// [`Part::Entity`](crate::Part::Entity).
pub fn withheld_of(blob: &Blob) -> Result<u128, FormError> {
    // No key changes a number.
    let mut texts = Texts::default();
    Form::read(&mut Reader::new(&blob.bytes, &HashKey::DEFAULT, &mut texts)?)
}

/// A mark that was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// The finding.
    pub id: FindingId,
    /// What was said of it.
    pub mark: Mark,
    /// The day that it entered: the one on which it was said, or the first that had not closed.
    pub on: Day,
}

/// Answers the blob of [`Part::Withheld`](crate::Part::Withheld) that is kept under a key.
type Look<'a> = &'a mut dyn FnMut(u128) -> Result<Option<Blob>, ShelfError>;

/// Marks that an engine was told of.
#[derive(Debug, Default)]
pub(crate) struct Hearing {
    /// Of findings whose days are open: what was new is certain when they close.
    waiting: BTreeMap<Day, BTreeMap<FindingId, Mark>>,
    heard: Vec<Heard>,
    /// Of which what they held back is not kept. Unit: days of profiles.
    pub(crate) n_let_go: u64,
}

impl Engine {
    /// Learns from a mark, of an engine that notes changes; where the day of its finding is open, once it closes. What is
    /// said again of the same finding before then takes its place.
    pub fn hear(&mut self, marked: &Marked, kept: Look<'_>) -> Result<(), ResumeError> {
        if marked.day < self.oldest_open {
            return self.learn_from(marked, self.oldest_open, kept);
        }
        self.hearing.waiting.entry(marked.day).or_default().insert(marked.id, marked.mark);
        Ok(())
    }

    /// What was learned from since this was last asked. It is to be kept together with what has changed.
    pub fn take_heard(&mut self) -> Vec<Heard> {
        std::mem::take(&mut self.hearing.heard)
    }

    /// Keeps what profiles were not taught of a day that closes.
    pub(crate) fn withhold(&mut self, mut withheld: Vec<Withheld>) {
        self.hearing.n_let_go += withheld.len().saturating_sub(WITHHELD_MAX) as u64;
        withheld.sort_by_key(|one| one.id);
        withheld.truncate(WITHHELD_MAX);
        self.changes.withheld.extend(withheld.into_iter().map(|one| (one.key(), Some(one))));
    }

    /// Learns from what was said of the findings of a day while it was open.
    pub(crate) fn learn_at_close(
        &mut self,
        day: Day,
        findings: &[Finding],
    ) -> Result<(), ShelfError> {
        let Some(marks) = self.hearing.waiting.remove(&day) else { return Ok(()) };
        for finding in findings {
            let Some(&mark) = marks.get(&finding.id) else { continue };
            let Finding { id, entity, news, .. } = finding.clone();
            let marked = Marked { id, entity, day, news, mark };
            // What is held back of this day is not kept yet.
            self.learn_from(&marked, day, &mut |_| Ok(None)).map_err(ShelfError::new)?;
        }
        Ok(())
    }

    fn learn_from(
        &mut self,
        marked: &Marked,
        first: Day,
        kept: Look<'_>,
    ) -> Result<(), ResumeError> {
        let Marked { id: finding, entity, day, mark, .. } = marked;
        let on = mark.day.max(first);
        let said = Marked { mark: Mark { day: on, ..*mark }, ..marked.clone() };
        let lessons = Lessons::of(&[said], &self.context.options.hash_key);
        let id = entity.id();
        let beside = self.shards.iter().flat_map(|shard| shard.profiles.ids_beside(id));
        let mut ids: BTreeSet<u128> = beside.collect();
        ids.extend(self.shelved.ask(|shelf| shelf.between(ids_beside(id)))?);
        self.bring(&ids)?;
        for id in ids {
            let benign = (mark.nature == Nature::Benign).then_some(on);
            let made_good = self.settle((id, *day), (*finding, benign), kept)?;
            let Some(shard) = self.shards.get_mut(shard_of(id)) else { continue };
            let heard = shard.profiles.with(id, |_, profile| {
                profile.hear(lessons.on(entity.id()));
                profile.hear(made_good.as_ref());
            });
            if heard.is_some() {
                self.changes.profiles.insert(id);
            }
        }
        self.hearing.heard.push(Heard { id: *finding, mark: *mark, on });
        Ok(self.make_room()?)
    }

    /// Notes of a day of a profile since when a finding is benign, and answers what it held back if all of them are.
    fn settle(
        &mut self,
        (id, day): (u128, Day),
        (finding, benign): (FindingId, Option<Day>),
        kept: Look<'_>,
    ) -> Result<Option<BTreeMap<Day, ClosedDay>>, ResumeError> {
        let key = key(id, day);
        let withheld = if let Some(changed) = self.changes.withheld.get(&key) {
            changed.clone()
        } else {
            let hash_key = &self.context.options.hash_key;
            kept(key)?.map(|blob| Withheld::read(&blob, hash_key)).transpose()?
        };
        let Some(mut withheld) = withheld else { return Ok(None) };
        let Some(said) = withheld.findings.get_mut(&finding.0) else { return Ok(None) };
        *said = benign;
        let since = withheld.plain_from();
        let made_good = since.map(|since| BTreeMap::from([(since, withheld.taught.clone())]));
        self.changes.withheld.insert(key, since.is_none().then_some(withheld));
        Ok(made_good)
    }

    /// Nobody can be told any more of days that have closed.
    pub(crate) fn forget_marks(&mut self) {
        self.hearing.waiting = self.hearing.waiting.split_off(&self.oldest_open);
    }
}

/// Looks whether a blob is what was written.
pub(crate) fn check(blob: &Blob, hash_key: &HashKey) -> Result<(), FormError> {
    Withheld::read(blob, hash_key).map(drop)
}

#[cfg(test)]
mod tests;
