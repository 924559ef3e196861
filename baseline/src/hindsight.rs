//! Hindsight, for an archive that is whole: a day is judged by all days but itself, those after it included.
//! Nothing decays and nothing is forgotten, since no day counts more than another.

use crate::{
    dimension::Dimension,
    history::ClosedDay,
    memory::{Rate, Weight},
    time::Day,
    value::Value,
};
use std::collections::BTreeMap;

/// What the days of one entity have taught, by day.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Days(BTreeMap<Day, ClosedDay>);

impl Days {
    /// Adds what was taught on `day`.
    pub fn add(&mut self, day: Day, taught: &ClosedDay) {
        self.0.entry(day).or_default().merge(taught);
    }

    /// The days, with what all of them say of each: as they came, everything was new at first. New to a day
    /// is what no other has. In which hours it came is not known any more, so it counts as of one.
    pub fn whole(mut self) -> BTreeMap<Day, ClosedDay> {
        let mut n_days: BTreeMap<(Dimension, Value), u32> = BTreeMap::new();
        for (dimension, value) in self.0.values().flat_map(values) {
            *n_days.entry((dimension, value.clone())).or_default() += 1;
        }
        for closed in self.0.values_mut() {
            let mut news: BTreeMap<Dimension, u64> = BTreeMap::new();
            for (dimension, value) in values(closed) {
                if n_days.get(&(dimension, value.clone())) == Some(&1) {
                    *news.entry(dimension).or_default() += 1;
                }
            }
            let is_plain = closed.n_days >= Weight::PLAIN.scale(1);
            let weight = if is_plain { Weight::PLAIN } else { Weight::ALERTED };
            closed.n_judged_hours = closed.n_hours;
            for (dimension, of_day) in closed.dimensions.iter_mut() {
                if !dimension.counts_news() {
                    continue;
                }
                let mut rate = Rate::default();
                news.get(dimension).iter().for_each(|n| rate.note(**n));
                of_day.rate = rate.weighed(weight);
            }
        }
        self.0
    }
}

fn values(closed: &ClosedDay) -> impl Iterator<Item = (Dimension, &Value)> {
    let of_news = closed.dimensions.iter().filter(|(dimension, _)| dimension.counts_news());
    of_news
        .flat_map(|(dimension, closed)| closed.values.iter().map(|(value, _)| (*dimension, value)))
}

#[cfg(test)]
mod tests;
