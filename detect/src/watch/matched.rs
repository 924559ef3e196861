//! What one rule matched of a group in a slot. Any order of the same matches gives the same.

use super::Sighting;
use baseline::{Distinct, EventId, Evidence, evidence::Records, form};

/// Records that a slot keeps of one rule and group, the first by time and id. Unit: records.
pub(super) const RECORDS_MAX: usize = 32;

/// When something was, in an order that is the same whatever the order of the logs.
pub(super) type Mark<'m> = (i64, &'m EventId);

/// What one rule matched in one slot, or in several together.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Matched {
    /// Unit: matches.
    pub(super) n: u64,
    /// The first.
    pub(super) records: Records,
    /// The last.
    pub(super) last: Option<(i64, EventId)>,
    /// What a correlation counts.
    pub(super) counted: Distinct,
    pub(super) clauses: Distinct,
    pub(super) targets: Distinct,
    pub(super) apis: Distinct,
    pub(super) peers: Distinct,
    pub(super) ports: Distinct,
}

impl Matched {
    pub(super) fn add(&mut self, sighting: &Sighting<'_>) {
        let Sighting { found, evidence, api, flow, .. } = sighting;
        self.n = self.n.saturating_add(1);
        let mark = (evidence.time_ms, evidence.id.clone());
        self.last = self.last.take().max(Some(mark));
        self.records.add(Evidence::clone(evidence), RECORDS_MAX);
        found.counted.iter().for_each(|value| self.counted.add(value, 1));
        found.clause.iter().for_each(|clause| self.clauses.add(clause, 1));
        found.targets.iter().for_each(|target| self.targets.add(target, 1));
        if let Some(api) = api {
            self.apis.add(api, 1);
        }
        if let Some(flow) = flow {
            flow.peer.iter().for_each(|peer| self.peers.add(peer, 1));
            flow.port.iter().for_each(|port| self.ports.add(port, 1));
        }
    }

    /// Adds what was matched in another slot, or by another rule.
    pub(super) fn merge(&mut self, other: &Self, records_max: usize) {
        self.n = self.n.saturating_add(other.n);
        self.last = self.last.take().max(other.last.clone());
        other.records.iter().for_each(|record| self.records.add(record.clone(), records_max));
        for (ours, theirs) in [
            (&mut self.counted, &other.counted),
            (&mut self.clauses, &other.clauses),
            (&mut self.targets, &other.targets),
            (&mut self.apis, &other.apis),
            (&mut self.peers, &other.peers),
            (&mut self.ports, &other.ports),
        ] {
            ours.merge(theirs);
        }
    }

    /// The first match after `marks` of those that are kept. CloudTrail tells time by the second, so
    /// that another record of the same second may be the next; what has no id must be later.
    pub(super) fn after(&self, marks: &[Mark<'_>]) -> Option<Mark<'_>> {
        let kept = self.records.iter().map(|record| (record.time_ms, &record.id));
        let last = self.last.iter().map(|(time_ms, id)| (*time_ms, id));
        let is_next = |(time_ms, id): &Mark<'_>| {
            let has_id = !matches!(id, EventId::Text(text) if text.is_empty());
            let is_other = || has_id && marks.iter().all(|(_, used)| used != id);
            marks.last().is_none_or(|(at_ms, _)| time_ms > at_ms || time_ms == at_ms && is_other())
        };
        kept.chain(last).filter(is_next).min()
    }
}

form! {
    Matched { n, records, last, counted, clauses, targets, apis, peers, ports }
}
