//! What a person sees: the occurrences of one detector on one entity and day, under an id that any
//! order of the logs gives alike.

use crate::{
    about::{About, Catalogue},
    budget::Threshold,
    detector::{Severity, Verdict},
    shard::Occurrence,
};
use baseline::{Bits, Day, Dimension, Distinct, Entity, Evidence, Part, Slot, Value, stable_hash};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// hash(detector, account, entity, day).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FindingId(pub u128);

impl FindingId {
    /// That of what `detector` says of an entity on a day.
    pub fn of(detector: &str, entity: &Entity, day: Day) -> Self {
        let fields = [detector, &*entity.account, entity.kind.name(), &*entity.key];
        let [detector, account, kind, key] = fields.map(str::as_bytes);
        Self(stable_hash(&[detector, account, kind, key, &day.0.to_le_bytes()]))
    }
}

impl std::fmt::Display for FindingId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// What a finding on flow logs saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlowSeen {
    /// The interface.
    pub interface: String,
    /// The other sides, the heaviest first.
    pub peers: Vec<String>,
    /// Ports of the services spoken to, the heaviest first.
    pub ports: Vec<u16>,
    /// Whether `peers` are all that there were.
    pub has_all_peers: bool,
}

impl FlowSeen {
    /// Peers and ports that a finding names. Unit: of each.
    pub const SHOWN_MAX: usize = 20;

    /// What these values say, each `peer port` or a peer alone, with how much it weighs.
    pub(crate) fn of<'v>(
        interface: &str,
        values: impl IntoIterator<Item = (&'v str, u64)>,
    ) -> Self {
        let mut n_values = 0;
        let (peers, ports) = sides(values.into_iter().inspect(|_| n_values += 1));
        // Of as many values as a set keeps there may have been more.
        let has_all_peers = n_values < Distinct::MAX && peers.len() <= Self::SHOWN_MAX;
        let peers = peers.into_iter().map(|(peer, _)| peer.to_owned()).take(Self::SHOWN_MAX);
        let ports = ports.into_iter().map(|(port, _)| port).take(Self::SHOWN_MAX);
        let (peers, ports) = (peers.collect(), ports.collect());
        Self { interface: interface.to_owned(), peers, ports, has_all_peers }
    }

    /// Adds what another hour saw.
    fn join(&mut self, other: &Self) {
        self.has_all_peers &= other.has_all_peers;
        for peer in &other.peers {
            let is_new = !self.peers.contains(peer);
            if is_new && self.peers.len() < Self::SHOWN_MAX {
                self.peers.push(peer.clone());
            } else if is_new {
                self.has_all_peers = false;
            }
        }
        for port in &other.ports {
            if self.ports.len() < Self::SHOWN_MAX && !self.ports.contains(port) {
                self.ports.push(*port);
            }
        }
    }
}

/// Things with how much they weigh, the heaviest first.
pub(crate) type Weighed<T> = Vec<(T, u64)>;

/// The peers and the ports of values, each `peer port` or a peer alone, with how much they weigh together.
pub(crate) fn sides<'v>(
    values: impl IntoIterator<Item = (&'v str, u64)>,
) -> (Weighed<&'v str>, Weighed<u16>) {
    let (mut peers, mut ports) = (BTreeMap::new(), BTreeMap::new());
    for (value, weight) in values {
        let (peer, port) = value.rsplit_once(' ').unwrap_or((value, ""));
        *peers.entry(peer).or_insert(0_u64) += weight;
        if let Ok(port) = port.parse::<u16>() {
            *ports.entry(port).or_insert(0_u64) += weight;
        }
    }
    (heaviest(peers), heaviest(ports))
}

fn heaviest<T: Ord>(weights: BTreeMap<T, u64>) -> Weighed<T> {
    let mut weights: Vec<_> = weights.into_iter().collect();
    weights.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    weights
}

/// What one detector says of one entity on one UTC day.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Equal for the same logs, however they were read.
    pub id: FindingId,
    /// Who spoke.
    pub about: Arc<About>,
    /// Who.
    pub entity: Entity,
    /// The day it belongs to.
    pub day: Day,
    /// How loud.
    pub severity: Severity,
    /// The parts of the heaviest hour; they sum to the score.
    pub parts: Vec<Part>,
    /// What happened in the heaviest hour, against which usual value; the entity is the subject.
    pub summary: String,
    /// The first and the last moment. Unit: milliseconds since the Unix epoch.
    pub times_ms: (i64, i64),
    /// Number of records it rests on, exact.
    pub count: u64,
    /// The hours that stand above the threshold.
    pub n_hours: u32,
    /// The first records, in order of time.
    pub records: Vec<Evidence>,
    /// What it was done to.
    pub targets: Vec<String>,
    /// For flow logs, what was seen.
    pub flow: Option<FlowSeen>,
    /// What the entity did not know of what it rests on: what a mark teaches.
    pub news: Vec<(Dimension, String)>,
    /// Of unusual behaviour, what an hour had to carry.
    pub threshold: Option<Threshold>,
    /// History behind it: days of the entity's own profile, and of its group's.
    pub history_days: (u32, u32),
}

impl Finding {
    /// One that rests on nothing but its words, about what happened between two moments. Unit: milliseconds since
    /// the Unix epoch.
    pub fn of_words(
        about: Arc<About>,
        entity: Entity,
        times_ms: (i64, i64),
        summary: String,
    ) -> Self {
        let day = Day::of(times_ms.0);
        Self {
            id: FindingId::of(&about.id, &entity, day),
            severity: about.severity,
            about,
            entity,
            day,
            parts: Vec::new(),
            summary,
            times_ms,
            count: 0,
            n_hours: 1,
            records: Vec::new(),
            targets: Vec::new(),
            flow: None,
            news: Vec::new(),
            threshold: None,
            history_days: (0, 0),
        }
    }

    /// Records that a finding keeps. Unit: records.
    pub(crate) const RECORDS_MAX: usize = 1_000;
    /// Unknown values that a finding keeps, the smallest by dimension and keyed hash. Unit: values.
    pub(crate) const NEWS_MAX: usize = 512;

    /// The score: the sum of the parts.
    pub fn bits(&self) -> Bits {
        self.parts.iter().map(|part| part.bits).sum()
    }
}

/// The findings of a day, in order of time and id.
pub(crate) fn assemble(
    day: Day,
    occurrences: Vec<Occurrence>,
    catalogue: &Catalogue,
) -> Vec<Finding> {
    let mut by_id: BTreeMap<FindingId, (&Arc<About>, Vec<Occurrence>)> = BTreeMap::new();
    for occurrence in occurrences {
        let Some(about) = catalogue.get(occurrence.speaker) else { continue };
        let id = FindingId::of(&about.id, &occurrence.entity, day);
        by_id.entry(id).or_insert((about, Vec::new())).1.push(occurrence);
    }
    let findings =
        by_id.into_iter().filter_map(|(id, (about, hours))| finding((id, about), day, hours));
    let mut findings: Vec<_> = findings.collect();
    findings.sort_by_key(|finding| (finding.times_ms, finding.id));
    findings
}

fn finding(
    (id, about): (FindingId, &Arc<About>),
    day: Day,
    mut hours: Vec<Occurrence>,
) -> Option<Finding> {
    // Several flow logs may tell of one hour: which of them is in memory must not matter.
    hours.sort_by_key(|occurrence| (occurrence.hour, occurrence.id));
    let n_hours = hours.chunk_by(|a, b| a.hour == b.hour).count();
    let weight = |occurrence: &Occurrence| (occurrence.verdict.severity, occurrence.verdict.bits());
    // The earliest of equals: `max_by` returns the last, so the order is turned round.
    let heaviest = hours.iter().rev().max_by(|a, b| weight(a).cmp(&weight(b)))?;
    let mut slots: BTreeMap<Slot, u64> = BTreeMap::new();
    let mut records: BTreeSet<&Evidence> = BTreeSet::new();
    let mut targets: Vec<String> = Vec::new();
    let news: BTreeSet<&(Dimension, Value)> = hours.iter().flat_map(|hour| &hour.news).collect();
    let news = news.into_iter().take(Finding::NEWS_MAX);
    for Occurrence { verdict, .. } in std::iter::once(heaviest).chain(&hours) {
        for (slot, n) in &verdict.slots {
            let most = slots.entry(*slot).or_default();
            *most = (*most).max(*n);
        }
        records.extend(&verdict.records);
        for target in &verdict.targets {
            if targets.len() < Verdict::TARGETS_MAX && !targets.contains(target) {
                targets.push(target.clone());
            }
        }
    }
    // Whoever hides what a finding says of the heaviest hour must not hide what it says of the others.
    let mut flow = heaviest.verdict.flow.clone();
    for hour in &hours {
        match (&mut flow, &hour.verdict.flow) {
            (Some(flow), Some(other)) => flow.join(other),
            (Some(flow), None) => flow.has_all_peers = false,
            (None, _) => {}
        }
    }
    let times = records.iter().map(|record| record.time_ms);
    let first = times.clone().min().or_else(|| slots.keys().next().map(|slot| slot.start_ms()));
    let told = hours.iter().filter_map(|occurrence| occurrence.verdict.last_ms);
    let last = times.chain(told).max();
    let last = last.max(slots.keys().next_back().map(|slot| slot.start_ms()));
    Some(Finding {
        id,
        about: Arc::clone(about),
        entity: heaviest.entity.clone(),
        day,
        severity: heaviest.verdict.severity,
        parts: heaviest.verdict.parts.clone(),
        summary: heaviest.verdict.summary.clone(),
        times_ms: (first?, last.or(first)?),
        count: slots.values().sum(),
        n_hours: u32::try_from(n_hours).unwrap_or(u32::MAX),
        records: records.into_iter().take(Finding::RECORDS_MAX).cloned().collect(),
        targets,
        flow,
        news: news.map(|(dimension, value)| (*dimension, value.text.to_string())).collect(),
        threshold: heaviest.verdict.threshold,
        history_days: (heaviest.own_days, heaviest.group_days),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_joined_and_what_is_left_out_is_known_to_be() {
        let of = |values: &[String]| FlowSeen::of("eni-1", values.iter().map(|one| (&**one, 1)));
        let peers = |from: usize, n: usize| -> Vec<String> {
            (from..from + n).map(|n| format!("192.0.2.{n} 443")).collect()
        };
        let mut seen = of(&peers(0, 2));
        seen.join(&of(&peers(1, 2)));
        assert_eq!(seen.peers, ["192.0.2.0", "192.0.2.1", "192.0.2.2"]);
        assert_eq!((&*seen.ports, seen.has_all_peers), (&[443][..], true));
        seen.join(&of(&peers(3, FlowSeen::SHOWN_MAX)));
        assert_eq!((seen.peers.len(), seen.has_all_peers), (FlowSeen::SHOWN_MAX, false));
        assert!(of(&peers(0, FlowSeen::SHOWN_MAX)).has_all_peers);
        assert!(!of(&peers(0, FlowSeen::SHOWN_MAX + 1)).has_all_peers);
        // Of as many values as a set keeps, however few peers they have, others may be lost.
        let ports = |n: usize| (0..n).map(|port| format!("192.0.2.1 {port}")).collect::<Vec<_>>();
        assert!(of(&ports(Distinct::MAX - 1)).has_all_peers);
        assert!(!of(&ports(Distinct::MAX)).has_all_peers);
    }
}
