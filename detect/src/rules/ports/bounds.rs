//! What a rule about flows says of numbers and addresses, as ranges: a row outside of them cannot match,
//! and that is asked of its columns as they are.

use crate::rules::{
    fields::Field,
    matcher::{Matcher, Value},
    predicate::{Item, Predicate, Test},
};
use ingest::flow::{self, FlowBatch, Kind};
use std::collections::BTreeSet;

/// Beyond, numbers of a rule do not tell whole numbers apart.
const NUMBER_MAX: u64 = 1 << 53;

/// A field, and where it must lie or must not.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    field: flow::Field,
    /// Whether the value must lie in a range; else there is none, or it lies in no range.
    is_inside: bool,
    ranges: Ranges,
}

/// First and last.
#[derive(Debug, Clone)]
enum Ranges {
    Numbers(Vec<(i64, i64)>),
    Addresses(Vec<(u128, u128)>),
}

impl Bound {
    /// What must be so for `rule` to hold, what leaves the fewest rows first.
    pub(super) fn all_of(rule: &Predicate) -> Vec<Self> {
        let mut all = Vec::new();
        gather(rule, true, &mut all);
        all.sort_by_key(|bound| match bound.ranges {
            Ranges::Addresses(_) if !bound.is_inside => 0,
            Ranges::Numbers(_) => 1,
            Ranges::Addresses(_) => 2,
        });
        all
    }

    fn of(item: &Item, is_inside: bool) -> Option<Self> {
        let Field::Flow(field) = item.field else { return None };
        if item.needs_all && item.tests.len() != 1 {
            return None;
        }
        let matchers = item.tests.iter().map(|test| match test {
            Test::Value(matcher) => Some(matcher),
            Test::Exists(_) | Test::Field(..) => None,
        });
        let matchers: Vec<&Matcher> = matchers.collect::<Option<_>>()?;
        let ranges = match field.kind() {
            Kind::Int32 | Kind::Int64 => Ranges::Numbers(numbers(&matchers)?),
            Kind::Address => Ranges::Addresses(addresses(&matchers)?),
            Kind::Text => return None,
        };
        Some(Self { field, is_inside, ranges })
    }

    /// Whether a row lies where it must.
    pub(super) fn holds(&self, batch: &FlowBatch, row: usize) -> bool {
        let Self { field, is_inside, ranges } = self;
        let is_within = match ranges {
            Ranges::Numbers(ranges) => {
                let small = || batch.int32(*field)?.get(row).map(i64::from);
                let number = small().or_else(|| batch.int64(*field)?.get(row));
                number
                    .is_some_and(|one| ranges.iter().any(|(from, to)| (from..=to).contains(&&one)))
            }
            Ranges::Addresses(ranges) => {
                let address = batch.addresses(*field).and_then(|all| all.get(row));
                address
                    .is_some_and(|one| ranges.iter().any(|(from, to)| (from..=to).contains(&&one)))
            }
        };
        is_within == *is_inside
    }
}

/// Gathers what must be so for `part` to hold, or else for it not to hold.
fn gather(part: &Predicate, is_inside: bool, all: &mut Vec<Bound>) {
    let (parts, is_split) = match part {
        Predicate::All(parts) => (parts, is_inside),
        Predicate::Any(parts) => (parts, !is_inside),
        Predicate::Not(part) => return gather(part, !is_inside, all),
        Predicate::Item(item) => return all.extend(Bound::of(item, is_inside)),
        Predicate::Keywords { .. } => return,
    };
    if is_split || parts.len() == 1 {
        for part in parts {
            gather(part, is_inside, all);
        }
    }
}

/// The numbers that one of these matches; `None` where that hangs on more than size.
fn numbers(matchers: &[&Matcher]) -> Option<Vec<(i64, i64)>> {
    let thresholds: BTreeSet<i64> =
        matchers.iter().map(|matcher| matcher.threshold()).collect::<Option<_>>()?;
    if thresholds.iter().any(|threshold| threshold.unsigned_abs() >= NUMBER_MAX) {
        return None;
    }
    let after = |threshold: &i64| [*threshold, threshold.saturating_add(1)];
    let starts: BTreeSet<i64> =
        [i64::MIN].into_iter().chain(thresholds.iter().flat_map(after)).collect();
    let ends = starts.iter().skip(1).map(|next| next.saturating_sub(1)).chain([i64::MAX]);
    let matches = |(first, _): &(i64, i64)| {
        matchers.iter().any(|matcher| matcher.matches(Value::Integer(*first)))
    };
    Some(starts.iter().copied().zip(ends).filter(matches).collect())
}

/// The addresses that one of these matches; `None` where it asks for more than ranges.
fn addresses(matchers: &[&Matcher]) -> Option<Vec<(u128, u128)>> {
    let ranges = matchers.iter().map(|matcher| match matcher {
        Matcher::Range(range) => Some(range.ends()),
        _ => None,
    });
    ranges.collect()
}
