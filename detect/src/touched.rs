//! Judging on the way: what would be said of open days if they closed now. Only those are judged whom records
//! touched since; nothing changes by it but what is noted of them.

use crate::{
    Finding,
    engine::{Engine, ForShard},
    priors::Group,
    shard::{Known, Occurrence, Shard},
    watch::Sighting,
};
use baseline::{Day, Hour, Slot};
use rayon::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
};

/// Whom records touched since their open days were last judged, in one shard.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    profiles: BTreeMap<Hour, BTreeSet<u128>>,
    /// By watch and id.
    matches: BTreeMap<Day, BTreeSet<(u32, u128)>>,
}

/// What detectors said of open hours, by id: what comes later says nothing of an hour.
pub(crate) type Told = BTreeMap<(u128, Hour), Vec<Occurrence>>;

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

    /// All that is open in a shard.
    fn all(shard: &Shard) -> Self {
        let mut all = Self::default();
        let visited = shard.profiles.visit(&mut |id, _, profile| {
            for day in profile.open_days() {
                all.profiles.entry(day.first_slot().hour()).or_default().insert(id);
            }
            Ok::<_, Infallible>(())
        });
        let Ok(()) = visited;
        for (day, watch_and_id) in shard.matches.open_groups() {
            all.matches.entry(day).or_default().insert(watch_and_id);
        }
        all
    }

    /// Takes out what is noted of days that may be judged: of others it stays until they may.
    fn take(&mut self, may_be_judged: impl Fn(Day) -> bool) -> Self {
        let profiles = self.profiles.extract_if(.., |hour, _| may_be_judged(hour.day()));
        let matches = self.matches.extract_if(.., |day, _| may_be_judged(*day));
        Self { profiles: profiles.collect(), matches: matches.collect() }
    }

    /// Whose profiles were touched, with the first hour in which they were: spans and places of all that come
    /// after may reach back to it.
    pub(crate) fn profiles(&self) -> BTreeMap<u128, Hour> {
        let mut profiles = BTreeMap::new();
        for (hour, ids) in &self.profiles {
            for id in ids {
                profiles.entry(*id).or_insert(*hour);
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
    /// Notes from now on whom records touch, for [`Self::judge_open`]; who has open days already, as after
    /// [`Self::resume`], counts as touched.
    pub fn note_touched(&mut self) {
        let all = |shard| (Touched::all(shard), Told::default());
        self.touched = Some(self.shards.iter().map(all).collect());
    }

    /// Judges the open days of those whom records touched since this was last asked, as if these days closed
    /// now: their findings, in order of day, time and id, and under the ids that the close gives. Whoever
    /// keeps them puts each in the place of the one of its id, and, when days close, [`Self::take_findings`]
    /// in the place of all that he keeps of days before [`Self::oldest_open`]. Days whose generation is not
    /// complete yet are left until it is.
    pub fn judge_open(&mut self) -> Vec<Finding> {
        let (lateness, oldest_open) = (self.context.options.lateness, self.oldest_open);
        let is_complete = |day| lateness.is_complete(day, oldest_open);
        let Some(mut noted) = self.touched.take() else { return Vec::new() };
        let touched: Vec<_> =
            noted.iter_mut().map(|(touched, _)| touched.take(is_complete)).collect();
        self.prepare_open(&touched);
        let context = &self.context;
        let known = Known { priors: &self.priors, heights: &self.heights };
        let shards = self.shards.par_iter_mut().zip(&touched).zip(&mut noted);
        let judged: Vec<_> = shards
            .map(|((shard, touched), (_, told))| {
                told.retain(|(_, hour), _| hour.day() >= oldest_open);
                shard.judge_open((touched, told), oldest_open, (context, known))
            })
            .collect();
        self.touched = Some(noted);
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
        let days = (0..lateness.lags().0).map(|n| Day(oldest_open.0.saturating_add(n)));
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
            for group in &groups {
                self.priors.prepare_for(group.clone(), through);
            }
        }
    }
}

#[cfg(test)]
mod tests;
