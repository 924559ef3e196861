//! The sums by entity of the rows of a chunk that count.

use crate::{
    chunk::{Chunk, Extra, NONE, Row, Who},
    intern::{Map, Mixer},
};
use baseline::{Aggregate, Dimension, Entry, First, Place, Slot, Stay, Value};
use hashbrown::HashTable;
use std::{collections::BTreeMap, hash::BuildHasher as _};

/// Rows that are alike in what they do, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Alike {
    principal: u32,
    slot: Slot,
    api: u32,
    /// Nothing for a stranger.
    address: u32,
    region: u32,
    agent: u32,
    target: u32,
    error: u32,
}

/// A row by its number, and its time. Unit: milliseconds since the Unix epoch.
type Timed = (i64, u32);

/// How many rows are alike, and the first and the last of them.
#[derive(Debug, Clone, Copy)]
struct Tally {
    n_rows: u64,
    first: Timed,
    last: Timed,
}

/// What rows that are alike say of a dimension.
type Said = for<'c> fn(&'c Chunk, &Alike) -> Option<(Dimension, Option<&'c Value>)>;

/// What every profile remembers.
const SAID: [Said; 10] = [
    |chunk, alike| Some((Dimension::calls(chunk.apis.get(alike.api)?.track), None)),
    |chunk, alike| Some((Dimension::Api, Some(&chunk.apis.get(alike.api)?.value))),
    |chunk, alike| Some((Dimension::Service, Some(&chunk.apis.get(alike.api)?.service))),
    |chunk, alike| named(Dimension::Region, chunk.regions.get(alike.region)),
    |chunk, alike| {
        let country = chunk.addresses.get(alike.address)?.country.as_ref();
        Some((Dimension::Country, Some(country?)))
    },
    |chunk, alike| {
        let network = chunk.addresses.get(alike.address)?.network.as_ref();
        Some((Dimension::Network, Some(network?)))
    },
    |chunk, alike| named(Dimension::Agent, chunk.agents.get(alike.agent)),
    |chunk, alike| {
        let who = chunk.principals.get(alike.principal)?;
        Some((Dimension::Credential, Some(&who.credential)))
    },
    |chunk, alike| Some((Dimension::Target, Some(chunk.targets.get(alike.target)?))),
    |chunk, alike| Some((Dimension::Error, Some(chunk.errors.get(alike.error)?))),
];

fn named(dimension: Dimension, value: Option<&Value>) -> Option<(Dimension, Option<&Value>)> {
    let value = value.filter(|value| !value.text.is_empty())?;
    Some((dimension, Some(value)))
}

impl Chunk {
    /// The sums by entity of the rows that are new.
    pub(crate) fn aggregates(&self, fresh: &[bool]) -> Vec<Aggregate> {
        let mut sums = Sums::of(self);
        let tallies = self.tallies(fresh, &mut sums);
        sums.tallies(tallies);
        for extra in &self.extras {
            let row = extra.row as usize;
            if let (Some(true), Some(row)) = (fresh.get(row), self.rows.get(row)) {
                sums.extra(extra, row);
            }
        }
        sums.aggregates
    }

    /// Rows that are new and alike, with the place of their aggregate.
    fn tallies(&self, fresh: &[bool], sums: &mut Sums<'_>) -> Vec<Placed> {
        let mut tallies: Vec<Placed> = Vec::new();
        // Places among them, by their hash: a table of all that they are would be fresh memory for every chunk.
        let mut known: HashTable<u32> = HashTable::with_capacity(self.rows.len());
        for (n, row) in (0..).zip(&self.rows) {
            if fresh.get(n as usize) != Some(&true) {
                continue;
            }
            let (this, alike) = ((row.time_ms, n), Alike::of(row));
            let hash = Mixer.hash_one(alike);
            let is_same =
                |place: &u32| tallies.get(*place as usize).is_some_and(|of| of.1 == alike);
            let Some(&place) = known.find(hash, is_same) else {
                let Some(at) = sums.place(alike.principal) else { continue };
                let place = u32::try_from(tallies.len()).unwrap_or(NONE);
                tallies.push((at, alike, Tally { n_rows: 1, first: this, last: this }));
                let hash_at =
                    |place: &u32| tallies.get(*place as usize).map_or(0, |of| Mixer.hash_one(of.1));
                known.insert_unique(hash, place, hash_at);
                continue;
            };
            let Some((_, _, tally)) = tallies.get_mut(place as usize) else { continue };
            tally.n_rows += 1;
            if self.is_before(this, tally.first) {
                tally.first = this;
            }
            if self.is_before(tally.last, this) {
                tally.last = this;
            }
        }
        tallies
    }

    /// Whether row `a` comes before `b`. Times nearly always tell.
    fn is_before(&self, a: Timed, b: Timed) -> bool {
        if a.0 != b.0 {
            return a.0 < b.0;
        }
        let rows = (self.rows.get(a.1 as usize), self.rows.get(b.1 as usize));
        a.1 != b.1 && matches!(rows, (Some(a), Some(b)) if self.precedes(a, b))
    }
}

impl Alike {
    fn of(row: &Row) -> Self {
        let Row { principal, slot, api, region, agent, target, error, .. } = *row;
        let address = if row.is_stranger { NONE } else { row.address };
        Self { principal, slot, api, address, region, agent, target, error }
    }
}

/// Aggregates under construction.
struct Sums<'c> {
    chunk: &'c Chunk,
    aggregates: Vec<Aggregate>,
    /// By number of principal: its aggregate, once it has a row that counts.
    by_principal: Vec<u32>,
    by_entity: Map<u128, u32>,
}

/// A tally with its aggregate.
type Placed = (usize, Alike, Tally);

/// What came from one address in one slot: the first and the last row, and how many. Unit: records.
type Ends = (Timed, Timed, u64);

impl<'c> Sums<'c> {
    fn of(chunk: &'c Chunk) -> Self {
        let by_principal = vec![NONE; chunk.principals.len()];
        Self { chunk, aggregates: Vec::new(), by_principal, by_entity: Map::default() }
    }

    /// Where the aggregate of a principal is, made if there is none.
    fn place(&mut self, principal: u32) -> Option<usize> {
        let Self { chunk, aggregates, by_principal, by_entity } = self;
        let place = by_principal.get_mut(principal as usize)?;
        if *place == NONE {
            let who = chunk.principals.get(principal)?;
            *place = *by_entity.entry(who.id).or_insert_with(|| {
                aggregates.push(Aggregate::with_id(who.principal.entity.clone(), who.id));
                u32::try_from(aggregates.len() - 1).unwrap_or(NONE)
            });
        }
        Some(*place as usize)
    }

    fn aggregate(&mut self, principal: u32) -> Option<&mut Aggregate> {
        let place = self.place(principal)?;
        self.aggregates.get_mut(place)
    }

    /// Adds what rows say that are alike, by entity and slot.
    fn tallies(&mut self, mut tallies: Vec<Placed>) {
        let mut stays: BTreeMap<(u32, u32, Slot), Ends> = BTreeMap::new();
        for (_, alike, tally) in &tallies {
            if self.travels(alike) {
                self.extend_stay(&mut stays, alike, tally);
            }
        }
        tallies.sort_unstable_by_key(|(at, alike, _)| (*at, alike.slot, *alike));
        let mut order = Vec::new();
        for group in tallies.chunk_by(|a, b| (a.0, a.1.slot) == (b.0, b.1.slot)) {
            let Some((at, alike, _)) = group.first() else { continue };
            let chunk = self.chunk;
            let Some(aggregate) = self.aggregates.get_mut(*at) else { continue };
            for said in SAID {
                chunk.count((group, alike.slot), said, &mut order, &mut aggregate.entries);
            }
        }
        for ((_, address, slot), ends) in stays {
            self.stay(address, slot, ends);
        }
    }

    /// Whether where rows came from tells where their entity was.
    fn travels(&self, alike: &Alike) -> bool {
        let Chunk { principals, addresses, .. } = self.chunk;
        let travels = |who: &Who| who.principal.entity.kind.travels();
        principals.get(alike.principal).is_some_and(travels)
            && addresses.get(alike.address).is_some_and(|address| address.caller.public().is_some())
    }

    fn extend_stay(
        &self,
        stays: &mut BTreeMap<(u32, u32, Slot), Ends>,
        alike: &Alike,
        tally: &Tally,
    ) {
        let key = (alike.principal, alike.address, alike.slot);
        let (first, last, n_records) = stays.entry(key).or_insert((tally.first, tally.last, 0));
        if self.chunk.is_before(tally.first, *first) {
            *first = tally.first;
        }
        if self.chunk.is_before(*last, tally.last) {
            *last = tally.last;
        }
        *n_records += tally.n_rows;
    }

    fn stay(&mut self, address: u32, slot: Slot, (first, last, n_records): Ends) {
        let chunk = self.chunk;
        let row = |(_, n): Timed| chunk.rows.get(n as usize);
        let is_only = first == last;
        let (Some(first), Some(last)) = (row(first), row(last)) else { return };
        let principal = first.principal;
        let Some(from) = chunk.addresses.get(address) else { return };
        let Some(public) = from.caller.public() else { return };
        let first = chunk.evidence(first, 1);
        let last = if is_only { first.clone() } else { chunk.evidence(last, 1) };
        let access_key = first.call.access_key.clone();
        let Some(aggregate) = self.aggregate(principal) else { return };
        let (country, network) = (from.country.clone(), from.network.clone());
        let (rank, address) = (from.rank, public);
        let place = Place { rank, address, country, network, access_key };
        let stay = Stay { place, first, last, n_records };
        if aggregate.stays.is_empty() {
            // Most come from one address: room for four is more than all else of them.
            aggregate.stays.reserve_exact(1);
        }
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
            first: None,
            others: Vec::new(),
        });
    }
}

impl Chunk {
    /// Adds what the tallies of an entity and a slot say of one dimension. Amounts are exact, so that
    /// chunks of any size sum alike. `order` is room that is used again.
    fn count(
        &self,
        (group, slot): (&[Placed], Slot),
        said: Said,
        order: &mut Vec<(u64, usize)>,
        entries: &mut Vec<Entry>,
    ) {
        order.clear();
        for (n, (_, alike, _)) in group.iter().enumerate() {
            let said = said(self, alike);
            order.extend(
                said.map(|(dimension, value)| (value.map_or(dimension as u64, Value::hash), n)),
            );
        }
        order.sort_unstable();
        // Whoever knows the key can make two values of one hash.
        let says = |n: usize| group.get(n).and_then(|(_, alike, _)| said(self, alike));
        for same in order.chunk_by(|a, b| a.0 == b.0 && says(a.1) == says(b.1)) {
            let alike = same.iter().filter_map(|(_, n)| group.get(*n));
            let Some((_, first, _)) = alike.clone().next() else { continue };
            let Some((dimension, value)) = said(self, first) else { continue };
            let (value, evidence) = (value.cloned(), None);
            let mut entry = Entry {
                dimension,
                slot,
                value,
                amount: 0,
                n_records: 0,
                evidence,
                first: None,
                others: Vec::new(),
            };
            for (_, alike, tally) in alike {
                entry.amount += tally.n_rows;
                self.note_first(alike, tally.first, &mut entry);
            }
            entry.n_records = entry.amount;
            entries.push(entry);
        }
    }

    /// Keeps the first record of each track.
    fn note_first(&self, alike: &Alike, (time_ms, row): Timed, entry: &mut Entry) {
        let Some(track) = self.apis.get(alike.api).map(|api| api.track) else { return };
        let this = First { track, time_ms, row };
        let Entry { first, others, .. } = entry;
        let is_only = first.is_none();
        match first.iter_mut().chain(&mut *others).find(|first| first.track == track) {
            Some(first) => {
                if self.is_before((time_ms, row), (first.time_ms, first.row)) {
                    *first = this;
                }
            }
            None if is_only => *first = Some(this),
            None => others.push(this),
        }
    }
}
