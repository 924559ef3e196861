//! Which rules a record can match at all, told by what it shares with many others.
//!
//! Nearly every rule names the APIs it is about: it is *bound* to them, and costs other records
//! nothing. The few others are *open*. For an API, a caller, an address, an agent and an ending it is
//! worked out once (`known.rs` keeps it) which of the open rules can hold given only that. Of the rules that all
//! five leave, and of those bound to the API, it is worked out once for all records that share the
//! five which can hold given all of them; a record can match only those. That a rule is left out is
//! always right, as its condition is false whatever the rest of the record says.

use super::{
    bonds::{Bond, bonds},
    matcher::folded,
    names::Names,
    predicate::Predicate,
    rule::{Rule, RuleNo},
    sigma::Logs,
    view::{Facet, View},
    words::Words,
};
use baseline::stable_hash;
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
pub struct Open {
    words: Box<[u64]>,
    /// Hash of the part.
    part: u128,
}

/// Rules that are left of a record by all that it shares with others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    plain: Box<[RuleNo]>,
    /// Those that cannot hold without one of the words.
    wordy: Box<[RuleNo]>,
}

impl Left {
    /// Whether no rule is left: most records.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.wordy.is_empty()
    }
}

impl Open {
    /// The same, of the part with this hash.
    pub(crate) fn of_part(self, part: u128) -> Self {
        Self { part, ..self }
    }
}

impl OfApi {
    /// The same, of the API with this hash.
    pub(crate) fn of_part(self, part: u128) -> Self {
        Self { open: self.open.of_part(part), ..self }
    }

    /// Hash of the API and of the parts that leave `opens`.
    pub(crate) fn parts(&self, opens: &[&Open; 4]) -> u128 {
        let [a, b, c, d] = opens.map(|open| open.part.to_le_bytes());
        stable_hash(&[&self.open.part.to_le_bytes(), &a, &b, &c, &d])
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
    /// The open rules that cannot hold without one of the words, by bits.
    wordy: Vec<u64>,
    words: Words,
}

impl Index {
    /// The rules that can hold at all with what the configuration has.
    pub(crate) fn of(rules: &[Rule], names: &Names) -> Self {
        let mut index = Self::default();
        for (no, rule) in (0..).map(RuleNo).zip(rules) {
            match bonds(&rule.condition) {
                _ if rule.logs != Logs::CloudTrail => {}
                None if !rule.predicate().can_hold(&View::nothing(names)) => {}
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
        Open { words: words.into(), part: 0 }
    }

    /// What the API and `opens` leave of a record, as far as `view` knows it.
    pub(crate) fn left(
        &self,
        (api, opens): (&OfApi, &[&Open]),
        view: &View<'_>,
        rules: &[Rule],
    ) -> Left {
        let (mut plain, mut wordy) = (Vec::new(), Vec::new());
        let is_left = |no: &RuleNo| can_hold(predicate(rules, *no), view);
        plain.extend(api.bound.iter().copied().filter(is_left));
        for (n, (chunk, of_words)) in self.open.chunks(64).zip(&self.wordy).enumerate() {
            let word = api.word(opens, n);
            for (bit, no) in
                (0..).zip(chunk).filter(|(bit, no)| word >> bit & 1 == 1 && is_left(no))
            {
                let is_wordy = of_words >> bit & 1 == 1;
                if is_wordy { &mut wordy } else { &mut plain }.push(*no);
            }
        }
        Left { plain: plain.into(), wordy: wordy.into() }
    }

    /// The rules to ask about a record with this text, in a fixed order.
    pub(crate) fn asked<'l>(
        &self,
        left: &'l Left,
        json: &str,
    ) -> impl Iterator<Item = RuleNo> + 'l {
        let has_words = !left.wordy.is_empty() && self.words.may_be_in(json);
        let wordy: &[RuleNo] = if has_words { &left.wordy } else { &[] };
        left.plain.iter().chain(wordy).copied()
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
