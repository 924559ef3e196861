//! Judging on the way: what would be said of open days if they closed now. Only those are judged whom records
//! touched since; nothing changes by it but what is noted of them.

use crate::{
    Finding,
    engine::{Engine, ForShard, SHARDS, shard_of},
    priors::Group,
    shard::{Known, Occurrence, OfDays},
    shelf::ShelfError,
    watch::Sighting,
};
use baseline::{Day, Hour, Slot};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Whom records touched since their open days were last judged, in one shard.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    profiles: BTreeMap<Hour, BTreeSet<u128>>,
    /// By watch and id.
    matches: BTreeMap<Day, BTreeSet<(u32, u128)>>,
}

/// What detectors said of open hours, by id: what comes later says nothing of an hour.
pub(crate) type Told = BTreeMap<(u128, Hour), Vec<Occurrence>>;

/// The same of every shard, where open days are judged.
pub(crate) type Noted = Option<Vec<(Touched, Told)>>;

impl Touched {
    /// Notes whom what goes to the shard touches.
    pub(crate) fn note(&mut self, (aggregates, sightings): &ForShard<'_>) {
        for (aggregate, _) in aggregates {
            let slots = aggregate.entries.iter().map(|entry| entry.slot);
            let slots = slots.chain(aggregate.stays.iter().map(|(slot, _)| *slot));
            let mut last = None;
            for hour in slots.map(Slot::hour).filter(|hour| last.replace(*hour) != Some(*hour)) {
                self.profiles.entry(hour).or_default().insert(aggregate.id);
            }
        }
        for Sighting { id, slot, found, .. } in sightings {
            self.matches.entry(slot.hour().day()).or_default().insert((found.watch, *id));
        }
    }

    /// Notes that of somebody these days are open already.
    pub(crate) fn note_open(&mut self, id: u128, days: impl Iterator<Item = Day>) {
        for day in days {
            self.note_hour(id, day.first_slot().hour());
        }
    }

    /// Notes that what is said of an hour of somebody may be another now.
    pub(crate) fn note_hour(&mut self, id: u128, hour: Hour) {
        self.profiles.entry(hour).or_default().insert(id);
    }

    /// Notes that a watch has matches of somebody on an open day already.
    pub(crate) fn note_matched(&mut self, day: Day, watch_and_id: (u32, u128)) {
        self.matches.entry(day).or_default().insert(watch_and_id);
    }

    /// Forgets which watches have matches of whom: they have other numbers.
    pub(crate) fn forget_matches(&mut self) {
        self.matches.clear();
    }

    /// Takes out what is noted of days that may be judged: of others it stays until they may.
    fn take(&mut self, may_be_judged: impl Fn(Day) -> bool) -> Self {
        let profiles = self.profiles.extract_if(.., |hour, _| may_be_judged(hour.day()));
        let matches = self.matches.extract_if(.., |day, _| may_be_judged(*day));
        Self { profiles: profiles.collect(), matches: matches.collect() }
    }

    /// Whose profiles were touched, with the first hour in which they were: spans and places of all that come
    /// after may reach back to it.
    fn profiles(&self) -> Vec<(u128, Hour)> {
        let mut profiles = BTreeMap::new();
        for (hour, ids) in &self.profiles {
            for id in ids {
                profiles.entry(*id).or_insert(*hour);
            }
        }
        profiles.into_iter().collect()
    }

    /// Which watches have new matches of whom, that windows which end on `day` may reach back to.
    pub(crate) fn matches_until(&self, day: Day) -> BTreeSet<(u32, u128)> {
        self.matches.range(..=day).flat_map(|(_, all)| all).copied().collect()
    }
}

impl Engine {
    /// Notes from now on whom records touch, for [`Self::judge_open`]. Whoever has open days when
    /// [`Self::resume`] takes him back counts as touched, so this comes before.
    pub fn note_touched(&mut self) {
        let nobody = || (Touched::default(), Told::default());
        self.touched = Some(self.shards.iter().map(|_| nobody()).collect());
    }

    /// Judges the open days of those whom records touched since this was last asked, as if these days closed
    /// now: their findings, in order of day, time and id, and under the ids that the close gives. Whoever
    /// keeps them puts each in the place of the one of its id, and, when days close, [`Self::take_findings`]
    /// in the place of all that he keeps of days before [`Self::oldest_open`]. Days whose generation is not
    /// complete yet are left until it is.
    pub fn judge_open(&mut self) -> Result<Vec<Finding>, ShelfError> {
        let (lateness, oldest_open) = (self.context.options.lateness, self.oldest_open);
        let is_complete = |day| lateness.is_complete(day, oldest_open);
        let Some(mut noted) = self.touched.take() else { return Ok(Vec::new()) };
        let touched: Vec<_> =
            noted.iter_mut().map(|(touched, _)| touched.take(is_complete)).collect();
        let mut occurrences = self.judge_open_matches(&touched)?;
        let profiles: Vec<_> = touched.iter().map(Touched::profiles).collect();
        // What was told of hours that are judged anew is not part of what is found now.
        for ((_, told), profiles) in noted.iter_mut().zip(&profiles) {
            for &(id, from) in profiles {
                told.extract_if((id, from)..=(id, Hour(i32::MAX)), |_, _| true).for_each(drop);
            }
        }
        let n_each = (self.profiles_at_once / SHARDS).max(1);
        let n_rounds = profiles.iter().map(|ids| ids.chunks(n_each).len()).max();
        for round in 0..n_rounds.unwrap_or(0) {
            let of_round = |ids: &'_ Vec<_>| -> Vec<(u128, Hour)> {
                ids.chunks(n_each).nth(round).unwrap_or_default().to_vec()
            };
            let profiles: Vec<_> = profiles.iter().map(of_round).collect();
            self.prepare_open(&profiles.iter().flatten().map(|(id, _)| *id).collect())?;
            let Self { shards, context, priors, heights, facts, .. } = &mut *self;
            let known = Known { priors, heights, facts };
            let shards = shards.par_iter_mut().zip(&profiles).zip(&mut noted);
            let judged = shards.map(|((shard, touched), (_, told))| {
                told.retain(|(_, hour), _| hour.day() >= oldest_open);
                shard.judge_open((touched, told), oldest_open, (context, known))
            });
            occurrences.extend(judged.collect::<Vec<_>>());
            self.make_room()?;
        }
        self.touched = Some(noted);
        let mut by_day = OfDays::new();
        for (day, found) in occurrences.into_iter().flatten() {
            by_day.entry(day).or_default().extend(found);
        }
        let found = by_day.into_iter();
        Ok(found.flat_map(|(day, occurrences)| self.found(day, occurrences)).collect())
    }

    fn judge_open_matches(&mut self, touched: &[Touched]) -> Result<Vec<OfDays>, ShelfError> {
        let shards = self.shards.iter().zip(touched);
        let asked: Vec<_> = shards.map(|(shard, touched)| shard.matched_beside(touched)).collect();
        let mut occurrences = Vec::with_capacity(SHARDS);
        for turn in self.turns(&asked) {
            let ids = asked.get(turn.clone()).unwrap_or_default();
            self.prepare_open(&ids.iter().flatten().copied().collect())?;
            let Self { shards, context, priors, heights, facts, oldest_open, .. } = &mut *self;
            let known = Known { priors, heights, facts };
            let shards = shards.get_mut(turn.clone()).unwrap_or_default().par_iter_mut();
            let shards = shards.zip(touched.get(turn).unwrap_or_default());
            let judged = shards.map(|(shard, touched)| {
                shard.judge_open_matches(touched, *oldest_open, (context, known))
            });
            occurrences.extend(judged.collect::<Vec<_>>());
            self.make_room()?;
        }
        Ok(occurrences)
    }

    /// Makes ready what complete open days of those with these ids are judged by.
    fn prepare_open(&mut self, ids: &BTreeSet<u128>) -> Result<(), ShelfError> {
        self.bring(ids)?;
        let is_heir = |id: &u128| {
            self.shards.get(shard_of(*id)).is_some_and(|shard| shard.profiles.is_heir(*id))
        };
        let heirs: Vec<u128> = ids.iter().copied().filter(is_heir).collect();
        self.bring_beside(&heirs)?;
        let (lateness, oldest_open) = (self.context.options.lateness, self.oldest_open);
        let days = (0..lateness.lags().0).map(|n| Day(oldest_open.0.saturating_add(n)));
        let entity = |id: &u128| self.shards.get(shard_of(*id))?.profiles.entity(*id);
        let groups: BTreeSet<Group> = ids.iter().filter_map(entity).map(Group::of).collect();
        for day in days {
            let through = lateness.prior_through(day);
            self.heights.prepare(through);
            for group in &groups {
                self.priors.prepare_for(group.clone(), through);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
