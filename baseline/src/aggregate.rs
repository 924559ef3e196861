//! What a decoding worker hands to the shard of an entity: counts, not records.

use crate::{
    dimension::Dimension,
    evidence::Evidence,
    identity::Entity,
    impact::Track,
    place::Stay,
    talk::{Session, Talk},
    time::{Day, Hour, Slot},
    value::Value,
};

/// One thing that was counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The memory that counts it.
    pub dimension: Dimension,
    /// When it was.
    pub slot: Slot,
    /// Which value, where the dimension has values.
    pub value: Option<Value>,
    /// How much there was. Unit: the dimension's.
    pub amount: u64,
    /// How many records it adds to those counted so far: 0 for the second value of one call. Unit: records.
    pub n_records: u64,
    /// The record behind it, where the dimension keeps records.
    pub evidence: Option<Box<Evidence>>,
    /// The first record of one track, where it may be asked for. Of most values nobody ever asks.
    pub first: Option<First>,
    /// The first records of other tracks.
    pub others: Vec<First>,
}

/// The first record of a track: whoever made the aggregate can turn it into evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct First {
    /// What the call was.
    pub track: Track,
    /// Event time. Unit: milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// Its number, by which whoever made the aggregate finds it.
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
    /// Who is counted.
    pub entity: Entity,
    /// Its id, worked out once.
    pub id: u128,
    /// What was counted.
    pub entries: Vec<Entry>,
    /// From where the calls came, by slot.
    pub stays: Vec<(Slot, Stay)>,
    /// With which services outside it talked, by day.
    pub talks: Vec<(Day, Talk)>,
    /// Which of its connections went on, by hour.
    pub sessions: Vec<(Hour, Session)>,
}

impl Aggregate {
    /// An aggregate that says nothing yet of `entity`.
    pub fn of(entity: Entity) -> Self {
        let id = entity.id();
        Self::with_id(entity, id)
    }

    /// The same, of an entity whose id is known.
    pub fn with_id(entity: Entity, id: u128) -> Self {
        let (entries, stays) = (Vec::new(), Vec::new());
        Self { entity, id, entries, stays, talks: Vec::new(), sessions: Vec::new() }
    }
}
