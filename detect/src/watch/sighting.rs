//! One match of a rule on its way to the shard of the one that it is about.

use super::Watches;
use crate::rules::{rule::RuleNo, set::RuleSet, view::Seen};
use baseline::{Entity, Evidence, HashKey, Slot, Value};

/// What a watch takes of a record that one of its rules matched.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// Its number.
    pub(crate) watch: u32,
    /// The place of the rule among its members.
    pub(crate) member: u16,
    /// Values of `group-by`; of a rule by itself, nothing.
    pub(crate) group: String,
    /// The values to count.
    pub(crate) counted: Vec<Value>,
    /// What was done, in the words of the author.
    pub(crate) clause: Option<Value>,
    /// What it was done to.
    pub(crate) targets: Vec<Value>,
}

impl Watches {
    /// What the watches of `rule` take of what it matched.
    pub(crate) fn found(
        &self,
        rule: RuleNo,
        (set, key): (&RuleSet, &HashKey),
        seen: Seen<'_>,
        visit: &mut dyn FnMut(Found),
    ) {
        let Some(of) = set.rules().get(rule.0 as usize) else { return };
        let names = set.names();
        let is_told = of.is_told(seen, names);
        for (watch, member) in self.of_rule(rule) {
            if !is_told && self.get(*watch).is_some_and(|watch| watch.tells) {
                continue;
            }
            let correlation = self.correlation(*watch, set);
            let group = match correlation {
                Some(correlation) => correlation.group(rule, seen, names),
                None => Some(String::new()),
            };
            // What has no value to group by belongs to no group.
            let Some(group) = group else { continue };
            let counted = correlation.map(|one| one.counted(rule, seen, names));
            let (clause, targets) = match correlation {
                Some(correlation) => {
                    (correlation.summary(rule, seen, names), correlation.targets(rule, seen, names))
                }
                None => (of.summary(seen, names), of.targets(seen, names)),
            };
            let counted = counted.unwrap_or_default().into_iter();
            visit(Found {
                watch: *watch,
                member: *member,
                group,
                counted: counted.map(|value| key.value(&value)).collect(),
                clause: clause.map(|clause| key.value(&clause)),
                targets: targets.iter().map(|target| key.value(target)).collect(),
            });
        }
    }
}

/// Both sides of a flow: peer, and port of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) peer: Option<Value>,
    pub(crate) port: Option<Value>,
}

/// A match of a record that was not there before.
#[derive(Debug)]
pub(crate) struct Sighting<'c> {
    pub(crate) entity: Entity,
    /// Its id.
    pub(crate) id: u128,
    pub(crate) slot: Slot,
    pub(crate) found: &'c Found,
    /// The record; of a flow, its time only.
    pub(crate) evidence: Evidence,
    /// What was called, as profiles learn it.
    pub(crate) api: Option<&'c Value>,
    pub(crate) flow: Option<&'c Flow>,
}
