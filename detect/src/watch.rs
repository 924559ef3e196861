//! Watches: what is counted of the matches of rules, and when it is told. A rule is a watch that one
//! match satisfies; a correlation counts the matches of several rules by group within its timespan.

mod about;
mod groups;
mod judge;
mod matched;
mod memory;
mod sighting;
mod words;

pub(crate) use judge::{Judge, Judged};
pub(crate) use memory::{Held, Memory, key_of_day};
pub(crate) use sighting::{Flow, Found, Sighting};

use crate::{
    about::About,
    detector::Severity,
    rules::{
        rule::{Correlation, Rule, RuleNo},
        set::RuleSet,
        sigma::{Bounds, CorrelationKind, FieldName, Level, Logs, Usual},
    },
};
use baseline::{
    Slot, stable_hash,
    time::{HOUR_MS, SLOTS},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Whose findings they are: one of these for all matches of a watch, so that what was told of
/// somebody is never taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    /// Who called.
    Identity,
    /// Whose flow it is.
    Interface,
    /// The address that it came from.
    Source,
    /// The account that received it.
    Account,
}

/// What must come together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wanted {
    /// A match.
    One,
    /// So many matches.
    Events(Bounds),
    /// So many values of what the name says.
    Values(String, Bounds),
    /// A match of each rule.
    All,
    /// A match of each rule, in the order of the rules.
    InOrder,
}

/// One rule or correlation that can speak.
#[derive(Debug, Clone)]
pub(crate) struct Watch {
    pub(crate) about: Arc<About>,
    pub(crate) whom: Whom,
    pub(crate) wanted: Wanted,
    /// The timespan, none of a rule by itself. Unit: slots.
    pub(crate) n_slots: i32,
    pub(crate) usual: Usual,
    /// Whether it is low while nobody has history.
    pub(crate) is_low_cold: bool,
    /// Whether it is told; else it only says whether a day teaches less.
    pub(crate) tells: bool,
    /// Whether a day with medium or above teaches less: only what ships with the program changes what is
    /// learned.
    pub(crate) teaches: bool,
    /// Its place among the correlations, if it is one.
    correlation: Option<u32>,
    /// Ids and titles of its rules.
    pub(crate) members: Vec<(Arc<str>, String)>,
}

/// All watches, and which matches they want.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    all: Vec<Watch>,
    /// By number of the rule: watches and its place among their members.
    by_rule: Vec<Vec<(u32, u16)>>,
    /// By number of the rule: whether identities learn its matches.
    is_learned: Vec<bool>,
}

impl Watches {
    /// The watches of a set.
    pub(crate) fn of(set: &RuleSet) -> Self {
        let n_rules = set.rules().len();
        let by_rule = vec![Vec::new(); n_rules];
        let mut watches = Self { all: Vec::new(), by_rule, is_learned: vec![false; n_rules] };
        for (no, rule) in (0..).map(RuleNo).zip(set.rules()) {
            if rule.speaks && rule.head.level > Level::Informational {
                watches.add(of_rule(rule), &[no]);
            }
        }
        for (place, correlation) in (0..).zip(set.correlations()) {
            let head = &correlation.document.head;
            if head.level > Level::Informational {
                let members: Vec<_> = correlation.members.iter().map(|one| one.rule).collect();
                let watch = of_correlation(correlation, set);
                watches.add(Watch { correlation: Some(place), ..watch }, &members);
            }
        }
        watches.unfiltered(set);
        watches
    }

    /// Beside each watch that ships with the program and has filters in its rules, one that sees what
    /// these take away: filters change what is told, and not what is learned. They come last, so that
    /// those that tell have their numbers in the catalogue.
    fn unfiltered(&mut self, set: &RuleSet) {
        let is_filtered = |rule: &RuleNo| {
            set.rules().get(rule.0 as usize).is_some_and(|rule| !rule.filters.is_empty())
        };
        let mut all = Vec::new();
        for (number, watch) in (0..).zip(&mut self.all).filter(|(_, watch)| watch.teaches) {
            let rules = (0..).map(RuleNo).zip(&self.by_rule);
            let own = rules.flat_map(|(rule, of_rule)| {
                let own = of_rule.iter().filter(|(of, _)| *of == number);
                own.map(move |(_, place)| (*place, rule))
            });
            let members: BTreeMap<u16, RuleNo> = own.collect();
            let members: Vec<RuleNo> = members.into_values().collect();
            if members.iter().any(is_filtered) {
                all.push((Watch { tells: false, ..watch.clone() }, members));
                watch.teaches = false;
            }
        }
        for (watch, members) in all {
            self.add(watch, &members);
        }
    }

    fn add(&mut self, watch: Watch, members: &[RuleNo]) {
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        for (place, rule) in (0..).zip(members) {
            let at = rule.0 as usize;
            if let Some(of_rule) = self.by_rule.get_mut(at) {
                of_rule.push((number, place));
            }
            if let Some(is_learned) = self.is_learned.get_mut(at) {
                *is_learned |= watch.teaches && watch.usual == Usual::Match;
            }
        }
        self.all.push(watch);
    }

    /// Those that tell.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Watch> {
        self.all.iter().filter(|watch| watch.tells)
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Watch> {
        self.all.get(number as usize)
    }

    /// The number of the watch of this [`Watch::identity`].
    fn of_identity(&self, identity: u128) -> Option<u32> {
        let at = self.all.iter().position(|watch| watch.identity() == identity)?;
        u32::try_from(at).ok()
    }

    /// By number of these watches, the number of the same watch among others, if it is there.
    pub(crate) fn numbers_among(&self, others: &Self) -> Vec<Option<u32>> {
        let others: BTreeMap<u128, u32> = others.all.iter().map(Watch::identity).zip(0..).collect();
        self.all.iter().map(|watch| others.get(&watch.identity()).copied()).collect()
    }

    /// The watches that want the matches of a rule, with its place among their members.
    fn of_rule(&self, rule: RuleNo) -> &[(u32, u16)] {
        self.by_rule.get(rule.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// What an identity learns of a match of `rule`.
    pub(crate) fn learned<'s>(&self, rule: RuleNo, set: &'s RuleSet) -> Option<&'s str> {
        let at = rule.0 as usize;
        self.is_learned.get(at).filter(|is_learned| **is_learned)?;
        Some(&*set.rules().get(at)?.id)
    }

    /// The correlation behind a watch; `None` if it is a rule.
    fn correlation<'s>(&self, number: u32, set: &'s RuleSet) -> Option<&'s Correlation> {
        set.correlations().get(self.get(number)?.correlation? as usize)
    }
}

fn of_rule(rule: &Rule) -> Watch {
    Watch {
        about: Arc::new(about::of_rule(rule)),
        whom: if rule.logs == Logs::Flow { Whom::Interface } else { Whom::Identity },
        wanted: Wanted::One,
        n_slots: 0,
        usual: rule.head.notes.usual,
        is_low_cold: rule.head.notes.is_low_cold,
        tells: true,
        teaches: rule.head.is_built_in(),
        correlation: None,
        members: vec![(Arc::clone(&rule.id), rule.head.title.clone())],
    }
}

fn of_correlation(correlation: &Correlation, set: &RuleSet) -> Watch {
    let document = &correlation.document;
    let rules = correlation.members.iter().filter_map(|one| set.rules().get(one.rule.0 as usize));
    let rules: Vec<&Rule> = rules.collect();
    let wanted = match &document.kind {
        CorrelationKind::EventCount(bounds) => Wanted::Events(bounds.clone()),
        CorrelationKind::ValueCount(fields, bounds) => {
            let fields: Vec<_> = fields.iter().map(ToString::to_string).collect();
            Wanted::Values(fields.join(" and "), bounds.clone())
        }
        CorrelationKind::Temporal => Wanted::All,
        CorrelationKind::TemporalOrdered => Wanted::InOrder,
    };
    let members = rules.iter().map(|rule| (Arc::clone(&rule.id), rule.head.title.clone()));
    let members = members.collect();
    let whom = whom(correlation, &rules);
    Watch {
        about: Arc::new(about::of_correlation(correlation, &rules, (&wanted, whom))),
        whom,
        wanted,
        n_slots: n_slots(document.timespan_ms),
        usual: document.head.notes.usual,
        is_low_cold: document.head.notes.is_low_cold,
        tells: true,
        teaches: document.head.is_built_in(),
        correlation: None,
        members,
    }
}

/// Slots of 5 minutes that a timespan needs: at least one. The reader of rules bounds it.
fn n_slots(timespan_ms: i64) -> i32 {
    let slot_ms = HOUR_MS / i64::from(SLOTS);
    i32::try_from((timespan_ms + slot_ms - 1).div_euclid(slot_ms)).unwrap_or(i32::MAX).max(1)
}

impl Watch {
    /// What stands for it in other runs of the program: the same while its id, its rules and its
    /// timespan are.
    pub(crate) fn identity(&self) -> u128 {
        let Self { about, n_slots, tells, members, .. } = self;
        let (tells, n_slots) = ([u8::from(*tells)], n_slots.to_le_bytes());
        let head = [about.id.as_bytes(), &tells, &n_slots];
        let members = members.iter().map(|(id, _)| id.as_bytes());
        stable_hash(&head.into_iter().chain(members).collect::<Vec<_>>())
    }

    /// The first slot of the window that ends with `end`: what is no further from it than the timespan
    /// is never missed, wherever in their slots both fall.
    fn window_start(&self, end: Slot) -> Slot {
        Slot(end.0.saturating_sub(self.n_slots))
    }
}

/// Who a correlation is about: told by the fields that it groups by. An alias tells nothing where its
/// fields differ: the source of one rule may be the destination of another.
fn whom(correlation: &Correlation, rules: &[&Rule]) -> Whom {
    let document = &correlation.document;
    let names = document.group_by.iter().filter_map(|name| {
        let Some(alias) = document.aliases.iter().find(|alias| alias.name == name.to_string())
        else {
            return Some(first_key(name));
        };
        let keys: BTreeSet<String> = alias.fields.iter().map(|(_, name)| first_key(name)).collect();
        if keys.len() == 1 { keys.into_iter().next() } else { None }
    });
    let names: BTreeSet<String> = names.collect();
    let are_all = |logs: Logs| rules.iter().all(|rule| rule.logs == logs);
    let has = |name: &str| names.contains(name);
    if are_all(Logs::CloudTrail) && has("useridentity") {
        Whom::Identity
    } else if are_all(Logs::Flow) && has("interfaceid") {
        Whom::Interface
    } else if are_all(Logs::CloudTrail) && has("sourceipaddress")
        || are_all(Logs::Flow) && has("srcaddr")
    {
        Whom::Source
    } else {
        Whom::Account
    }
}

/// The first key of a field, in lower case and without hyphens, as names of flow fields differ in them.
fn first_key(name: &FieldName) -> String {
    let key = name.path.first().map_or("", String::as_str);
    key.chars().filter(|c| !matches!(c, '-' | '_')).map(|c| c.to_ascii_lowercase()).collect()
}

/// The severity of a level; an informational rule has no watch.
fn severity(level: Level) -> Severity {
    match level {
        Level::Informational | Level::Low => Severity::Low,
        Level::Medium => Severity::Medium,
        Level::High => Severity::High,
        Level::Critical => Severity::Critical,
    }
}

#[cfg(test)]
mod tests;
