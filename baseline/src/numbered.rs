//! Things that are kept once, under the number of their first sight.

use crate::{
    evidence::{Call, EventId, Evidence},
    value::Value,
};
use hashbrown::HashTable;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// Things by number, and back.
#[derive(Debug)]
pub(crate) struct Numbered<T> {
    things: Vec<T>,
    numbers: HashTable<u32>,
}

/// Values that many profiles hold.
pub(crate) type Names = Numbered<Value>;

/// What has a hash that costs little: it orders nothing.
pub(crate) trait Hashed {
    /// Equal for equals.
    fn hashed(&self) -> u64;
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self { things: Vec::new(), numbers: HashTable::new() }
    }
}

impl<T: Hashed + PartialEq + Clone> Numbered<T> {
    /// The number of `thing`, if it was seen before; else it has the next one from now on.
    pub(crate) fn known(&mut self, thing: &T) -> Result<u64, u64> {
        let Self { things, numbers } = self;
        let of = |number: &u32| things.get(*number as usize);
        let hash = thing.hashed();
        if let Some(number) = numbers.find(hash, |number| of(number) == Some(thing)) {
            return Ok((*number).into());
        }
        let number = u32::try_from(things.len()).unwrap_or(u32::MAX);
        numbers.insert_unique(hash, number, |number| of(number).map_or(0, Hashed::hashed));
        things.push(thing.clone());
        Err(number.into())
    }

    /// What has this number.
    pub(crate) fn get(&self, number: usize) -> Option<&T> {
        self.things.get(number)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.things.len()
    }

    pub(crate) fn clear(&mut self) {
        self.things.clear();
        self.numbers.clear();
    }
}

impl Hashed for Value {
    fn hashed(&self) -> u64 {
        self.hash()
    }
}

impl Hashed for Arc<str> {
    fn hashed(&self) -> u64 {
        xxh3_64(self.as_bytes())
    }
}

/// Of one identity it is the API, the credential and the session in which calls differ.
impl Hashed for Arc<Call> {
    fn hashed(&self) -> u64 {
        let texts = [Some(&self.api), self.access_key.as_ref(), self.actor.as_ref()];
        let texts = texts.into_iter().map(|text| text.map_or(0, Hashed::hashed));
        texts.fold(0, |all, text| all.rotate_left(7) ^ text)
    }
}

impl Hashed for Evidence {
    fn hashed(&self) -> u64 {
        match &self.id {
            EventId::Uuid(uuid) => uuid.hashed(),
            EventId::Text(text) => text.hashed(),
        }
    }
}
