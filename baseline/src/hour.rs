//! What fell into the open hours of an entity, and the span of 60 sliding minutes that is judged.

use crate::{
    aggregate::Entry,
    dimension::{Dimension, Statistic},
    distinct::Distinct,
    evidence::{Evidence, Records},
    few::{self, Few},
    form::{Form, FormError, Reader, Writer},
    novel::{FirstRecord, Novelties, Standing, is_before},
    place::{Stay, Stays},
    talk::{Session, Sessions, Talk, Talks},
    time::{Day, Hour, Slot},
    value::Value,
};
use std::cmp::Reverse;

/// What was counted of one dimension in one slot, or in a window of several.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counted {
    /// The sum of the amounts. Unit: the dimension's.
    pub amount: u64,
    /// The records that it was counted of. Unit: records.
    pub n_records: u64,
    /// The values, with the amounts of each.
    pub values: Distinct,
    /// The first records.
    pub records: Records,
}

impl Counted {
    fn merge(&mut self, other: &Self, records_max: usize) {
        self.amount = self.amount.saturating_add(other.amount);
        self.n_records = self.n_records.saturating_add(other.n_records);
        self.values.merge(&other.values);
        self.records.merge(&other.records, records_max);
    }

    /// What the dimension's rate counts.
    pub(crate) fn statistic(&self, dimension: Dimension) -> u64 {
        match dimension.statistic() {
            Statistic::Sum => self.amount,
            Statistic::Mebi => self.amount >> 10,
            Statistic::Distinct => self.values.count(),
            // Values of these are kept apart.
            Statistic::News => 0,
            Statistic::Shared => self.values.most_shared(),
        }
    }
}

/// What one entity did in its open hours. Counting is commutative.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hours {
    /// In order of slots; no dimension is there without any.
    counted: Few<Dimension, Vec<(Slot, Counted)>>,
    novel: Few<Dimension, Novelties>,
    stays: Few<Slot, Stays>,
    talks: Few<Day, Talks>,
    sessions: Few<Hour, Sessions>,
}

/// New and rare values, as they were before a day was settled.
#[derive(Debug)]
pub(crate) struct Unsettled(Few<Dimension, Novelties>);

/// In so many slots before its own a record looks for one that tells the same of its call. Unit: slots.
const NEAR: usize = 8;

impl Hours {
    /// Adds one entry of an aggregate.
    pub(crate) fn add(&mut self, entry: &Entry, value: Option<&Value>) {
        let slots = self.counted.entry(entry.dimension).or_default();
        let at = slots.partition_point(|(slot, _)| *slot < entry.slot);
        if slots.get(at).is_none_or(|(slot, _)| *slot != entry.slot) {
            few::insert(slots, at, (entry.slot, Counted::default()));
        }
        let Some((_, counted)) = slots.get_mut(at) else { return };
        counted.amount = counted.amount.saturating_add(entry.amount);
        counted.n_records = counted.n_records.saturating_add(entry.n_records);
        if let Some(value) = value {
            counted.values.add(value, entry.amount);
        }
        if let Some(record) = &entry.evidence {
            counted.records.add(Evidence::clone(record), Records::MAX);
        }
    }

    /// Keeps the first record of what entries counted in a slot.
    pub(crate) fn keep_first(&mut self, entry: &Entry, first: &FirstRecord<'_>) {
        let Some(slots) = self.counted.get_mut(&entry.dimension) else { return };
        if let Ok(at) = slots.binary_search_by_key(&entry.slot, |(slot, _)| *slot)
            && let Some((_, counted)) = slots.get(at)
            && let Some(of) = entry.first
            && is_before(of, counted.records.iter().next())
            && let Some(record) = first(of.row)
        {
            let near = slots.get(at.saturating_sub(NEAR)..at).unwrap_or_default().iter().rev();
            let record =
                record.shared(near.filter_map(|(_, counted)| counted.records.iter().next()));
            if let Some((_, counted)) = slots.get_mut(at) {
                counted.records.keep_first(record);
            }
        }
    }

    /// Adds a value that its generation does not know, or hardly, or that cannot be told yet; `first` is
    /// asked for its record.
    pub(crate) fn add_novel(
        &mut self,
        (entry, value): (&Entry, &Value),
        first: &FirstRecord<'_>,
        is_settled: bool,
    ) {
        self.novel.entry(entry.dimension).or_default().add((entry, value), first, is_settled);
    }

    /// Leaves out of `day` what its generation, which is complete by now, knows as usual, and notes
    /// what it does not know at all.
    pub(crate) fn settle(&mut self, day: Day, standing: impl Fn(Dimension, &Value) -> Standing) {
        for (dimension, novel) in self.novel.iter_mut() {
            novel.settle(day, |value| standing(*dimension, value));
        }
        self.novel.retain(|_, novel| !novel.is_empty());
    }

    /// What [`Self::settle`] changes, for [`Self::unsettle`].
    pub(crate) fn unsettled(&self) -> Unsettled {
        Unsettled(self.novel.clone())
    }

    /// Takes back what days were settled since.
    pub(crate) fn unsettle(&mut self, Unsettled(novel): Unsettled) {
        self.novel = novel;
    }

    pub(crate) fn add_stay(&mut self, slot: Slot, stay: &Stay) {
        let (before, stays) = self.stays.entry(slot).with_before(Stays::default);
        let near = before.get(before.len().saturating_sub(NEAR)..).unwrap_or_default();
        stays.add(stay, near.iter().rev().flat_map(|(_, stays)| stays.iter()));
    }

    pub(crate) fn add_talk(&mut self, day: Day, talk: &Talk) {
        self.talks.entry(day).or_default().add(talk);
    }

    pub(crate) fn add_session(&mut self, hour: Hour, session: &Session) {
        self.sessions.entry(hour).or_default().add(session);
    }

    /// The hours that hold something, from `first` to `last`, in order.
    pub(crate) fn touched(&self, first: Hour, last: Hour) -> Vec<Hour> {
        let stays = self.stays.range(first.first_slot()..=last.last_slot());
        let mut hours: Vec<_> = stays.map(|(slot, _)| slot.hour()).collect();
        for (_, hour) in self.touched_by(first, last) {
            if hours.last() != Some(&hour) {
                hours.push(hour);
            }
        }
        hours.extend(self.novel.values().flat_map(|novel| novel.touched(first, last)));
        hours.sort_unstable();
        hours.dedup();
        hours
    }

    /// The hours of each dimension that hold something, from `first` to `last`, in order.
    pub(crate) fn touched_by(
        &self,
        first: Hour,
        last: Hour,
    ) -> impl Iterator<Item = (Dimension, Hour)> {
        self.counted.iter().flat_map(move |(dimension, slots)| {
            let slots = between(slots, first.first_slot(), last.last_slot());
            let hours = slots.chunk_by(|(a, _), (b, _)| a.hour() == b.hour());
            hours.filter_map(|slots| Some((*dimension, slots.first()?.0.hour())))
        })
    }

    /// Forgets the counts of slots before `counts_from` and the stays before `stays_from`.
    pub(crate) fn forget(&mut self, counts_from: Slot, stays_from: Slot) {
        self.counted.retain(|_, slots| {
            slots.drain(..slots.partition_point(|(slot, _)| *slot < counts_from));
            !slots.is_empty()
        });
        self.novel.retain(|_, novel| {
            novel.forget(counts_from);
            !novel.is_empty()
        });
        self.stays.retain(|slot, _| *slot >= stays_from);
        self.talks.retain(|day, _| day.first_slot() >= stays_from);
        self.sessions.retain(|hour, _| hour.first_slot() >= stays_from);
    }

    /// The last slot that holds something.
    pub(crate) fn last(&self) -> Option<Slot> {
        let counted = self.counted.values().filter_map(|slots| slots.last());
        let counted = counted.map(|(slot, _)| *slot);
        let novel = self.novel.values().filter_map(Novelties::last);
        let stays = self.stays.iter().last().map(|(slot, _)| *slot);
        counted.chain(novel).chain(stays).max()
    }

    /// What it holds before `end`.
    pub(crate) fn before(&self, end: Slot) -> Self {
        let mut counted = self.counted.clone();
        counted.retain(|_, slots| {
            slots.truncate(slots.partition_point(|(slot, _)| *slot < end));
            !slots.is_empty()
        });
        let mut novel = self.novel.clone();
        novel.retain(|_, novel| {
            novel.truncate(end);
            !novel.is_empty()
        });
        let mut stays = self.stays.clone();
        stays.retain(|slot, _| *slot < end);
        let mut talks = self.talks.clone();
        talks.retain(|day, _| day.first_slot() < end);
        let mut sessions = self.sessions.clone();
        sessions.retain(|hour, _| hour.first_slot() < end);
        Self { counted, novel, stays, talks, sessions }
    }

    /// What is judged of `hour`.
    pub fn span(&self, hour: Hour) -> Span<'_> {
        Span { hours: self, hour }
    }

    /// Whether nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.counted.is_empty()
            && self.novel.is_empty()
            && self.stays.is_empty()
            && self.talks.is_empty()
            && self.sessions.is_empty()
    }

    /// The values of `dimension` that are kept since they are new or rare.
    pub(crate) fn novel(&self, dimension: Dimension) -> Option<&Novelties> {
        self.novel.get(&dimension)
    }
}

/// Those from `first` to `last` of slots in order.
fn between(slots: &[(Slot, Counted)], first: Slot, last: Slot) -> &[(Slot, Counted)] {
    let from = slots.partition_point(|(slot, _)| *slot < first);
    let to = slots.partition_point(|(slot, _)| *slot <= last);
    slots.get(from..to).unwrap_or_default()
}

/// What the rate of `dimension` counts in some slots.
fn statistic(dimension: Dimension, slots: &[(Slot, Counted)]) -> u64 {
    let sum = || slots.iter().fold(0_u64, |sum, (_, slot)| sum.saturating_add(slot.amount));
    match dimension.statistic() {
        Statistic::Sum => return sum(),
        Statistic::Mebi => return sum() >> 10,
        _ => {}
    }
    let sets = slots.iter().map(|(_, slot)| &slot.values);
    if dimension.statistic() != Statistic::Shared {
        return Distinct::count_together(sets);
    }
    let mut window = Distinct::default();
    sets.for_each(|values| window.merge(values));
    window.most_shared()
}

/// The judged span of an hour: all 60 minutes, in steps of 5, that end in it on a slot that holds
/// something of the dimension. So the hour has evidence of its own, and more records only add to it.
#[derive(Debug, Clone, Copy)]
pub struct Span<'hours> {
    hours: &'hours Hours,
    /// The hour in which the windows end.
    pub hour: Hour,
}

/// The 60 minutes that were judged: those with the largest statistic, the earliest of equals.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Window {
    /// The records of its slots and of the rest of its hour, in order: what stands above a threshold
    /// does so with all of the hour.
    pub slots: Vec<(Slot, u64)>,
    /// All that was counted in it; the records are those of the rest of the hour as well.
    pub counted: Counted,
    /// What the dimension's rate counts.
    pub statistic: u64,
}

impl<'hours> Span<'hours> {
    /// Records kept of a window. Unit: records.
    const RECORDS_MAX: usize = 1_000;

    /// The values of `dimension` that are kept since they are new or rare.
    pub(crate) fn novel(&self, dimension: Dimension) -> Option<&'hours Novelties> {
        self.hours.novel(dimension)
    }

    /// The slots of the hour that hold any of `dimension`, with the number of records of each.
    pub fn slots_of(&self, dimension: Dimension) -> impl Iterator<Item = (Slot, u64)> + use<'_> {
        let slots = self.rest(dimension, self.hour.first_slot());
        slots.map(|(slot, counted)| (slot, counted.n_records))
    }

    /// The largest statistic of `dimension` in 60 minutes.
    pub fn largest(&self, dimension: Dimension) -> u64 {
        self.windows(dimension).map(|(_, slots)| statistic(dimension, slots)).max().unwrap_or(0)
    }

    /// The 60 minutes with the largest statistic, if the hour holds something of `dimension`.
    pub fn window(&self, dimension: Dimension) -> Option<Window> {
        let windows = self.windows(dimension);
        let ends = windows.map(|(end, slots)| (statistic(dimension, slots), Reverse(end)));
        Some(self.window_to(dimension, ends.max()?))
    }

    /// Of the 60 minutes that `rank` admits, those of the highest rank; of equals, those with the
    /// largest statistic. A rank that more records never lower keeps the choice monotone, which the
    /// busiest minutes alone do not: they may be the harmless ones. The ranked counts hold no records.
    pub fn heaviest<R: Ord>(
        &self,
        dimension: Dimension,
        rank: impl Fn(&Counted) -> Option<R>,
    ) -> Option<Window> {
        let ranked = self.windows(dimension).filter_map(|(end, slots)| {
            let mut counted = Counted::default();
            for (_, slot) in slots {
                counted.amount = counted.amount.saturating_add(slot.amount);
                counted.values.merge(&slot.values);
            }
            Some((rank(&counted)?, counted.statistic(dimension), Reverse(end)))
        });
        let (_, statistic, end) = ranked.max()?;
        Some(self.window_to(dimension, (statistic, end)))
    }

    fn window_to(
        &self,
        dimension: Dimension,
        (statistic, Reverse(end)): (u64, Reverse<Slot>),
    ) -> Window {
        let mut window = Window { statistic, ..Window::default() };
        for (at, slot) in self.slots(dimension, end.window_start(), end) {
            window.counted.merge(slot, Self::RECORDS_MAX);
            window.slots.push((at, slot.n_records));
        }
        let after = Slot(end.0.saturating_add(1));
        for (at, slot) in self.rest(dimension, after) {
            window.counted.records.merge(&slot.records, Self::RECORDS_MAX);
            window.slots.push((at, slot.n_records));
        }
        window
    }

    /// The hour itself, as far as `wanted` admits its values: for what counts however rare it is, and
    /// must not be lost behind busier minutes. The records are all that the hour keeps.
    pub fn whole(&self, dimension: Dimension, wanted: impl Fn(&Value) -> bool) -> Option<Window> {
        self.whole_by_slot(dimension, |_, value| wanted(value))
    }

    /// The same where it matters as well in which slot a value is.
    pub fn whole_by_slot(
        &self,
        dimension: Dimension,
        wanted: impl Fn(Slot, &Value) -> bool,
    ) -> Option<Window> {
        let mut window = Window::default();
        let (first, last) = (self.hour.first_slot(), self.hour.last_slot());
        for (at, slot) in self.slots(dimension, first, last) {
            let unwanted = slot.values.iter().filter(|(value, _)| !wanted(at, value));
            let n_unwanted: u64 = unwanted.map(|(_, amount)| amount).sum();
            let amount = slot.amount.saturating_sub(n_unwanted);
            if amount > 0 {
                let mut slot = slot.clone();
                slot.amount = amount;
                slot.values.retain(|value| wanted(at, value));
                window.counted.merge(&slot, Self::RECORDS_MAX);
                window.slots.push((at, slot.n_records.min(amount)));
            }
        }
        window.statistic = window.counted.statistic(dimension);
        (!window.slots.is_empty()).then_some(window)
    }

    /// The first slot that holds a value of `dimension`, on the day of the hour or in the hour before it: what
    /// came before is forgotten when that day closes.
    pub fn first_on_day(&self, dimension: Dimension, value: &Value) -> Option<Slot> {
        let first = Hour(self.hour.day().first_slot().hour().0.saturating_sub(1)).first_slot();
        let mut slots = self.slots(dimension, first, self.hour.last_slot());
        slots.find(|(_, slot)| slot.values.iter().any(|(one, _)| one == value)).map(|(at, _)| at)
    }

    /// The slots of the hour that hold a value of `dimension`.
    pub fn slots_with(&self, dimension: Dimension, value: &Value) -> impl Iterator<Item = Slot> {
        let slots = self.slots(dimension, self.hour.first_slot(), self.hour.last_slot());
        slots
            .filter(move |(_, slot)| slot.values.iter().any(|(one, _)| one == value))
            .map(|(at, _)| at)
    }

    /// The values of `dimension` in the span that `wanted` admits, with their amounts in the hour
    /// itself. It asks the judging generation again, because the hour before midnight was filled
    /// under an older one.
    pub fn values(&self, dimension: Dimension, wanted: impl Fn(&Value) -> bool) -> Distinct {
        let mut values = Distinct::default();
        let (first, last) = (self.hour.first_slot(), self.hour.last_slot());
        for (_, slot) in self.slots(dimension, first, last) {
            values.merge(&slot.values);
        }
        values.retain(wanted);
        values
    }

    /// All that the day of the hour holds of `dimension`, to the end of the hour.
    pub fn of_day(&self, dimension: Dimension) -> Option<Window> {
        self.of_day_until(dimension, self.hour.last_slot())
    }

    /// The same up to the slot `last` of that day.
    pub fn of_day_until(&self, dimension: Dimension, last: Slot) -> Option<Window> {
        let mut window = Window::default();
        for (at, slot) in self.slots(dimension, self.hour.day().first_slot(), last) {
            window.counted.merge(slot, Self::RECORDS_MAX);
            window.slots.push((at, slot.n_records));
        }
        window.statistic = window.counted.statistic(dimension);
        (!window.slots.is_empty()).then_some(window)
    }

    /// What the hours of the day brought of `dimension`, to the judged one: the sum of the largest 60 minutes that end in
    /// each, as the day teaches it, and the largest of them.
    pub fn hours_of_day(&self, dimension: Dimension) -> (u64, u64) {
        let first = self.hour.day().first_slot().hour();
        let hours = (first.0..=self.hour.0).map(|hour| Span { hour: Hour(hour), ..*self });
        hours
            .map(|span| span.largest(dimension))
            .fold((0, 0), |(sum, most), one| (sum.saturating_add(one), most.max(one)))
    }

    /// Where the entity was, in the slots from `hours_back` hours before this hour to its end.
    pub fn stays(&self, hours_back: i32) -> impl Iterator<Item = (Slot, &'hours Stay)> {
        let first = Hour(self.hour.0.saturating_sub(hours_back)).first_slot();
        let stays = self.hours.stays.range(first..=self.hour.last_slot());
        stays.flat_map(|(slot, stays)| stays.iter().map(move |stay| (*slot, stay)))
    }

    /// With which services outside the entity talked on a day that is open.
    pub fn talks(&self, day: Day) -> &'hours [Talk] {
        self.hours.talks.get(&day).map_or(&[], Talks::all)
    }

    /// Which connections went on in the hours from `hours_back` hours before this one to itself.
    pub fn sessions(&self, hours_back: i32) -> impl Iterator<Item = (Hour, &'hours Session)> {
        let first = Hour(self.hour.0.saturating_sub(hours_back));
        let sessions = self.hours.sessions.range(first..=self.hour);
        sessions.flat_map(|(hour, all)| all.all().iter().map(move |one| (*hour, one)))
    }

    /// What the hour holds from `first` on.
    fn rest(
        &self,
        dimension: Dimension,
        first: Slot,
    ) -> impl Iterator<Item = (Slot, &'hours Counted)> + use<'hours> {
        let last = self.hour.last_slot();
        (first <= last).then(|| self.slots(dimension, first, last)).into_iter().flatten()
    }

    /// The slots of the hour, each with those of the 60 minutes that end with it.
    fn windows(
        &self,
        dimension: Dimension,
    ) -> impl Iterator<Item = (Slot, &'hours [(Slot, Counted)])> + use<'hours> {
        let slots = self.hours.counted.get(&dimension).map_or(&[][..], Vec::as_slice);
        let (first, last) = (self.hour.first_slot(), self.hour.last_slot());
        let slots = between(slots, first.window_start(), last);
        let before = slots.partition_point(|(slot, _)| *slot < first);
        (before..slots.len()).filter_map(move |at| {
            let slots = slots.get(..=at)?;
            let (end, _) = slots.last()?;
            let from = slots.partition_point(|(slot, _)| *slot < end.window_start());
            Some((*end, slots.get(from..)?))
        })
    }

    fn slots(
        &self,
        dimension: Dimension,
        first: Slot,
        last: Slot,
    ) -> impl Iterator<Item = (Slot, &'hours Counted)> + Clone + use<'hours> {
        let slots = self.hours.counted.get(&dimension).map_or(&[][..], Vec::as_slice);
        between(slots, first, last).iter().map(|(slot, counted)| (*slot, counted))
    }
}

impl Form for Hours {
    fn write(&self, to: &mut Writer) {
        let Self { counted, novel, stays, talks, sessions } = self;
        counted.write(to);
        novel.write(to);
        stays.write(to);
        talks.write(to);
        sessions.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        let (counted, novel, stays) = Form::read(from)?;
        if from.is_before(3) {
            return Ok(Self { counted, novel, stays, ..Self::default() });
        }
        let (talks, sessions) = Form::read(from)?;
        Ok(Self { counted, novel, stays, talks, sessions })
    }
}

/// One number says how many records follow, whether there are values, and whether each record counts once.
impl Form for Counted {
    fn write(&self, to: &mut Writer) {
        let Self { amount, n_records, values, records } = self;
        let (has_values, is_many) = (!values.is_empty(), n_records != amount);
        (records.len() << 2 | usize::from(has_values) << 1 | usize::from(is_many)).write(to);
        amount.write(to);
        if is_many {
            n_records.write(to);
        }
        if has_values {
            values.write(to);
        }
        records.write_kept(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        if from.is_form_1() {
            let (amount, n_records, values) = Form::read(from)?;
            return Ok(Self { amount, n_records, values, records: Form::read(from)? });
        }
        let head = usize::read(from)?;
        let amount = u64::read(from)?;
        let n_records = if head & 1 != 0 { Form::read(from)? } else { amount };
        let values = if head & 2 != 0 { Form::read(from)? } else { Distinct::default() };
        let records = Records::read_kept(head >> 2, from)?;
        Ok(Self { amount, n_records, values, records })
    }
}

#[cfg(test)]
mod tests;
