//! Which rules a record can match at all, told by what it shares with many others.
//!
//! Nearly every rule names the APIs it is about: it is *bound* to them, and costs other records
//! nothing. The few others are *open*. For an API, a caller, an address and an agent it is worked
//! out once per chunk which of the open rules can hold given only that; a record can match those
//! that are left by all four. That a rule is left out is always right, as its condition is false
//! whatever the rest of the record says.

use super::{
    matcher::folded,
    predicate::{Bond, Predicate},
    rule::{Rule, RuleNo},
    sigma::Logs,
    view::View,
};
use std::collections::BTreeMap;

/// Rules that an API leaves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OfApi {
    /// Ascending.
    bound: Box<[RuleNo]>,
    open: Open,
}

/// Open rules that a part of a record leaves, by bits; what is beyond the last word is left.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Open(Box<[u64]>);

/// What the parts of a record leave, put together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidates<'c> {
    pub(crate) api: &'c OfApi,
    pub(crate) caller: &'c Open,
    pub(crate) address: &'c Open,
    pub(crate) agent: &'c Open,
}

impl Candidates<'_> {
    /// Whether no rule is left: most records.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        let words = 0..self.api.open.0.len();
        self.api.bound.is_empty() && words.into_iter().all(|n| self.word(n) == 0)
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
    bound: BTreeMap<Bond, Vec<RuleNo>>,
    open: Vec<RuleNo>,
}

impl Index {
    pub(crate) fn of(rules: &[Rule]) -> Self {
        let mut index = Self::default();
        for (no, rule) in (0..).map(RuleNo).zip(rules) {
            match rule.predicate.bonds() {
                _ if rule.logs != Logs::CloudTrail => {}
                None => index.open.push(no),
                Some(bonds) => {
                    for bond in bonds {
                        index.bound.entry(bond).or_default().push(no);
                    }
                }
            }
        }
        index
    }

    /// What an API leaves; `view` knows nothing else.
    pub(crate) fn of_api(&self, view: &View<'_>, api: (&str, &str), rules: &[Rule]) -> OfApi {
        let (name, api) = api;
        let bonds = [Bond::Name(folded(name)), Bond::Api(folded(api))];
        let bound = bonds.iter().filter_map(|bond| self.bound.get(bond)).flatten().copied();
        let mut bound: Vec<RuleNo> =
            bound.filter(|no| can_hold(predicate(rules, *no), view)).collect();
        bound.sort_unstable();
        bound.dedup();
        OfApi { bound: bound.into(), open: self.open(view, rules) }
    }

    /// What another part of a record leaves; `view` knows nothing else.
    pub(crate) fn open(&self, view: &View<'_>, rules: &[Rule]) -> Open {
        let words = self.open.chunks(64).map(|chunk| {
            let left = chunk.iter().map(|no| can_hold(predicate(rules, *no), view));
            left.zip(0..).fold(0_u64, |word, (is_left, bit)| word | u64::from(is_left) << bit)
        });
        Open(words.collect())
    }

    /// The rules that are left, in a fixed order.
    pub(crate) fn left(&self, candidates: Candidates<'_>) -> impl Iterator<Item = RuleNo> {
        let words = self.open.chunks(64).enumerate();
        let open = words.flat_map(move |(n, chunk)| {
            let word = candidates.word(n);
            let is_left = move |bit: &(u32, &RuleNo)| word >> bit.0 & 1 == 1;
            (0..).zip(chunk).filter(is_left).map(|(_, no)| *no)
        });
        candidates.api.bound.iter().copied().chain(open)
    }
}

fn predicate(rules: &[Rule], no: RuleNo) -> Option<&Predicate> {
    rules.get(no.0 as usize).map(|rule| &rule.predicate)
}

fn can_hold(predicate: Option<&Predicate>, view: &View<'_>) -> bool {
    predicate.is_some_and(|predicate| predicate.holds(view) != Some(false))
}

#[cfg(test)]
mod tests;
