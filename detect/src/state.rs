//! The whole state of an engine as blobs that can be kept, open days and all: what changed since it was last
//! kept, and back. An engine that goes on with it says what one says that never ended.

use crate::{
    engine::{Engine, ForShard, shard_of},
    facts::ChangedFacts,
    hear::{self, Withheld},
    learned::{Blob, Part},
    pieces::Pieces,
    priors::Group,
    shard::Shard,
    shelf::ShelfError,
    touched::{Noted, Touched},
    watch::{Held, Sighting, Watches, key_of_day},
};
use baseline::{
    Day, Entity, Form, FormError, HashKey, HeightHistory, History, Profile,
    form::{Reader, Texts, Writer},
};
use std::collections::{BTreeMap, BTreeSet};

/// What is to be done with what is kept, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// To take it out, if it is there.
    Gone(Part, u128),
    /// To keep it, instead of what is kept of the same part under the same key.
    Put(Blob),
}

/// Why a blob cannot be taken back.
#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    /// It is not what was written.
    #[error(transparent)]
    Form(#[from] FormError),
    /// There is no room for it.
    #[error(transparent)]
    Shelf(#[from] ShelfError),
}

/// What has changed since it was last kept.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) profiles: BTreeSet<u128>,
    /// By shard and watch.
    pub(crate) matches: BTreeSet<OfDay>,
    pub(crate) forgotten: BTreeSet<OfDay>,
    pub(crate) groups: BTreeSet<Group>,
    pub(crate) heights: bool,
    pub(crate) facts: ChangedFacts,
    /// By key; nothing where it is not withheld any more.
    pub(crate) withheld: BTreeMap<u128, Option<Withheld>>,
    /// Keys of what nobody has a use for any more.
    pub(crate) useless: BTreeSet<(Part, u128)>,
}

impl Changes {
    /// What goes to shards, each by its number, changes it.
    pub(crate) fn note(&mut self, by_shard: &[ForShard<'_>]) {
        for (number, (aggregates, sightings)) in (0..).zip(by_shard) {
            self.profiles.extend(aggregates.iter().map(|(aggregate, _)| aggregate.id));
            let of = |one: &&Sighting<'_>| (number, one.found.watch, one.slot.hour().day());
            self.matches.extend(sightings.iter().map(of));
        }
    }

    /// Days that watches had hold nothing any more, unless they have them still.
    pub(crate) fn forget(&mut self, had: &BTreeSet<OfDay>, have: &BTreeSet<OfDay>) {
        for of_day in had.difference(have) {
            self.matches.remove(of_day);
            self.forgotten.insert(*of_day);
        }
    }
}

/// Shard, watch and day.
pub(crate) type OfDay = (u32, u32, Day);

/// There is one blob of it.
const ONLY: u128 = 0;

impl Engine {
    /// Notes from now on what changes, for [`Self::changed`].
    pub fn note_changes(&mut self) {
        self.context.notes_changes = true;
        self.gate.fingerprints.kept.get_or_insert_default();
        self.gate.contents.kept.get_or_insert_default();
    }

    /// Hands over what has changed since this was last asked. Findings are to be taken, and kept, together
    /// with it: closed days are not judged again.
    pub fn changed<E: From<ShelfError>>(
        &mut self,
        visit: &mut dyn FnMut(Change) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut changes = std::mem::take(&mut self.changes);
        let put = |part, key, to: Writer| Change::Put(Blob { part, key, bytes: to.finish() });
        for &(part, key) in &changes.useless {
            visit(Change::Gone(part, key))?;
        }
        let watches = self.context.options.rules.watches();
        for &(shard, watch, day) in &changes.forgotten {
            if let Some(watch) = watches.get(watch) {
                let key = key_of_day(watch.identity(), (shard, day));
                visit(Change::Gone(Part::Open, key))?;
            }
        }
        let of_shard = |number: u32| self.shards.get(number as usize);
        for &id in &changes.profiles {
            let shard = self.shards.get(shard_of(id));
            let held = shard.and_then(|shard| shard.profiles.look(id, blob_of));
            let bytes = match held {
                Some(bytes) => Some(bytes),
                None => self.shelved.ask(|shelf| shelf.look(id))?,
            };
            if let Some(bytes) = bytes {
                visit(Change::Put(Blob { part: Part::Entity, key: id, bytes }))?;
            }
        }
        for &of_day in &changes.matches {
            let matches = of_shard(of_day.0).map(|shard| &shard.matches);
            let written = matches.and_then(|matches| matches.write_day(of_day, watches));
            if let Some((key, to)) = written {
                visit(put(Part::Open, key, to))?;
            }
        }
        for group in &changes.groups {
            let Some(history) = self.priors.get(group) else { continue };
            let mut to = Writer::default();
            group.write(&mut to);
            history.write(&mut to);
            visit(put(Part::Prior, group.id(), to))?;
        }
        if changes.heights {
            let mut to = Writer::default();
            self.heights.write(&mut to);
            visit(put(Part::Heights, ONLY, to))?;
        }
        for (key, to) in changes.facts.take(&self.facts) {
            visit(match to {
                Some(to) => put(Part::Facts, key, to),
                None => Change::Gone(Part::Facts, key),
            })?;
        }
        for (key, withheld) in &changes.withheld {
            let (part, key) = (Part::Withheld, *key);
            visit(match withheld {
                Some(withheld) => Change::Put(Blob { part, key, bytes: withheld.write() }),
                None => Change::Gone(part, key),
            })?;
        }
        let mut to = Writer::default();
        self.oldest_open.0.write(&mut to);
        self.learned_through.0.write(&mut to);
        visit(put(Part::Days, ONLY, to))?;
        if let Some(kept) = &mut self.gate.fingerprints.kept {
            each(Part::Records, kept, visit)?;
        }
        if let Some(kept) = &mut self.gate.contents.kept {
            each(Part::Objects, kept, visit)?;
        }
        Ok(())
    }

    /// Takes back a blob that [`Self::changed`] gave, of an engine with the same lateness and hash key: all
    /// of them, in the order of [`Part::STATE`], before anything is read.
    pub fn resume(&mut self, blob: &Blob, texts: &mut Texts) -> Result<(), ResumeError> {
        if blob.part == Part::Withheld {
            // It is asked for when somebody speaks of its day.
            return Ok(hear::check(blob, &self.context.options.hash_key)?);
        }
        self.take_back(blob, texts)?;
        Ok(self.make_room()?)
    }

    fn take_back(&mut self, blob: &Blob, texts: &mut Texts) -> Result<(), FormError> {
        let Self {
            context, shards, priors, heights, facts, gate, oldest_open, touched: noted, ..
        } = self;
        let options = &context.options;
        let prior_through = options.lateness.prior_through(*oldest_open);
        let mut from = Reader::new(&blob.bytes, &options.hash_key, texts)?;
        let key = match blob.part {
            Part::Days => {
                let (open, through): (i32, i32) = Form::read(&mut from)?;
                *oldest_open = Day(open);
                self.learned_through = Day(through);
                for shard in shards.iter_mut() {
                    shard.profiles.begin(Day(open));
                }
                // There is no blob of heights until a day has closed, but their base moves on with days.
                heights.merge(options.lateness.prior_through(*oldest_open));
                ONLY
            }
            Part::Entity => {
                let entity = Entity::read(&mut from)?;
                let profile = Profile::read(&mut from)?;
                let id = blob.key;
                if !entity.has_id(id) {
                    return Err(FormError::Damaged);
                }
                if let Some(touched) = touched_of(noted, id) {
                    touched.note_open(id, profile.open_days());
                }
                if let Some(shard) = shards.get_mut(shard_of(id)) {
                    shard.profiles.insert(id, entity, &profile);
                }
                id
            }
            Part::Prior => {
                let group = Group::read(&mut from)?;
                let id = group.id();
                let mut history = History::read(&mut from)?;
                history.merge(prior_through);
                priors.recall(group, history);
                id
            }
            Part::Heights => {
                *heights = HeightHistory::read(&mut from)?;
                heights.merge(prior_through);
                ONLY
            }
            Part::Facts => facts.recall(&mut from)?,
            Part::Open => {
                let held = Held::read(&mut from)?;
                let key = held.key;
                let watches = options.rules.watches();
                if !take_back_matches(held, watches, (shards, noted), *oldest_open) {
                    self.changes.useless.insert((blob.part, key));
                }
                key
            }
            Part::Records => {
                let all = Form::read(&mut from)?;
                gate.fingerprints.recall(blob.key, all).ok_or(FormError::Damaged)?;
                blob.key
            }
            Part::Objects => {
                let all = Form::read(&mut from)?;
                gate.contents.recall(blob.key, all).ok_or(FormError::Damaged)?;
                blob.key
            }
            Part::Profile | Part::Matches | Part::Withheld => return Err(FormError::Unknown),
        };
        from.finish()?;
        if key == blob.key { Ok(()) } else { Err(FormError::Damaged) }
    }
}

/// Takes back what was matched on one day; answers whether any watch knows it.
fn take_back_matches(
    held: Held,
    watches: &Watches,
    (shards, noted): (&mut [Shard], &mut Noted),
    oldest_open: Day,
) -> bool {
    let mut is_used = false;
    for (id, of_day) in held.groups(watches) {
        is_used = true;
        let (watch, day, ..) = of_day;
        let touched = touched_of(noted, id);
        if let Some(touched) = touched.filter(|_| day >= oldest_open) {
            touched.note_matched(day, (watch, id));
        }
        if let Some(shard) = shards.get_mut(shard_of(id)) {
            shard.matches.recall_open(of_day, oldest_open);
        }
    }
    is_used
}

/// What is noted of the shard of somebody.
fn touched_of(noted: &mut Noted, id: u128) -> Option<&mut Touched> {
    noted.as_mut()?.get_mut(shard_of(id)).map(|(touched, _)| touched)
}

/// The bytes of a blob of [`Part::Entity`].
pub(crate) fn blob_of(entity: &Entity, profile: &Profile) -> Vec<u8> {
    let mut to = Writer::default();
    entity.write(&mut to);
    profile.write(&mut to);
    to.finish()
}

/// Whose profile a blob of [`Part::Entity`] is; kept with this hash key.
pub fn entity_of(blob: &Blob, hash_key: &HashKey) -> Result<Entity, FormError> {
    let mut texts = Texts::default();
    Entity::read(&mut Reader::new(&blob.bytes, hash_key, &mut texts)?)
}

/// Hands over what changed of a set.
fn each<T: Clone, E>(
    part: Part,
    kept: &mut Pieces<T>,
    visit: &mut dyn FnMut(Change) -> Result<(), E>,
) -> Result<(), E>
where
    Vec<T>: Form,
{
    for key in kept.take_gone() {
        visit(Change::Gone(part, key))?;
    }
    for (key, items) in kept.take_changed() {
        let mut to = Writer::default();
        items.write(&mut to);
        visit(Change::Put(Blob { part, key, bytes: to.finish() }))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
