//! What a watch says of an hour: the windows that end in it and hold what is wanted.

use super::{
    Memory, Wanted, Watch, Whom,
    groups::Slotted,
    matched::{Mark, Matched},
    memory::Timeline,
    words,
};
use crate::{
    detector::{Severity, Verdict},
    detectors::DETECTORS,
    engine::Context,
    finding::{Finding, FlowSeen},
    rules::sigma::{Bound, Bounds, Usual},
    shard::Occurrence,
};
use baseline::{
    Day, Dimension, Distinct, Entity, Generation, HashKey, Hour, Kind, Part, Slot, Value,
};
use std::collections::{BTreeMap, BTreeSet};

/// Peers and ports that a finding names, the heaviest first. Unit: of each.
const FLOWS_SHOWN_MAX: usize = 20;
/// APIs and rules that a sentence about what is usual names. Unit: of each.
const USUAL_SHOWN_MAX: usize = 3;
/// APIs that a summary names, the heaviest first. Unit: APIs.
const APIS_SHOWN_MAX: usize = 3;
/// Targets that a summary names, the heaviest first. Unit: targets.
const TARGETS_SHOWN_MAX: usize = 3;

/// Whose habit what is told is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// The entity's; or nobody's, where nobody has any yet.
    Own,
    /// Of others: no reason to learn it as its own.
    Others,
    None,
}

/// Whether a key is a session of a role of IAM Identity Center: nobody else can make one with that path.
fn is_of_identity_center(key: &str) -> bool {
    let role = key.strip_prefix("arn:").and_then(|arn| arn.splitn(5, ':').nth(4));
    role.is_some_and(|role| role.starts_with("role/aws-reserved/sso.amazonaws.com/"))
}

/// What all windows of an hour hold that are told.
#[derive(Debug, Default)]
struct Told {
    slots: BTreeMap<Slot, u64>,
    all: Matched,
    /// Places of the rules that matched.
    members: BTreeSet<u16>,
    /// The largest statistic of a window, and whether it is an estimate.
    statistic: (u64, bool),
}

/// An entity that a watch was asked about, and its occurrences.
#[derive(Debug)]
pub(crate) struct Judged {
    /// Its id.
    pub(crate) id: u128,
    /// Which watch, by number in the catalogue.
    pub(crate) speaker: usize,
    /// `None` if it is not told.
    pub(crate) occurrence: Option<Occurrence>,
    /// Whether what the day teaches weighs less.
    pub(crate) teaches_less: bool,
}

/// What is done with what is usual for an entity; `None` where it has no profile.
pub(crate) type Judge<'j> = &'j mut dyn FnMut(Option<&Generation<'_>>);

impl Memory {
    /// What watches say of `day`, all of everybody or those that are wanted. `with_usual` calls back with what is usual for an entity that has
    /// a profile.
    pub(crate) fn judge(
        &self,
        (day, wanted): (Day, Option<&BTreeSet<(u32, u128)>>),
        context: &Context,
        with_usual: &mut dyn FnMut(u128, Judge<'_>),
    ) -> Vec<Judged> {
        let watches = context.options.rules.watches();
        let mut judged = Vec::new();
        self.each((day, wanted), watches, &mut |(number, watch), id, timelines| {
            let speaker = DETECTORS.len() + number as usize;
            let Some(entity) = timelines.first().map(|timeline| timeline.entity) else { return };
            with_usual(id, &mut |usual| {
                for hour in hours(timelines, day) {
                    let Some(told) = watch.told(timelines, hour) else { continue };
                    let key = &context.options.hash_key;
                    let (habit, words) = watch.usually(&told, (entity, usual), key);
                    let verdict = watch.verdict(&told, entity, (habit, words));
                    let is_alert = watch.about.severity >= Severity::Medium;
                    let teaches_less = watch.teaches && is_alert && habit != Habit::Own;
                    let days = usual.map(|usual| (usual.own_days(), usual.group_days()));
                    let (own_days, group_days) = days.unwrap_or_default();
                    let entity = entity.clone();
                    let occurrence = watch.tells.then(|| Occurrence {
                        speaker,
                        id,
                        entity,
                        hour,
                        verdict,
                        own_days,
                        group_days,
                        news: watch.unknown(&told, usual, key),
                    });
                    judged.push(Judged { id, speaker, occurrence, teaches_less });
                }
            });
        });
        judged
    }
}

/// The APIs that were called, the most frequent first.
fn called(apis: &Distinct) -> Vec<String> {
    let heaviest = apis.heaviest().into_iter().take(APIS_SHOWN_MAX);
    let mut named: Vec<_> = heaviest.map(|(api, _)| api.to_owned()).collect();
    let n_more = apis.count().saturating_sub(named.len() as u64);
    if let Some(last) = named.last_mut().filter(|_| n_more > 0) {
        let about = if apis.is_estimate() { "about " } else { "" };
        *last = format!("{last} and {about}{n_more} more");
    }
    named
}

/// The hours of `day` that hold matches.
fn hours(timelines: &[Timeline<'_>], day: Day) -> BTreeSet<Hour> {
    let slots = timelines.iter().flat_map(|timeline| &timeline.slots);
    slots.map(|(slot, _)| slot.hour()).filter(|hour| hour.day() == day).collect()
}

impl Watch {
    /// What is told of an hour, of all groups together.
    fn told(&self, timelines: &[Timeline<'_>], hour: Hour) -> Option<Told> {
        let mut told = Told::default();
        for timeline in timelines {
            let slots = timeline.slots.as_slice();
            // Windows overlap: a slot counts once.
            let mut counted: BTreeSet<Slot> = BTreeSet::new();
            for (end, _) in between(slots, hour.first_slot(), hour.last_slot()) {
                let window = between(slots, self.window_start(*end), *end);
                let Some(statistic) = self.statistic(window) else { continue };
                told.statistic = told.statistic.max(statistic);
                for (slot, matched) in window {
                    if counted.insert(*slot) {
                        told.add(*slot, matched);
                    }
                }
            }
        }
        (!told.slots.is_empty()).then_some(told)
    }

    /// What a window comes to, and whether that is an estimate; `None` if it is not what is wanted.
    fn statistic(&self, window: &[(Slot, &Slotted)]) -> Option<(u64, bool)> {
        let matched = || window.iter().flat_map(|(_, slot)| slot.values());
        let n = matched().fold(0_u64, |sum, matched| sum.saturating_add(matched.n));
        match &self.wanted {
            Wanted::One => (n > 0).then_some((n, false)),
            Wanted::Events(bounds) => holds(bounds, n).then_some((n, false)),
            Wanted::Values(_, bounds) => {
                let sets: Vec<&Distinct> = matched().map(|matched| &matched.counted).collect();
                let n = Distinct::count_together(sets.into_iter());
                holds(bounds, n).then_some((n, n > Distinct::MAX as u64))
            }
            Wanted::All => {
                let places = window.iter().flat_map(|(_, slot)| slot.keys());
                let places: BTreeSet<u16> = places.copied().collect();
                (places.len() >= self.members.len()).then_some((n, false))
            }
            Wanted::InOrder => self.is_in_order(window).then_some((n, false)),
        }
    }

    /// Whether a match of the first rule is followed by one of the second, and so on.
    fn is_in_order(&self, window: &[(Slot, &Slotted)]) -> bool {
        let mut reached: Vec<Mark<'_>> = Vec::new();
        (0..).zip(&self.members).all(|(place, _): (u16, _)| {
            let matched = window.iter().filter_map(|(_, slot)| slot.get(&place));
            let next = matched.filter_map(|matched| matched.after(&reached)).min();
            reached.extend(next);
            next.is_some()
        })
    }

    fn verdict(&self, told: &Told, entity: &Entity, (habit, usually): (Habit, String)) -> Verdict {
        let severity = if habit == Habit::None { self.about.severity } else { Severity::Low };
        let summary = self.summary(told);
        let summary =
            if usually.is_empty() { summary } else { format!("{summary}; usual: {usually}") };
        let habit = if usually.is_empty() { "no habit makes it usual".to_owned() } else { usually };
        let part = Part {
            dimension: Dimension::Matches,
            bits: severity.prior(),
            observed: self.observed(told),
            usual: habit,
        };
        let heaviest = |values: &Distinct, n_max: usize| -> Vec<String> {
            let values = values.heaviest().into_iter().take(n_max);
            values.map(|(value, _)| value.to_owned()).collect()
        };
        let is_flow = self.whom == Whom::Interface;
        let ports = heaviest(&told.all.ports, FLOWS_SHOWN_MAX);
        Verdict {
            parts: vec![part],
            severity,
            summary,
            slots: told.slots.iter().map(|(slot, n)| (*slot, *n)).collect(),
            // What is known of a flow is no record that could be named.
            records: told
                .all
                .records
                .iter()
                .filter(|record| !record.call.api.is_empty())
                .cloned()
                .collect(),
            last_ms: told.all.last.as_ref().map(|(time_ms, _)| *time_ms),
            targets: heaviest(&told.all.targets, Verdict::TARGETS_MAX),
            flow: is_flow.then(|| FlowSeen {
                interface: entity.key.to_string(),
                peers: heaviest(&told.all.peers, FLOWS_SHOWN_MAX),
                ports: ports.iter().filter_map(|port| port.parse().ok()).collect(),
                has_all_peers: !told.all.peers.is_estimate()
                    && told.all.peers.count() <= FLOWS_SHOWN_MAX as u64,
            }),
            threshold: None,
        }
    }

    /// What was counted: of a rule in the hour, of a correlation in its fullest window.
    fn observed(&self, told: &Told) -> String {
        let (n, is_estimate) = told.statistic;
        let within = words::timespan(self.n_slots);
        match &self.wanted {
            Wanted::One => format!("{} in the hour", words::n_matches(told.all.n)),
            Wanted::Values(what, _) => {
                let about = if is_estimate { "about " } else { "" };
                format!("{about}{n} different values of {what} in about {within}")
            }
            _ => format!("{} in about {within}", words::n_matches(n)),
        }
    }

    /// What was done, in the words of the rule, the most frequent first; and to what, where these words
    /// do not say it.
    fn summary(&self, told: &Told) -> String {
        let (clauses, targets) = (&told.all.clauses, &told.all.targets);
        let (n, is_estimate) = told.statistic;
        let about = |is: bool| if is { "about " } else { "" };
        let mut summary = match clauses.heaviest().first() {
            Some((clause, _)) => (*clause).to_owned(),
            None if matches!(self.wanted, Wanted::Events(_)) => {
                self.clause(&words::n_matches(n), &[])
            }
            None => self.clause(&format!("{}{n}", about(is_estimate)), &called(&told.all.apis)),
        };
        let n_more = clauses.count().saturating_sub(1);
        if n_more > 0 {
            summary =
                format!("{summary}; and {}{n_more} more like it", about(clauses.is_estimate()));
        }
        let heaviest = targets.heaviest();
        if heaviest.is_empty() || heaviest.iter().any(|(target, _)| summary.contains(target)) {
            return summary;
        }
        let named = heaviest.iter().take(TARGETS_SHOWN_MAX).map(|(target, _)| *target);
        let named = named.collect::<Vec<_>>().join(", ");
        match targets.count().saturating_sub(TARGETS_SHOWN_MAX as u64) {
            0 => format!("{summary}: {named}"),
            more => format!("{summary}: {named} and {}{more} more", about(targets.is_estimate())),
        }
    }

    /// Which values make what is told a habit, once the entity knows them; `None` where no habit counts.
    fn habits(&self, told: &Told, key: &HashKey) -> Option<(Dimension, Vec<Value>)> {
        match self.usual {
            Usual::Never => None,
            Usual::Api => {
                let apis = told.all.apis.iter().map(|(api, _)| api.clone()).collect();
                Some((Dimension::Api, apis))
            }
            Usual::Match => {
                let ids = told.members.iter().filter_map(|at| self.members.get(usize::from(*at)));
                let ids = ids.map(|(id, _)| key.value(id)).collect();
                Some((Dimension::Matches, ids))
            }
        }
    }

    /// Those of them that the entity does not know.
    fn unknown(
        &self,
        told: &Told,
        usual: Option<&Generation<'_>>,
        key: &HashKey,
    ) -> BTreeSet<(Dimension, Value)> {
        let Some((dimension, values)) = self.habits(told, key) else { return BTreeSet::new() };
        let is_known = |value: &Value| usual.is_some_and(|usual| usual.knows(dimension, value));
        let unknown = values.into_iter().filter(|value| !is_known(value));
        unknown.map(|value| (dimension, value)).collect()
    }

    /// Whether what other people of the account do is usual for an entity, too. What is grave has to be its
    /// own habit. Who is young must be known by an identity provider: whoever begins another session chooses
    /// its name.
    fn follows_others(&self, entity: &Entity, usual: &Generation<'_>) -> bool {
        let is_known = !usual.is_young() || is_of_identity_center(&entity.key);
        entity.kind == Kind::Human && is_known && self.about.severity <= Severity::Medium
    }

    /// Whether what is told is usual for the entity, and what of it is; nothing where no habit counts.
    fn usually(
        &self,
        told: &Told,
        (entity, usual): (&Entity, Option<&Generation<'_>>),
        key: &HashKey,
    ) -> (Habit, String) {
        let Some((dimension, values)) = self.habits(told, key) else {
            return (Habit::None, String::new());
        };
        let Some(usual) = usual.filter(|usual| !usual.is_cold()) else {
            let habit = if self.is_low_cold { Habit::Own } else { Habit::None };
            return (habit, "not known yet".to_owned());
        };
        let (known, news): (Vec<&Value>, Vec<&Value>) =
            values.iter().partition(|value| usual.knows(dimension, value));
        let is_whole = !(dimension == Dimension::Api && told.all.apis.is_estimate());
        // Rules are known to people by what they say, APIs by their names.
        let done = |values: &[&Value], is: bool| match (dimension == Dimension::Api, is) {
            (true, _) => {
                let texts = values.iter().take(USUAL_SHOWN_MAX).map(|value| &*value.text);
                let calls = if is { "calls" } else { "never calls" };
                format!("{calls} {}", texts.collect::<Vec<_>>().join(", "))
            }
            (false, true) => "done".to_owned(),
            (false, false) => "not done".to_owned(),
        };
        let own_days = usual.own_days();
        if is_whole && !known.is_empty() && news.is_empty() {
            let n_days = known.iter().map(|value| usual.n_days(dimension, value)).min();
            let (done, n_days) = (done(&known, true), n_days.unwrap_or(0).max(1));
            return (Habit::Own, format!("{done} on at least {n_days} of its {own_days} days"));
        }
        let is_shared = |value: &&Value| usual.is_shared(dimension, value);
        let is_others = is_whole && !news.is_empty() && news.iter().all(is_shared);
        if is_others && self.follows_others(entity, usual) {
            let done = done(&news, true);
            let words = format!("{done} by others of its kind, not in its own {own_days} days");
            return (Habit::Others, words);
        }
        if own_days == 0 {
            return (Habit::None, "not known yet".to_owned());
        }
        (Habit::None, format!("{} in its {own_days} days", done(&news, false)))
    }
}

impl Told {
    fn add(&mut self, slot: Slot, matched: &Slotted) {
        for (place, matched) in matched {
            let n = self.slots.entry(slot).or_default();
            *n = n.saturating_add(matched.n);
            self.members.insert(*place);
            self.all.merge(matched, Finding::RECORDS_MAX);
        }
    }
}

fn holds(bounds: &Bounds, n: u64) -> bool {
    bounds.0.iter().all(|(bound, wanted)| match bound {
        Bound::Less => n < *wanted,
        Bound::LessOrEqual => n <= *wanted,
        Bound::Greater => n > *wanted,
        Bound::GreaterOrEqual => n >= *wanted,
        Bound::Equal => n == *wanted,
        Bound::NotEqual => n != *wanted,
    })
}

/// Those from `first` to `last` of slots in order.
fn between<'t, 'm>(
    slots: &'t [(Slot, &'m Slotted)],
    first: Slot,
    last: Slot,
) -> &'t [(Slot, &'m Slotted)] {
    let from = slots.partition_point(|(slot, _)| *slot < first);
    let to = slots.partition_point(|(slot, _)| *slot <= last);
    slots.get(from..to).unwrap_or_default()
}
