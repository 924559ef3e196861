//! How many distinct values, and which: exact up to a bound, an estimate beyond it.

use crate::{
    bits::log2,
    few,
    form::{Form, FormError, Reader, Writer},
    value::Value,
};
use std::collections::BTreeMap;

/// Registers of the estimate: 64, for a standard error of 13 %.
const REGISTERS: usize = 64;

/// A set of values with amounts. It keeps the smallest by hash (once out, always out, so what stays
/// is exact) and counts the others by `HyperLogLog` (Flajolet et al. 2007). Any order of the same
/// values gives the same set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Distinct(Option<Box<Set>>);

/// In a box, since most counts have no values. Not empty.
#[derive(Debug, Clone, Default, PartialEq)]
struct Set {
    /// In order: most sets are small, and a tree has room for eleven at once.
    kept: Vec<(Value, u64)>,
    sketch: Option<Box<[u8; REGISTERS]>>,
}

impl Distinct {
    /// Values kept. Unit: values.
    pub const MAX: usize = 64;

    /// Adds `amount` of `value`.
    pub fn add(&mut self, value: &Value, amount: u64) {
        self.0.get_or_insert_default().add(value, amount);
    }

    fn kept(&self) -> &[(Value, u64)] {
        self.0.as_ref().map_or(&[], |set| &set.kept)
    }
}

impl Set {
    fn add(&mut self, value: &Value, amount: u64) {
        let at = match self.kept.binary_search_by(|(known, _)| known.cmp(value)) {
            Ok(at) => {
                if let Some((_, sum)) = self.kept.get_mut(at) {
                    *sum = sum.saturating_add(amount);
                }
                return;
            }
            Err(at) => at,
        };
        if self.kept.len() < Distinct::MAX {
            few::insert(&mut self.kept, at, (value.clone(), amount));
            if let Some(sketch) = &mut self.sketch {
                note(sketch, value.hash());
            }
            return;
        }
        note(self.sketch(), value.hash());
        if at < Distinct::MAX {
            self.kept.pop();
            self.kept.insert(at, (value.clone(), amount));
        }
    }

    fn merge(&mut self, other: &Self) {
        for (value, amount) in &other.kept {
            self.add(value, *amount);
        }
        let Some(theirs) = &other.sketch else { return };
        join(self.sketch(), theirs);
    }

    /// The sketch, begun with what is kept so far.
    fn sketch(&mut self) -> &mut [u8; REGISTERS] {
        let kept = &self.kept;
        self.sketch.get_or_insert_with(|| {
            let mut sketch = Box::new([0; REGISTERS]);
            for (value, _) in kept {
                note(&mut sketch, value.hash());
            }
            sketch
        })
    }
}

impl Distinct {
    /// Adds all of another set.
    pub fn merge(&mut self, other: &Self) {
        if let Some(theirs) = &other.0 {
            self.0.get_or_insert_default().merge(theirs);
        }
    }

    /// The number of distinct values: exact up to [`Self::MAX`], beyond it the larger of the bound
    /// and an estimate that can only grow.
    pub fn count(&self) -> u64 {
        let kept = self.kept().len() as u64;
        let sketch = self.0.as_ref().and_then(|set| set.sketch.as_ref());
        sketch.map_or(kept, |sketch| kept.max(estimate(sketch)))
    }

    /// What [`Self::count`] is of all `sets` together.
    pub fn count_together<'a>(sets: impl Iterator<Item = &'a Self> + Clone) -> u64 {
        let mut few = sets.clone();
        if let (Some(only), None) = (few.next(), few.next()) {
            return only.count();
        }
        let mut kept: Vec<&Value> = Vec::new();
        sets.clone().for_each(|set| kept.extend(set.kept().iter().map(|(value, _)| value)));
        kept.sort_unstable();
        kept.dedup();
        if kept.len() <= Self::MAX && !sets.clone().any(Self::is_estimate) {
            return kept.len() as u64;
        }
        let mut together = [0; REGISTERS];
        for value in &kept {
            note(&mut together, value.hash());
        }
        let sketches = sets.filter_map(|set| set.0.as_ref()?.sketch.as_ref());
        sketches.for_each(|sketch| join(&mut together, sketch));
        (kept.len().min(Self::MAX) as u64).max(estimate(&together))
    }

    /// The largest number of kept values whose first words are the same. Up to [`Self::MAX`].
    pub(crate) fn most_shared(&self) -> u64 {
        let mut by_word: BTreeMap<&str, u64> = BTreeMap::new();
        for (value, _) in self.kept() {
            let word = value.text.split(' ').next().unwrap_or_default();
            *by_word.entry(word).or_default() += 1;
        }
        by_word.into_values().max().unwrap_or(0)
    }

    /// Whether [`Self::count`] is an estimate.
    pub fn is_estimate(&self) -> bool {
        self.0.as_ref().is_some_and(|set| set.sketch.is_some())
    }

    /// The values that were kept, with their amounts, in the order of their hashes.
    pub fn iter(&self) -> impl Iterator<Item = (&Value, u64)> {
        self.kept().iter().map(|(value, amount)| (value, *amount))
    }

    /// Whether it holds no value.
    pub(crate) fn is_empty(&self) -> bool {
        self.kept().is_empty()
    }

    /// Keeps only the values that `wanted` admits.
    pub(crate) fn retain(&mut self, wanted: impl Fn(&Value) -> bool) {
        if let Some(set) = &mut self.0 {
            set.kept.retain(|(value, _)| wanted(value));
        }
        self.0.take_if(|set| set.kept.is_empty() && set.sketch.is_none());
    }

    /// The kept values of the largest amounts first, ties by text.
    pub fn heaviest(&self) -> Vec<(&str, u64)> {
        let mut values: Vec<_> =
            self.iter().map(|(value, amount)| (&*value.text, amount)).collect();
        values.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        values
    }
}

fn note(sketch: &mut [u8; REGISTERS], hash: u64) {
    let register = usize::try_from(hash % REGISTERS as u64).unwrap_or_default();
    let rank = u8::try_from((hash / REGISTERS as u64).trailing_zeros().min(57) + 1).unwrap_or(58);
    if let Some(max) = sketch.get_mut(register) {
        *max = (*max).max(rank);
    }
}

/// The sketch of both.
fn join(ours: &mut [u8; REGISTERS], theirs: &[u8; REGISTERS]) {
    ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| *ours = (*ours).max(*theirs));
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 2^64")]
fn estimate(sketch: &[u8; REGISTERS]) -> u64 {
    const ALPHA: f64 = 0.709; // for 64 registers
    let m = REGISTERS as f64;
    let sum: f64 = sketch.iter().map(|rank| libm::exp2(-f64::from(*rank))).sum();
    let raw = ALPHA * m * m / sum;
    let empty: f64 = sketch.iter().map(|rank| if *rank == 0 { 1.0 } else { 0.0 }).sum();
    // The switch from linear counting to the raw estimate must not let the count fall.
    let switch = 2.5 * m;
    let linear = m * log2(m / empty.max(1.0)) / std::f64::consts::LOG2_E;
    let estimate = if raw <= switch && empty > 0.0 { linear.min(switch) } else { raw.max(switch) };
    estimate.round() as u64
}

/// Most of these values nobody else holds, so they are written as what they are: texts.
impl Form for Set {
    fn write(&self, to: &mut Writer) {
        let Self { kept, sketch } = self;
        kept.len().write(to);
        for (value, amount) in kept {
            value.text.write(to);
            amount.write(to);
        }
        sketch.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        let (kept, sketch) = Form::read(from)?;
        Ok(Self { kept, sketch })
    }
}

impl Form for Distinct {
    fn write(&self, to: &mut Writer) {
        self.0.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        if from.is_form_1() {
            let set = Set::read(from)?;
            return Ok(Self((set != Set::default()).then(|| Box::new(set))));
        }
        Form::read(from).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::HashKey;

    fn values(n: usize) -> Vec<Value> {
        (0..n).map(|n| HashKey::DEFAULT.value(&format!("v{n}"))).collect()
    }

    #[test]
    fn any_order_and_any_split_give_the_same_set() {
        let values = values(500);
        for n in [0, 1, 63, 64, 65, 500] {
            let (mut up, mut down) = (Distinct::default(), Distinct::default());
            let (mut left, mut right) = (Distinct::default(), Distinct::default());
            for (i, value) in values[..n].iter().enumerate() {
                up.add(value, 1);
                (if i % 3 == 0 { &mut left } else { &mut right }).add(value, 1);
            }
            values[..n].iter().rev().for_each(|value| down.add(value, 1));
            let mut merged = right.clone();
            merged.merge(&left);
            left.merge(&right);
            assert_eq!(up, down, "{n}");
            assert_eq!(up, left, "{n}");
            assert_eq!(up, merged, "{n}");
            assert_eq!(Distinct::count_together([&up, &right].into_iter()), up.count(), "{n}");
        }
    }

    #[test]
    fn the_count_is_exact_up_to_the_bound_and_near_beyond() {
        for n in [1, 64, 200, 1_000, 50_000_usize] {
            let mut set = Distinct::default();
            for value in values(n) {
                set.add(&value, 1);
            }
            let count = usize::try_from(set.count()).unwrap();
            let (low, high) = if n <= Distinct::MAX { (n, n) } else { (n * 6 / 10, n * 14 / 10) };
            assert!((low..=high).contains(&count), "{n}: {count}");
            assert_eq!(set.is_estimate(), n > Distinct::MAX);
        }
    }

    #[test]
    fn the_count_only_grows() {
        let mut set = Distinct::default();
        let mut last = 0;
        for value in values(5_000) {
            set.add(&value, 1);
            assert!(set.count() >= last);
            last = set.count();
        }
    }
}
