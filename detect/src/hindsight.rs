//! The second pass over an archive: the same records, judged by all that the first has learned of other days.

use crate::{
    engine::Engine,
    priors::{Group, Priors},
    shard::Shard,
};
use baseline::{Day, Gathered, History, Hour, Profile};
use std::{collections::BTreeMap, num::NonZeroU32};

impl Engine {
    /// Learns only, and keeps what each day teaches for itself, for [`Self::in_hindsight`].
    pub fn learn_for_hindsight(&mut self) {
        self.say_nothing_before(Hour(i32::MAX));
        self.context.remembers_days = true;
    }

    /// An engine that has learned all days that this one has closed, and judges each by all others. No budget
    /// asks anything there: nobody waits for alerts.
    #[must_use]
    pub fn in_hindsight(self) -> Self {
        let Self { context, shards, .. } = self;
        let mut options = context.options;
        options.alerts_per_day = NonZeroU32::MAX;
        let (lag, prior_lag) = options.lateness.lags();
        let mut engine = Self::new(options, context.enrich);
        let mut taught: BTreeMap<Day, BTreeMap<Group, Gathered>> = BTreeMap::new();
        for (old, new) in shards.into_iter().zip(&mut engine.shards) {
            let Shard { profiles, mut days, .. } = old;
            for (id, entity) in profiles.ids() {
                let days = days.remove(&id).unwrap_or_default().whole();
                for (day, closed) in &days {
                    let of_day = taught.entry(*day).or_default();
                    of_day.entry(Group::of(entity)).or_default().add(closed.clone());
                }
                let profile = Profile::in_hindsight(History::in_hindsight(days, lag));
                new.profiles.insert(id, entity.clone(), &profile);
            }
        }
        engine.priors = Priors::in_hindsight(taught, prior_lag);
        engine
    }
}

#[cfg(test)]
mod tests;
