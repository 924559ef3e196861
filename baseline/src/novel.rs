//! The values of open hours that the generation of their day does not know, or knows as rare.

use crate::{
    aggregate::{Entry, First},
    evidence::Evidence,
    few, form,
    impact::Track,
    memory::Seen,
    time::{Day, Hour, Slot},
    value::Value,
};

/// The record behind a number that stands in an [`Entry`].
pub type FirstRecord<'a> = dyn Fn(u32) -> Option<Evidence> + 'a;

/// What a generation says of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It does not know it.
    New,
    /// It knows it, and little is as rare.
    Rare,
    /// It knows it.
    Usual,
}

/// A value that is new or rare.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Novel {
    pub(crate) value: Value,
    /// Of which tracks the calls were that brought it, and the first record of each.
    firsts: Vec<(Track, Option<Box<Evidence>>)>,
    /// Whether the generation of its own day does not know it. True until that day closes.
    pub(crate) is_new: bool,
}

/// Those of one dimension, by slot.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Novelties(Vec<OfSlot>);

#[derive(Debug, Clone, PartialEq)]
struct OfSlot {
    slot: Slot,
    /// The smallest by hash.
    values: Vec<Novel>,
    /// Whether values came while nobody could tell yet which of them are usual.
    is_unsettled: bool,
}

impl Novelties {
    /// Values kept of a slot. What comes on top is not counted: that can only make a surprise
    /// smaller. Unit: values.
    pub(crate) const MAX: usize = 64;
    /// As long as usual ones may be among them, which are as many as a memory holds at most.
    const UNSETTLED_MAX: usize = Self::MAX + Seen::MAX;

    /// Adds the value of an entry; `is_settled` once its generation is complete.
    pub(crate) fn add(
        &mut self,
        (entry, value): (&Entry, &Value),
        first: &FirstRecord<'_>,
        is_settled: bool,
    ) {
        let at = self.0.partition_point(|of| of.slot < entry.slot);
        if self.0.get(at).is_none_or(|of| of.slot != entry.slot) {
            let (slot, values) = (entry.slot, Vec::new());
            few::insert(&mut self.0, at, OfSlot { slot, values, is_unsettled: false });
        }
        let Some(OfSlot { values, is_unsettled, .. }) = self.0.get_mut(at) else { return };
        *is_unsettled |= !is_settled;
        let max = if *is_unsettled { Self::UNSETTLED_MAX } else { Self::MAX };
        let at = match values.binary_search_by(|novel| novel.value.cmp(value)) {
            Ok(at) => at,
            Err(at) if at < max => {
                let value = value.clone();
                few::insert(values, at, Novel { value, firsts: Vec::new(), is_new: true });
                values.truncate(max);
                at
            }
            Err(_) => return,
        };
        if let Some(novel) = values.get_mut(at) {
            entry.firsts().for_each(|of| novel.note(*of, first));
        }
    }

    pub(crate) fn settle(&mut self, day: Day, standing: impl Fn(&Value) -> Standing) {
        let (first, end) = (day.first_slot(), Day(day.0.saturating_add(1)).first_slot());
        self.0.retain_mut(|OfSlot { slot, values, is_unsettled }| {
            if *slot < first || *slot >= end {
                return true;
            }
            values.retain_mut(|novel| {
                let standing = standing(&novel.value);
                novel.is_new = standing == Standing::New;
                standing != Standing::Usual
            });
            values.truncate(Self::MAX);
            *is_unsettled = false;
            !values.is_empty()
        });
    }

    pub(crate) fn touched(&self, first: Hour, last: Hour) -> impl Iterator<Item = Hour> {
        let slots = self.between(first.first_slot(), last.last_slot());
        slots
            .chunk_by(|a, b| a.slot.hour() == b.slot.hour())
            .filter_map(|slots| Some(slots.first()?.slot.hour()))
    }

    pub(crate) fn forget(&mut self, from: Slot) {
        self.0.drain(..self.0.partition_point(|of| of.slot < from));
    }

    pub(crate) fn truncate(&mut self, end: Slot) {
        self.0.truncate(self.0.partition_point(|of| of.slot < end));
    }

    /// The last slot that holds something.
    pub(crate) fn last(&self) -> Option<Slot> {
        self.0.last().map(|of| of.slot)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn between(&self, first: Slot, last: Slot) -> &[OfSlot] {
        let from = self.0.partition_point(|of| of.slot < first);
        let to = self.0.partition_point(|of| of.slot <= last);
        self.0.get(from..to).unwrap_or_default()
    }

    /// The windows of 60 minutes that end in `hour` on a slot that holds something admitted, each as
    /// its distinct admitted values. A value of a window may come from any of its slots.
    pub(crate) fn windows<'a>(
        &'a self,
        hour: Hour,
        admits: impl Fn(&Novel) -> bool + Copy + 'a,
    ) -> impl Iterator<Item = Vec<&'a Novel>> {
        let (first, last) = (hour.first_slot(), hour.last_slot());
        let slots = self.between(first.window_start(), last);
        let before = slots.partition_point(|of| of.slot < first);
        (before..slots.len()).filter_map(move |at| {
            let slots = slots.get(..=at)?;
            let OfSlot { slot: end, values, .. } = slots.last()?;
            if !values.iter().any(admits) {
                return None;
            }
            let from = slots.partition_point(|of| of.slot < end.window_start());
            let mut window: Vec<&Novel> = slots
                .get(from..)?
                .iter()
                .flat_map(|of| &of.values)
                .filter(|novel| admits(novel))
                .collect();
            // The first record of a value is that of its earliest slot: the sort is stable.
            window.sort_by(|a, b| a.value.cmp(&b.value));
            window.dedup_by(|later, first| later.value == first.value);
            Some(window)
        })
    }
}

/// Whether a record can be the first, by its time alone: to make it costs more than to ask.
pub(crate) fn is_before(first: First, known: Option<&Evidence>) -> bool {
    known.is_none_or(|known| first.time_ms <= known.time_ms)
}

impl Novel {
    /// Whether calls of a track brought it, or any at all.
    pub(crate) fn is_of(&self, track: Option<Track>) -> bool {
        track.is_none_or(|track| self.firsts.iter().any(|(of, _)| *of == track))
    }

    /// The first record that brought it, of a track or of all.
    pub(crate) fn first_of(&self, track: Option<Track>) -> Option<&Evidence> {
        let firsts = self.firsts.iter().filter(|(of, _)| track.is_none_or(|track| *of == track));
        firsts.filter_map(|(_, first)| first.as_deref()).min()
    }

    fn note(&mut self, of: First, first: &FirstRecord<'_>) {
        match self.firsts.binary_search_by_key(&of.track, |(track, _)| *track) {
            Ok(at) => {
                let Some((_, known)) = self.firsts.get_mut(at) else { return };
                if is_before(of, known.as_deref())
                    && let Some(record) = first(of.row)
                    && known.as_ref().is_none_or(|known| record < **known)
                {
                    *known = Some(Box::new(record));
                }
            }
            Err(at) => {
                few::insert(&mut self.firsts, at, (of.track, first(of.row).map(Box::new)));
            }
        }
    }
}

form! {
    Novel { value, firsts, is_new }
    Novelties { 0 }
    OfSlot { slot, values, is_unsettled }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Dimension, Impact,
        evidence::{Call, EventId},
        value::HashKey,
    };

    const TRACK: Track = Track { impact: Impact::Write, is_s3: false };

    fn entry(row: u32) -> Entry {
        Entry {
            dimension: Dimension::Api,
            slot: Day(5).first_slot(),
            value: None,
            amount: 1,
            n_records: 1,
            evidence: None,
            first: Some(First { track: TRACK, time_ms: 0, row }),
            others: Vec::new(),
        }
    }

    fn novelties(numbers: impl Iterator<Item = usize>, is_settled: bool) -> Novelties {
        let mut novelties = Novelties::default();
        for n in numbers {
            let value = HashKey::DEFAULT.value(&n.to_string());
            novelties.add((&entry(0), &value), &|_| None, is_settled);
        }
        novelties
    }

    fn n_values(novelties: &Novelties) -> usize {
        novelties.0.iter().map(|of| of.values.len()).sum()
    }

    #[test]
    fn a_slot_keeps_the_same_values_in_any_order_up_to_its_bound() {
        for (is_settled, max) in [(true, Novelties::MAX), (false, Novelties::UNSETTLED_MAX)] {
            let up = novelties(0..max + 100, is_settled);
            assert_eq!(n_values(&up), max);
            assert!(up == novelties((0..max + 100).rev(), is_settled));
        }
    }

    #[test]
    fn of_records_of_one_moment_the_same_is_the_first_in_any_order() {
        let record = |row: u32| {
            let (address, access_key, region, actor) = (None, None, None, None);
            let call = Call { api: "s3:GetObject".into(), address, access_key, region, actor };
            let id = EventId::new(&row.to_string());
            Some(Evidence { time_ms: 0, id, call: call.into(), amount: 1 })
        };
        let first = |rows: [u32; 2]| {
            let (mut novelties, value) = (Novelties::default(), HashKey::DEFAULT.value("x"));
            for row in rows {
                novelties.add((&entry(row), &value), &record, true);
            }
            novelties.0[0].values[0].first_of(None).cloned()
        };
        assert_eq!((first([1, 2]), first([2, 1])), (record(1), record(1)));
    }

    #[test]
    fn usual_values_push_no_new_ones_out_before_they_are_known() {
        let is_usual = |value: &Value| value.text.parse::<usize>().unwrap() < Seen::MAX;
        let standing =
            |value: &Value| if is_usual(value) { Standing::Usual } else { Standing::New };
        let n_all = Seen::MAX + 2 * Novelties::MAX;
        let mut early = novelties(0..n_all, false);
        early.settle(Day(5), standing);
        assert!(early == novelties(Seen::MAX..n_all, true));
        assert_eq!(n_values(&early), Novelties::MAX);
    }
}
