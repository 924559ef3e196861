//! What closed days taught, as blobs that can be kept, and back: a baseline. In: the state of an engine.
//! Out: one blob for each identity, interface and group, and for what correlations still look back at.

use crate::{
    engine::{Engine, shard_of},
    priors::Group,
};
use baseline::{
    Day, Entity, Form, FormError, HashKey, HeightHistory, History, Hour, Profile,
    form::{Reader, Texts, Writer},
};

/// What a blob is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// An identity or an interface.
    Profile,
    /// Those of a role, of a kind, of an account, or all.
    Prior,
    /// What rules matched in days that the windows of open days reach into.
    Matches,
    /// How high the days of each kind reach; one blob, or none.
    Heights,
    /// What is known of an account on one day.
    Facts,
    /// Which days are open; one blob.
    Days,
    /// An identity or an interface, with its open days.
    Entity,
    /// What rules matched on one day.
    Open,
    /// Records that were read of open days: their fingerprints.
    Records,
    /// Objects that were read: hashes of their content.
    Objects,
    /// What an alerted day did not teach, until somebody says that it was benign.
    Withheld,
}

impl Part {
    /// Its name in tables: no two have one.
    pub fn name(self) -> &'static str {
        match self {
            Self::Profile => "profiles",
            Self::Prior => "priors",
            Self::Matches => "matches",
            Self::Heights => "heights",
            Self::Facts => "facts",
            Self::Days => "days",
            Self::Entity => "entities",
            Self::Open => "matches by day",
            Self::Records => "records",
            Self::Objects => "objects",
            Self::Withheld => "withheld",
        }
    }

    /// The parts of what closed days have taught.
    pub const LEARNED: &[Self] =
        &[Self::Profile, Self::Prior, Self::Matches, Self::Heights, Self::Facts];

    /// The parts of the whole state.
    pub const STATE: &[Self] = &[
        Self::Days,
        Self::Entity,
        Self::Prior,
        Self::Heights,
        Self::Facts,
        Self::Open,
        Self::Records,
        Self::Objects,
        Self::Withheld,
    ];
}

/// One blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Of what.
    pub part: Part,
    /// Of which one: equal for ever.
    pub key: u128,
    /// Its content, with a checksum.
    pub bytes: Vec<u8>,
}

impl Blob {
    /// Whether its bytes are what was written.
    pub fn check(&self) -> Result<(), FormError> {
        Reader::new(&self.bytes, &HashKey::DEFAULT, &mut Texts::default()).map(drop)
    }
}

/// There is one blob of it.
const HEIGHTS_KEY: u128 = 0;

impl Engine {
    /// Says nothing of hours before `hour`: what happens in them is only learned.
    pub fn say_nothing_before(&mut self, hour: Hour) {
        self.tells_from = hour;
    }

    /// The last day that has taught what it had to teach; `None` before the first has closed.
    pub fn learned_through(&self) -> Option<Day> {
        let last = Day(self.oldest_open.0.saturating_sub(1)).max(self.learned_through);
        (last > Day(i32::MIN)).then_some(last)
    }

    /// Hands over what the closed days have taught. Nothing of open days is in it.
    pub fn learned<E>(&self, visit: &mut dyn FnMut(Blob) -> Result<(), E>) -> Result<(), E> {
        let end = self.oldest_open;
        for (number, shard) in (0_u32..).zip(&self.shards) {
            shard.profiles.visit(&mut |key, entity, profile| {
                let mut to = Writer::default();
                entity.write(&mut to);
                if profile.write_closed(end, &mut to) {
                    visit(Blob { part: Part::Profile, key, bytes: to.finish() })?;
                }
                Ok(())
            })?;
            for (key, to) in shard.matches.write_closed((end, number), self.rules().watches()) {
                visit(Blob { part: Part::Matches, key, bytes: to.finish() })?;
            }
        }
        for (group, history) in self.priors.iter() {
            let mut to = Writer::default();
            group.write(&mut to);
            history.write(&mut to);
            visit(Blob { part: Part::Prior, key: group.id(), bytes: to.finish() })?;
        }
        if self.heights != HeightHistory::default() {
            let mut to = Writer::default();
            self.heights.write(&mut to);
            visit(Blob { part: Part::Heights, key: HEIGHTS_KEY, bytes: to.finish() })?;
        }
        for (key, to) in self.facts_before(end) {
            visit(Blob { part: Part::Facts, key, bytes: to.finish() })?;
        }
        Ok(())
    }

    /// Begins with what the days up to `through` have taught: records of these days are counted and
    /// not looked at. Each blob is handed to [`Self::recall`] then.
    pub fn begin_after(&mut self, through: Day) {
        self.learned_through = through;
    }

    /// Takes back a blob that [`Self::learned`] gave, of an engine with the same lateness and hash key.
    pub fn recall(&mut self, blob: &Blob, texts: &mut Texts) -> Result<(), FormError> {
        let Self { context, shards, priors, heights, facts, .. } = self;
        let options = &context.options;
        let mut from = Reader::new(&blob.bytes, &options.hash_key, texts)?;
        let key = match blob.part {
            Part::Profile => {
                let entity = Entity::read(&mut from)?;
                let mut profile = Profile::read_closed(&mut from)?;
                let id = blob.key;
                if !entity.has_id(id) {
                    return Err(FormError::Damaged);
                }
                profile.hear(options.lessons.on(entity.id()));
                if let Some(shard) = shards.get_mut(shard_of(id)) {
                    shard.profiles.insert(id, entity, &profile);
                }
                id
            }
            Part::Prior => {
                let group = Group::read(&mut from)?;
                let id = group.id();
                priors.recall(group, History::read(&mut from)?);
                id
            }
            Part::Matches => {
                let closed = crate::watch::Held::read(&mut from)?;
                let key = closed.key;
                for (id, group) in closed.groups(options.rules.watches()) {
                    if let Some(shard) = shards.get_mut(shard_of(id)) {
                        shard.matches.recall(group);
                    }
                }
                key
            }
            Part::Heights => {
                *heights = HeightHistory::read(&mut from)?;
                HEIGHTS_KEY
            }
            Part::Facts => facts.recall(&mut from)?,
            _ => return Err(FormError::Unknown),
        };
        from.finish()?;
        // A blob that stands in another's place.
        if key == blob.key { Ok(()) } else { Err(FormError::Damaged) }
    }
}
