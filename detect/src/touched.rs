//! Judging on the way: what would be said of open days if they closed now. Only those are judged whom records
//! touched since; nothing changes by it but what is noted of them.

use crate::{
    Finding,
    engine::{Engine, ForShard},
    priors::Group,
    shard::{Known, Occurrence},
    watch::Sighting,
};
use baseline::{Day, Entry};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Whom records touched since their open days were last judged, in one shard.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    profiles: BTreeMap<Day, BTreeSet<u128>>,
    /// By watch and id.
    matches: BTreeMap<Day, BTreeSet<(u32, u128)>>,
}

impl Touched {
    /// Notes whom what goes to the shard touches.
    pub(crate) fn note(&mut self, (aggregates, sightings): &ForShard<'_>) {
        for (aggregate, _) in aggregates {
            let day_of = |entry: &Entry| entry.slot.hour().day();
            for entries in aggregate.entries.chunk_by(|a, b| day_of(a) == day_of(b)) {
                entries
                    .first()
                    .map(day_of)
                    .into_iter()
                    .for_each(|day| self.note_profile(day, aggregate.id));
            }
            for (slot, _) in &aggregate.stays {
                self.note_profile(slot.hour().day(), aggregate.id);
            }
        }
        for Sighting { id, slot, found, .. } in sightings {
            self.note_match(slot.hour().day(), (found.watch, *id));
        }
    }

    pub(crate) fn note_profile(&mut self, day: Day, id: u128) {
        self.profiles.entry(day).or_default().insert(id);
    }

    pub(crate) fn note_match(&mut self, day: Day, watch_and_id: (u32, u128)) {
        self.matches.entry(day).or_default().insert(watch_and_id);
    }

    /// Takes out what is noted of days that may be judged: of others it stays until they may.
    fn take(&mut self, may_be_judged: impl Fn(Day) -> bool + Copy) -> Self {
        Self {
            profiles: self.profiles.extract_if(.., |day, _| may_be_judged(*day)).collect(),
            matches: self.matches.extract_if(.., |day, _| may_be_judged(*day)).collect(),
        }
    }

    /// Whose profiles were touched, with the first day on which they were: spans and places of the days after
    /// reach back to it.
    pub(crate) fn profiles(&self) -> BTreeMap<u128, Day> {
        let mut profiles = BTreeMap::new();
        for (day, ids) in &self.profiles {
            for id in ids {
                profiles.entry(*id).or_insert(*day);
            }
        }
        profiles
    }

    /// Which watches have new matches of whom, that windows which end on `day` may reach back to.
    pub(crate) fn matches_until(&self, day: Day) -> BTreeSet<(u32, u128)> {
        self.matches.range(..=day).flat_map(|(_, all)| all).copied().collect()
    }
}

impl Engine {
    /// Notes from now on whom records touch, for [`Self::judge_open`].
    pub fn note_touched(&mut self) {
        let new = || self.shards.iter().map(|_| Touched::default()).collect();
        self.touched.get_or_insert_with(new);
    }

    /// Judges the open days of those whom records touched since this was last asked, as if these days closed
    /// now: their findings, in order of day, time and id, and under the ids that the close gives. Whoever
    /// keeps them puts each in the place of the one of its id, and, when days close, [`Self::take_findings`]
    /// in the place of all that he keeps of days before [`Self::oldest_open`]. Days whose generation is not
    /// complete yet are left until it is. An engine that goes on judges all open days once.
    pub fn judge_open(&mut self) -> Vec<Finding> {
        let (lateness, oldest_open) = (self.context.options.lateness, self.oldest_open);
        let is_complete = |day| lateness.is_complete(day, oldest_open);
        let touched = self.touched.iter_mut().flatten();
        let touched: Vec<Touched> = touched.map(|touched| touched.take(is_complete)).collect();
        self.prepare_open(&touched);
        let context = &self.context;
        let known = Known { priors: &self.priors, heights: &self.heights };
        let judged: Vec<_> = self
            .shards
            .par_iter_mut()
            .zip(&touched)
            .map(|(shard, touched)| shard.judge_open(touched, oldest_open, (context, known)))
            .collect();
        let mut occurrences: BTreeMap<Day, Vec<Occurrence>> = BTreeMap::new();
        for (day, found) in judged.into_iter().flatten() {
            occurrences.entry(day).or_default().extend(found);
        }
        let found = occurrences.into_iter();
        found.flat_map(|(day, occurrences)| self.found(day, occurrences)).collect()
    }

    /// Makes ready what complete open days of those who were touched are judged by.
    fn prepare_open(&mut self, touched: &[Touched]) {
        let (lateness, oldest_open) = (self.context.options.lateness, self.oldest_open);
        let mut days = vec![oldest_open];
        while let Some(Day(last)) = days.last().copied()
            && lateness.is_complete(Day(last.saturating_add(1)), oldest_open)
        {
            days.push(Day(last.saturating_add(1)));
        }
        let mut groups = BTreeSet::new();
        for (shard, touched) in self.shards.iter().zip(touched) {
            let of_matches = touched.matches.values().flatten().map(|(_, id)| *id);
            let ids = touched.profiles.values().flatten().copied().chain(of_matches);
            let entities = ids.filter_map(|id| shard.profiles.entity(id));
            groups.extend(entities.map(Group::of));
        }
        for day in days {
            let through = lateness.prior_through(day);
            self.heights.prepare(through);
            groups.iter().for_each(|group| self.priors.prepare_for(group.clone(), through));
        }
    }
}

#[cfg(test)]
mod tests;
