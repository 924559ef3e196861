//! How surprising an hour is, in what the calls of a track do and in who seems to call: a term for each
//! family of dimensions, whose bits are added. `docs/model.md` has the formulae and where they come from.

use crate::{
    ablation::{Piece, lacks},
    bits::{Bits, Part},
    dimension::Dimension,
    evidence::Evidence,
    generation::Generation,
    history::Learned,
    hour::Span,
    impact::Track,
    memory::{Expected, Seen},
    novel::Novel,
    value::Value,
};

/// Dimensions that say the same thing in other words: of a family only the most surprising counts.
type Family = [Dimension];

/// What the calls of a track do.
const DEEDS: &[&Family] =
    &[&[Dimension::Api, Dimension::Service], &[Dimension::Target], &[Dimension::Error]];

/// From where, and with what. An intruder brings both to all that he does, so they are judged over all
/// calls of a span: what he asks first need not be what harms.
const CONTEXT: &[&Family] = &[
    &[Dimension::Country, Dimension::Network, Dimension::Region],
    &[Dimension::Agent, Dimension::Credential],
];

/// What one family adds.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// The dimension that was the most surprising.
    pub part: Part,
    /// The first records of the values behind it, as far as they carry half of the heaviest one's bits.
    pub records: Vec<Evidence>,
    /// The values behind it, the heaviest first.
    pub values: Vec<String>,
}

/// How a value looks to a generation.
struct Judged<'a> {
    novel: &'a Novel,
    bits: Bits,
}

impl Generation<'_> {
    /// Days with records that are enough to say what is unusual, of the entity or of its kind. Unit:
    /// days.
    pub(crate) const ENOUGH_D: u32 = 5;
    /// An entity with fewer days of its own is judged by what its peers know as well. Unit: days.
    const YOUNG_D: u32 = 7;

    /// Whether there is enough history, of the entity or of its kind, to call anything unusual.
    pub fn can_surprise(&self) -> bool {
        self.own_days().max(self.group_days()) >= Self::ENOUGH_D
    }

    /// Whether the entity is too new to have habits.
    pub fn is_young(&self) -> bool {
        self.own_days() < Self::YOUNG_D && !lacks(Piece::Young)
    }

    /// What is surprising in what the calls of `track` in `span` do: a term for each family that is.
    pub fn deeds(&self, span: &Span<'_>, track: Track) -> Vec<Term> {
        let mut terms = self.heaviest(DEEDS, span, Some(track));
        terms.extend(self.amount_of(span, track).filter(|term| term.part.bits > Bits::ZERO));
        terms
    }

    /// What is surprising in where the calls in `span` come from, and in the tools that make them.
    pub fn context(&self, span: &Span<'_>) -> Vec<Term> {
        self.heaviest(CONTEXT, span, None)
    }

    /// The heaviest term of each family, of the calls of a track, or of all.
    fn heaviest(&self, families: &[&Family], span: &Span<'_>, of: Option<Track>) -> Vec<Term> {
        if lacks(Piece::Families) {
            let all = families.iter().copied().flatten();
            return all.filter_map(|dimension| self.novelties(span, *dimension, of)).collect();
        }
        let heaviest = |family: &&Family| {
            let terms = family.iter().filter_map(|dimension| self.novelties(span, *dimension, of));
            // The first of equals.
            terms.reduce(|most, term| if term.part.bits > most.part.bits { term } else { most })
        };
        let terms = families.iter().filter_map(heaviest);
        terms.filter(|term| term.part.bits > Bits::ZERO).collect()
    }

    /// How many calls of the track there were, among hours that hold any.
    fn amount_of(&self, span: &Span<'_>, track: Track) -> Option<Term> {
        if lacks(Piece::HowMuch) {
            return None;
        }
        let dimension = Dimension::calls(track);
        let many = self.many(dimension, span.largest(dimension));
        Some(Term { part: many, records: Vec::new(), values: Vec::new() })
    }

    /// New values, by how many they are and by the most surprising of them; or the rarest known one, if
    /// that says more.
    fn novelties(&self, span: &Span<'_>, dimension: Dimension, of: Option<Track>) -> Option<Term> {
        let novelties =
            span.novel(dimension).filter(|_| !family_of(dimension).is_some_and(lacks))?;
        let is_new = |novel: &Novel| novel.is_of(of) && self.is_new(dimension, novel);
        let is_rare = |novel: &Novel| novel.is_of(of) && !self.is_new(dimension, novel);
        let new =
            novelties.windows(span.hour, is_new).map(|window| self.news(dimension, &window, of));
        let rare = novelties.windows(span.hour, is_rare).flatten();
        let rare = rare.map(|novel| self.rare(dimension, novel));
        let first_of_equals =
            |most: Term, term: Term| if term.part.bits > most.part.bits { term } else { most };
        let rare = rare.filter(|_| !lacks(Piece::Rare));
        let rarest = rare.reduce(|most, next| if next.bits > most.bits { next } else { most });
        let rarest = rarest.map(|rarest| self.rarest(dimension, &rarest, of));
        new.chain(rarest).reduce(first_of_equals)
    }

    /// Whether a value is news: the entity does not know it, and while it is young, no peer does.
    fn is_new(&self, dimension: Dimension, novel: &Novel) -> bool {
        let known_to = |learned: &Learned| learned.knows(dimension, &novel.value);
        novel.is_new && !known_to(self.own) && !(self.is_young() && known_to(self.prior))
    }

    fn news(&self, dimension: Dimension, window: &[&Novel], of: Option<Track>) -> Term {
        let k = window.len() as u64;
        let judge = |novel: &&'_ Novel| self.back_off(dimension, &novel.value);
        let mut values: Vec<(Bits, &Novel)> =
            window.iter().map(|novel| (judge(novel), *novel)).collect();
        values.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.value.text.cmp(&b.1.value.text)));
        let most = values.first().map_or(Bits::ZERO, |(bits, _)| *bits);
        // How many values are new to whoever has no habits yet says nothing of him; nor does the number of
        // regions, as a page of the console asks all of them at once.
        let is_counted =
            !self.is_young() && dimension != Dimension::Region && !lacks(Piece::Number);
        let many = if is_counted { self.expected_news(dimension).tail(k) } else { Bits::ZERO };
        let mut bits = [many, most].into_iter().sum();
        if lacks(Piece::MostSurprising) {
            bits = values.iter().map(|(bits, _)| *bits).sum();
        }
        let heavy = values.iter().filter(|(bits, _)| bits.as_f64() * 2.0 >= most.as_f64());
        let records = heavy.filter_map(|(_, novel)| novel.first_of(of).cloned()).collect();
        let name = |(_, novel): &(Bits, &Novel)| novel.value.text.to_string();
        let first = values.first().map(|(_, novel)| self.described(dimension, &novel.value));
        let more = if k > 1 { format!(", and {} more", k - 1) } else { String::new() };
        let observed = format!("new: {}{more}", first.unwrap_or_default());
        let part = Part { dimension, bits, observed, usual: self.usual_news(dimension) };
        Term { part, records, values: values.iter().map(name).collect() }
    }

    fn rarest(&self, dimension: Dimension, rarest: &Judged<'_>, of: Option<Track>) -> Term {
        let Judged { novel, bits } = rarest;
        let observed = format!("rare: {}", self.described(dimension, &novel.value));
        let part = Part { dimension, bits: *bits, observed, usual: self.usual(dimension) };
        let records = novel.first_of(of).cloned().into_iter().collect();
        Term { part, records, values: vec![novel.value.text.to_string()] }
    }

    /// The bits of a known value: the tail of rarity, corrected for as many draws as there are values
    /// in a usual day. What only peers know is judged among them.
    fn rare<'n>(&self, dimension: Dimension, novel: &'n Novel) -> Judged<'n> {
        let value = &novel.value;
        let whose = if self.own.knows(dimension, value) { self.own } else { self.prior };
        let bits = whose.seen(dimension).map_or(Bits::ZERO, |seen| {
            let by_members =
                seen.rarity_among_members(value).filter(|_| std::ptr::eq(whose, self.prior));
            let p = by_members.unwrap_or_else(|| seen.rarity(value)).min(1.0);
            if lacks(Piece::Tail) {
                return Bits::of_probability(seen.probability(value, 0.0));
            }
            let m = (seen.n_all() / whose.n_decayed_days().max(1.0)).max(1.0);
            Bits::of_probability(1.0 - libm::pow(1.0 - p, m))
        });
        Judged { novel, bits }
    }

    /// How many new values to expect of an hour.
    fn expected_news(&self, dimension: Dimension) -> Expected {
        let prior = self.prior.news(dimension).expected(Expected::VAGUE);
        self.own.news(dimension).expected(prior)
    }

    /// The bits of a value that the entity does not know: back-off from group to group, counted in
    /// members that know it, up to a constant for what nobody knows.
    pub(crate) fn back_off(&self, dimension: Dimension, value: &Value) -> Bits {
        let unseen = self.unseen_bits(dimension);
        let mut escape = 1.0;
        let priors = if lacks(Piece::Peers) { &[] } else { self.priors.as_slice() };
        for learned in priors {
            let Some(seen) = learned.seen(dimension).filter(|seen| seen.n_distinct() > 0) else {
                continue;
            };
            if let Some(p) = seen.rarity_among_members(value) {
                return Bits::of_probability(escape * p).min(Bits::of(unseen));
            }
            escape *= seen.escape_of_members();
        }
        Bits::of(unseen)
    }

    /// What a value costs that nobody knows: a prior, of the prototype of the model. New targets come into
    /// being all the time, so one costs only `1/(1+T)`.
    fn unseen_bits(&self, dimension: Dimension) -> f64 {
        match dimension {
            _ if lacks(Piece::Constants) => self.one_of_all(dimension),
            Dimension::Api => 14.0,
            Dimension::Service => 8.6,
            Dimension::Network => 16.3,
            Dimension::Country => 8.0,
            Dimension::Region => 5.1,
            Dimension::Agent | Dimension::Credential => 6.0,
            Dimension::Error => 3.0,
            _ => self.one_of_all(dimension),
        }
    }

    /// What a value costs that is one of all those the entity knows, and itself.
    fn one_of_all(&self, dimension: Dimension) -> f64 {
        let n_distinct = self.own.seen(dimension).map_or(0, Seen::n_distinct);
        crate::bits::log2(1.0 + n_distinct as f64)
    }

    /// A value, and how often the entity, its peers and the account show it.
    fn described(&self, dimension: Dimension, value: &Value) -> String {
        let [role, kind, account, _] = self.priors;
        let peers = if role.n_days() > 0 { role } else { kind };
        let whose = [(self.own, "it"), (peers, "its peers"), (account, "the account")];
        let mut told: Vec<(&str, Vec<&str>)> = Vec::new();
        for (learned, by) in whose {
            let often = frequency(learned, dimension, value);
            match told.last_mut().filter(|(same, _)| *same == often) {
                Some((_, all)) => all.push(by),
                None => told.push((often, vec![by])),
            }
        }
        let told = told.into_iter().map(|(often, by)| match by.as_slice() {
            [one, other, last] => format!("{often} by {one}, {other} and {last}"),
            few => format!("{often} by {}", few.join(" and ")),
        });
        format!("{} ({})", value.text, told.collect::<Vec<_>>().join("; "))
    }

    /// How many new values are usual, for people.
    fn usual_news(&self, dimension: Dimension) -> String {
        let mean = self.expected_news(dimension).mean;
        format!("{mean:.2} new in an hour; known are {}", self.usual(dimension))
    }
}

/// The family of a dimension of values, as a part of the model.
fn family_of(dimension: Dimension) -> Option<Piece> {
    match dimension {
        Dimension::Api | Dimension::Service => Some(Piece::What),
        Dimension::Target => Some(Piece::Target),
        Dimension::Country | Dimension::Network | Dimension::Region => Some(Piece::Place),
        Dimension::Agent | Dimension::Credential => Some(Piece::Tool),
        Dimension::Error => Some(Piece::Errors),
        _ => None,
    }
}

/// How often a value is shown, by the share of days (of a group, of its members' days) that have it:
/// the words of GuardDuty's findings on unusual behaviour. Below 1 % and below 10 % are our bounds.
fn frequency(learned: &Learned, dimension: Dimension, value: &Value) -> &'static str {
    const RARE: f64 = 0.01;
    const INFREQUENT: f64 = 0.1;
    if !learned.knows(dimension, value) {
        return "UNSEEN";
    }
    let n_days = learned.seen(dimension).map_or(0.0, |seen| seen.n_days_of(value));
    match n_days / learned.n_decayed_days().max(1.0) {
        share if share < RARE => "RARE",
        share if share < INFREQUENT => "INFREQUENT",
        _ => "FREQUENT",
    }
}

#[cfg(test)]
mod tests;
