//! The profile of one entity: base, day deltas, hours. And the priors of a group.

use crate::{
    aggregate::{Aggregate, Entry},
    dimension::Dimension,
    few::{self, Few},
    form,
    form::{Form, FormError, Reader, Writer},
    generation::{Generation, N_PRIORS},
    hour::Hours,
    lesson::Lesson,
    memory::{Rate, Seen, Weight, days, decayed},
    novel::{FirstRecord, Novel, Standing},
    pace::{Alerted, Drift, Pace},
    time::{Day, Hour, Lateness, SLOTS, Slot},
    value::Value,
};
use std::collections::{BTreeMap, BTreeSet};

/// What one day teaches. Merging is commutative.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DayDelta(Few<Dimension, Taught>);

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
            few::insert(values, at, value.clone());
            values.truncate(n_max);
        }
    }
}

/// A closed day, weighed: what a base takes in, of one entity or of a group of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClosedDay {
    dimensions: Few<Dimension, Closed>,
    /// Weighed number of hours that held anything.
    n_hours: u64,
    /// Those of days that were judged by a history: only they can say how many new values are usual.
    n_judged_hours: u64,
    /// Weighed number of days: of a group, of member days.
    n_days: u64,
    /// Whether it holds records, and not only what people said on it.
    has_records: bool,
    /// Whether somebody said that it, or an earlier one, was an intruder's.
    is_malicious: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Closed {
    /// Number of members that had the value, by weight of their day. Unit: members.
    values: BTreeMap<Value, [u32; 2]>,
    /// Weighed sums of the hours.
    rate: Rate,
    /// What people said on this day of values.
    said: BTreeMap<Value, Lesson>,
    /// The largest hour of an alerted day; 0 on others.
    alerted_most: u32,
}

impl ClosedDay {
    /// Adds what other members were taught on the same day.
    pub fn merge(&mut self, other: &Self) {
        if *self == Self::default() {
            // Mostly there is nothing to add to, and a copy is made faster than a sum.
            self.clone_from(other);
            return;
        }
        self.n_hours = self.n_hours.saturating_add(other.n_hours);
        self.n_judged_hours = self.n_judged_hours.saturating_add(other.n_judged_hours);
        self.n_days = self.n_days.saturating_add(other.n_days);
        self.has_records |= other.has_records;
        self.is_malicious |= other.is_malicious;
        for (&dimension, closed) in &other.dimensions {
            let ours = self.dimensions.entry(dimension).or_default();
            ours.rate.add(&closed.rate);
            ours.alerted_most = ours.alerted_most.max(closed.alerted_most);
            for (value, lesson) in &closed.said {
                ours.say(value, *lesson);
            }
            for (value, n_members) in &closed.values {
                let sum = ours.values.entry(value.clone()).or_default();
                sum.iter_mut().zip(n_members).for_each(|(sum, n)| *sum = sum.saturating_add(*n));
            }
        }
    }
}

impl ClosedDay {
    /// A day on which somebody said something of values, and nothing else.
    pub fn said(values: impl IntoIterator<Item = (Dimension, Value)>, lesson: Lesson) -> Self {
        let mut day = Self { is_malicious: lesson == Lesson::Unknown, ..Self::default() };
        for (dimension, value) in values {
            day.dimensions.entry(dimension).or_default().say(&value, lesson);
        }
        day
    }

    /// What an alerted day holds back, for the day on which somebody says that it was one like any other.
    #[must_use]
    pub fn held_back(&self) -> Self {
        let mut made_good = Self {
            n_hours: Weight::held_back(self.n_hours),
            n_judged_hours: Weight::held_back(self.n_judged_hours),
            n_days: Weight::held_back(self.n_days),
            ..Self::default()
        };
        for (&dimension, closed) in &self.dimensions {
            let ours = made_good.dimensions.entry(dimension).or_default();
            ours.rate = closed.rate.held_back();
            closed.values.keys().for_each(|value| ours.say(value, Lesson::Known));
        }
        made_good
    }
}

impl Closed {
    /// Of several lessons on one day the more cautious counts.
    fn say(&mut self, value: &Value, lesson: Lesson) {
        let said = self.said.entry(value.clone()).or_insert(lesson);
        *said = (*said).max(lesson);
    }
}

/// What the days up to `through` have taught.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Learned {
    through: Day,
    n_days: u32,
    /// Decayed number of hours that held anything, in the scale of rates.
    n_hours: u64,
    n_judged_hours: u64,
    n_decayed_days: u64,
    memories: Few<Dimension, Memory>,
    /// Values that no day teaches, since somebody said that an intruder brought them.
    barred: BTreeSet<(Dimension, Value)>,
    /// How the numbers of calls move.
    paces: Few<Dimension, Pace>,
    /// What alerted days brought, until somebody says that one was an intruder's.
    alerted: Few<Dimension, Alerted>,
}

/// What is known of one dimension.
#[derive(Debug, Clone, PartialEq)]
struct Memory {
    seen: Seen,
    rate: Rate,
    /// The first and the last day with any.
    days: (Day, Day),
}

impl Memory {
    /// Nothing yet, but that `day` is the first with any.
    fn since(day: Day) -> Self {
        Self { seen: Seen::default(), rate: Rate::default(), days: (day, day) }
    }
}

impl Learned {
    /// Values that no day teaches. Of more, those that were said last are learned as before. Unit:
    /// values.
    pub const BARRED_MAX: usize = 1_024;

    /// Days with records that make a history settled: three weeks of work, or most of a month. Unit: days.
    pub const SETTLED_D: u32 = 21;

    /// Days with records. Unit: days.
    pub(crate) fn n_days(&self) -> u32 {
        self.n_days
    }

    /// Hours that held anything. Unit: decayed hours.
    pub(crate) fn n_hours(&self) -> f64 {
        days(self.n_hours)
    }

    /// Those of days that were judged by a history. Unit: decayed hours.
    pub(crate) fn n_judged_hours(&self) -> f64 {
        days(self.n_judged_hours)
    }

    /// The last day that taught.
    pub(crate) fn through(&self) -> Day {
        self.through
    }

    /// What is remembered, in the order of dimensions.
    pub(crate) fn memories(&self) -> impl Iterator<Item = (Dimension, &Seen, &Rate)> {
        self.memories.iter().map(|(dimension, memory)| (*dimension, &memory.seen, &memory.rate))
    }

    /// How many new values an hour brings, of the hours of days that had a history: most bring none.
    pub(crate) fn news(&self, dimension: Dimension) -> Rate {
        self.rate(dimension).over(self.n_judged_hours)
    }

    /// Days with records, of a group those of all members. Unit: decayed days.
    pub(crate) fn n_decayed_days(&self) -> f64 {
        days(self.n_decayed_days)
    }

    pub(crate) fn seen(&self, dimension: Dimension) -> Option<&Seen> {
        self.memories.get(&dimension).map(|memory| &memory.seen)
    }

    pub(crate) fn knows(&self, dimension: Dimension, value: &Value) -> bool {
        self.seen(dimension).is_some_and(|seen| Seen::is_known(seen.weight(value)))
    }

    pub(crate) fn rate(&self, dimension: Dimension) -> Rate {
        self.memories.get(&dimension).map(|memory| memory.rate).unwrap_or_default()
    }

    /// The first and the last day that had any of `dimension`.
    pub(crate) fn days_of(&self, dimension: Dimension) -> Option<(Day, Day)> {
        self.memories.get(&dimension).map(|memory| memory.days)
    }

    /// What the rate of calls has come to, if it has grown and there is a history to tell.
    pub(crate) fn drift(&self, dimension: Dimension) -> Option<Drift> {
        let pace = self.paces.get(&dimension).filter(|_| self.n_days >= Self::SETTLED_D);
        pace.and_then(Pace::drift)
    }

    /// What alerted days have made usual, in 60 minutes; 0 for nothing.
    pub(crate) fn usual_after_alerts(&self, dimension: Dimension) -> u64 {
        self.alerted.get(&dimension).map_or(0, |alerted| alerted.usual())
    }

    fn is_barred(&self, dimension: Dimension, value: &Value) -> bool {
        is_among(&self.barred, dimension, value)
    }

    fn standing(&self, dimension: Dimension, value: &Value) -> Standing {
        match self.seen(dimension) {
            Some(seen) if Seen::is_known(seen.weight(value)) => {
                if seen.may_be_rare(value) {
                    Standing::Rare
                } else {
                    Standing::Usual
                }
            }
            _ => Standing::New,
        }
    }

    fn learn(&mut self, date: Day, day: &ClosedDay) {
        self.n_days = self.n_days.saturating_add(u32::from(day.has_records));
        self.n_hours = self.n_hours.saturating_add(day.n_hours);
        self.n_judged_hours = self.n_judged_hours.saturating_add(day.n_judged_hours);
        self.n_decayed_days = self.n_decayed_days.saturating_add(day.n_days);
        if day.is_malicious {
            self.alerted.clear();
        }
        let is_settled = self.n_days >= Self::SETTLED_D;
        for (&dimension, closed) in &day.dimensions {
            let memory = self.memories.entry(dimension).or_insert_with(|| Memory::since(date));
            memory.days.1 = date;
            memory.rate.learn(&closed.rate, is_settled);
            if dimension.is_calls() && day.has_records && closed.rate.sum() > 0 {
                self.paces.entry(dimension).or_default().learn(day.n_days, closed.rate.sum());
            }
            if closed.alerted_most > 0 {
                self.alerted.entry(dimension).or_default().learn(closed.alerted_most);
            }
            let barred = &self.barred;
            let values = closed.values.iter();
            let values = values.filter(|(value, _)| !is_among(barred, dimension, value));
            memory.seen.learn(values.map(|(value, n_members)| (value, *n_members)));
            for (value, lesson) in &closed.said {
                memory.seen.teach(value, *lesson);
                let barred = (dimension, value.clone());
                if *lesson == Lesson::Known {
                    self.barred.remove(&barred);
                } else if self.barred.len() < Self::BARRED_MAX {
                    self.barred.insert(barred);
                }
            }
        }
    }

    /// Lets the days to the end of `through` pass without records.
    fn pass(&mut self, through: Day) {
        let n_days = through.0.saturating_sub(self.through.0);
        if !self.memories.is_empty() || self.n_days > 0 {
            (0..n_days.min(FADED_AFTER)).for_each(|_| self.end_day());
        }
        self.through = self.through.max(through);
    }

    fn end_day(&mut self) {
        for sum in [&mut self.n_hours, &mut self.n_judged_hours, &mut self.n_decayed_days] {
            *sum = decayed(*sum);
        }
        for memory in self.memories.values_mut() {
            memory.seen.end_day();
            memory.rate.end_day();
        }
        self.paces.values_mut().for_each(Pace::end_day);
    }
}

/// Mostly there is none.
fn is_among(barred: &BTreeSet<(Dimension, Value)>, dimension: Dimension, value: &Value) -> bool {
    !barred.is_empty() && barred.contains(&(dimension, value.clone()))
}

/// A base, immutable for a day, and the closed days after it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    base: Learned,
    closed: Few<Day, ClosedDay>,
    ahead: Ahead,
}

/// Generations ahead of the base: the base with closed days, computed when first needed. Derived
/// from the rest, so it never makes two histories differ.
#[derive(Debug, Clone, Default)]
struct Ahead(Few<Day, Learned>);

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
            learned.learn(*day, taught);
            learned.end_day();
            learned.through = *day;
        }
        learned.pass(through);
    }

    /// Whether no day has taught anything.
    pub fn is_empty(&self) -> bool {
        self.base.memories.is_empty() && self.closed.is_empty()
    }

    /// Makes the generation through `through` ready to be read.
    pub fn prepare(&mut self, through: Day) {
        if self.is_empty() || self.base.through >= through || self.ahead.0.contains_key(&through) {
            return;
        }
        let mut learned = self.base.clone();
        self.advance(&mut learned, through);
        self.ahead.0.insert(through, learned);
    }

    /// Days with records up to `through`, whose generation may be older than the base no more.
    pub fn n_days(&self, through: Day) -> u32 {
        let closed = self.closed.range(..=through);
        let after = closed.filter(|(_, closed)| closed.has_records).count();
        self.base.n_days.saturating_add(u32::try_from(after).unwrap_or(u32::MAX))
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
    open: Few<Day, DayDelta>,
    /// Of the open days, and of the hour before them, which their first span reaches into.
    hours: Hours,
}

/// Stays are kept for one day longer than counts: travel looks back over a day.
const STAYS_KEPT_D: i32 = 1;

impl Profile {
    /// A profile of an entity met while `oldest_open` is the oldest day that learns.
    pub fn new(oldest_open: Day, lateness: Lateness) -> Self {
        Self::with_lessons(None, oldest_open, lateness)
    }

    /// The same of an entity of which somebody said something, on the days of `lessons`.
    pub fn with_lessons(
        lessons: Option<&BTreeMap<Day, ClosedDay>>,
        oldest_open: Day,
        lateness: Lateness,
    ) -> Self {
        let mut history = History::default();
        for (day, lesson) in lessons.into_iter().flatten() {
            history.close(*day, lesson);
        }
        history.merge(lateness.learned_through(oldest_open));
        Self { history, open: Few::default(), hours: Hours::default() }
    }

    /// Takes what somebody said of it on the days of `lessons`; of days that are learned already, on the
    /// first that is not.
    pub fn hear(&mut self, lessons: Option<&BTreeMap<Day, ClosedDay>>) {
        let first = Day(self.history.base.through.0.saturating_add(1));
        for (day, lesson) in lessons.into_iter().flatten() {
            self.history.close(first.max(*day), lesson);
        }
    }

    /// Counts what some records say of this entity; those of open days may come in any order. Of new
    /// values `first` is asked for the record, and `group_days` for the days that the generation of its
    /// kind rests on, for a day.
    pub fn apply(
        &mut self,
        aggregate: &Aggregate,
        (first, group_days): (&FirstRecord<'_>, &dyn Fn(Day) -> u32),
        (oldest_open, lateness): (Day, Lateness),
    ) {
        let day_of = |entry: &Entry| entry.slot.hour().day();
        for entries in aggregate.entries.chunk_by(|a, b| day_of(a) == day_of(b)) {
            let Some(day) = entries.first().map(day_of) else { continue };
            let through = lateness.learned_through(day);
            self.history.prepare(through);
            let known = self.history.at(through);
            // Before all of its days have closed a generation cannot tell what will be usual.
            let is_complete = through < oldest_open;
            let tells_news = aggregate.entity.kind.has_habits()
                && (!is_complete
                    || known.n_days() > 0
                    || group_days(lateness.prior_through(day)) >= Generation::ENOUGH_D);
            let delta = self.open.entry(day).or_default();
            for entry in entries {
                let value = entry.value.as_ref();
                let Some(value) = value.filter(|_| entry.dimension.learns_values()) else {
                    self.hours.add(entry, value);
                    if tells_news && entry.dimension.is_calls() {
                        self.hours.keep_first(entry, first);
                    }
                    continue;
                };
                let standing = known.standing(entry.dimension, value);
                delta.note(entry.dimension, value, standing != Standing::New);
                if !entry.dimension.counts_news() {
                    self.hours.add(entry, Some(value));
                } else if tells_news && (standing != Standing::Usual || !is_complete) {
                    self.hours.add_novel((entry, value), first, is_complete);
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

    /// What `day` is judged by; `priors` must have been prepared for it.
    pub fn generation<'a>(
        &'a mut self,
        day: Day,
        priors: [&'a History; N_PRIORS],
        lateness: Lateness,
    ) -> (Generation<'a>, &'a Hours) {
        self.history.prepare(lateness.learned_through(day));
        let own = self.history.at(lateness.learned_through(day));
        let priors = priors.map(|prior| prior.at(lateness.prior_through(day)));
        (Generation::new(own, priors), &self.hours)
    }

    /// The first day before `oldest_open` that has not closed yet.
    pub fn closing(&self, oldest_open: Day) -> Option<Day> {
        self.open.range(..oldest_open).map(|(day, _)| *day).next()
    }

    /// Whether `day` holds something and has not closed yet.
    pub fn is_open(&self, day: Day) -> bool {
        self.open.contains_key(&day)
    }

    /// Makes `day` ready to be judged: its generation is complete, and that of its kind rests on
    /// `group_days` days; nothing where the kind has no habits.
    pub fn settle(&mut self, day: Day, group_days: Option<u32>, lateness: Lateness) {
        let through = lateness.learned_through(day);
        self.history.prepare(through);
        let known = self.history.at(through);
        let tells_news =
            group_days.is_some_and(|days| known.n_days() > 0 || days >= Generation::ENOUGH_D);
        self.hours.settle(day, |dimension, value| {
            if tells_news { known.standing(dimension, value) } else { Standing::Usual }
        });
    }

    /// Closes `day`, which must be settled: its hours teach rates, its values are weighed. Returns what
    /// it taught.
    pub fn close(&mut self, day: Day, weight: Weight, lateness: Lateness) -> ClosedDay {
        let n_hours = weight.scale(self.touched(day, day).len() as u64);
        let own = self.history.at(lateness.learned_through(day));
        // All is new to whoever has no history.
        let is_judged = own.n_days() > 0;
        let mut closed = ClosedDay {
            n_hours,
            n_judged_hours: if is_judged { n_hours } else { 0 },
            n_days: weight.scale(1),
            has_records: true,
            ..ClosedDay::default()
        };
        let mut rates = self.rates(day);
        if is_judged {
            self.add_news(day, own, &mut rates);
        }
        for (dimension, rate) in rates {
            closed.dimensions.entry(dimension).or_default().rate = rate.weighed(weight);
        }
        if weight == Weight::ALERTED {
            for (dimension, largest) in self.largest(day) {
                let largest = u32::try_from(largest).unwrap_or(u32::MAX);
                let closed = closed.dimensions.entry(dimension).or_default();
                closed.alerted_most = closed.alerted_most.max(largest);
            }
        }
        let member = if weight == Weight::PLAIN { [1, 0] } else { [0, 1] };
        for (dimension, taught) in self.open.remove(&day).unwrap_or_default().0 {
            let values = taught.known.into_iter().chain(taught.news);
            let values = values.filter(|value| !own.is_barred(dimension, value));
            let values = values.map(|value| (value, member));
            closed.dimensions.entry(dimension).or_default().values.extend(values);
        }
        self.history.close(day, &closed);
        closed
    }

    /// What an alerted day that taught `taught` holds back counts from `since` on: somebody said on that
    /// day that it was one like any other.
    pub fn make_good(&mut self, since: Day, taught: &ClosedDay) {
        self.history.close(since, &taught.held_back());
    }

    /// After the days before `oldest_open` were closed: moves the base, forgets their hours.
    pub fn advance(&mut self, oldest_open: Day, lateness: Lateness) {
        self.history.merge(lateness.learned_through(oldest_open));
        let start = oldest_open.first_slot();
        let stays_from = Day(oldest_open.0.saturating_sub(STAYS_KEPT_D)).first_slot();
        self.hours.forget(Slot(start.0.saturating_sub(SLOTS)), stays_from);
    }

    /// Writes what the closed days left behind: `oldest_open` is the first day that is not closed. What
    /// open days hold is not written. Answers whether there is anything.
    pub fn write_closed(&self, oldest_open: Day, to: &mut Writer) -> bool {
        let hours = self.hours.before(oldest_open.first_slot());
        self.history.write(to);
        hours.write(to);
        !self.history.is_empty() || !hours.is_empty()
    }

    /// Reads what [`Self::write_closed`] wrote.
    pub fn read_closed(from: &mut Reader<'_>) -> Result<Self, FormError> {
        let (history, hours) = Form::read(from)?;
        Ok(Self { history, open: Few::default(), hours })
    }

    /// What was judged of each hour of `day`, summed.
    fn rates(&self, day: Day) -> BTreeMap<Dimension, Rate> {
        let mut rates: BTreeMap<Dimension, Rate> = BTreeMap::new();
        for (dimension, largest) in self.largest(day) {
            rates.entry(dimension).or_default().note(largest);
        }
        rates
    }

    /// The same, hour by hour.
    fn largest(&self, day: Day) -> impl Iterator<Item = (Dimension, u64)> {
        let first = Hour(day.0.saturating_mul(24));
        let last = Hour(first.0.saturating_add(23));
        let hours = self.hours.touched_by(first, last);
        hours.map(|(dimension, hour)| (dimension, self.hours.span(hour).largest(dimension)))
    }

    /// How many new values the hours of `day` held.
    fn add_news(&self, day: Day, own: &Learned, rates: &mut BTreeMap<Dimension, Rate>) {
        let first = Hour(day.0.saturating_mul(24));
        let last = Hour(first.0.saturating_add(23));
        for &dimension in Dimension::ALL {
            let Some(novel) = self.hours.novel(dimension) else { continue };
            let is_new = |novel: &Novel| novel.is_new && !own.knows(dimension, &novel.value);
            for hour in novel.touched(first, last) {
                let most = novel.windows(hour, is_new).map(|news| news.len()).max();
                if let Some(most) = most.filter(|most| *most > 0) {
                    rates.entry(dimension).or_default().note(most as u64);
                }
            }
        }
    }
}

form! {
    Closed { values, rate, alerted_most, said }
    ClosedDay { dimensions, n_hours, n_judged_hours, n_days, has_records, is_malicious }
    Learned {
        through, n_days, n_hours, n_judged_hours, n_decayed_days, memories, barred, paces, alerted
    }
    Memory { seen, rate, days }
}

impl Form for History {
    fn write(&self, to: &mut Writer) {
        let Self { base, closed, ahead: _ } = self;
        base.write(to);
        closed.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        let (base, closed) = Form::read(from)?;
        Ok(Self { base, closed, ahead: Ahead::default() })
    }
}

#[cfg(test)]
mod tests;
