//! The profiles of many entities. Few are in use at any time; the others are at rest: each as the bytes of
//! its form, about a tenth of what it takes in use. What a profile answers does not depend on it.

use crate::{
    form::{Form, Reader, Writer},
    identity::Entity,
    numbered::Names,
    profile::Profile,
    time::{Day, Lateness},
    value::HashKey,
};
use std::collections::BTreeMap;

/// Profiles by the id of their entity.
#[derive(Debug)]
pub struct Profiles {
    all: BTreeMap<u128, (Entity, State)>,
    rest: Rest,
}

#[derive(Debug)]
enum State {
    Awake(Box<Profile>),
    AtRest(Box<[u8]>, Due),
}

/// When a profile at rest is needed, though no record of it comes.
#[derive(Debug, Clone, Copy)]
struct Due {
    /// The first day that has not closed.
    first_open: Day,
    /// From which oldest open day on less is left of it.
    settles_on: Day,
}

impl Profiles {
    /// Profiles that stay in use once they were needed. Of more than these a day keeps those in use that it
    /// needs first, which mostly are the busiest. Unit: profiles.
    pub(crate) const AWAKE_MAX: usize = 256;

    /// No profiles yet.
    pub fn new(lateness: Lateness, key: HashKey) -> Self {
        Self { all: BTreeMap::new(), rest: Rest::new(lateness, key) }
    }

    /// Whose profiles there are.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.all.values().map(|(entity, _)| entity)
    }

    /// How many profiles there are, at rest or not. Unit: profiles.
    pub fn n_all(&self) -> usize {
        self.all.len()
    }

    /// Begins when `oldest_open` is the oldest day that learns, before there are any profiles.
    pub fn begin(&mut self, oldest_open: Day) {
        self.rest.oldest_open = oldest_open;
    }

    /// Looks at the profile of this id, if there is one.
    pub fn look<T>(&self, id: u128, look: impl FnOnce(&Entity, &Profile) -> T) -> Option<T> {
        let (entity, state) = self.all.get(&id)?;
        match state {
            State::Awake(profile) => Some(look(entity, profile)),
            State::AtRest(..) => self.rest.woken(state).map(|profile| look(entity, &profile)),
        }
    }

    /// Takes a profile of the entity of this `id`, which has none yet.
    pub fn insert(&mut self, id: u128, entity: Entity, profile: &Profile) {
        let state = self.rest.lay(profile);
        self.all.entry(id).or_insert((entity, state));
    }

    /// Uses the profile of this id; `None` where there is none.
    pub fn with<T>(
        &mut self,
        id: u128,
        using: impl FnOnce(&Entity, &mut Profile) -> T,
    ) -> Option<T> {
        let (entity, state) = self.all.get_mut(&id)?;
        self.rest.with(entity, state, using)
    }

    /// Has `judge` settle and judge days of the profile of this id that are still open, and leaves it as it
    /// is; `None` where there is none.
    pub fn rehearse<T>(
        &mut self,
        id: u128,
        judge: impl FnOnce(&Entity, &mut Profile) -> T,
    ) -> Option<T> {
        let (entity, state) = self.all.get_mut(&id)?;
        if let State::Awake(profile) = state {
            return Some(profile.rehearse(|profile| judge(entity, profile)));
        }
        // What is made of bytes is a copy.
        self.rest.woken(state).map(|mut profile| judge(entity, &mut profile))
    }

    /// Whose profile has this id.
    pub fn entity(&self, id: u128) -> Option<&Entity> {
        self.all.get(&id).map(|(entity, _)| entity)
    }

    /// The same as [`Self::with`]; where there is none, `new` says whose it is, and what it begins with.
    pub fn with_new<T>(
        &mut self,
        id: u128,
        new: impl FnOnce() -> (Entity, Profile),
        using: impl FnOnce(&Entity, &mut Profile) -> T,
    ) -> Option<T> {
        let Self { all, rest } = self;
        let (entity, state) = all.entry(id).or_insert_with(|| {
            let (entity, profile) = new();
            (entity, rest.lay(&profile))
        });
        rest.with(entity, state, using)
    }

    /// The first day before `oldest_open` that has not closed.
    pub fn first_closing(&self, oldest_open: Day) -> Option<Day> {
        let days = self.all.values().map(|(_, state)| state.first_open());
        days.min().filter(|day| *day < oldest_open)
    }

    /// Uses the profiles that have `day` open, before which none has one open, to close it: in order of ids.
    pub fn close(&mut self, day: Day, mut closing: impl FnMut(u128, &Entity, &mut Profile)) {
        for (id, (entity, state)) in &mut self.all {
            if state.first_open() != day {
                continue;
            }
            if let State::Awake(profile) = state {
                closing(*id, entity, profile);
            } else if let Some(mut profile) = self.rest.woken(state) {
                closing(*id, entity, &mut profile);
                *state = self.rest.lay(&profile);
            }
        }
    }

    /// After the days before `oldest_open` were closed: moves on what was learned, and lets those rest that
    /// are not in use any more.
    pub fn advance(&mut self, oldest_open: Day) {
        let Self { all, rest } = self;
        rest.oldest_open = oldest_open;
        // A new day says anew who is the first. Where there are few, nobody has to rest.
        let is_full = rest.n_awake >= Self::AWAKE_MAX;
        let are_few = all.len() <= Self::AWAKE_MAX;
        for (_, state) in all.values_mut() {
            let is_idle = state.first_open() == Day(i32::MAX);
            match state {
                State::Awake(profile) => {
                    profile.advance(oldest_open, rest.lateness);
                    if !are_few && (is_idle || is_full) {
                        *state = rest.lay(profile);
                        rest.n_awake = rest.n_awake.saturating_sub(1);
                    }
                }
                State::AtRest(_, due) if is_idle && due.settles_on <= oldest_open => {
                    rest.lay_anew(state);
                }
                State::AtRest(..) => {}
            }
        }
        if rest.has_old_names() {
            self.rename();
        }
    }

    /// Gives new numbers to what profiles at rest share, since much of it nobody holds any more.
    fn rename(&mut self) {
        let old = self.rest.renewed();
        for (_, state) in self.all.values_mut() {
            if let Some(profile) = old.woken(state) {
                *state = self.rest.lay(&profile);
            }
        }
        self.rest.n_names_kept = self.rest.n_names();
    }

    /// Visits every profile, in order of ids.
    pub fn visit<E>(
        &self,
        visit: &mut dyn FnMut(u128, &Entity, &Profile) -> Result<(), E>,
    ) -> Result<(), E> {
        for (id, (entity, state)) in &self.all {
            let woken = self.rest.woken(state);
            match (state, &woken) {
                (State::Awake(profile), _) | (_, Some(profile)) => visit(*id, entity, profile)?,
                (State::AtRest(..), None) => {}
            }
        }
        Ok(())
    }
}

/// Two are equal when their profiles are, at rest or not.
impl PartialEq for Profiles {
    fn eq(&self, other: &Self) -> bool {
        let is_same = |(ours, theirs): (&State, &State)| match (ours, theirs) {
            (State::Awake(ours), State::Awake(theirs)) => ours == theirs,
            (State::Awake(ours), _) => Some(ours) == other.rest.woken(theirs).as_ref(),
            (_, State::Awake(theirs)) => self.rest.woken(ours).as_ref() == Some(theirs),
            _ => self.rest.woken(ours) == other.rest.woken(theirs),
        };
        let mut both = self.all.iter().zip(&other.all);
        self.n_all() == other.n_all()
            && both.all(|((id, (_, ours)), (other, (_, theirs)))| {
                id == other && is_same((ours, theirs))
            })
    }
}

impl State {
    fn first_open(&self) -> Day {
        match self {
            Self::Awake(profile) => profile.first_open(),
            Self::AtRest(_, due) => due.first_open,
        }
    }
}

/// Makes bytes of profiles, and back.
#[derive(Debug)]
struct Rest {
    to: Writer,
    key: HashKey,
    lateness: Lateness,
    /// The oldest day that learns: profiles at rest are brought up to it when they are needed.
    oldest_open: Day,
    n_awake: usize,
    /// Names that profiles held when it was last looked. Unit: values.
    n_names_kept: usize,
}

impl Rest {
    /// So few names are not worth a look at who holds them. Unit: values.
    const NAMES_MIN: usize = 1_024;

    fn new(lateness: Lateness, key: HashKey) -> Self {
        let (to, oldest_open) = (Writer::among(Names::default()), Day(i32::MIN));
        Self { to, key, lateness, oldest_open, n_awake: 0, n_names_kept: 0 }
    }

    /// Begins with no names; answers with what knows the old ones.
    fn renewed(&mut self) -> Self {
        let Self { oldest_open, n_awake, .. } = *self;
        let new = Self { oldest_open, n_awake, ..Self::new(self.lateness, self.key) };
        std::mem::replace(self, new)
    }

    fn with<T>(
        &mut self,
        entity: &Entity,
        state: &mut State,
        using: impl FnOnce(&Entity, &mut Profile) -> T,
    ) -> Option<T> {
        if let State::Awake(profile) = state {
            return Some(using(entity, profile));
        }
        let mut profile = self.woken(state)?;
        let answer = using(entity, &mut profile);
        if self.n_awake < Profiles::AWAKE_MAX {
            self.n_awake += 1;
            *state = State::Awake(profile);
        } else {
            *state = self.lay(&profile);
        }
        Some(answer)
    }

    fn lay(&mut self, profile: &Profile) -> State {
        profile.write(&mut self.to);
        let settles_on = profile.settles_on(self.lateness);
        State::AtRest(self.to.take(), Due { first_open: profile.first_open(), settles_on })
    }

    fn lay_anew(&mut self, state: &mut State) {
        if let Some(profile) = self.woken(state) {
            *state = self.lay(&profile);
        }
    }

    /// What a profile at rest is in use.
    #[expect(
        clippy::expect_used,
        reason = "bytes that never left this process are what was written"
    )]
    fn woken(&self, state: &State) -> Option<Box<Profile>> {
        let State::AtRest(bytes, _) = state else { return None };
        let mut from = Reader::among(self.to.names()?, bytes, &self.key);
        let mut profile = Box::new(Profile::read(&mut from).expect("the form of a profile"));
        profile.advance(self.oldest_open, self.lateness);
        Some(profile)
    }

    fn n_names(&self) -> usize {
        self.to.names().map_or(0, Names::len)
    }

    fn has_old_names(&self) -> bool {
        self.n_names() / 2 > self.n_names_kept.max(Self::NAMES_MIN)
    }
}

#[cfg(test)]
mod tests;
