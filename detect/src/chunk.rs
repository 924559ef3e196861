//! What a worker read of some objects, before duplicates are dropped; and its sums by entity after.

use crate::{
    intern::Interner,
    record::Acting,
    rules::{index::OfApi, sieve::Sieve},
    watch::{Flow, Found, Sighting, Watches, Whom},
};
use baseline::{
    Aggregate, Dimension, Entity, Entry, EventId, Evidence, Kind, Principal, Slot, Stay, Value,
};
use ingest::enrich::{Caller, Origin};
use std::{
    collections::{BTreeMap, btree_map::Entry as MapEntry},
    net::IpAddr,
    sync::Arc,
};

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
    pub(crate) slot: Slot,
    pub(crate) is_late: bool,
    /// A sign-in that failed: where it came from says nothing of the person it names.
    pub(crate) is_stranger: bool,
}

#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) text: Arc<str>,
    pub(crate) value: Value,
    pub(crate) class: Dimension,
    /// The detectors that want to see its records, by their place in the registry.
    pub(crate) interested: u32,
    /// The rules that its records can match.
    pub(crate) rules: OfApi,
}

/// The caller of some records.
#[derive(Debug)]
pub(crate) struct Who {
    pub(crate) principal: Principal,
    /// The account that received the calls.
    pub(crate) account: Arc<str>,
    pub(crate) acting: Acting,
    /// The detectors that want to see its records, by their place in the registry.
    pub(crate) interested: u32,
}

#[derive(Debug)]
pub(crate) struct Address {
    pub(crate) text: Arc<str>,
    pub(crate) caller: Caller,
    pub(crate) public: Option<IpAddr>,
    /// Keyed hash of the public address.
    pub(crate) rank: u64,
    pub(crate) origin: Origin,
    pub(crate) country: Option<Value>,
    pub(crate) network: Option<Value>,
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

/// What a watch takes of a row of flow logs.
#[derive(Debug, Clone)]
pub struct FlowMatch {
    pub(crate) entity: Entity,
    /// End of the flow. Unit: milliseconds since the Unix epoch.
    pub end_ms: i64,
    pub(crate) slot: Slot,
    pub(crate) found: Found,
    pub(crate) flow: Flow,
}

/// One object of a chunk.
#[derive(Debug)]
pub(crate) struct ChunkObject {
    pub(crate) content: u128,
    pub(crate) rows_from: usize,
    /// Corrections read before it. Unit: records.
    pub(crate) corrections_from: u64,
    /// Flow records have no id: they are dropped with their object.
    pub(crate) flows: Vec<Aggregate>,
    /// What rules matched of them.
    pub(crate) flow_matches: Vec<FlowMatch>,
    /// Unit: flow records.
    pub(crate) n_flows: u64,
    /// First and last end of a flow. Unit: milliseconds since the Unix epoch.
    pub(crate) flow_times_ms: Option<(i64, i64)>,
}

impl ChunkObject {
    /// The aggregate of an interface, made where the last one is of another: what comes in the order
    /// of interfaces has one for each, and several of one interface sum alike.
    #[expect(clippy::indexing_slicing, reason = "pushed just before, if there was none")]
    pub(crate) fn interface(
        &mut self,
        (account, interface): (&str, &str),
        empty: impl FnOnce() -> Aggregate,
    ) -> &mut Aggregate {
        let is_same = self.flows.last().is_some_and(|Aggregate { entity, .. }| {
            *entity.key == *interface && *entity.account == *account
        });
        if !is_same {
            self.flows.push(empty());
        }
        let last = self.flows.len() - 1;
        &mut self.flows[last]
    }
}

/// What a worker read of some objects, in their order.
#[derive(Debug, Default)]
pub struct Chunk {
    pub(crate) objects: Vec<ChunkObject>,
    pub(crate) rows: Vec<Row>,
    pub(crate) extras: Vec<Extra>,
    pub(crate) matches: Vec<Match>,
    pub(crate) principals: Interner<Who>,
    pub(crate) apis: Interner<Api>,
    pub(crate) addresses: Interner<Address>,
    pub(crate) regions: Interner<Value>,
    pub(crate) ids: Interner<Arc<str>>,
    /// By account and interface: an aggregate of nothing.
    pub(crate) interfaces: Interner<Aggregate>,
    /// The rules that its records leave.
    pub(crate) sieve: Sieve,
    pub(crate) n_corrections: u64,
}

/// No number of an address.
const NOWHERE: u32 = u32::MAX;

/// The rows that count, as far as their sums go.
type TallyKey = (u32, u32, u32, u32, Slot);

impl Chunk {
    /// The sums by entity of the rows that are new.
    pub(crate) fn aggregates(&self, fresh: &[bool]) -> Vec<Aggregate> {
        let mut sums = Sums::of(self);
        let mut tallies: hashbrown::HashMap<TallyKey, u64, Mixer> = hashbrown::HashMap::default();
        let mut stays: BTreeMap<(u32, u32, Slot), (&Row, &Row, u64)> = BTreeMap::new();
        let mut last: Option<(TallyKey, u64)> = None;
        for (row, _) in self.rows.iter().zip(fresh).filter(|(_, fresh)| **fresh) {
            let address = if row.is_stranger { NOWHERE } else { row.address };
            let key = (row.principal, row.api, address, row.region, row.slot);
            match &mut last {
                Some((same, n)) if *same == key => *n += 1,
                _ => {
                    if let Some((key, n)) = last.replace((key, 1)) {
                        *tallies.entry(key).or_default() += n;
                    }
                }
            }
            sums.count(row);
            if sums.travels(row) {
                match stays.entry((row.principal, row.address, row.slot)) {
                    MapEntry::Vacant(stay) => {
                        stay.insert((row, row, 1));
                    }
                    MapEntry::Occupied(mut stay) => {
                        let (first, end, n) = stay.get_mut();
                        if self.order(row) < self.order(first) {
                            *first = row;
                        }
                        if self.order(row) > self.order(end) {
                            *end = row;
                        }
                        *n += 1;
                    }
                }
            }
        }
        if let Some((key, n)) = last {
            *tallies.entry(key).or_default() += n;
        }
        sums.tallies(tallies);
        for ((_, address, slot), (first, end, n_records)) in stays {
            sums.stay(address, slot, (first, end), n_records);
        }
        for extra in &self.extras {
            let row = extra.row as usize;
            if let (Some(true), Some(row)) = (fresh.get(row), self.rows.get(row)) {
                sums.extra(extra, row);
            }
        }
        sums.finish()
    }

    /// What interfaces called in the objects that are new.
    pub(crate) fn flows(&self, objects: &[bool]) -> impl Iterator<Item = &Aggregate> {
        let new_objects = self.objects.iter().zip(objects).filter(|(_, is_new)| **is_new);
        new_objects.flat_map(|(object, _)| &object.flows)
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

    /// Rows of one caller and address in order of time; texts, since numbers depend on the chunk.
    fn order(&self, row: &Row) -> (i64, EventId, Option<&str>, Option<&str>) {
        let api = self.apis.get(row.api).map(|api| &*api.text);
        let region = self.regions.get(row.region).map(|region| &*region.text);
        (row.time_ms, self.event_id(row), api, region)
    }

    fn event_id(&self, row: &Row) -> EventId {
        match row.id {
            RowId::Uuid(uuid) => EventId::Uuid(uuid),
            RowId::Text(n) => EventId::Text(self.ids.get(n).cloned().unwrap_or_else(|| "".into())),
            RowId::None => EventId::Text("".into()),
        }
    }

    fn evidence(&self, row: &Row, amount: u64) -> Evidence {
        let principal = self.principals.get(row.principal).map(|who| &who.principal);
        Evidence {
            time_ms: row.time_ms,
            id: self.event_id(row),
            api: self.apis.get(row.api).map_or_else(|| "".into(), |api| Arc::clone(&api.text)),
            address: self.addresses.get(row.address).map(|address| Arc::clone(&address.text)),
            access_key: principal.and_then(|principal| principal.access_key.clone()),
            region: self.regions.get(row.region).map(|region| Arc::clone(&region.text)),
            actor: principal.map(|principal| Arc::clone(&principal.actor)),
            amount,
        }
    }
}

impl FlowMatch {
    fn sighting(&self) -> Sighting<'_> {
        let Self { entity, end_ms, slot, found, flow } = self;
        // Nothing but its time names a flow.
        let (id, api) = (EventId::Text("".into()), "".into());
        let (address, access_key, region, actor) = (None, None, None, None);
        let evidence =
            Evidence { time_ms: *end_ms, id, api, address, access_key, region, actor, amount: 1 };
        let (entity, id) = (entity.clone(), entity.id());
        Sighting { entity, id, slot: *slot, found, evidence, api: None, flow: Some(flow) }
    }
}

/// A hash for small numbers that only this program chooses.
#[derive(Debug, Default, Clone, Copy)]
struct Mixer;

impl std::hash::BuildHasher for Mixer {
    type Hasher = Mixed;

    fn build_hasher(&self) -> Mixed {
        Mixed(0)
    }
}

struct Mixed(u64);

impl std::hash::Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, n: u32) {
        self.write_u64(u64::from(n));
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0.rotate_left(23) ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }

    fn write_i32(&mut self, n: i32) {
        self.write_u32(n.cast_unsigned());
    }
}

/// Aggregates under construction.
struct Sums<'c> {
    chunk: &'c Chunk,
    aggregates: Vec<Aggregate>,
    /// By number of principal: its aggregate, and whether its stays are kept.
    by_principal: Vec<(usize, bool)>,
}

impl<'c> Sums<'c> {
    fn of(chunk: &'c Chunk) -> Self {
        let mut aggregates: Vec<Aggregate> = Vec::new();
        let mut known: BTreeMap<u128, usize> = BTreeMap::new();
        let by_principal = chunk.principals.iter().map(|who| {
            let entity = &who.principal.entity;
            let at = *known.entry(entity.id()).or_insert_with(|| {
                aggregates.push(Aggregate::of(entity.clone()));
                aggregates.len() - 1
            });
            (at, entity.kind.travels())
        });
        let by_principal = by_principal.collect();
        Self { chunk, aggregates, by_principal }
    }

    fn aggregate(&mut self, principal: u32) -> Option<&mut Aggregate> {
        let (at, _) = *self.by_principal.get(principal as usize)?;
        self.aggregates.get_mut(at)
    }

    fn count(&mut self, row: &Row) {
        if let Some(aggregate) = self.aggregate(row.principal) {
            aggregate.n_records += 1;
            aggregate.n_late += u64::from(row.is_late);
        }
    }

    fn travels(&self, row: &Row) -> bool {
        !row.is_stranger
            && self.by_principal.get(row.principal as usize).is_some_and(|(_, travels)| *travels)
            && self.chunk.addresses.get(row.address).is_some_and(|address| address.public.is_some())
    }

    /// What every profile remembers: APIs, regions, places, calls by class.
    fn tallies(&mut self, tallies: hashbrown::HashMap<TallyKey, u64, Mixer>) {
        let chunk = self.chunk;
        let mut tallies: Vec<_> = tallies.into_iter().collect();
        tallies.sort_unstable();
        // Where the entry of a value is: amounts are exact, so that chunks of any size sum alike.
        let mut values: hashbrown::HashMap<(usize, Slot, u64), usize, Mixer> =
            hashbrown::HashMap::default();
        for ((principal, api, address, region, slot), amount) in tallies {
            let Some((at, _)) = self.by_principal.get(principal as usize).copied() else {
                continue;
            };
            let Some(aggregate) = self.aggregates.get_mut(at) else { continue };
            let Some(api) = chunk.apis.get(api) else { continue };
            let entry = |dimension, value, amount| {
                let (n_records, evidence) = (amount, None);
                Entry { dimension, slot, value, amount, n_records, evidence }
            };
            aggregate.entries.reserve(5);
            aggregate.entries.push(entry(api.class, None, amount));
            let address = chunk.addresses.get(address);
            let region = chunk.regions.get(region).filter(|region| !region.text.is_empty());
            for (dimension, value) in [
                (Dimension::Api, Some(&api.value)),
                (Dimension::Region, region),
                (Dimension::Country, address.and_then(|address| address.country.as_ref())),
                (Dimension::Network, address.and_then(|address| address.network.as_ref())),
            ] {
                let Some(value) = value else { continue };
                let entries = &mut aggregate.entries;
                let key = (at, slot, value.hash() ^ (dimension as u64));
                let place = *values.entry(key).or_insert(entries.len());
                match entries.get_mut(place) {
                    Some(known) => {
                        known.amount += amount;
                        known.n_records += amount;
                    }
                    None => entries.push(entry(dimension, Some(value.clone()), amount)),
                }
            }
        }
    }

    fn stay(&mut self, address: u32, slot: Slot, ends: (&Row, &Row), n_records: u64) {
        let chunk = self.chunk;
        let Some(from) = chunk.addresses.get(address) else { return };
        let Some(public) = from.public else { return };
        let (first, last) = (chunk.evidence(ends.0, 1), chunk.evidence(ends.1, 1));
        let access_key = first.access_key.clone();
        let Some(aggregate) = self.aggregate(ends.0.principal) else { return };
        let (country, network) = (from.country.clone(), from.network.clone());
        let (rank, address) = (from.rank, public);
        let stay = Stay { rank, address, country, network, access_key, first, last, n_records };
        aggregate.stays.push((slot, stay));
    }

    fn extra(&mut self, extra: &Extra, row: &Row) {
        let evidence = Some(Box::new(self.chunk.evidence(row, extra.of_record)));
        let Some(aggregate) = self.aggregate(row.principal) else { return };
        aggregate.entries.push(Entry {
            dimension: extra.dimension,
            slot: row.slot,
            value: extra.value.clone(),
            amount: extra.amount,
            n_records: u64::from(extra.is_first),
            evidence,
        });
    }

    fn finish(mut self) -> Vec<Aggregate> {
        self.aggregates.retain(|aggregate| aggregate.n_records > 0);
        self.aggregates
    }
}
