//! How high the days of a kind of identities reach: one number a day of each identity, the largest surprise
//! of an hour. In: such numbers, in any order. Out: which surprise so and so many days reach, as generations
//! by the day. What is an alert, and how many there may be, it does not know.

use crate::{
    bits::Bits,
    form,
    form::{Form, FormError, Reader, Writer},
    history::FADED_AFTER,
    identity::Kind,
    memory::{Weight, decayed},
    time::Day,
};
use hdrhistogram::Histogram;
use std::collections::BTreeMap;

/// The surprise that is told apart: as much as one part can say. More counts as this. Unit: tenths of a bit.
const TENTHS_MAX: u64 = 10_000;
/// Digits that are exact: tenths of a bit up to 204 bits, fifths up to 409. Such a histogram takes 40 KiB.
const DIGITS: u8 = 3;
/// Fraction bits of weights: what decay leaves over at last is below a millionth of a day.
const FRACTION: u32 = 24;

/// The weight of a day, in fixed point.
fn fixed(weight: Weight) -> u64 {
    weight.eighths() << FRACTION
}

/// A sum of weights. Unit: plain days.
fn days(fixed: u64) -> f64 {
    fixed as f64 / fixed_day()
}

fn fixed_day() -> f64 {
    fixed(Weight::PLAIN) as f64
}

/// A day less of it; nothing, once decay takes nothing away any more.
fn end_day(sum: u64) -> u64 {
    let left = decayed(sum);
    if left < sum { left } else { 0 }
}

/// The days of one kind, by how high they reach, weighed. `None` while there are none.
#[derive(Debug, Clone, Default, PartialEq)]
struct Spread(Option<Histogram<u64>>);

impl Spread {
    /// Adds days that weigh `weight` together, in fixed point.
    fn add(&mut self, tenths: u64, weight: u64) {
        if weight == 0 {
            return;
        }
        // The bounds are fine, or the tests would see nothing at all.
        let empty = || Histogram::new_with_bounds(1, TENTHS_MAX, DIGITS).ok();
        if let Some(histogram) = self.0.take().or_else(empty) {
            self.0.insert(histogram).saturating_record_n(tenths.min(TENTHS_MAX), weight);
        }
    }

    /// Heights and weights, the lowest first. Unit: tenths of a bit; fixed point.
    fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        let recorded = self.0.iter().flat_map(Histogram::iter_recorded);
        recorded.map(|one| (one.value_iterated_to(), one.count_at_value()))
    }

    fn merge(&mut self, other: &Self) {
        other.iter().for_each(|(tenths, weight)| self.add(tenths, weight));
    }

    fn end_day(&mut self) {
        let mut next = Self::default();
        self.iter().for_each(|(tenths, weight)| next.add(tenths, end_day(weight)));
        *self = next;
    }

    /// The sum of the weights, in fixed point.
    fn sum(&self) -> u64 {
        self.0.as_ref().map_or(0, Histogram::len)
    }
}

impl Form for Spread {
    fn write(&self, to: &mut Writer) {
        self.iter().collect::<Vec<_>>().write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        let mut spread = Self::default();
        let mut sum = 0_u64;
        for (tenths, weight) in Vec::<(u64, u64)>::read(from)? {
            sum = sum.checked_add(weight).ok_or(FormError::Damaged)?;
            spread.add(tenths, weight);
        }
        Ok(spread)
    }
}

/// How high the days up to a certain one reached.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Heights {
    through: Day,
    /// Days on which there was anything, decayed, in fixed point.
    n_days: u64,
    by_kind: BTreeMap<Kind, Spread>,
}

impl Heights {
    /// Days on which anybody was judged. Unit: decayed days.
    pub fn n_days(&self) -> f64 {
        days(self.n_days)
    }

    /// Days of identities of a kind. Unit: decayed days, weighed.
    pub fn n_of(&self, kind: Kind) -> f64 {
        self.by_kind.get(&kind).map_or(0.0, |spread| days(spread.sum()))
    }

    /// Days of all identities. Unit: decayed days, weighed.
    pub fn n_all(&self) -> f64 {
        days(self.by_kind.values().fold(0, |sum, spread| sum.saturating_add(spread.sum())))
    }

    /// The least surprise that at most `n_days` days of `kind` reach, in whole tenths of a bit; 0 bits where no
    /// more days than that are known. Unit of `n_days`: decayed days, weighed.
    pub fn reached_by(&self, kind: Kind, n_days: f64) -> Bits {
        let Some(spread) = self.by_kind.get(&kind) else { return Bits::ZERO };
        let mut above = spread.sum();
        let mut least = 0;
        for (tenths, weight) in spread.iter() {
            if days(above) <= n_days {
                break;
            }
            above = above.saturating_sub(weight);
            least = tenths + 1;
        }
        Bits::of_tenths(least)
    }

    fn learn(&mut self, taught: &BTreeMap<Kind, Spread>) {
        self.n_days = self.n_days.saturating_add(fixed(Weight::PLAIN));
        for (kind, spread) in taught {
            self.by_kind.entry(*kind).or_default().merge(spread);
        }
    }

    /// Lets the days to the end of `through` pass.
    fn pass(&mut self, through: Day) {
        let n_days = through.0.saturating_sub(self.through.0).min(FADED_AFTER);
        for _ in 0..n_days {
            if self.by_kind.is_empty() {
                self.n_days = 0;
                break;
            }
            self.n_days = end_day(self.n_days);
            self.by_kind.values_mut().for_each(Spread::end_day);
            self.by_kind.retain(|_, spread| spread.sum() > 0);
        }
        self.through = self.through.max(through);
    }
}

/// A base, and the closed days after it, as of [`crate::History`].
#[derive(Debug, Clone, Default)]
pub struct HeightHistory {
    base: Heights,
    closed: BTreeMap<Day, BTreeMap<Kind, Spread>>,
    /// Generations ahead of the base, computed when first needed.
    ahead: BTreeMap<Day, Heights>,
}

impl PartialEq for HeightHistory {
    fn eq(&self, other: &Self) -> bool {
        let Self { base, closed, ahead: _ } = self;
        (base, closed) == (&other.base, &other.closed)
    }
}

impl HeightHistory {
    /// Adds how high one identity of `kind` reached on `day`.
    pub fn add(&mut self, day: Day, kind: Kind, (height, weight): (Bits, Weight)) {
        let spread = self.closed.entry(day).or_default().entry(kind).or_default();
        spread.add(height.tenths(), fixed(weight));
        self.ahead.clear();
    }

    /// Makes the generation through `through` ready to be read.
    pub fn prepare(&mut self, through: Day) {
        if self.base.through < through && !self.ahead.contains_key(&through) {
            let mut heights = self.base.clone();
            self.advance(&mut heights, through);
            self.ahead.insert(through, heights);
        }
    }

    /// What is known by the end of `through`, once it was prepared.
    pub fn at(&self, through: Day) -> &Heights {
        self.ahead.get(&through).unwrap_or(&self.base)
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
        self.ahead.retain(|day, _| *day > through);
    }

    /// One day at a time, so it cannot matter when a day is merged.
    fn advance(&self, heights: &mut Heights, through: Day) {
        let first = Day(heights.through.0.saturating_add(1));
        let taught = (first <= through).then(|| self.closed.range(first..=through));
        for (day, taught) in taught.into_iter().flatten() {
            heights.pass(Day(day.0.saturating_sub(1)));
            heights.learn(taught);
            heights.pass(*day);
        }
        heights.pass(through);
    }
}

form! {
    Heights { through, n_days, by_kind }
}

impl Form for HeightHistory {
    fn write(&self, to: &mut Writer) {
        let Self { base, closed, ahead: _ } = self;
        base.write(to);
        closed.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        let (base, closed) = Form::read(from)?;
        Ok(Self { base, closed, ahead: BTreeMap::new() })
    }
}

#[cfg(test)]
mod tests;
