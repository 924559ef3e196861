//! The profile of one entity: base, day deltas, hours. And the priors of a group.

use crate::{
    aggregate::{Aggregate, Entry},
    dimension::Dimension,
    generation::Generation,
    hour::Hours,
    memory::{Rate, Seen, Weight, days, decayed},
    time::{Day, Hour, Lateness, SLOTS, Slot},
    value::Value,
};
use std::collections::BTreeMap;

/// What one day teaches. Merging is commutative.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DayDelta(BTreeMap<Dimension, Taught>);

/// Values in order: mostly few.
#[derive(Debug, Clone, Default, PartialEq)]
struct Taught {
    /// Values that the day's generation knew, which are as many as it knows at most.
    known: Vec<Value>,
    /// Those that it did not know: the smallest by hash.
    news: Vec<Value>,
}

impl DayDelta {
    /// New values that a day learns, per dimension. Unit: values.
    pub const NEWS_MAX: usize = 64;

    fn note(&mut self, dimension: Dimension, value: &Value, is_known: bool) {
        let taught = self.0.entry(dimension).or_default();
        let (values, n_max) = if is_known {
            (&mut taught.known, usize::MAX)
        } else {
            (&mut taught.news, Self::NEWS_MAX)
        };
        if let Err(at) = values.binary_search(value)
            && at < n_max
        {
            values.insert(at, value.clone());
            values.truncate(n_max);
        }
    }
}

/// A closed day, weighed: what a base takes in, of one entity or of a group of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClosedDay {
    dimensions: BTreeMap<Dimension, Closed>,
    /// Weighed number of hours that held anything.
    n_hours: u64,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Closed {
    /// Number of members that had the value, by weight of their day. Unit: members.
    values: BTreeMap<Value, [u32; 2]>,
    /// Weighed sums of the hours.
    rate: Rate,
}

impl ClosedDay {
    /// Adds what other members were taught on the same day.
    pub fn merge(&mut self, other: &Self) {
        if self.dimensions.is_empty() && self.n_hours == 0 {
            // Mostly there is nothing to add to, and a copy is made faster than a sum.
            self.clone_from(other);
            return;
        }
        self.n_hours = self.n_hours.saturating_add(other.n_hours);
        for (&dimension, closed) in &other.dimensions {
            let ours = self.dimensions.entry(dimension).or_default();
            ours.rate.add(&closed.rate);
            for (value, n_members) in &closed.values {
                let sum = ours.values.entry(value.clone()).or_default();
                sum.iter_mut().zip(n_members).for_each(|(sum, n)| *sum = sum.saturating_add(*n));
            }
        }
    }
}

/// What the days up to `through` have taught.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Learned {
    through: Day,
    n_days: u32,
    /// Decayed number of hours that held anything, in the scale of rates.
    n_hours: u64,
    memories: BTreeMap<Dimension, (Seen, Rate)>,
}

impl Learned {
    /// Days with records. Unit: days.
    pub(crate) fn n_days(&self) -> u32 {
        self.n_days
    }

    /// Hours that held anything. Unit: decayed hours.
    pub(crate) fn n_hours(&self) -> f64 {
        days(self.n_hours)
    }

    pub(crate) fn seen(&self, dimension: Dimension) -> Option<&Seen> {
        self.memories.get(&dimension).map(|(seen, _)| seen)
    }

    pub(crate) fn knows(&self, dimension: Dimension, value: &Value) -> bool {
        self.seen(dimension).is_some_and(|seen| Seen::is_known(seen.weight(value)))
    }

    pub(crate) fn rate(&self, dimension: Dimension) -> Rate {
        self.memories.get(&dimension).map(|(_, rate)| *rate).unwrap_or_default()
    }

    fn learn(&mut self, day: &ClosedDay) {
        self.n_days += 1;
        self.n_hours = self.n_hours.saturating_add(day.n_hours);
        for (&dimension, closed) in &day.dimensions {
            let (seen, rate) = self.memories.entry(dimension).or_default();
            rate.add(&closed.rate);
            seen.learn(closed.values.iter().map(|(value, n_members)| (value, *n_members)));
        }
    }

    /// Lets the days to the end of `through` pass without records.
    fn pass(&mut self, through: Day) {
        let n_days = through.0.saturating_sub(self.through.0);
        if self.n_days > 0 {
            (0..n_days.min(FADED_AFTER)).for_each(|_| self.end_day());
        }
        self.through = self.through.max(through);
    }

    fn end_day(&mut self) {
        self.n_hours = decayed(self.n_hours);
        for (seen, rate) in self.memories.values_mut() {
            seen.end_day();
            rate.end_day();
        }
    }
}

/// A base, immutable for a day, and the closed days after it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    base: Learned,
    closed: BTreeMap<Day, ClosedDay>,
    ahead: Ahead,
}

/// Generations ahead of the base: the base with closed days, computed when first needed. Derived
/// from the rest, so it never makes two histories differ.
#[derive(Debug, Clone, Default)]
struct Ahead(BTreeMap<Day, Learned>);

impl PartialEq for Ahead {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Days without records after which decay changes nothing any more, whatever it began with. Unit:
/// days.
const FADED_AFTER: i32 = 2_000;

impl History {
    /// Adds what was taught on `day`.
    pub fn close(&mut self, day: Day, taught: &ClosedDay) {
        self.closed.entry(day).or_default().merge(taught);
        self.ahead.0.clear();
    }

    /// Moves the base on to the end of `through`.
    pub fn merge(&mut self, through: Day) {
        if self.base.through >= through {
            return;
        }
        let mut base = std::mem::take(&mut self.base);
        self.advance(&mut base, through);
        self.base = base;
        self.closed.retain(|day, _| *day > through);
        self.ahead.0.retain(|day, _| *day > through);
    }

    /// One day at a time: learning, decay, bounds. The only way a generation comes to be, so it
    /// cannot matter when a day is merged.
    fn advance(&self, learned: &mut Learned, through: Day) {
        let first = Day(learned.through.0.saturating_add(1));
        let taught = if first <= through { Some(self.closed.range(first..=through)) } else { None };
        for (day, taught) in taught.into_iter().flatten() {
            learned.pass(Day(day.0.saturating_sub(1)));
            learned.learn(taught);
            learned.end_day();
            learned.through = *day;
        }
        learned.pass(through);
    }

    /// Makes the generation through `through` ready to be read.
    pub fn prepare(&mut self, through: Day) {
        let is_empty = self.base.memories.is_empty() && self.closed.is_empty();
        if is_empty || self.base.through >= through || self.ahead.0.contains_key(&through) {
            return;
        }
        let mut learned = self.base.clone();
        self.advance(&mut learned, through);
        self.ahead.0.insert(through, learned);
    }

    /// What is known by the end of `through`, once it was prepared.
    pub(crate) fn at(&self, through: Day) -> &Learned {
        self.ahead.0.get(&through).unwrap_or(&self.base)
    }
}

/// What one entity does.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    history: History,
    open: BTreeMap<Day, DayDelta>,
    /// Of the open days, and of the hour before them, which their first span reaches into.
    hours: Hours,
    /// Records counted since the beginning.
    pub n_records: u64,
}

/// Stays are kept for one day longer than counts: travel looks back over a day.
const STAYS_KEPT_D: i32 = 1;

impl Profile {
    /// A profile of an entity met while `oldest_open` is the oldest day that learns.
    pub fn new(oldest_open: Day, lateness: Lateness) -> Self {
        let mut history = History::default();
        history.merge(lateness.learned_through(oldest_open));
        Self { history, open: BTreeMap::new(), hours: Hours::default(), n_records: 0 }
    }

    /// Counts what some records say of this entity; those of open days may come in any order.
    pub fn apply(&mut self, aggregate: &Aggregate, lateness: Lateness) {
        self.n_records = self.n_records.saturating_add(aggregate.n_records);
        let day_of = |entry: &Entry| entry.slot.hour().day();
        for entries in aggregate.entries.chunk_by(|a, b| day_of(a) == day_of(b)) {
            let Some(day) = entries.first().map(day_of) else { continue };
            let through = lateness.learned_through(day);
            self.history.prepare(through);
            let known = self.history.at(through);
            let delta = self.open.entry(day).or_default();
            for entry in entries {
                let value = entry.value.as_ref();
                let Some(value) = value.filter(|_| entry.dimension.learns_values()) else {
                    self.hours.add(entry, value);
                    continue;
                };
                let is_known = known.knows(entry.dimension, value);
                delta.note(entry.dimension, value, is_known);
                if !(is_known && entry.dimension.keeps_news_only()) {
                    self.hours.add(entry, Some(value));
                }
            }
        }
        for (slot, stay) in &aggregate.stays {
            self.hours.add_stay(*slot, stay);
            self.open.entry(slot.hour().day()).or_default();
        }
    }

    /// The hours to judge of the days from `first` to `last`: all that hold something, in order.
    pub fn touched(&self, first: Day, last: Day) -> Vec<Hour> {
        let last_hour = Hour(last.0.saturating_mul(24).saturating_add(23));
        self.hours.touched(Hour(first.0.saturating_mul(24)), last_hour)
    }

    /// What `day` is judged by; `prior` must have been prepared for it.
    pub fn generation<'a>(
        &'a mut self,
        day: Day,
        prior: &'a History,
        lateness: Lateness,
    ) -> (Generation<'a>, &'a Hours) {
        self.history.prepare(lateness.learned_through(day));
        let own = self.history.at(lateness.learned_through(day));
        (Generation::new(own, prior.at(lateness.prior_through(day))), &self.hours)
    }

    /// The first day before `oldest_open` that has not closed yet.
    pub fn closing(&self, oldest_open: Day) -> Option<Day> {
        self.open.range(..oldest_open).map(|(day, _)| *day).next()
    }

    /// Whether `day` holds something and has not closed yet.
    pub fn is_open(&self, day: Day) -> bool {
        self.open.contains_key(&day)
    }

    /// Makes `day` ready to be judged. Values that came before its generation was complete could not
    /// be told from known ones: those are left out now, as they would have been.
    pub fn settle(&mut self, day: Day, lateness: Lateness) {
        let through = lateness.learned_through(day);
        self.history.prepare(through);
        let known = self.history.at(through);
        self.hours.forget_known(day, |dimension, value| known.knows(dimension, value));
    }

    /// Closes `day`: its hours teach rates, its values are weighed. Returns what it taught.
    pub fn close(&mut self, day: Day, weight: Weight) -> ClosedDay {
        let n_hours = weight.scale(self.touched(day, day).len() as u64);
        let mut closed = ClosedDay { n_hours, ..ClosedDay::default() };
        for (dimension, rate) in self.rates(day) {
            closed.dimensions.entry(dimension).or_default().rate = rate.weighed(weight);
        }
        let member = if weight == Weight::PLAIN { [1, 0] } else { [0, 1] };
        for (dimension, taught) in self.open.remove(&day).unwrap_or_default().0 {
            let values = taught.known.into_iter().chain(taught.news);
            let values = values.map(|value| (value, member));
            closed.dimensions.entry(dimension).or_default().values.extend(values);
        }
        self.history.close(day, &closed);
        closed
    }

    /// After the days before `oldest_open` were closed: moves the base, forgets their hours.
    pub fn advance(&mut self, oldest_open: Day, lateness: Lateness) {
        self.history.merge(lateness.learned_through(oldest_open));
        let start = oldest_open.first_slot();
        let stays_from = Day(oldest_open.0.saturating_sub(STAYS_KEPT_D)).first_slot();
        self.hours.forget(Slot(start.0.saturating_sub(SLOTS)), stays_from);
    }

    /// What was judged of each hour of `day`, summed.
    fn rates(&self, day: Day) -> BTreeMap<Dimension, Rate> {
        let mut rates: BTreeMap<Dimension, Rate> = BTreeMap::new();
        let first = Hour(day.0.saturating_mul(24));
        let last = Hour(first.0.saturating_add(23));
        for (dimension, hour) in self.hours.touched_by(first, last) {
            let largest = self.hours.span(hour).largest(dimension);
            rates.entry(dimension).or_default().note(largest);
        }
        rates
    }
}

#[cfg(test)]
mod tests;
