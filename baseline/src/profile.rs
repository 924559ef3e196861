//! The profile of one entity: what it has learned, day deltas, hours.

use crate::{
    aggregate::{Aggregate, Entry},
    dimension::Dimension,
    few::{self, Few},
    form,
    form::{Form, FormError, Reader, Writer},
    generation::{Generation, N_PRIORS},
    history::{ClosedDay, History, Learned},
    hour::Hours,
    memory::{Rate, Weight},
    novel::{FirstRecord, Novel, Standing},
    time::{Day, Hour, Lateness, SLOTS, Slot},
    value::Value,
};
use std::collections::BTreeMap;

/// What one day teaches. Merging is commutative.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct DayDelta(Few<Dimension, Taught>);

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
    pub(crate) const NEWS_MAX: usize = 64;

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

/// What one entity does.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    history: History,
    open: Few<Day, DayDelta>,
    /// Of the open days, and of the hour before them, which their first span reaches into.
    hours: Hours,
    /// Its first day, where what it knew before it was learned in another flow log.
    inherited: Day,
}

/// Some make the new flow log before they delete the old one. Unit: hours.
const OVERLAP_H: i32 = 3;

/// Stays and talks are kept for one day longer than counts: travel and sessions look back over a day.
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
        Self::of(history, Hours::default())
    }

    fn of(history: History, hours: Hours) -> Self {
        Self { history, open: Few::default(), hours, inherited: Day(i32::MIN) }
    }

    /// A profile that has learned all days of an archive, and reads them again in hindsight.
    pub fn in_hindsight(history: History) -> Self {
        Self::of(history, Hours::default())
    }

    /// Takes what somebody said of it on the days of `lessons`; of days that are learned already, on the
    /// first that is not.
    pub fn hear(&mut self, lessons: Option<&BTreeMap<Day, ClosedDay>>) {
        for (day, lesson) in lessons.into_iter().flatten() {
            self.history.hear(*day, lesson);
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
            let is_complete = lateness.is_complete(day, oldest_open);
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
                // Whether what was known before its first day is inherited, shows only when that day closes.
                let is_known = standing != Standing::New && through >= self.inherited;
                delta.note(entry.dimension, value, is_known);
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
        for (day, talk) in &aggregate.talks {
            self.hours.add_talk(*day, talk);
            self.open.entry(*day).or_default();
        }
        for (hour, session) in &aggregate.sessions {
            self.hours.add_session(*hour, session);
            self.open.entry(hour.day()).or_default();
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
    #[cfg(test)]
    pub(crate) fn closing(&self, oldest_open: Day) -> Option<Day> {
        self.open.range(..oldest_open).map(|(day, _)| *day).next()
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
            closed.dimensions.entry(dimension).or_default().values.absorb(values, |_, _| {});
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
    pub(crate) fn advance(&mut self, oldest_open: Day, lateness: Lateness) {
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
        self.inherited.0.write(to);
        !self.history.is_empty() || !hours.is_empty()
    }

    /// Days that have not closed yet, in order.
    pub fn open_days(&self) -> impl Iterator<Item = Day> {
        self.open.keys().copied()
    }

    /// Has `judge` settle and judge open days, in order and none closed, and leaves the profile as it was:
    /// what it settles is as good as closed only until the next record. So is what it inherits.
    pub(crate) fn rehearse<T>(
        &mut self,
        inheritance: Option<History>,
        judge: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let unsettled = self.hours.unsettled();
        let own = inheritance.map(|history| std::mem::replace(&mut self.history, history));
        let answer = judge(self);
        if let Some(own) = own {
            self.history = own;
        }
        self.hours.unsettle(unsettled);
        answer
    }

    /// Whether no day with records has closed.
    pub(crate) fn is_new(&self) -> bool {
        self.history.is_new()
    }

    /// The first day, and the first hour of it that holds something, of a profile that is new.
    pub(crate) fn begins(&self) -> Option<(Day, Hour)> {
        let day = self.open_days().next().filter(|_| self.is_new())?;
        let first = self.touched(day, day).first().copied();
        Some((day, first.unwrap_or_else(|| day.first_slot().hour())))
    }

    /// What a profile that begins in an hour of `day` could inherit of this one, if it can any: its last day with
    /// records, and how many there are. It must have fallen silent soon, and have had accepted flows: to a log of
    /// rejected ones all that is accepted would be new.
    pub(crate) fn hands_on(&self, (day, first): (Day, Hour)) -> Option<(Day, u32)> {
        let until = Hour(first.0.saturating_add(OVERLAP_H));
        let is_silent = self.touched(day, day).last().is_none_or(|last| *last <= until);
        let knows_accepted = || self.history.has_any(day, Dimension::is_of_accepted);
        // What it inherits on the same day it may have by now or not.
        let has_own = self.inherited < day;
        let recorded = self.history.recorded_before(day);
        recorded.filter(|_| is_silent && has_own && knows_accepted())
    }

    /// What `heir`, which begins on `day`, inherits of it.
    pub(crate) fn handed_on(&self, day: Day, heir: &Self) -> History {
        self.history.handed_on(day, &heir.history)
    }

    /// Takes over what another flow log taught before `day`, its own first.
    pub(crate) fn inherit(&mut self, day: Day, inheritance: History) {
        self.history = inheritance;
        self.inherited = day;
    }

    /// The first day that has not closed yet; none is after all days.
    pub(crate) fn first_open(&self) -> Day {
        self.open_days().next().unwrap_or(Day(i32::MAX))
    }

    /// From which oldest open day on nothing is left but what a base holds, if no record comes.
    pub(crate) fn settles_on(&self, lateness: Lateness) -> Day {
        let after = |day: Day, days: i32| Day(day.0.saturating_add(days));
        let closed = self.history.last_closed().map(|day| lateness.learning(day));
        let held = self.hours.last().map(|slot| after(slot.hour().day(), 1 + STAYS_KEPT_D));
        closed.max(held).unwrap_or(Day(i32::MAX))
    }

    /// Reads what [`Self::write_closed`] wrote.
    pub fn read_closed(from: &mut Reader<'_>) -> Result<Self, FormError> {
        let (history, hours) = Form::read(from)?;
        Ok(Self { inherited: read_inherited(from)?, ..Self::of(history, hours) })
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

impl Form for Profile {
    fn write(&self, to: &mut Writer) {
        let Self { history, open, hours, inherited } = self;
        history.write(to);
        // No file has what is judged in hindsight.
        history.hindsight_lag().write(to);
        open.write(to);
        hours.write(to);
        inherited.0.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        let (history, lag): (History, Option<i32>) = Form::read(from)?;
        let (open, hours) = Form::read(from)?;
        let history = history.with_hindsight_lag(lag);
        Ok(Self { history, open, hours, inherited: read_inherited(from)? })
    }
}

/// Form 4 knew nothing of it.
fn read_inherited(from: &mut Reader<'_>) -> Result<Day, FormError> {
    Ok(Day(if from.is_before(5) { i32::MIN } else { Form::read(from)? }))
}

form! {
    DayDelta { 0 }
    Taught { known, news }
}

#[cfg(test)]
mod tests;
