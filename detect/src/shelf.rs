//! Profiles that memory has no room for: they are put away, and taken back when a record of them comes or their
//! day closes. What an engine answers does not depend on it.

use crate::{
    engine::{Engine, SHARDS, shard_of},
    shard::Shard,
    state::blob_of,
};
use baseline::{
    Day, Entity, Form, FormError, HashKey, Leaving, Profile,
    form::{Reader, Texts},
    ids_beside,
};
use rayon::prelude::*;
use std::{
    collections::BTreeSet,
    error::Error,
    fmt::Debug,
    ops::{Range, RangeInclusive},
    sync::{Mutex, PoisonError},
};

/// Where profiles lie that memory has no room for. Keys are ids of entities; bytes are those of
/// [`Blob`](crate::Blob)s of [`Part::Entity`](crate::Part::Entity).
pub trait Shelf: Debug + Send {
    /// Puts profiles away.
    fn put(&mut self, all: &[Away]) -> Result<(), ShelfError>;
    /// The bytes of a profile, those that were put away last; nothing where there is none.
    fn look(&self, id: u128) -> Result<Option<Vec<u8>>, ShelfError>;
    /// Those of these profiles that there are; they do not lie here any more. That the state has them does not
    /// matter.
    fn take(&mut self, ids: &[u128]) -> Result<Vec<(u128, Vec<u8>)>, ShelfError>;
    /// The first day that has not closed of any profile that lies here.
    fn first_open(&self) -> Result<Option<Day>, ShelfError>;
    /// Hands over whoever lies here and has days that have not closed, with the first of these.
    fn each_open(&self, visit: &mut dyn FnMut(u128, Day)) -> Result<(), ShelfError>;
    /// Ids of those of which this is the first day that has not closed: the first so many.
    fn open_on(&self, day: Day, n_max: usize) -> Result<Vec<u128>, ShelfError>;
    /// Ids between these, both included, of profiles that lie here. Others that the state has may be among them.
    fn between(&self, ids: RangeInclusive<u128>) -> Result<Vec<u128>, ShelfError>;
    /// The state has everything as it is.
    fn kept(&mut self) -> Result<(), ShelfError>;
}

/// A profile that is put away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Away {
    /// The id of its entity.
    pub id: u128,
    /// The first of its days that has not closed.
    pub first_open: Option<Day>,
    /// Its bytes, unless the state has them.
    pub bytes: Option<Vec<u8>>,
}

/// A profile that was put away is out of reach.
#[derive(Debug, thiserror::Error)]
#[error("a profile that was put away is out of reach: {0}")]
pub struct ShelfError(#[source] Box<dyn Error + Send + Sync>);

impl ShelfError {
    /// Because of this.
    pub fn new(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(why.into())
    }
}

/// What is taken back at once when a day closes or is judged on the way, and less where profiles may take less than
/// [`BYTES_PER_PROFILE`] times as much. Unit: profiles.
pub(crate) const PROFILES_AT_ONCE: usize = 65_536;
/// Sums take up to 6 KiB of a row, where each is of somebody else: then they are a fifth of the profiles. Unit: bytes.
const BYTES_PER_ROW: usize = 32 << 10;
/// Most profiles take 1 to 4 KiB at rest, and as much on their way. Unit: bytes.
const BYTES_PER_PROFILE: usize = 32 << 10;
/// What groups in use take of what is held: the others rest.
const IN_USE_SHARE: usize = 16;
/// Fewer are worth no turn of their own. Unit: rows, profiles.
const AT_ONCE_MIN: usize = 1_024;

/// The shelf of an engine, if it has one.
#[derive(Debug, Default)]
pub(crate) struct Shelved {
    /// Workers read beside it and never ask it.
    shelf: Option<Mutex<Box<dyn Shelf>>>,
    /// What profiles and matches of a shard may take, where there is a shelf. Unit: bytes.
    bytes_max: usize,
    /// Profiles that lie there. Unit: profiles.
    pub(crate) n_away: u64,
}

impl Shelved {
    /// Asks the shelf, where there is one.
    pub(crate) fn ask<T: Default>(
        &mut self,
        ask: impl FnOnce(&mut dyn Shelf) -> Result<T, ShelfError>,
    ) -> Result<T, ShelfError> {
        self.shelf.as_mut().map_or_else(|| Ok(T::default()), |shelf| ask(held(shelf)))
    }
}

fn held(shelf: &mut Mutex<Box<dyn Shelf>>) -> &mut dyn Shelf {
    &mut **shelf.get_mut().unwrap_or_else(PoisonError::into_inner)
}

impl Engine {
    /// Holds profiles, and what rules matched, of about `bytes_max` from now on: profiles that there is no room for
    /// lie on `shelf`. What is worked on at once is little beside it. To be said before anything is read.
    pub fn hold(&mut self, bytes_max: usize, shelf: Box<dyn Shelf>) {
        self.shelved.shelf = Some(Mutex::new(shelf));
        self.shelved.bytes_max = bytes_max / SHARDS;
        let at_once = |each: usize| (bytes_max / each).max(AT_ONCE_MIN);
        self.rows_at_once = self.rows_at_once.min(at_once(BYTES_PER_ROW));
        self.profiles_at_once = self.profiles_at_once.min(at_once(BYTES_PER_PROFILE));
        for shard in &mut self.shards {
            shard.profiles.hold(bytes_max / SHARDS);
            shard.matches.hold(bytes_max / SHARDS / IN_USE_SHARE);
        }
    }

    /// The slices of the entities in turns, of which each holds as many of those who are asked for as are worked on at
    /// once, but one slice at least.
    pub(crate) fn turns(&self, asked: &[BTreeSet<u128>]) -> Vec<Range<usize>> {
        let mut turns: Vec<Range<usize>> = Vec::new();
        let mut n_asked = usize::MAX;
        for (number, ids) in asked.iter().enumerate() {
            n_asked = n_asked.saturating_add(ids.len());
            match turns.last_mut() {
                Some(turn) if n_asked <= self.profiles_at_once => turn.end = number + 1,
                _ => {
                    turns.push(number..number + 1);
                    n_asked = ids.len();
                }
            }
        }
        turns
    }

    /// About what is held in memory: profiles, and what rules matched, which [`Self::hold`] bounds together. Unit: bytes.
    pub fn held_bytes(&self) -> u64 {
        let of = |shard: &Shard| shard.profiles.n_bytes() + shard.matches.n_bytes();
        self.shards.iter().map(|shard| of(shard) as u64).sum()
    }

    /// Takes back those of these profiles that were put away.
    pub(crate) fn bring(&mut self, ids: &BTreeSet<u128>) -> Result<(), ShelfError> {
        let Self { shards, shelved, context, .. } = self;
        let Some(shelf) = shelved.shelf.as_mut().map(held) else { return Ok(()) };
        let shard = |id: u128| shards.get(shard_of(id));
        let is_away = |id: &u128| shard(*id).is_some_and(|shard| !shard.profiles.holds(*id));
        let away: Vec<u128> = ids.iter().copied().filter(is_away).collect();
        let mut by_shard: Vec<Vec<(u128, Vec<u8>)>> = vec![Vec::new(); SHARDS];
        for (id, bytes) in shelf.take(&away)? {
            if let Some(brought) = by_shard.get_mut(shard_of(id)) {
                brought.push((id, bytes));
                shelved.n_away = shelved.n_away.saturating_sub(1);
            }
        }
        let key = &context.options.hash_key;
        let read = shards.par_iter_mut().zip(by_shard).try_for_each(|(shard, brought)| {
            let mut texts = Texts::default();
            for (id, bytes) in brought {
                let (entity, profile) = read((id, &bytes), key, &mut texts)?;
                shard.profiles.insert(id, entity, &profile);
            }
            Ok(())
        });
        read.map_err(|error: FormError| ShelfError::new(error))
    }

    /// Takes back what other flow logs taught of those that may inherit it.
    pub(crate) fn bring_beside(&mut self, heirs: &[u128]) -> Result<(), ShelfError> {
        let mut beside = BTreeSet::new();
        if self.shelved.n_away == 0 {
            return Ok(());
        }
        for id in heirs {
            beside.extend(self.shelved.ask(|shelf| shelf.between(ids_beside(*id)))?);
        }
        self.bring(&beside)
    }

    /// Puts away what there is no room for.
    pub(crate) fn make_room(&mut self) -> Result<(), ShelfError> {
        let Self { shards, shelved, changes, context, .. } = self;
        let bytes_max = shelved.bytes_max;
        let Some(shelf) = shelved.shelf.as_mut().map(held) else { return Ok(()) };
        let away = |leaving: &Leaving<'_>| {
            let is_kept = context.notes_changes && !changes.profiles.contains(&leaving.id);
            let bytes = if is_kept { None } else { leaving.look(blob_of) };
            Away { id: leaving.id, first_open: leaving.first_open(), bytes }
        };
        let leaving: Vec<Vec<Away>> = shards
            .par_iter_mut()
            .map(|shard| {
                let mut leaving = Vec::new();
                let of_matches = shard.matches.n_bytes().min(bytes_max / 4 * 3);
                shard.profiles.hold(bytes_max - of_matches);
                shard.profiles.hand_over(&mut |one| leaving.push(away(one)));
                leaving
            })
            .collect();
        let leaving = leaving.concat();
        shelved.n_away += leaving.len() as u64;
        if leaving.is_empty() { Ok(()) } else { shelf.put(&leaving) }
    }

    /// All that [`Self::changed`] handed over is kept.
    pub fn kept(&mut self) -> Result<(), ShelfError> {
        self.shelved.ask(|shelf| shelf.kept())
    }
}

fn read(
    (id, bytes): (u128, &[u8]),
    key: &HashKey,
    texts: &mut Texts,
) -> Result<(Entity, Profile), FormError> {
    let mut from = Reader::new(bytes, key, texts)?;
    let (entity, profile) = (Entity::read(&mut from)?, Profile::read(&mut from)?);
    from.finish()?;
    if entity.has_id(id) { Ok((entity, profile)) } else { Err(FormError::Damaged) }
}

#[cfg(test)]
impl Engine {
    /// Holds all profiles from now on, of which these were put away.
    pub(crate) fn hold_all(&mut self, away: &BTreeSet<u128>) {
        self.shelved.bytes_max = usize::MAX;
        for shard in &mut self.shards {
            shard.profiles.hold(usize::MAX);
        }
        self.bring(away).unwrap();
        assert_eq!(self.shelved.n_away, 0);
    }
}

#[cfg(test)]
mod tests;
