//! The sums by entity of the rows of a chunk that count.

use crate::{
    chunk::{Chunk, Extra, NONE, Row},
    intern::Map,
};
use baseline::{Aggregate, Dimension, Entry, First, Place, Slot, Stay, Value};
use std::collections::{BTreeMap, btree_map::Entry as MapEntry};

/// Rows that are alike in what they do, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Alike {
    principal: u32,
    slot: Slot,
    api: u32,
    address: u32,
    region: u32,
    agent: u32,
    target: u32,
    error: u32,
}

/// How many rows are alike, and the first of them.
#[derive(Debug, Clone, Copy)]
struct Tally {
    n_rows: u64,
    first: First,
}

impl Chunk {
    /// The sums by entity of the rows that are new.
    pub(crate) fn aggregates(&self, fresh: &[bool]) -> Vec<Aggregate> {
        let mut sums = Sums::of(self);
        let mut tallies: Map<Alike, Tally> = Map::default();
        let mut stays: BTreeMap<(u32, u32, Slot), (&Row, &Row, u64)> = BTreeMap::new();
        for (n, row) in (0..).zip(&self.rows) {
            if fresh.get(n as usize) != Some(&true) {
                continue;
            }
            sums.count(row);
            let Some(track) = self.apis.get(row.api).map(|api| api.track) else { continue };
            let this = First { track, time_ms: row.time_ms, row: n };
            let tally = tallies.entry(Alike::of(row)).or_insert(Tally { n_rows: 0, first: this });
            tally.n_rows += 1;
            if self.is_before(this, tally.first) {
                tally.first = this;
            }
            if sums.travels(row) {
                match stays.entry((row.principal, row.address, row.slot)) {
                    MapEntry::Vacant(stay) => {
                        stay.insert((row, row, 1));
                    }
                    MapEntry::Occupied(mut stay) => {
                        let (first, end, n) = stay.get_mut();
                        if self.precedes(row, first) {
                            *first = row;
                        }
                        if self.precedes(end, row) {
                            *end = row;
                        }
                        *n += 1;
                    }
                }
            }
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

    /// Whether row `a` comes before `b`. Times nearly always tell.
    fn is_before(&self, a: First, b: First) -> bool {
        if a.time_ms != b.time_ms {
            return a.time_ms < b.time_ms;
        }
        let rows = (self.rows.get(a.row as usize), self.rows.get(b.row as usize));
        a.row != b.row && matches!(rows, (Some(a), Some(b)) if self.precedes(a, b))
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

    fn count(&mut self, row: &Row) {
        if let Some(aggregate) = self.aggregate(row.principal) {
            aggregate.n_records += 1;
            aggregate.n_late += u64::from(row.is_late);
        }
    }

    fn travels(&self, row: &Row) -> bool {
        !row.is_stranger
            && self
                .chunk
                .principals
                .get(row.principal)
                .is_some_and(|who| who.principal.entity.kind.travels())
            && self.chunk.addresses.get(row.address).is_some_and(|address| address.public.is_some())
    }

    /// What every profile remembers.
    fn tallies(&mut self, tallies: Map<Alike, Tally>) {
        let mut tallies: Vec<_> = tallies.into_iter().collect();
        tallies.sort_unstable_by_key(|(alike, _)| *alike);
        // Where the entry of a value is: amounts are exact, so that chunks of any size sum alike.
        let mut places: Map<(usize, Slot, u64), usize> = Map::default();
        for (alike, tally) in tallies {
            let Some(at) = self.place(alike.principal) else { continue };
            self.tally(at, &alike, tally, &mut places);
        }
    }

    fn tally(
        &mut self,
        at: usize,
        alike: &Alike,
        tally: Tally,
        places: &mut Map<(usize, Slot, u64), usize>,
    ) {
        let chunk = self.chunk;
        let Some(Aggregate { entries, .. }) = self.aggregates.get_mut(at) else { return };
        let Some(api) = chunk.apis.get(alike.api) else { return };
        let slot = alike.slot;
        let mut count = |dimension: Dimension, value: Option<&Value>| {
            let key = (at, slot, value.map_or(0, Value::hash) ^ ((dimension as u64) << 1 | 1));
            let place = *places.entry(key).or_insert(entries.len());
            let Some(known) = entries.get_mut(place) else {
                let (amount, n_records) = (tally.n_rows, tally.n_rows);
                let (value, first, others) = (value.cloned(), Some(tally.first), Vec::new());
                entries.push(Entry {
                    dimension,
                    slot,
                    value,
                    amount,
                    n_records,
                    evidence: None,
                    first,
                    others,
                });
                return;
            };
            known.amount += tally.n_rows;
            known.n_records += tally.n_rows;
            let mut firsts = known.first.iter_mut().chain(&mut known.others);
            match firsts.find(|first| first.track == tally.first.track) {
                Some(first) if chunk.is_before(tally.first, *first) => *first = tally.first,
                Some(_) => {}
                None => known.others.push(tally.first),
            }
        };
        count(Dimension::calls(api.track), None);
        count(Dimension::Api, Some(&api.value));
        count(Dimension::Service, Some(&api.service));
        let address = chunk.addresses.get(alike.address);
        let who = chunk.principals.get(alike.principal);
        for (dimension, value) in [
            (
                Dimension::Region,
                chunk.regions.get(alike.region).filter(|region| !region.text.is_empty()),
            ),
            (Dimension::Country, address.and_then(|address| address.country.as_ref())),
            (Dimension::Network, address.and_then(|address| address.network.as_ref())),
            (
                Dimension::Agent,
                chunk.agents.get(alike.agent).filter(|agent| !agent.text.is_empty()),
            ),
            (Dimension::Credential, who.map(|who| &who.credential)),
            (Dimension::Target, chunk.targets.get(alike.target)),
            (Dimension::Error, chunk.errors.get(alike.error)),
        ] {
            if let Some(value) = value {
                count(dimension, Some(value));
            }
        }
    }

    fn stay(&mut self, address: u32, slot: Slot, ends: (&Row, &Row), n_records: u64) {
        let chunk = self.chunk;
        let Some(from) = chunk.addresses.get(address) else { return };
        let Some(public) = from.public else { return };
        let (first, last) = (chunk.evidence(ends.0, 1), chunk.evidence(ends.1, 1));
        let access_key = first.call.access_key.clone();
        let Some(aggregate) = self.aggregate(ends.0.principal) else { return };
        let (country, network) = (from.country.clone(), from.network.clone());
        let (rank, address) = (from.rank, public);
        let place = Place { rank, address, country, network, access_key };
        let stay = Stay { place, first, last, n_records };
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

    fn finish(self) -> Vec<Aggregate> {
        self.aggregates
    }
}
