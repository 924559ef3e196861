//! What a day is judged by: read-only, the same however long the day lasts; and the bits that follow.

use crate::{
    bits::{Bits, Part},
    dimension::Dimension,
    history::Learned,
    hour::Span,
    memory::{Expected, Rate, Seen},
    novel::Novel,
    pace::Drift,
    value::Value,
};
use std::collections::BTreeSet;

/// Who is known to have shown a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownBy {
    /// The entity itself.
    Own,
    /// Others of its group.
    Group,
    /// Neither.
    Nobody,
}

/// The groups whose habits are priors for an entity, the nearest first: those of its role, of its kind
/// in the account, the account, the organisation.
pub const N_PRIORS: usize = 4;

/// G(D) of an entity, and P(D) of its groups.
#[derive(Debug)]
pub struct Generation<'a> {
    pub(crate) own: &'a Learned,
    /// That of its kind in its account.
    pub(crate) prior: &'a Learned,
    pub(crate) priors: [&'a Learned; N_PRIORS],
}

impl<'a> Generation<'a> {
    /// Active hours, of the entity and of its group, that are enough to say what never happens: an
    /// hour with any of it then carries 5 bits. Unit: decayed hours.
    const ENOUGH_H: f64 = 36.0;

    pub(crate) fn new(own: &'a Learned, priors: [&'a Learned; N_PRIORS]) -> Self {
        let [_, prior, ..] = priors;
        Self { own, prior, priors }
    }

    /// Days with records behind the entity's own profile. Unit: days.
    pub fn own_days(&self) -> u32 {
        self.own.n_days()
    }

    /// Days with records behind the profile of its group. Unit: days.
    pub fn group_days(&self) -> u32 {
        self.prior.n_days()
    }

    /// Whether neither has history: amounts are then judged by absolute floors.
    pub fn is_cold(&self) -> bool {
        self.own_days() == 0 && self.group_days() == 0
    }

    /// Whether history is enough to judge amounts of `dimension`: somebody has shown any of it, or
    /// the hours of a day have shown that nobody does. Fewer hours cannot make anything improbable,
    /// so that the little they know would only silence the floors.
    pub fn can_judge(&self, dimension: Dimension) -> bool {
        let has_any = |learned: &Learned| learned.rate(dimension).n_hours() > 0.0;
        let hours = self.own.n_hours() + self.prior.n_hours();
        has_any(self.own) || has_any(self.prior) || hours >= Self::ENOUGH_H
    }

    /// Whether the entity has shown `value` often enough to know it.
    pub fn knows(&self, dimension: Dimension, value: &Value) -> bool {
        self.own.knows(dimension, value)
    }

    /// Whether the entity has shown `value` before, be it too seldom to know it.
    pub fn has_shown(&self, dimension: Dimension, value: &Value) -> bool {
        self.own.seen(dimension).is_some_and(|seen| seen.weight(value) > 0)
    }

    /// The days on which the entity showed `value`, at least: a day with a finding counts as an eighth.
    /// Unit: days.
    pub fn n_days(&self, dimension: Dimension, value: &Value) -> u32 {
        self.own.seen(dimension).map_or(0, |seen| seen.plain_days(value))
    }

    /// The values of the hour that the entity does not know: of those dimensions of which only such are
    /// kept, if one of `dimensions` is of them, and of the others among `dimensions`.
    pub fn unknown_values(
        &self,
        span: &Span<'_>,
        dimensions: &BTreeSet<Dimension>,
    ) -> BTreeSet<(Dimension, Value)> {
        let is_of_novelty = |one: &Dimension| one.counts_news() || one.is_calls();
        let asks_for_novelty = dimensions.iter().any(is_of_novelty);
        let mut news = BTreeSet::new();
        for &dimension in Dimension::ALL {
            if dimension.counts_news() && asks_for_novelty {
                let is_new = |novel: &Novel| novel.is_new && !self.knows(dimension, &novel.value);
                let novel = span.novel(dimension).into_iter();
                let novel = novel.flat_map(|novel| novel.windows(span.hour, is_new)).flatten();
                news.extend(novel.map(|novel| (dimension, novel.value.clone())));
            } else if dimensions.contains(&dimension) && dimension.learns_values() {
                let values = span.values(dimension, |value| !self.knows(dimension, value));
                news.extend(values.iter().map(|(value, _)| (dimension, value.clone())));
            }
        }
        news
    }

    /// Who is known to have shown a value of this text.
    pub fn known_by(&self, dimension: Dimension, text: &str) -> KnownBy {
        let known =
            |learned: &Learned| learned.seen(dimension).is_some_and(|seen| seen.knows_text(text));
        match (known(self.own), known(self.prior)) {
            (true, _) => KnownBy::Own,
            (false, true) => KnownBy::Group,
            (false, false) => KnownBy::Nobody,
        }
    }

    /// Whether its group knows `value`.
    pub fn is_known_to_group(&self, dimension: Dimension, value: &Value) -> bool {
        self.prior.knows(dimension, value)
    }

    /// Whether two members of the group or more had `value` on one day of about the last 30: so long two
    /// take to decay to one, and one is less than one from its first day on.
    pub fn is_shared(&self, dimension: Dimension, value: &Value) -> bool {
        self.prior.seen(dimension).is_some_and(|seen| seen.n_members(value) >= 1.0)
    }

    /// What to expect of `dimension` in 60 minutes that hold something of it.
    pub(crate) fn expected(&self, dimension: Dimension) -> Expected {
        let prior = self.prior.rate(dimension).expected(Expected::VAGUE);
        self.own.rate(dimension).expected(prior)
    }

    /// The bits of `x` of `dimension` in 60 minutes, in two parts: that the hour holds any of it at
    /// all, and that it holds so many.
    pub fn amount(&self, dimension: Dimension, x: u64) -> Vec<Part> {
        let many = self.many(dimension, x);
        if x <= self.own.usual_after_alerts(dimension) {
            return vec![many];
        }
        vec![self.presence(dimension), many]
    }

    /// How surprising it is that there are so many, among hours that hold any.
    pub(crate) fn many(&self, dimension: Dimension, x: u64) -> Part {
        let observed = format!("{x} in 60 minutes");
        let after_alerts = self.own.usual_after_alerts(dimension);
        if x <= after_alerts {
            let usual = format!("up to {after_alerts}, after alerts on four days like this");
            return Part { dimension, bits: Bits::ZERO, observed, usual };
        }
        let bits = self.expected(dimension).tail(x);
        Part { dimension, bits, observed, usual: self.usual_amount(dimension) }
    }

    /// What a rate of the entity itself has come to, if it has grown; nothing where `x` in 60
    /// minutes has become usual after alerts.
    pub fn drift(&self, dimension: Dimension, x: u64) -> Option<Drift> {
        self.own.drift(dimension).filter(|_| x > self.own.usual_after_alerts(dimension))
    }

    /// What a day of the entity that brings `x` of `dimension`, by its hours, is to its days; nothing where it is no more
    /// than usual, or there are too few days.
    pub fn of_day(&self, dimension: Dimension, x: u64) -> Option<Drift> {
        self.own.of_day(dimension, x)
    }

    /// The bits of an hour that holds any of `dimension`: Laplace's rule over the hours of the
    /// group, weighing as much as a day against the entity's own; never rarer than the hours known.
    pub fn presence(&self, dimension: Dimension) -> Part {
        let (own_h, group_h) = (self.own.n_hours(), self.prior.n_hours());
        let holding = |learned: &Learned| learned.rate(dimension).n_hours();
        let group = (holding(self.prior) + 0.5) / (group_h + 1.0);
        let own = (holding(self.own) + Rate::BACK_OFF_H * group) / (own_h + Rate::BACK_OFF_H);
        let p = own.max(1.0 / (own_h + group_h + 2.0)).min(1.0);
        let usual = self.usual_amount(dimension);
        let observed = "an hour with any".to_owned();
        Part { dimension, bits: Bits::of_probability(p), observed, usual }
    }

    /// What of `dimension` is usual, for people. Hours are decayed, as everything that was learned.
    fn usual_amount(&self, dimension: Dimension) -> String {
        let describe = |learned: &Learned, whose: &str| {
            let (holding, all) = (learned.rate(dimension).n_hours(), learned.n_hours());
            let hours = if all.round() <= 1.0 { "hour" } else { "hours" };
            let Some((first, last)) = learned.days_of(dimension).filter(|_| holding >= 0.1) else {
                return format!("none in {whose} {all:.0} active {hours}");
            };
            let (mean, n) = (learned.rate(dimension).mean(), holding.max(1.0));
            let rare = self.expected(dimension).rare_from();
            format!(
                "{mean:.1} in an hour with any, fewer than {rare} in 99 of 100 such hours, which are \
                 {n:.0} of {whose} {all:.0} active {hours}, first {first}, last {last}"
            )
        };
        if self.is_cold() {
            "not known yet".to_owned()
        } else if self.own_days() > 0 {
            describe(self.own, "its")
        } else {
            format!("of itself not known yet, {}", describe(self.prior, "its group's"))
        }
    }

    /// The bits of `value` for this entity: Witten-Bell (1991, method C) over what it has shown, backing off
    /// to what its group has shown, and from there to `unseen_bits`, a prior for values new to everybody.
    /// Unit of `unseen_bits`: bits.
    pub fn novelty(&self, dimension: Dimension, value: &Value, unseen_bits: f64) -> Part {
        let unseen = libm::exp2(-unseen_bits);
        let prior = self.prior.seen(dimension);
        let back_off = prior.map_or(unseen, |seen| seen.probability(value, unseen));
        let own = self.own.seen(dimension);
        let p = own.map_or(back_off, |seen| seen.probability(value, back_off));
        let bits = Bits::of_probability(p.min(1.0));
        Part { dimension, bits, observed: value.text.to_string(), usual: self.usual(dimension) }
    }

    /// How unusual it is for the entity to show any value of `dimension` that it never showed: Witten-Bell's
    /// escape; of an entity that showed none at all, Laplace's rule over its days.
    pub fn newness(&self, dimension: Dimension) -> Bits {
        let escape = self.own.seen(dimension).map_or(1.0, Seen::escape);
        let none = || 1.0 / (f64::from(self.own_days()) + 1.0);
        Bits::of_probability(if escape < 1.0 { escape } else { none() })
    }

    /// The three heaviest values, for people; the entity's own, else its group's. Not escaped.
    pub fn usual(&self, dimension: Dimension) -> String {
        const SHOWN: usize = 3;
        let values = |seen: Option<&Seen>| seen.map(|seen| seen.usual(SHOWN).join(", "));
        let own = values(self.own.seen(dimension)).filter(|text| !text.is_empty());
        let group = || values(self.prior.seen(dimension)).filter(|text| !text.is_empty());
        own.or_else(|| group().map(|text| format!("{text} (its group)")))
            .unwrap_or_else(|| if self.is_cold() { "not known yet" } else { "none" }.to_owned())
    }
}
