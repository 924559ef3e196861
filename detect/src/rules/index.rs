//! Which rules a record can match at all, told by what it shares with many others.
//!
//! Nearly every rule names the APIs it is about: it is *bound* to them, and costs other records
//! nothing. The few others are *open*. For an API, an agent and an ending it is worked out once
//! (`known.rs` keeps it) which of the open rules can hold given only that. Of the rules that all three
//! leave, and of those bound to the API, it is worked out once for all records that share the three
//! which can hold given all of them. Callers and addresses are too many for that: each is asked only
//! what some call of it leaves (`sieve.rs`). A record can match only what is left then. That a rule is
//! left out is always right, as its condition is false whatever the rest of the record says.

use super::{
    bonds::{Bond, bonds, fields},
    fields::Field,
    known::Keep,
    matcher::folded,
    names::Names,
    predicate::Predicate,
    rule::{Rule, RuleNo},
    sigma::Logs,
    view::{Facet, View},
    words::Words,
};
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Rules that an API leaves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OfApi {
    /// Ascending.
    bound: Box<[RuleNo]>,
    open: Open,
}

/// Open rules that a part of a record leaves, by bits; what is beyond the last word is left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Open {
    words: Box<[u64]>,
    /// Number of the part.
    part: u64,
}

/// Rules that are left of a record, by bits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    /// Ascending.
    words: Vec<Word>,
}

/// Those of 64 rules that are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Word {
    /// Which 64.
    at: u32,
    /// At least one.
    left: u64,
    /// Those of them that match, whatever the rest of the record says.
    certain: u64,
}

impl Left {
    /// Whether no rule is left: most records.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Makes it those rules of `other` that `narrow` leaves.
    #[inline]
    pub(crate) fn become_of(&mut self, other: &Self, mut narrow: impl FnMut(u32, u64) -> u64) {
        self.words.clear();
        for Word { at, left, certain } in &other.words {
            let left = narrow(*at, *left);
            if left != 0 {
                self.words.push(Word { at: *at, left, certain: certain & left });
            }
        }
    }

    /// Those that can hold where that much is known of a record.
    pub(crate) fn of(all: impl Iterator<Item = RuleNo>, view: &View<'_>, rules: &[Rule]) -> Self {
        let mut words: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
        for no in all {
            let holds = predicate(rules, no).and_then(|rule| rule.holds(view));
            if holds != Some(false) {
                let (left, certain) = words.entry(no.0 / 64).or_default();
                *left |= 1 << (no.0 % 64);
                *certain |= u64::from(holds == Some(true)) << (no.0 % 64);
            }
        }
        let words = words.into_iter();
        Self { words: words.map(|(at, (left, certain))| Word { at, left, certain }).collect() }
    }

    /// All of them.
    pub(crate) fn rules(&self) -> impl Iterator<Item = RuleNo> {
        self.words.iter().flat_map(|word| of_word(word.at, word.left))
    }
}

/// The rules of a word of bits.
fn of_word(at: u32, mut word: u64) -> impl Iterator<Item = RuleNo> {
    std::iter::from_fn(move || {
        let bit = word.trailing_zeros();
        word &= word.wrapping_sub(1);
        (bit < u64::BITS).then(|| RuleNo(at * 64 + bit))
    })
}

impl Open {
    /// The same, of the part with this number.
    pub(crate) fn of_part(self, part: u64) -> Self {
        Self { part, ..self }
    }
}

impl Keep for Open {
    fn n_bytes(&self) -> usize {
        size_of_val(&*self.words)
    }
}

impl Keep for OfApi {
    fn n_bytes(&self) -> usize {
        size_of_val(&*self.bound) + self.open.n_bytes()
    }
}

impl Keep for Left {
    fn n_bytes(&self) -> usize {
        size_of_val(&*self.words)
    }
}

impl OfApi {
    /// The same, of the API with this number.
    pub(crate) fn of_part(self, part: u64) -> Self {
        Self { open: self.open.of_part(part), ..self }
    }

    /// What tells it from other APIs.
    pub(crate) fn number(&self) -> u64 {
        self.open.part
    }

    /// Writes what decides what is left: the API and `opens`.
    pub(crate) fn write_key(&self, opens: [&Open; 2], key: &mut Vec<u8>) {
        let [agent, ending] = opens;
        key.clear();
        for part in [self.open.part, agent.part, ending.part] {
            key.extend_from_slice(&part.to_le_bytes());
        }
    }

    /// Whether no rule is left of what the API and `opens` leave.
    #[inline]
    pub(crate) fn leaves_none(&self, opens: &[&Open]) -> bool {
        self.bound.is_empty() && (0..self.open.words.len()).all(|n| self.word(opens, n) == 0)
    }

    /// Places of open rules that all leave.
    #[inline]
    fn word(&self, opens: &[&Open], n: usize) -> u64 {
        let own = self.open.words.get(n).copied().unwrap_or(0);
        opens.iter().fold(own, |word, open| word & open.words.get(n).copied().unwrap_or(u64::MAX))
    }
}

/// The rules of CloudTrail, by what they hang on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    /// By hash of the bond: two that collide cost a look, not a match.
    bound: BTreeMap<u64, Vec<RuleNo>>,
    open: Vec<RuleNo>,
    /// Places of the open rules that ask for a part of the record; no other is decided by it.
    asking: BTreeMap<Facet, Vec<usize>>,
    /// The rules that do not ask for a caller or an address, by bits.
    unasking: [Vec<u64>; 2],
    /// The open rules that cannot hold without one of the words, by bits.
    wordy: Vec<u64>,
    words: Words,
}

impl Index {
    /// The rules that can hold at all with what the configuration has.
    pub(crate) fn of(rules: &[Rule], names: &Names) -> Self {
        let mut index = Self::default();
        let n_words = rules.len().div_ceil(64);
        index.unasking = [vec![u64::MAX; n_words], vec![u64::MAX; n_words]];
        index.wordy = vec![0; n_words];
        for (no, rule) in (0..).map(RuleNo).zip(rules) {
            if rule.logs != Logs::CloudTrail {
                continue;
            }
            // Told before anything is made of it, as most rules are never asked.
            fields(&rule.condition, &mut |name| {
                let facet = Field::of(name, Logs::CloudTrail).map(|field| field.facet());
                let part = PARTS.iter().position(|part| facet.as_ref() == Ok(part));
                if let Some(unasking) = part.and_then(|part| index.unasking.get_mut(part)) {
                    clear(unasking, no);
                }
            });
            match bonds(&rule.condition) {
                None if !rule.predicate().can_hold(&View::nothing(names)) => {}
                None => index.open.push(no),
                Some(bonds) => {
                    for bond in bonds {
                        index.bound.entry(hash(&bond)).or_default().push(no);
                    }
                }
            }
        }
        let mut words = Vec::new();
        for (place, no) in index.open.iter().enumerate() {
            let Some(rule) = rules.get(no.0 as usize) else { continue };
            if let (Some(needed), Some(word)) =
                (rule.predicate().words(), index.wordy.get_mut(no.0 as usize / 64))
            {
                *word |= 1 << (no.0 % 64);
                words.extend(needed);
            }
            for facet in Facet::SHARED.into_iter().filter(|facet| asks(rule, *facet)) {
                index.asking.entry(facet).or_default().push(place);
            }
        }
        index.words = Words::of(words.iter().map(String::as_str));
        index
    }

    /// What an API leaves; `view` knows nothing else.
    pub(crate) fn of_api(&self, view: &View<'_>, api: (&str, &str), rules: &[Rule]) -> OfApi {
        let (name, api) = api;
        let bonds = [Bond::Name(folded(name)), Bond::Api(folded(api))];
        let bound = bonds.iter().filter_map(|bond| self.bound.get(&hash(bond))).flatten().copied();
        let mut bound: Vec<RuleNo> =
            bound.filter(|no| can_hold(predicate(rules, *no), view)).collect();
        bound.sort_unstable();
        bound.dedup();
        OfApi { bound: bound.into(), open: self.open(Facet::Api, view, rules) }
    }

    /// What a part of a record leaves; `view` knows nothing else.
    pub(crate) fn open(&self, facet: Facet, view: &View<'_>, rules: &[Rule]) -> Open {
        let mut words = vec![u64::MAX; self.open.len().div_ceil(64)];
        for place in self.asking.get(&facet).into_iter().flatten() {
            let no = self.open.get(*place);
            if !no.is_some_and(|no| can_hold(predicate(rules, *no), view))
                && let Some(word) = words.get_mut(place / 64)
            {
                *word &= !(1 << (place % 64));
            }
        }
        // What is beyond the last rule is no rule.
        if let Some(last) = words.last_mut() {
            *last &= u64::MAX >> ((64 - self.open.len() % 64) % 64);
        }
        Open { words: words.into(), part: 0 }
    }

    /// What the API and `opens` leave of a record, as far as `view` knows it.
    pub(crate) fn left(
        &self,
        (api, opens): (&OfApi, &[&Open]),
        view: &View<'_>,
        rules: &[Rule],
    ) -> Left {
        let open = self.open.chunks(64).enumerate().flat_map(|(n, chunk)| {
            let word = api.word(opens, n);
            let bits = (0..).zip(chunk).filter(move |(bit, _)| word >> bit & 1 == 1);
            bits.map(|(_, no)| no)
        });
        Left::of(api.bound.iter().chain(open).copied(), view, rules)
    }

    /// The rules that do not ask for this one of [`PARTS`], by bits.
    pub(crate) fn unasking(&self, part: usize) -> &[u64] {
        self.unasking.get(part).map_or(&[], Vec::as_slice)
    }

    /// The rules to ask about a record with this text, in a fixed order, and whether each is certain
    /// to match.
    pub(crate) fn asked<'l>(
        &'l self,
        left: &'l Left,
        json: &str,
    ) -> impl Iterator<Item = (RuleNo, bool)> + 'l {
        let wordy = |at: u32| self.wordy.get(at as usize).copied().unwrap_or(0);
        let is_any = left.words.iter().any(|word| word.left & wordy(word.at) != 0);
        let has_words = is_any && self.words.may_be_in(json);
        left.words.iter().flat_map(move |Word { at, left, certain }| {
            let asked = if has_words { *left } else { left & !wordy(*at) };
            let is_certain = move |RuleNo(no): RuleNo| certain >> (no % 64) & 1 == 1;
            of_word(*at, asked).map(move |no| (no, is_certain(no)))
        })
    }
}

/// Of the rules of a word those that can hold, as far as `view` knows the record.
pub(crate) fn narrowed((at, word): (u32, u64), view: &View<'_>, rules: &[Rule]) -> u64 {
    let left = of_word(at, word).filter(|no| can_hold(predicate(rules, *no), view));
    left.fold(0, |left, RuleNo(no)| left | 1 << (no % 64))
}

/// Parts of a record that are asked each by itself.
pub(crate) const PARTS: [Facet; 2] = [Facet::Caller, Facet::Address];
/// The place of the caller among them.
pub(crate) const CALLER: usize = 0;
/// The place of the address.
pub(crate) const ADDRESS: usize = 1;

fn asks(rule: &Rule, facet: Facet) -> bool {
    let mut asks = false;
    rule.predicate().fields(&mut |field| asks |= field.facet() == facet);
    asks
}

fn clear(words: &mut [u64], RuleNo(no): RuleNo) {
    if let Some(word) = words.get_mut(no as usize / 64) {
        *word &= !(1 << (no % 64));
    }
}

fn hash(bond: &Bond) -> u64 {
    match bond {
        Bond::Name(name) => xxh3_64_with_seed(name.as_bytes(), 0),
        Bond::Api(api) => xxh3_64_with_seed(api.as_bytes(), 1),
    }
}

fn predicate(rules: &[Rule], no: RuleNo) -> Option<&Predicate> {
    rules.get(no.0 as usize).map(Rule::predicate)
}

fn can_hold(predicate: Option<&Predicate>, view: &View<'_>) -> bool {
    predicate.is_some_and(|predicate| predicate.can_hold(view))
}

#[cfg(test)]
mod tests;
