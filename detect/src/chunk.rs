//! What a worker read of some objects, before duplicates are dropped.

use crate::{
    facts::{Fact, Topic},
    intake::Admitted,
    intern::Interner,
    record::Acting,
    rules::{
        index::{ADDRESS, CALLER, OfApi},
        sieve::Sieve,
    },
    watch::{Flow, Found, Sighting, Watches, Whom},
};
use baseline::{
    Aggregate, Call, Dimension, Entity, EventId, Evidence, Hour, Kind, Principal, Slot, Track,
    Value,
};
use ingest::{
    enrich::{Caller, Origin},
    target::Targets,
};
use std::sync::{Arc, OnceLock};

/// `eventID`, of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RowId {
    None,
    Uuid(u128),
    /// A number of [`Chunk::ids`].
    Text(u32),
}

/// One record, as numbers of the chunk's tables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) time_ms: i64,
    pub(crate) fingerprint: u64,
    pub(crate) id: RowId,
    pub(crate) principal: u32,
    pub(crate) api: u32,
    pub(crate) address: u32,
    pub(crate) region: u32,
    pub(crate) agent: u32,
    pub(crate) target: u32,
    pub(crate) error: u32,
    pub(crate) slot: Slot,
    pub(crate) is_late: bool,
    /// A sign-in that failed: where it came from says nothing of the person it names.
    pub(crate) is_stranger: bool,
}

#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) text: Arc<str>,
    pub(crate) value: Value,
    pub(crate) service: Value,
    pub(crate) track: Track,
    /// Where its records name what they act on.
    pub(crate) targets: Targets,
    /// The detectors that want to see its records, by their place in the registry.
    pub(crate) interested: u64,
    /// The rules that its records can match.
    pub(crate) rules: OfApi,
}

/// The caller of some records.
#[derive(Debug)]
pub(crate) struct Who {
    pub(crate) principal: Principal,
    /// Of its entity.
    pub(crate) id: u128,
    /// What it calls with.
    pub(crate) credential: Value,
    pub(crate) acting: Acting,
    /// Whose credentials it calls with, where that is an instance.
    pub(crate) instance: Option<Arc<str>>,
    /// The detectors that want to see its records, by their place in the registry.
    pub(crate) interested: u64,
}

#[derive(Debug)]
pub(crate) struct Address {
    pub(crate) text: Arc<str>,
    pub(crate) caller: Caller,
    /// Keyed hash of the public address.
    pub(crate) rank: u64,
    pub(crate) origin: Origin,
    pub(crate) country: Option<Value>,
    pub(crate) network: Option<Value>,
}

/// The other side of flows.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) value: Value,
    /// Whether it is in a network of Amazon, once somebody has asked: of most nobody does.
    pub(crate) is_amazon: OnceLock<bool>,
    /// Whether it answers names by HTTPS, once somebody has asked.
    pub(crate) is_doh: OnceLock<bool>,
}

/// What a detector counted of a row.
#[derive(Debug)]
pub(crate) struct Extra {
    pub(crate) row: u32,
    pub(crate) dimension: Dimension,
    pub(crate) value: Option<Value>,
    pub(crate) amount: u64,
    /// The amount of the dimension that the whole record holds.
    pub(crate) of_record: u64,
    /// Whether nothing of the dimension was counted of the row before.
    pub(crate) is_first: bool,
}

/// What a watch takes of a row.
#[derive(Debug)]
pub(crate) struct Match {
    pub(crate) row: u32,
    pub(crate) found: Found,
}

/// What a row says of its account.
#[derive(Debug)]
pub(crate) struct RowFact {
    pub(crate) row: u32,
    pub(crate) topic: Topic,
    pub(crate) value: Value,
    pub(crate) amount: u64,
}

/// What a watch takes of a row of flow logs.
#[derive(Debug, Clone)]
pub struct FlowMatch {
    pub(crate) entity: Entity,
    /// That of the entity, in the flow log of the row.
    pub(crate) id: u128,
    /// End of the flow. Unit: milliseconds since the Unix epoch.
    pub end_ms: i64,
    pub(crate) slot: Slot,
    pub(crate) found: Found,
    pub(crate) flow: Flow,
}

/// One object of a chunk.
#[derive(Debug)]
pub(crate) struct ChunkObject {
    /// Hash of its content; nothing of an object that began in an earlier chunk.
    pub(crate) content: Option<u128>,
    pub(crate) rows_from: usize,
    /// Corrections read before it. Unit: records.
    pub(crate) corrections_from: u64,
    /// Records of days that were learned before, read before it. Unit: records.
    pub(crate) learned_from: u64,
    /// Flow records have no id: they are dropped with their object.
    pub(crate) flows: Vec<Aggregate>,
    /// What rules matched of them.
    pub(crate) flow_matches: Vec<FlowMatch>,
    /// What they say of their account.
    pub(crate) facts: Vec<Fact>,
    /// The interface of the last of them, its address and the hour.
    pub(crate) last_own: Option<(Arc<str>, u128, Hour)>,
    /// Unit: flow records.
    pub(crate) n_flows: u64,
    /// Those in calls of days that were learned before. Unit: flow records.
    pub(crate) n_learned_flows: u64,
    /// Those in calls later than the lateness allows. Unit: flow records.
    pub(crate) n_late_flows: u64,
    /// First and last end of a flow. Unit: milliseconds since the Unix epoch.
    pub(crate) flow_times_ms: Option<(i64, i64)>,
}

/// What a worker read of some objects, in their order.
#[derive(Debug, Default)]
pub struct Chunk {
    pub(crate) objects: Vec<ChunkObject>,
    pub(crate) rows: Vec<Row>,
    pub(crate) extras: Vec<Extra>,
    pub(crate) matches: Vec<Match>,
    pub(crate) facts: Vec<RowFact>,
    pub(crate) principals: Interner<Who>,
    pub(crate) apis: Interner<Api>,
    pub(crate) addresses: Interner<Address>,
    pub(crate) regions: Interner<Value>,
    /// Families of user agents, by what the log has.
    pub(crate) agents: Interner<Value>,
    pub(crate) targets: Interner<Value>,
    pub(crate) errors: Interner<Value>,
    pub(crate) ids: Interner<Arc<str>>,
    /// The other sides of flows, by their addresses.
    pub(crate) peers: Interner<Peer>,
    /// What interfaces and peers called of each other: `peer port`, `protocol peer` and the like.
    pub(crate) services: Interner<Value>,
    /// By account and interface: an aggregate of nothing.
    pub(crate) interfaces: Interner<Aggregate>,
    /// The rules that its records leave.
    pub(crate) sieve: Sieve,
    pub(crate) n_corrections: u64,
    /// Records of days that were learned before.
    pub(crate) n_learned: u64,
    /// Callers and regions that an earlier chunk had already.
    pub(crate) n_had: [usize; 2],
}

/// What a chunk keeps of callers for the next one, and what of all else, at most; if there is more, that begins
/// anew. Unit: bytes of each.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// What no table holds.
pub(crate) const NONE: u32 = u32::MAX;

impl Chunk {
    /// Without what was read, for the next chunk of the same engine, which need not work out again
    /// what callers, APIs and addresses say: so much of callers, and so much of all else, at most. It must have been
    /// applied. Unit: bytes.
    #[must_use]
    pub fn emptied(self, bytes_max: usize) -> Self {
        let bytes_max = bytes_max.min(KEPT_BYTES_MAX);
        let Self { mut objects, mut rows, mut extras, mut matches, mut facts, .. } = self;
        objects.clear();
        rows.clear();
        extras.clear();
        matches.clear();
        facts.clear();
        let Self { principals, addresses, targets, apis, regions, agents, errors, sieve, .. } =
            self;
        let mut kept = Self { objects, rows, extras, matches, facts, sieve, ..Self::default() };
        kept = Self { principals, apis, addresses, regions, agents, targets, errors, ..kept };
        if kept.principals.n_bytes() + kept.sieve.n_bytes_of(CALLER) > bytes_max {
            kept.sieve.forget(CALLER);
            kept.principals.clear();
        }
        let Self { addresses, targets, apis, regions, agents, errors, sieve, .. } = &mut kept;
        let n_bytes = addresses.n_bytes() + targets.n_bytes() + apis.n_bytes() + regions.n_bytes();
        let n_bytes = n_bytes + agents.n_bytes() + errors.n_bytes();
        if n_bytes + sieve.n_bytes() + sieve.n_bytes_of(ADDRESS) > bytes_max {
            sieve.forget_calls();
            sieve.forget(ADDRESS);
            addresses.clear();
            targets.clear();
            apis.clear();
            regions.clear();
            agents.clear();
            errors.clear();
        }
        kept.n_had = [kept.principals.len(), kept.regions.len()];
        kept
    }

    /// What interfaces called in the objects that are new.
    pub(crate) fn flows(&self, objects: &[bool]) -> impl Iterator<Item = &Aggregate> {
        let new_objects = self.objects.iter().zip(objects).filter(|(_, is_new)| **is_new);
        new_objects.flat_map(|(object, _)| &object.flows)
    }

    /// The part of what is new that comes in one of several turns: all records of a caller in the same one.
    pub(crate) fn part(&self, fresh: &Admitted, (turn, n_turns): (usize, usize)) -> Admitted {
        // The last bits say which shard somebody lives in: all of them have something to do.
        let turn_of = |who: &Who| (who.id >> 32) % n_turns as u128;
        let comes: Vec<bool> =
            self.principals.iter().map(|who| turn_of(who) == turn as u128).collect();
        let is_of = |row: &Row| comes.get(row.principal as usize) == Some(&true);
        let rows = fresh.rows.iter().zip(&self.rows).map(|(is_new, row)| *is_new && is_of(row));
        let objects = fresh.objects.iter().map(|is_new| *is_new && turn == 0);
        Admitted { rows: rows.collect(), objects: objects.collect() }
    }

    /// What rules matched of the rows and of the objects that are new.
    pub(crate) fn sightings(
        &self,
        (fresh, objects): (&[bool], &[bool]),
        watches: &Watches,
    ) -> Vec<Sighting<'_>> {
        let is_fresh = |one: &&Match| fresh.get(one.row as usize) == Some(&true);
        let rows = self.matches.iter().filter(is_fresh).filter_map(|Match { row, found }| {
            let row = self.rows.get(*row as usize)?;
            let principal = &self.principals.get(row.principal)?.principal;
            let address = || self.addresses.get(row.address).map(|address| &address.text);
            let of = |kind, key: &Arc<str>| Entity {
                account: Arc::clone(&principal.entity.account),
                kind,
                key: Arc::clone(key),
            };
            let entity = match watches.get(found.watch)?.whom {
                Whom::Identity | Whom::Interface => principal.entity.clone(),
                Whom::Source => of(Kind::Source, address()?),
                Whom::Account => of(Kind::Account, &principal.entity.account),
            };
            let (id, evidence) = (entity.id(), self.evidence(row, 1));
            let api = self.apis.get(row.api).map(|api| &api.value);
            Some(Sighting { entity, id, slot: row.slot, found, evidence, api, flow: None })
        });
        let new_objects = self.objects.iter().zip(objects).filter(|(_, is_new)| **is_new);
        let flows = new_objects.flat_map(|(object, _)| &object.flow_matches);
        rows.chain(flows.map(FlowMatch::sighting)).collect()
    }

    /// The evidence behind the number of a row.
    pub(crate) fn first(&self, row: u32) -> Option<Evidence> {
        self.rows.get(row as usize).map(|row| self.evidence(row, 1))
    }

    /// Whether a row comes before another, as their evidence does; times and ids nearly always tell.
    pub(crate) fn precedes(&self, a: &Row, b: &Row) -> bool {
        let by_id = || self.event_id(a).cmp(&self.event_id(b));
        let by_all = || self.evidence(a, 1).cmp(&self.evidence(b, 1));
        a.time_ms.cmp(&b.time_ms).then_with(by_id).then_with(by_all).is_lt()
    }

    fn event_id(&self, row: &Row) -> EventId {
        match row.id {
            RowId::Uuid(uuid) => uuid.into(),
            RowId::Text(n) => EventId::Text(self.ids.get(n).cloned().unwrap_or_else(|| "".into())),
            RowId::None => EventId::Text("".into()),
        }
    }

    pub(crate) fn evidence(&self, row: &Row, amount: u64) -> Evidence {
        let principal = self.principals.get(row.principal).map(|who| &who.principal);
        let call = Call {
            api: self.apis.get(row.api).map_or_else(|| "".into(), |api| Arc::clone(&api.text)),
            address: self.addresses.get(row.address).map(|address| Arc::clone(&address.text)),
            access_key: principal.and_then(|principal| principal.access_key.clone()),
            region: self.regions.get(row.region).map(|region| Arc::clone(&region.text)),
            actor: principal.map(|principal| Arc::clone(&principal.actor)),
        };
        Evidence { time_ms: row.time_ms, id: self.event_id(row), call: call.into(), amount }
    }
}

impl FlowMatch {
    fn sighting(&self) -> Sighting<'_> {
        let Self { entity, id: of_log, end_ms, slot, found, flow } = self;
        // Nothing but its time names a flow.
        let (id, api) = (EventId::Text("".into()), "".into());
        let (address, access_key, region, actor) = (None, None, None, None);
        let call = Call { api, address, access_key, region, actor };
        let evidence = Evidence { time_ms: *end_ms, id, call: call.into(), amount: 1 };
        let (entity, id) = (entity.clone(), *of_log);
        Sighting { entity, id, slot: *slot, found, evidence, api: None, flow: Some(flow) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_kept_for_the_next_chunk_up_to_the_bound() {
        let value = || baseline::HashKey::DEFAULT.value("tool");
        let mut chunk = Chunk::default();
        chunk.agents.number(b"tool", value);
        let chunk = chunk.emptied(usize::MAX);
        assert_eq!(chunk.agents.len(), 1);
        let mut chunk = chunk.emptied(1 << 10);
        assert_eq!(chunk.agents.len(), 1);
        chunk.agents.number(&[b'y'; 1 << 10], value);
        let mut chunk = chunk.emptied(1 << 10);
        assert_eq!(chunk.agents.len(), 0);
        chunk.agents.number(&vec![b'x'; KEPT_BYTES_MAX], value);
        assert_eq!(chunk.emptied(usize::MAX).agents.len(), 0);
    }
}
