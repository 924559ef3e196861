//! The two kinds of memory. All sums are of integers, so they are exact in any order.

use crate::{
    ablation::{Piece, lacks},
    bits::{Bits, log2},
    form,
    form::{Form, FormError, Reader, Writer},
    held::{HeldRate, HeldValue},
    lesson::Lesson,
    value::Value,
};

/// What a day teaches. Unit: eighths of a day. A plain day weighs 8, a day on which a finding of
/// medium severity or above opened on the entity weighs 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight(u32);

impl Weight {
    /// A day like any other.
    pub const PLAIN: Self = Self(8);
    /// A day with a finding on the entity.
    pub const ALERTED: Self = Self(1);
    /// A value is known once its weights have come to half a day.
    const KNOWN: u32 = 4;

    /// Unit: eighths of a day.
    pub(crate) fn eighths(self) -> u64 {
        self.0.into()
    }

    /// `n` hours of such a day, in fixed point.
    pub(crate) fn scale(self, n: u64) -> u64 {
        n.saturating_mul(u64::from(self.0) << FRACTION)
    }

    /// What is missing to the sum of a plain day where `sum` is that of an alerted one.
    pub(crate) fn held_back(sum: u64) -> u64 {
        let held_back = u64::from(Self::PLAIN.0 - Self::ALERTED.0);
        (sum / u64::from(Self::ALERTED.0)).saturating_mul(held_back)
    }
}

/// `2^32 (1 - 2^(-1/30))`: what a day takes from a weight whose half-life is 30 days.
const DECAY: u128 = 98_097_189;
/// Fraction bits of decayed weights and sums.
const FRACTION: u32 = 8;

/// One day's decay of a fixed-point number.
pub(crate) fn decayed(x: u64) -> u64 {
    x - u64::try_from((u128::from(x) * DECAY) >> 32).unwrap_or(x)
}

#[derive(Debug, Clone, PartialEq)]
struct Known {
    value: Value,
    /// Sum of the weights, undecayed. Unit: eighths of a day.
    weight: u32,
    /// Sum of the weights, decayed. Unit: eighths of a day, fixed point.
    decayed: u64,
    /// The largest number of members that had the value on one day, decayed. Unit: members, fixed point.
    n_members: u64,
}

impl Known {
    /// Adds a day on which so many members had the value, by weight of their day.
    fn learn(&mut self, [plain, alerted]: [u32; 2]) {
        let amount = Weight::PLAIN.0.saturating_mul(plain);
        let amount = amount.saturating_add(Weight::ALERTED.0.saturating_mul(alerted));
        self.weight = self.weight.saturating_add(amount);
        self.decayed = self.decayed.saturating_add(u64::from(amount) << FRACTION);
        let n_members = u64::from(plain.saturating_add(alerted)) << FRACTION;
        self.n_members = self.n_members.max(n_members);
    }

    /// Lets a day pass: what a group has given up vouches for nobody for ever.
    fn end_day(&mut self) {
        self.decayed = decayed(self.decayed);
        self.n_members = decayed(self.n_members);
    }
}

/// Values, and on how many days each was seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Seen {
    /// In order of values.
    known: Vec<Known>,
    /// Sum of the decayed weights.
    n_all: u64,
}

impl Seen {
    /// Values that a memory keeps; the least useful goes when a day closes. Unit: values.
    pub(crate) const MAX: usize = 512;

    fn find(&self, value: &Value) -> Option<&Known> {
        let at = self.known.binary_search_by(|known| known.value.cmp(value)).ok()?;
        self.known.get(at)
    }

    /// Its weight. Unit: eighths of a day.
    pub(crate) fn weight(&self, value: &Value) -> u32 {
        self.find(value).map_or(0, |known| known.weight)
    }

    /// Its weight as so many plain days. Unit: days.
    pub(crate) fn plain_days(&self, value: &Value) -> u32 {
        self.weight(value) / Weight::PLAIN.0
    }

    /// The largest number of members of a group that had `value` on one day, decayed; 0 while it is
    /// unknown, or what an intruder brought on one day would vouch for him on the next.
    pub(crate) fn n_members(&self, value: &Value) -> f64 {
        let known = self.find(value).filter(|known| Self::is_known(known.weight));
        known.map_or(0.0, |known| members(known.n_members))
    }

    /// Whether a value of this text is known.
    pub(crate) fn knows_text(&self, text: &str) -> bool {
        let mut same = self.known.iter().filter(|known| &*known.value.text == text);
        same.any(|known| Self::is_known(known.weight))
    }

    /// Whether weights that come to `weight` make a value known.
    pub(crate) fn is_known(weight: u32) -> bool {
        weight >= Weight::KNOWN
    }

    /// Adds a day: each value with the number of members that had it on a plain day, and on an
    /// alerted one. A day of a large group brings many, so they are not put in one by one.
    pub(crate) fn learn<'v>(&mut self, values: impl IntoIterator<Item = (&'v Value, [u32; 2])>) {
        let mut news = Vec::new();
        for (value, n_members) in values {
            let at = self.known.binary_search_by(|known| known.value.cmp(value));
            if let Some(known) = at.ok().and_then(|at| self.known.get_mut(at)) {
                known.learn(n_members);
                continue;
            }
            let value = value.clone();
            let mut known = Known { value, weight: 0, decayed: 0, n_members: 0 };
            known.learn(n_members);
            news.push(known);
        }
        if !news.is_empty() {
            self.known.reserve_exact(news.len());
            self.known.append(&mut news);
            self.known.sort_by(|a, b| a.value.cmp(&b.value));
        }
        self.sum_up();
    }

    /// What somebody said of a value: known, as if a plain day had brought it at least, or not known, as
    /// if none had.
    pub(crate) fn teach(&mut self, value: &Value, lesson: Lesson) {
        let at = self.known.binary_search_by(|known| known.value.cmp(value));
        match (lesson, at) {
            (Lesson::Known, Ok(at)) => {
                if let Some(known) = self.known.get_mut(at) {
                    known.weight = known.weight.max(Weight::PLAIN.0);
                    known.decayed = known.decayed.max(DAY);
                }
            }
            (Lesson::Known, Err(at)) => {
                let mut known = Known { value: value.clone(), weight: 0, decayed: 0, n_members: 0 };
                known.learn([1, 0]);
                self.known.insert(at, known);
            }
            (Lesson::Unknown, Ok(at)) => drop(self.known.remove(at)),
            (Lesson::Unknown, Err(_)) => {}
        }
        self.sum_up();
    }

    /// Lets a day pass: decay, and the bound, in canonical order.
    pub(crate) fn end_day(&mut self) {
        self.known.iter_mut().for_each(Known::end_day);
        if self.known.len() > Self::MAX {
            self.known
                .sort_by(|a, b| b.decayed.cmp(&a.decayed).then_with(|| a.value.cmp(&b.value)));
            self.known.truncate(Self::MAX);
            self.known.sort_by(|a, b| a.value.cmp(&b.value));
        }
        self.sum_up();
    }

    /// Witten-Bell (1991, method C): the probability that a value is a new one, `T / (N + T)`,
    /// with `T` distinct values on `N` decayed days in all. With no history: 1.
    pub(crate) fn escape(&self) -> f64 {
        let n_distinct = self.known.len() as f64;
        if n_distinct > 0.0 { n_distinct / (self.n_all() + n_distinct) } else { 1.0 }
    }

    /// The probability of `value`: `n / (N + T)`, and the escape times the `back_off`.
    pub(crate) fn probability(&self, value: &Value, back_off: f64) -> f64 {
        let n = self.find(value).map_or(0.0, |known| days(known.decayed));
        let known = if n > 0.0 { n / (self.n_all() + self.known.len() as f64) } else { 0.0 };
        known + self.escape() * back_off
    }

    /// The values of most weight, at most `n`.
    pub(crate) fn usual(&self, n: usize) -> Vec<&str> {
        let mut values: Vec<_> = self.known.iter().collect();
        values.sort_by(|a, b| b.decayed.cmp(&a.decayed).then(a.value.text.cmp(&b.value.text)));
        values.into_iter().take(n).map(|known| &*known.value.text).collect()
    }

    /// All values, the heaviest first.
    pub(crate) fn held(&self) -> Vec<HeldValue> {
        let mut known: Vec<_> = self.known.iter().collect();
        known.sort_by(|a, b| b.decayed.cmp(&a.decayed).then(a.value.text.cmp(&b.value.text)));
        let held = |known: &Known| HeldValue {
            value: known.value.clone(),
            weight_eighths: known.weight,
            days: days(known.decayed),
            n_members: members(known.n_members),
            is_known: Self::is_known(known.weight),
        };
        known.into_iter().map(held).collect()
    }

    fn sum_up(&mut self) {
        self.n_all = self.known.iter().map(|known| known.decayed).sum();
    }

    /// Sum of all weights. Unit: decayed days.
    pub(crate) fn n_all(&self) -> f64 {
        days(self.n_all)
    }

    /// Number of values, known or not yet. Unit: values.
    pub(crate) fn n_distinct(&self) -> usize {
        self.known.len()
    }

    /// The weight of `value`. Unit: decayed days.
    pub(crate) fn n_days_of(&self, value: &Value) -> f64 {
        self.find(value).map_or(0.0, |known| days(known.decayed))
    }

    /// Whether the rarest eighth of all that was seen can hold `value`, which is known: a bound that
    /// asks for no look at the others.
    pub(crate) fn may_be_rare(&self, value: &Value) -> bool {
        const RARE: f64 = 0.125;
        let n_distinct = self.known.len() as f64;
        self.n_days_of(value) + n_distinct <= RARE * (self.n_all() + n_distinct)
    }

    /// The probability of a value as rare as `value`, or rarer: the tail of rarity
    /// `(sum of n(u) over all u with n(u) <= n(v)  +  T) / (N + T)`, with days for `n`.
    pub(crate) fn rarity(&self, value: &Value) -> f64 {
        let n = self.find(value).map_or(0, |known| known.decayed);
        self.tail(n, DAY, |known| known.decayed)
    }

    /// The same among the members of a group, counted in members that know it; nothing where none does.
    pub(crate) fn rarity_among_members(&self, value: &Value) -> Option<f64> {
        let n_members = |known: &Known| {
            if Self::is_known(known.weight) { known.n_members } else { 0 }
        };
        let n = self.find(value).map(n_members).filter(|n| *n > 0)?;
        Some(self.tail(n, 1 << FRACTION, n_members))
    }

    /// `one` is what a single day, or member, weighs.
    fn tail(&self, n: u64, one: u64, weight: impl Fn(&Known) -> u64) -> f64 {
        let (mut as_rare, mut all) = (0_u64, 0_u64);
        for of_value in self.known.iter().map(weight) {
            all = all.saturating_add(of_value);
            if of_value <= n {
                as_rare = as_rare.saturating_add(of_value);
            }
        }
        let n_distinct = self.known.len() as f64 * one as f64;
        (as_rare as f64 + n_distinct) / (all as f64 + n_distinct)
    }

    /// Witten-Bell's escape counted in members that know a value: the probability that one more member
    /// shows a value that none of them knows.
    pub(crate) fn escape_of_members(&self) -> f64 {
        let known = self.known.iter().filter(|known| Self::is_known(known.weight));
        let (n_distinct, n_all) =
            known.fold((0.0, 0.0), |(n, all), known| (n + 1.0, all + members(known.n_members)));
        if n_distinct > 0.0 { n_distinct / (n_all + n_distinct) } else { 1.0 }
    }
}

/// A plain day as a decayed weight.
pub(crate) const DAY: u64 = (Weight::PLAIN.0 as u64) << FRACTION;

/// A decayed weight in days.
pub(crate) fn days(decayed: u64) -> f64 {
    decayed as f64 / DAY as f64
}

/// A decayed number of members.
fn members(decayed: u64) -> f64 {
    decayed as f64 / f64::from(1_u32 << FRACTION)
}

/// How much an hour brings: number of hours that held something, sum, sum of squares; weighed like
/// days, in fixed point.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Rate([u64; 3]);

impl Rate {
    /// What the back-off weighs against own hours. Unit: hours.
    pub(crate) const BACK_OFF_H: f64 = 24.0;
    /// An hour above this teaches no more than this.
    const LEARNED_MAX: u64 = 1 << 16;
    /// A day moves the mean of a settled history by no more than a twentieth, upwards, and the mean
    /// square by its square: where 30 days of half-life have come to rest, a day of 3.2 times the mean
    /// does that.
    const MOVED_MAX: (u128, u128) = (21, 20);

    /// Adds an hour that brought `x`.
    pub(crate) fn note(&mut self, x: u64) {
        let x = x.min(Self::LEARNED_MAX);
        self.add(&Self([1, x, x * x]));
    }

    /// Takes in a day. A settled history follows it only so far upwards.
    pub(crate) fn learn(&mut self, day: &Self, is_settled: bool) {
        let ([hours, sums @ ..], [hours_of_day, sums_of_day @ ..]) = (self.0, day.0);
        let mut most = *day;
        if is_settled && hours > 0 {
            // What leaves mean and mean square within the bound: (sum + x) / (n + n') <= (1 + c) sum / n.
            let (over, under) = Self::MOVED_MAX;
            let hours_after = u128::from(hours) + u128::from(hours_of_day);
            let bound = |(sum, of_day): (u64, u64), power: u32| {
                let most = u128::from(sum) * over.pow(power) / under.pow(power);
                let most = most * hours_after / u128::from(hours);
                of_day.min(u64::try_from(most.saturating_sub(sum.into())).unwrap_or(u64::MAX))
            };
            let [sum, squares] = sums;
            let [sum_of_day, squares_of_day] = sums_of_day;
            let (sum, squares) = ((sum, sum_of_day), (squares, squares_of_day));
            most = Self([hours_of_day, bound(sum, 1), bound(squares, 2)]);
        }
        self.add(&most);
    }

    /// Sum of what its hours brought, in fixed point.
    pub(crate) fn sum(&self) -> u64 {
        let [_, sum, _] = self.0;
        sum
    }

    /// Adds sums of the same scale.
    pub(crate) fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, n)| *sum = sum.saturating_add(n));
    }

    /// The same hours as a day of `weight` teaches them.
    pub(crate) fn weighed(&self, weight: Weight) -> Self {
        Self(self.0.map(|n| weight.scale(n)))
    }

    /// What is missing to the hours of a plain day where these are of an alerted one.
    pub(crate) fn held_back(&self) -> Self {
        Self(self.0.map(Weight::held_back))
    }

    /// Lets a day pass.
    pub(crate) fn end_day(&mut self) {
        self.0 = self.0.map(decayed);
    }

    /// Hours that held something. Unit: decayed hours.
    pub(crate) fn n_hours(&self) -> f64 {
        days(self.0[0])
    }

    /// The same sums, over `n_hours` hours of which the others held nothing.
    #[must_use]
    pub(crate) fn over(mut self, n_hours: u64) -> Self {
        self.0[0] = self.0[0].max(n_hours);
        self
    }

    /// The sums themselves.
    pub(crate) fn held(&self) -> HeldRate {
        let [hours, sum, sum_squares] = self.0.map(days);
        HeldRate { hours, sum, sum_squares }
    }

    /// Mean of an hour that held something; 0 if none did.
    pub(crate) fn mean(&self) -> f64 {
        let [n_hours, sum, _] = self.0.map(days);
        if n_hours > 0.0 { sum / n_hours } else { 0.0 }
    }

    /// What to expect of an hour; `back_off` weighs as much as a day of hours.
    pub(crate) fn expected(&self, back_off: Expected) -> Expected {
        let [n_hours, sum, sum_squares] = self.0.map(days);
        let mean =
            |sum, back_off| (sum + Self::BACK_OFF_H * back_off) / (n_hours + Self::BACK_OFF_H);
        Expected {
            mean: mean(sum, back_off.mean),
            mean_square: mean(sum_squares, back_off.mean_square),
            n_hours: n_hours + back_off.n_hours,
        }
    }
}

/// A Gamma-Poisson (negative binomial), by its two moments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    /// Mean of an hour that holds something.
    pub mean: f64,
    mean_square: f64,
    /// Hours behind it. Unit: decayed hours.
    pub n_hours: f64,
}

impl Expected {
    /// Before anybody has history: mean 1, variance 2.
    pub(crate) const VAGUE: Self = Self { mean: 1.0, mean_square: 3.0, n_hours: 0.0 };

    /// The Gamma's shape; past a million a Gamma-Poisson is a Poisson.
    fn size(&self) -> f64 {
        let excess_variance = self.mean_square - self.mean * self.mean - self.mean;
        if excess_variance > 0.0 { (self.mean * self.mean / excess_variance).min(1e6) } else { 1e6 }
    }

    /// Surprise at `x` or more, `-log2 P(X >= x)`, never overstated: the better of two bounds on
    /// `P`, Markov's `m/x` (for small counts) and Chernoff's (for large ones), whose bits are
    /// `x log2(x/m) - (x+r) log2((x+r)/(m+r))`, with mean `m` and size `r`. Monotone in `x`. And
    /// no rarer than `1/((n+2) x)` after `n` hours: so few hours cannot know more.
    pub(crate) fn tail(&self, x: u64) -> Bits {
        let (x, m, r) = (x as f64, self.mean, self.size());
        if x <= m {
            return Bits::ZERO;
        }
        let chernoff = x * log2(x / m) - (x + r) * log2((x + r) / (m + r));
        let is_bounded = !lacks(Piece::Knowable);
        let knowable = if is_bounded { log2((self.n_hours + 2.0) * x) } else { f64::INFINITY };
        Bits::of(chernoff.max(log2(x / m)).min(knowable))
    }

    /// The least that one hour in a hundred, or fewer, comes to.
    pub(crate) fn rare_from(&self) -> u64 {
        let is_rare = |x: u64| self.tail(x) >= Bits::of(log2(100.0));
        let mut above = 1;
        while !is_rare(above) && above < u64::MAX / 2 {
            above *= 2;
        }
        let mut below = above / 2;
        while above - below > 1 {
            let middle = below + (above - below) / 2;
            if is_rare(middle) {
                above = middle;
            } else {
                below = middle;
            }
        }
        above
    }
}

form! {
    Known { value, weight, decayed, n_members }
    Rate { 0 }
}

impl Form for Seen {
    fn write(&self, to: &mut Writer) {
        let Self { known, n_all: _ } = self;
        known.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        let mut seen = Self { known: Form::read(from)?, n_all: 0 };
        seen.sum_up();
        Ok(seen)
    }
}

#[cfg(test)]
mod tests;
