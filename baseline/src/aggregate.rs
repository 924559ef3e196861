//! What a decoding worker hands to the shard of an entity: counts, not records.

use crate::{
    dimension::Dimension, evidence::Evidence, identity::Entity, impact::Track, place::Stay,
    time::Slot, value::Value,
};

/// One thing that was counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Of what.
    pub dimension: Dimension,
    /// When.
    pub slot: Slot,
    /// Which value, where the dimension has values.
    pub value: Option<Value>,
    /// How much.
    pub amount: u64,
    /// How many records it adds to those counted so far: none for the second value of one call.
    pub n_records: u64,
    /// The record behind it, where the dimension keeps records.
    pub evidence: Option<Box<Evidence>>,
    /// The first record of one track, where it may be asked for. Of most values nobody ever asks.
    pub first: Option<First>,
    /// Those of other tracks.
    pub others: Vec<First>,
}

/// The first record of a track: whoever made the aggregate can turn it into evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct First {
    /// What the call was.
    pub track: Track,
    /// Event time. Unit: milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// Its number.
    pub row: u32,
}

impl Entry {
    /// The first records, one a track.
    pub(crate) fn firsts(&self) -> impl Iterator<Item = &First> {
        self.first.iter().chain(&self.others)
    }
}

/// What some records say of one entity. Entries of the same kind need not be merged, and none is
/// ever left out: bounds apply where known values are dropped first.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// Who.
    pub entity: Entity,
    /// Its id, worked out once.
    pub id: u128,
    /// What.
    pub entries: Vec<Entry>,
    /// From where.
    pub stays: Vec<(Slot, Stay)>,
}

impl Aggregate {
    /// Nothing yet of `entity`.
    pub fn of(entity: Entity) -> Self {
        let id = entity.id();
        Self::with_id(entity, id)
    }

    /// The same, of an entity whose id is known.
    pub fn with_id(entity: Entity, id: u128) -> Self {
        Self { entity, id, entries: Vec::new(), stays: Vec::new() }
    }
}
