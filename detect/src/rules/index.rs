//! Which rules a record can match at all, told by what it shares with many others.
//!
//! Nearly every rule names the APIs it is about: it is *bound* to them, and costs other records
//! nothing. The few others are *open*. For an API, a caller, an address and an agent it is worked
//! out once per chunk which of the open rules can hold given only that; a record can match those
//! that are left by all four. That a rule is left out is always right, as its condition is false
//! whatever the rest of the record says.

use super::{
    matcher::folded,
    names::Names,
    predicate::{Bond, Predicate},
    rule::{Rule, RuleNo},
    sigma::Logs,
    view::{Facet, View},
    words::Words,
};
use std::collections::{BTreeMap, BTreeSet};
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
pub struct Open(Box<[u64]>);

/// What the parts of a record leave, put together.
#[derive(Debug, Clone, Copy)]
pub struct Candidates<'c> {
    /// By [`RuleSet::of_api`](super::RuleSet::of_api).
    pub api: &'c OfApi,
    /// By [`RuleSet::of_caller`](super::RuleSet::of_caller).
    pub caller: &'c Open,
    /// By [`RuleSet::of_address`](super::RuleSet::of_address).
    pub address: &'c Open,
    /// By [`RuleSet::of_agent`](super::RuleSet::of_agent).
    pub agent: &'c Open,
}

impl Candidates<'_> {
    /// Whether no rule is left: most records.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.api.bound.is_empty() && !self.has_open()
    }

    /// Whether open rules are left.
    #[inline]
    pub(crate) fn has_open(&self) -> bool {
        (0..self.api.open.0.len()).any(|n| self.word(n) != 0)
    }

    /// Places of open rules that all parts leave.
    #[inline]
    fn word(&self, n: usize) -> u64 {
        let of = |open: &Open| open.0.get(n).copied().unwrap_or(u64::MAX);
        self.api.open.0.get(n).copied().unwrap_or(0)
            & of(self.caller)
            & of(self.address)
            & of(self.agent)
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
    /// The open rules that cannot hold without one of the words, by bits.
    wordy: Vec<u64>,
    words: Words,
}

impl Index {
    /// The rules that can hold at all with what the configuration has.
    pub(crate) fn of(rules: &[Rule], names: &Names) -> Self {
        let mut index = Self::default();
        for (no, rule) in (0..).map(RuleNo).zip(rules) {
            match rule.predicate.bonds() {
                _ if rule.logs != Logs::CloudTrail => {}
                _ if !rule.predicate.can_hold(&View::nothing(names)) => {}
                None => index.open.push(no),
                Some(bonds) => {
                    for bond in bonds {
                        index.bound.entry(hash(&bond)).or_default().push(no);
                    }
                }
            }
        }
        index.wordy = vec![0; index.open.len().div_ceil(64)];
        let mut words = Vec::new();
        for (place, no) in index.open.iter().enumerate() {
            let needed = predicate(rules, *no).and_then(Predicate::words);
            if let (Some(needed), Some(word)) = (needed, index.wordy.get_mut(place / 64)) {
                *word |= 1 << (place % 64);
                words.extend(needed);
            }
            let mut facets = BTreeSet::new();
            if let Some(predicate) = predicate(rules, *no) {
                predicate.fields(&mut |field| _ = facets.insert(field.facet()));
            }
            for facet in facets {
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
        Open(words.into())
    }

    /// Whether any open rule asks for a part of the record.
    pub(crate) fn asks(&self, facet: Facet) -> bool {
        self.asking.contains_key(&facet)
    }

    /// The rules that are left of a record with this text, in a fixed order.
    pub(crate) fn left(
        &self,
        candidates: Candidates<'_>,
        json: &str,
    ) -> impl Iterator<Item = RuleNo> {
        let mut wordy = (0..).zip(&self.wordy);
        let has_words =
            wordy.any(|(n, wordy)| candidates.word(n) & wordy != 0) && self.words.may_be_in(json);
        let words = self.open.chunks(64).zip(&self.wordy).enumerate();
        let open = words.flat_map(move |(n, (chunk, wordy))| {
            let word = candidates.word(n) & if has_words { u64::MAX } else { !wordy };
            let is_left = move |bit: &(u32, &RuleNo)| word >> bit.0 & 1 == 1;
            (0..).zip(chunk).filter(is_left).map(|(_, no)| *no)
        });
        candidates.api.bound.iter().copied().chain(open)
    }
}

fn hash(bond: &Bond) -> u64 {
    match bond {
        Bond::Name(name) => xxh3_64_with_seed(name.as_bytes(), 0),
        Bond::Api(api) => xxh3_64_with_seed(api.as_bytes(), 1),
    }
}

fn predicate(rules: &[Rule], no: RuleNo) -> Option<&Predicate> {
    rules.get(no.0 as usize).map(|rule| &rule.predicate)
}

fn can_hold(predicate: Option<&Predicate>, view: &View<'_>) -> bool {
    predicate.is_some_and(|predicate| predicate.can_hold(view))
}

#[cfg(test)]
mod tests;
