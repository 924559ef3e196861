//! What a decoding worker hands to the shard of an entity: counts, not records.

use crate::{
    dimension::Dimension, evidence::Evidence, identity::Entity, impact::Tracks, place::Stay,
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
    /// Of which tracks the calls were, where the dimension tells them apart.
    pub tracks: Tracks,
    /// How much.
    pub amount: u64,
    /// How many records it adds to those counted so far: none for the second value of one call.
    pub n_records: u64,
    /// The record behind it, where the dimension keeps records.
    pub evidence: Option<Box<Evidence>>,
    /// The first record, where it may be asked for. Of most values nobody ever asks.
    pub first: Option<First>,
}

/// A record that whoever made the aggregate can turn into evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct First {
    /// Event time. Unit: milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// Its number.
    pub row: u32,
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
    /// Unit: records.
    pub n_records: u64,
    /// Records that came later than the lateness allows; counted in the oldest open day.
    pub n_late: u64,
}

impl Aggregate {
    /// Nothing yet of `entity`.
    pub fn of(entity: Entity) -> Self {
        let id = entity.id();
        Self { entity, id, entries: Vec::new(), stays: Vec::new(), n_records: 0, n_late: 0 }
    }
}
