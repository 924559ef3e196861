//! What closed days have taught, of one entity or of a group: a base, and the days after it.

use crate::{
    ablation::{Piece, lacks},
    dimension::Dimension,
    few::Few,
    form,
    form::{Form, FormError, Reader, Writer},
    lesson::Lesson,
    memory::{Rate, Seen, Weight, days, decayed},
    novel::Standing,
    pace::{Alerted, Drift, Pace},
    time::Day,
    value::Value,
};
use std::collections::{BTreeMap, BTreeSet};

/// A closed day, weighed: what a base takes in, of one entity or of a group of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClosedDay {
    pub(crate) dimensions: Few<Dimension, Closed>,
    /// Weighed number of hours that held anything.
    pub(crate) n_hours: u64,
    /// Those of days that were judged by a history: only they can say how many new values are usual.
    pub(crate) n_judged_hours: u64,
    /// Weighed number of days: of a group, of member days.
    pub(crate) n_days: u64,
    /// Whether it holds records, and not only what people said on it.
    pub(crate) has_records: bool,
    /// Whether somebody said that it, or an earlier one, was an intruder's.
    pub(crate) is_malicious: bool,
}

/// How many members had a value, on plain days and on alerted ones.
type Members = [u32; 2];

fn add_members(sum: &mut Members, more: Members) {
    sum.iter_mut().zip(more).for_each(|(sum, n)| *sum = sum.saturating_add(n));
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Closed {
    /// Number of members that had the value, by weight of their day. Unit: members.
    pub(crate) values: Few<Value, Members>,
    /// Weighed sums of the hours.
    pub(crate) rate: Rate,
    /// What people said on this day of values.
    said: BTreeMap<Value, Lesson>,
    /// The largest hour of an alerted day; 0 on others.
    pub(crate) alerted_most: u32,
}

impl ClosedDay {
    /// Adds what other members were taught on the same day.
    pub fn merge(&mut self, other: &Self) {
        if *self == Self::default() {
            // Mostly there is nothing to add to, and a copy is made faster than a sum.
            self.clone_from(other);
            return;
        }
        self.add_sums(other);
        for (&dimension, closed) in &other.dimensions {
            let ours = self.dimensions.entry(dimension).or_default();
            ours.add_sums(closed);
            let values = closed.values.iter().map(|(value, members)| (value.clone(), *members));
            ours.values.absorb(values, add_members);
        }
    }

    /// What is no dimension's.
    fn add_sums(&mut self, other: &Self) {
        self.n_hours = self.n_hours.saturating_add(other.n_hours);
        self.n_judged_hours = self.n_judged_hours.saturating_add(other.n_judged_hours);
        self.n_days = self.n_days.saturating_add(other.n_days);
        self.has_records |= other.has_records;
        self.is_malicious |= other.is_malicious;
    }

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
    /// All but the values.
    fn add_sums(&mut self, other: &Self) {
        self.rate.add(&other.rate);
        self.alerted_most = self.alerted_most.max(other.alerted_most);
        other.said.iter().for_each(|(value, lesson)| self.say(value, *lesson));
    }

    /// Of several lessons on one day the more cautious counts.
    fn say(&mut self, value: &Value, lesson: Lesson) {
        let said = self.said.entry(value.clone()).or_insert(lesson);
        *said = (*said).max(lesson);
    }
}

/// The day of a group in the making: members come one by one, and there may be very many.
#[derive(Debug, Default)]
pub struct Gathered {
    day: ClosedDay,
    /// Values that are not summed yet.
    more: Few<Dimension, Vec<(Value, Members)>>,
}

impl Gathered {
    /// Values that wait to be summed, at least: to put each member's where it belongs would move all
    /// others. Unit: values.
    const WAITING: usize = 256;

    /// Adds what members were taught.
    pub fn add(&mut self, other: ClosedDay) {
        if self.day == ClosedDay::default() {
            self.day = other;
            return;
        }
        self.day.add_sums(&other);
        for (dimension, closed) in other.dimensions {
            let ours = self.day.dimensions.entry(dimension).or_default();
            ours.add_sums(&closed);
            let more = self.more.entry(dimension).or_default();
            more.extend(closed.values);
            if more.len() > ours.values.len() + Self::WAITING {
                ours.values.absorb(more.drain(..), add_members);
            }
        }
    }

    /// The day of the whole group.
    pub fn finish(mut self) -> ClosedDay {
        for (dimension, more) in self.more {
            self.day.dimensions.entry(dimension).or_default().values.absorb(more, add_members);
        }
        self.day
    }
}

/// What the days up to `through` have taught.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Learned {
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
    pub(crate) const BARRED_MAX: usize = 1_024;

    /// Days with records that make a history settled: three weeks of work, or most of a month. Unit: days.
    const SETTLED_D: u32 = 21;

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

    /// What a rate has come to, if it has grown and there is a history to tell.
    pub(crate) fn drift(&self, dimension: Dimension) -> Option<Drift> {
        let pace = self.paces.get(&dimension).filter(|_| self.n_days >= Self::SETTLED_D);
        pace.and_then(Pace::drift)
    }

    /// What a day that brings `x` is to its days, if it is more and there is a history to tell.
    pub(crate) fn of_day(&self, dimension: Dimension, x: u64) -> Option<Drift> {
        let pace = self.paces.get(&dimension).filter(|_| self.n_days >= Self::SETTLED_D)?;
        pace.of_day(x)
    }

    /// What alerted days have made usual, in 60 minutes; 0 for nothing.
    pub(crate) fn usual_after_alerts(&self, dimension: Dimension) -> u64 {
        let alerted = self.alerted.get(&dimension).filter(|_| !lacks(Piece::Repeated));
        alerted.map_or(0, |alerted| alerted.usual())
    }

    /// Whether no day may teach the value.
    pub(crate) fn is_barred(&self, dimension: Dimension, value: &Value) -> bool {
        is_among(&self.barred, dimension, value)
    }

    /// How a value looks to it.
    pub(crate) fn standing(&self, dimension: Dimension, value: &Value) -> Standing {
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
        let is_settled = self.n_days >= Self::SETTLED_D && !lacks(Piece::Cap);
        for (&dimension, closed) in &day.dimensions {
            let memory = self.memories.entry(dimension).or_insert_with(|| Memory::since(date));
            if day.has_records {
                memory.days.1 = date;
            }
            memory.rate.learn(&closed.rate, is_settled);
            if dimension.has_pace() && day.has_records && closed.rate.sum() > 0 {
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
    /// In hindsight all days are closed, and a day is read by the last one before it that would otherwise
    /// have taught: so many days before. Unit: days.
    hindsight_lag: Option<i32>,
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
pub(crate) const FADED_AFTER: i32 = 2_000;

impl History {
    /// Adds what was taught on `day`.
    pub fn close(&mut self, day: Day, taught: &ClosedDay) {
        // In hindsight it has taught already.
        if self.hindsight_lag.is_some() {
            return;
        }
        self.closed.entry(day).or_default().merge(taught);
        self.ahead.0.clear();
    }

    /// Takes what somebody said on `day`; where that day is learned already, on the first that is not.
    pub(crate) fn hear(&mut self, day: Day, lesson: &ClosedDay) {
        let first = Day(self.base.through.0.saturating_add(1));
        self.close(first.max(day), lesson);
    }

    /// Moves the base on to the end of `through`.
    pub fn merge(&mut self, through: Day) {
        if self.hindsight_lag.is_some() {
            self.ahead.0.retain(|day, _| *day > through);
            return;
        }
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

    /// The last day that the base has yet to take in; in hindsight it takes in none.
    pub(crate) fn last_closed(&self) -> Option<Day> {
        let days = self.closed.iter().filter(|_| self.hindsight_lag.is_none());
        days.last().map(|(day, _)| *day)
    }

    /// Whether no day has taught anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.base.memories.is_empty() && self.closed.is_empty()
    }

    /// Whether no day with records has taught.
    pub(crate) fn is_new(&self) -> bool {
        self.base.n_days == 0 && !self.closed.values().any(|taught| taught.has_records)
    }

    /// The last day before `day` that taught with records, and how many did.
    pub(crate) fn recorded_before(&self, day: Day) -> Option<(Day, u32)> {
        let of_base = self.base.memories.values().map(|memory| memory.days.1);
        let closed = self.closed.range(..day).filter(|(_, taught)| taught.has_records);
        let last = closed.map(|(day, _)| *day).chain(of_base).max()?;
        let n_days = self.n_days(Day(day.0.saturating_sub(1)));
        (n_days > 0).then_some((last, n_days))
    }

    /// Whether days before `day` taught something of a dimension that is one of these.
    pub(crate) fn has_any(&self, day: Day, wanted: impl Fn(Dimension) -> bool) -> bool {
        let closed = self.closed.range(..day).flat_map(|(_, taught)| taught.dimensions.keys());
        closed.chain(self.base.memories.keys()).any(|dimension| wanted(*dimension))
    }

    /// What it was before `day` closed, for `heir`, of which people said this and that.
    pub(crate) fn handed_on(&self, day: Day, heir: &Self) -> Self {
        let mut handed_on = Self { base: self.base.clone(), ..Self::default() };
        for (day, taught) in self.closed.range(..day).chain(heir.closed.range(day..)) {
            handed_on.closed.insert(*day, taught.clone());
        }
        handed_on
    }

    /// The history of whoever was taught this by all days of an archive, for generations that are read so
    /// many days after their last.
    pub fn in_hindsight(days: BTreeMap<Day, ClosedDay>, lag: i32) -> Self {
        let mut history = Self { hindsight_lag: Some(lag), ..Self::default() };
        for (day, taught) in days {
            history.closed.insert(day, taught);
        }
        history
    }

    pub(crate) fn hindsight_lag(&self) -> Option<i32> {
        self.hindsight_lag
    }

    pub(crate) fn with_hindsight_lag(self, hindsight_lag: Option<i32>) -> Self {
        Self { hindsight_lag, ..self }
    }

    /// In hindsight, the day that is judged by the generation through `through`.
    fn judged_from(&self, through: Day) -> Option<Day> {
        self.hindsight_lag.map(|lag| Day(through.0.saturating_add(lag)))
    }

    /// What all days have taught but `judged`. How numbers of calls move says nothing here: it is told by what
    /// comes later.
    fn all_but(&self, judged: Day) -> Learned {
        let mut learned = Learned::default();
        // Days on which something was found vouch for none: an intruder's would for each other.
        let is_plain = |taught: &ClosedDay| taught.n_days >= Weight::PLAIN.scale(1);
        for (day, taught) in self.closed.iter() {
            if *day != judged && is_plain(taught) {
                learned.learn(*day, taught);
                learned.through = *day;
            }
        }
        learned.paces.clear();
        learned
    }

    /// Makes the generation through `through` ready to be read.
    pub fn prepare(&mut self, through: Day) {
        if self.is_empty() || self.base.through >= through || self.ahead.0.contains_key(&through) {
            return;
        }
        let learned = if let Some(day) = self.judged_from(through) {
            self.all_but(day)
        } else {
            let mut learned = self.base.clone();
            self.advance(&mut learned, through);
            learned
        };
        self.ahead.0.insert(through, learned);
    }

    /// Days with records up to the end of `through`, which must not lie before the base: days that it has
    /// taken in all count. In hindsight, all days but the one that is judged. Unit: days.
    pub fn n_days(&self, through: Day) -> u32 {
        let judged = self.judged_from(through);
        let closed = self.closed.iter();
        let closed =
            closed.filter(|(day, _)| judged.map_or(**day <= through, |judged| judged != **day));
        let after = closed.filter(|(_, closed)| closed.has_records).count();
        self.base.n_days.saturating_add(u32::try_from(after).unwrap_or(u32::MAX))
    }

    /// What is known by the end of `through`, once it was prepared.
    pub(crate) fn at(&self, through: Day) -> &Learned {
        self.ahead.0.get(&through).unwrap_or(&self.base)
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
        let Self { base, closed, ahead: _, hindsight_lag: _ } = self;
        base.write(to);
        closed.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        let (base, closed) = Form::read(from)?;
        Ok(Self { base, closed, ahead: Ahead::default(), hindsight_lag: None })
    }
}
