//! Which rules about flows a row can match at all, told by its two ports.
//!
//! Nearly every such rule is about the port of a service. For each port that a row can come from or
//! go to it is worked out once which rules can hold given only that; a row can match those that both
//! of its ports leave, and of those the ones whose ranges its numbers and addresses lie in. That a
//! rule is left out is always right, as its condition is false whatever the rest of the row says.

mod bounds;

use super::{
    names::Names,
    predicate::{Item, Predicate, Test},
    rule::{Rule, RuleNo},
    sigma::Logs,
    view::{Facet, Seen, View},
};
use bounds::Bound;
use ingest::flow::{self, FlowBatch};
use std::collections::{BTreeMap, BTreeSet};

/// Unit: ports.
const PORTS: usize = 1 << 16;
/// Rules that are told apart; those beyond share the last bit. Unit: rules.
const BITS: usize = 64;
/// Any rule.
const ALL: u64 = u64::MAX;

/// The rules about flows, by the ports that they leave.
#[derive(Debug, Clone, Default)]
pub(crate) struct ByPorts {
    rules: Vec<RuleNo>,
    /// By bit: what a row must be like for the rule, but for rules that share theirs.
    bounds: Vec<Vec<Bound>>,
    from: Table,
    to: Table,
}

/// The rules that a port leaves, by bits.
#[derive(Debug, Clone, Default)]
struct Table {
    /// By port: which of `masks`.
    classes: Vec<u8>,
    /// The first leaves all.
    masks: Vec<u64>,
    /// What a row without the port leaves.
    none: u64,
}

impl ByPorts {
    /// The rules that can hold at all with what the configuration has.
    pub(crate) fn of(rules: &[Rule], names: &Names) -> Self {
        let numbered = (0..).map(RuleNo).zip(rules);
        let flow = numbered.filter(|(_, rule)| {
            rule.logs == Logs::Flow && rule.predicate().can_hold(&View::nothing(names))
        });
        let (rules, predicates): (Vec<RuleNo>, Vec<&Predicate>) =
            flow.map(|(no, rule)| (no, rule.predicate())).unzip();
        if rules.is_empty() {
            return Self::default();
        }
        let from = Table::of(Facet::SrcPort, &predicates, names);
        let to = Table::of(Facet::DstPort, &predicates, names);
        let bounds = predicates.iter().take(BITS - 1).map(|rule| Bound::all_of(rule)).collect();
        Self { rules, bounds, from, to }
    }

    /// Its rules.
    pub(crate) fn rules(&self) -> &[RuleNo] {
        &self.rules
    }

    /// Visits the rows of a batch that can match a rule, with the rules.
    pub(crate) fn each(
        &self,
        batch: &FlowBatch,
        mut visit: impl FnMut(usize, &mut dyn Iterator<Item = RuleNo>),
    ) {
        if self.rules.is_empty() {
            return;
        }
        let from = batch.int32(flow::Field::SrcPort);
        let to = batch.int32(flow::Field::DstPort);
        let port = |ports: Option<flow::Numbers<'_, i32>>, row| ports.and_then(|all| all.get(row));
        for row in 0..batch.rows() {
            // Nearly all rules are about the port of a service that is called.
            let to = self.to.left(port(to, row));
            if to == 0 {
                continue;
            }
            let from = self.from.left(port(from, row));
            let left = self.within_bounds(from & to, batch, row);
            if left != 0 {
                let numbered = self.rules.iter().enumerate();
                let is_left = |(n, _): &(usize, &RuleNo)| left >> (*n).min(BITS - 1) & 1 == 1;
                visit(row, &mut numbered.filter(is_left).map(|(_, no)| *no));
            }
        }
    }

    /// Those of `left` that can hold for a row by its numbers and addresses.
    #[inline]
    fn within_bounds(&self, left: u64, batch: &FlowBatch, row: usize) -> u64 {
        let (mut bits, mut within) = (left, left);
        while bits != 0 {
            let bounds = self.bounds.get(bits.trailing_zeros() as usize);
            if bounds.is_some_and(|all| !all.iter().all(|bound| bound.holds(batch, row))) {
                within &= !(bits & bits.wrapping_neg());
            }
            bits &= bits - 1;
        }
        within
    }
}

impl Table {
    fn of(facet: Facet, rules: &[&Predicate], names: &Names) -> Self {
        let can_hold = |rule: &Predicate, port: Option<i64>| {
            rule.can_hold(&View::of(&[facet], Seen::Port(port), names))
        };
        let mut none = 0;
        // By the first port from which it is so: the bits of rules that can hold from here on, or not.
        let mut changes: BTreeMap<usize, Vec<(usize, bool)>> = BTreeMap::from([(0, Vec::new())]);
        for (n, rule) in rules.iter().enumerate() {
            let bit = n.min(BITS - 1);
            none |= u64::from(can_hold(rule, None)) << bit;
            let Some(starts) = starts(rule, facet) else {
                changes.entry(0).or_default().push((bit, true));
                continue;
            };
            let mut last = false;
            for (start, port) in
                starts.into_iter().filter_map(|port| Some((usize::try_from(port).ok()?, port)))
            {
                let can_hold = can_hold(rule, Some(port));
                if can_hold != last {
                    changes.entry(start).or_default().push((bit, can_hold));
                }
                last = can_hold;
            }
        }
        let mut table = Self { classes: Vec::with_capacity(PORTS), masks: vec![ALL], none };
        let mut n_rules = [0_u32; BITS];
        let ends = changes.keys().copied().skip(1).chain([PORTS]);
        for (changes, end) in changes.values().zip(ends) {
            for (bit, can_hold) in changes {
                if let Some(n) = n_rules.get_mut(*bit) {
                    *n = if *can_hold { *n + 1 } else { n.saturating_sub(1) };
                }
            }
            let bits = (0..).zip(&n_rules).filter(|(_, n)| **n > 0);
            let class = table.class(bits.fold(0, |mask, (bit, _)| mask | 1 << bit));
            table.classes.resize(end, class);
        }
        table
    }

    /// The class of ports that leave these; where there are too many, the one that leaves all.
    fn class(&mut self, mask: u64) -> u8 {
        let known = self.masks.iter().position(|one| *one == mask);
        let class = u8::try_from(known.unwrap_or(self.masks.len())).unwrap_or(0);
        if known.is_none() && class > 0 {
            self.masks.push(mask);
        }
        class
    }

    #[inline]
    fn left(&self, port: Option<i32>) -> u64 {
        let Some(port) = port else { return self.none };
        let class = usize::try_from(port).ok().and_then(|port| self.classes.get(port));
        class.and_then(|class| self.masks.get(usize::from(*class))).copied().unwrap_or(ALL)
    }
}

/// The ports from which on the answer of `rule` may be another, 0 among them; `None` where it hangs
/// on more than the port's size.
fn starts(rule: &Predicate, facet: Facet) -> Option<BTreeSet<i64>> {
    let mut starts = BTreeSet::from([0]);
    let mut is_told = true;
    rule.items(&mut |Item { field, tests, .. }| {
        for test in tests.iter().filter(|_| field.facet() == facet) {
            match test {
                Test::Exists(_) => {}
                Test::Value(matcher) => match matcher.threshold() {
                    Some(port) => starts.extend([port, port.saturating_add(1)]),
                    None => is_told = false,
                },
                Test::Field(..) => is_told = false,
            }
        }
    });
    let last = i64::try_from(PORTS).unwrap_or(i64::MAX);
    starts.retain(|port| (0..last).contains(port));
    is_told.then_some(starts)
}

#[cfg(test)]
mod tests;
