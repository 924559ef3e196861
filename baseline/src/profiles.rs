//! The profiles of many entities. Few are in use at any time; the others are at rest: each as the bytes of
//! its form, about a tenth of what it takes in use. Of more than may be held, those that were not needed for
//! longest are handed over, and come back when they are. What a profile answers does not depend on it.

use crate::{
    form::Resting,
    history::History,
    identity::{Entity, ids_beside},
    profile::Profile,
    time::{Day, Lateness},
    value::HashKey,
};
use std::{cmp::Reverse, collections::BTreeMap};

/// Profiles by the id of their entity.
#[derive(Debug)]
pub struct Profiles {
    all: BTreeMap<u128, Held>,
    rest: Rest,
    /// From which id on it is looked next who is not needed.
    hand: u128,
}

#[derive(Debug)]
struct Held {
    entity: Entity,
    state: State,
    /// Since it was last looked who is not needed.
    was_needed: bool,
}

/// A profile that is handed over, since there is no room for it.
#[derive(Debug)]
pub struct Leaving<'a> {
    /// The id of its entity.
    pub id: u128,
    held: &'a Held,
    rest: &'a Rest,
}

impl Leaving<'_> {
    /// The first day that has not closed, if one has not.
    pub fn first_open(&self) -> Option<Day> {
        Some(self.held.state.first_open()).filter(|day| *day < Day(i32::MAX))
    }

    /// Looks at it.
    pub fn look<T>(&self, look: impl FnOnce(&Entity, &Profile) -> T) -> Option<T> {
        self.rest.look(self.held, look)
    }
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
    /// Whether no day with records has closed.
    is_new: bool,
}

impl Profiles {
    /// Profiles that stay in use once they were needed. Of more than these a day keeps those in use that it
    /// needs first, which mostly are the busiest. Unit: profiles.
    pub(crate) const AWAKE_MAX: usize = 256;

    /// No profiles yet.
    pub fn new(lateness: Lateness, key: HashKey) -> Self {
        Self { all: BTreeMap::new(), rest: Rest::new(lateness, key), hand: 0 }
    }

    /// Holds about so much from now on; [`Self::hand_over`] sees to it. Unit: bytes.
    pub fn hold(&mut self, bytes_max: usize) {
        self.rest.bytes_max = bytes_max;
    }

    /// About what is held. Unit: bytes.
    pub fn n_bytes(&self) -> usize {
        self.rest.n_bytes
    }

    /// Whose profiles are held.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.all.values().map(|held| &held.entity)
    }

    /// The same, with the ids of their profiles.
    pub fn ids(&self) -> impl Iterator<Item = (u128, &Entity)> {
        self.all.iter().map(|(id, held)| (*id, &held.entity))
    }

    /// The ids of the profiles that are held of one entity, of which each flow log may have one.
    pub fn ids_beside(&self, id: u128) -> impl Iterator<Item = u128> {
        self.all.range(ids_beside(id)).map(|(id, _)| *id)
    }

    /// Whoever is held and has days that have not closed, with the first of these.
    pub fn open(&self) -> impl Iterator<Item = (u128, Day)> {
        let all = self.all.iter().map(|(id, held)| (*id, held.state.first_open()));
        all.filter(|(_, day)| *day < Day(i32::MAX))
    }

    /// How many profiles are held, at rest or not. Unit: profiles.
    pub fn n_all(&self) -> usize {
        self.all.len()
    }

    /// Whether the profile of this id is held.
    pub fn holds(&self, id: u128) -> bool {
        self.all.contains_key(&id)
    }

    /// Begins when `oldest_open` is the oldest day that learns, before there are any profiles.
    pub fn begin(&mut self, oldest_open: Day) {
        self.rest.oldest_open = oldest_open;
    }

    /// Looks at the profile of this id, if there is one.
    pub fn look<T>(&self, id: u128, look: impl FnOnce(&Entity, &Profile) -> T) -> Option<T> {
        self.rest.look(self.all.get(&id)?, look)
    }

    /// Takes a profile of the entity of this `id`, of whom none is held.
    pub fn insert(&mut self, id: u128, entity: Entity, profile: &Profile) {
        let Self { all, rest, .. } = self;
        all.entry(id).or_insert_with(|| rest.held(entity, profile));
    }

    /// Uses the profile of this id; `None` where there is none.
    pub fn with<T>(
        &mut self,
        id: u128,
        using: impl FnOnce(&Entity, &mut Profile) -> T,
    ) -> Option<T> {
        self.rest.with(self.all.get_mut(&id)?, using)
    }

    /// Has `judge` settle and judge days of the profile of this id that are still open, and leaves it as it
    /// is; `None` where there is none.
    pub fn rehearse<T>(
        &mut self,
        id: u128,
        judge: impl FnOnce(&Entity, &mut Profile) -> T,
    ) -> Option<T> {
        let inheritance = self.inheritance(id).map(|(_, history)| history);
        let Held { entity, state, was_needed } = self.all.get_mut(&id)?;
        *was_needed = true;
        if let State::Awake(profile) = state {
            return Some(profile.rehearse(inheritance, |profile| judge(entity, profile)));
        }
        // What is made of bytes is a copy.
        let mut profile = self.rest.woken(state)?;
        Some(profile.rehearse(inheritance, |profile| judge(entity, profile)))
    }

    /// Whether the profile of this id is of a flow log, and no day of it with records has closed.
    pub fn is_heir(&self, id: u128) -> bool {
        let held = self.all.get(&id).filter(|held| held.state.is_new());
        held.is_some_and(|held| held.entity.id() != id)
    }

    /// Such profiles of which `day` is the first day.
    pub fn heirs(&self, day: Day) -> impl Iterator<Item = u128> {
        let begin = self.all.iter().filter(move |(_, held)| held.state.first_open() == day);
        begin.map(|(id, _)| *id).filter(|id| self.is_heir(*id))
    }

    /// Whether the profile of this id inherits when its first day closes.
    pub fn inherits(&self, id: u128) -> bool {
        self.inheritance(id).is_some()
    }

    /// Those that begin on `day`, which closes, take over what another flow log taught of the same entity that fell
    /// silent before: whoever makes a log anew does not make its hosts strangers. All profiles of these entities must be
    /// held.
    pub fn inherit(&mut self, day: Day) {
        let heirs: Vec<u128> = self.heirs(day).collect();
        for id in heirs {
            let Some((day, history)) = self.inheritance(id) else { continue };
            self.with(id, |_, profile| profile.inherit(day, history));
        }
    }

    /// What the profile of this id inherits, and its first day: of several logs, of that which spoke last.
    fn inheritance(&self, id: u128) -> Option<(Day, History)> {
        let others = || self.ids_beside(id).filter(|other| *other != id);
        others().next().filter(|_| self.is_heir(id))?;
        let (day, first) = self.look(id, |_, heir| heir.begins()).flatten()?;
        let candidate = |other| {
            let hands_on = self.look(other, |_, profile| profile.hands_on((day, first)));
            Some((hands_on.flatten()?, Reverse(other)))
        };
        let (_, Reverse(of)) = others().filter_map(candidate).max()?;
        let handed_on = |heir: &Profile| self.look(of, |_, profile| profile.handed_on(day, heir));
        let history = self.look(id, |_, heir| handed_on(heir)).flatten()?;
        Some((day, history))
    }

    /// Whose profile has this id.
    pub fn entity(&self, id: u128) -> Option<&Entity> {
        self.all.get(&id).map(|held| &held.entity)
    }

    /// The same as [`Self::with`]; where there is none, `new` says whose it is, and what it begins with.
    pub fn with_new<T>(
        &mut self,
        id: u128,
        new: impl FnOnce() -> (Entity, Profile),
        using: impl FnOnce(&Entity, &mut Profile) -> T,
    ) -> Option<T> {
        let Self { all, rest, .. } = self;
        let held = all.entry(id).or_insert_with(|| {
            let (entity, profile) = new();
            rest.held(entity, &profile)
        });
        rest.with(held, using)
    }

    /// The first day before `oldest_open` that has not closed.
    pub fn first_closing(&self, oldest_open: Day) -> Option<Day> {
        let days = self.all.values().map(|held| held.state.first_open());
        days.min().filter(|day| *day < oldest_open)
    }

    /// Uses the profiles that have `day` open, before which none has one open, to close it: in order of ids.
    pub fn close(&mut self, day: Day, mut closing: impl FnMut(u128, &Entity, &mut Profile)) {
        for (id, Held { entity, state, .. }) in &mut self.all {
            if state.first_open() != day {
                continue;
            }
            if let State::Awake(profile) = state {
                closing(*id, entity, profile);
            } else if let Some(mut profile) = self.rest.woken(state) {
                closing(*id, entity, &mut profile);
                let laid = self.rest.laid(&profile);
                self.rest.set(state, laid);
            }
        }
    }

    /// Hands over profiles until what is held is within its bound, those first that were not needed since
    /// this was last asked. They are not held any more then.
    pub fn hand_over(&mut self, take: &mut dyn FnMut(&Leaving<'_>)) {
        let Self { all, rest, hand } = self;
        if rest.n_bytes <= rest.bytes_max {
            return;
        }
        // Some room is made at a time.
        let enough = rest.bytes_max / 8 * 7;
        // Whoever was needed is passed by once.
        let mut n_looks = 2 * all.len();
        while rest.n_bytes > enough && n_looks > 0 {
            let Some((&id, held)) = all.range_mut(*hand..).next() else {
                *hand = 0;
                continue;
            };
            n_looks -= 1;
            *hand = id.wrapping_add(1);
            if std::mem::take(&mut held.was_needed) {
                continue;
            }
            take(&Leaving { id, held, rest });
            if let Some(held) = all.remove(&id) {
                rest.let_go(&held.state);
            }
        }
    }

    /// After the days before `oldest_open` were closed: moves on what was learned, and lets those rest that
    /// are not in use any more.
    pub fn advance(&mut self, oldest_open: Day) {
        let Self { all, rest, .. } = self;
        rest.oldest_open = oldest_open;
        // A new day says anew who is the first. Where there are few, nobody has to rest.
        let is_full = rest.is_full();
        let are_few = all.len() <= Self::AWAKE_MAX;
        for Held { state, .. } in all.values_mut() {
            let is_idle = state.first_open() == Day(i32::MAX);
            match state {
                State::Awake(profile) => {
                    profile.advance(oldest_open, rest.lateness);
                    if !are_few && (is_idle || is_full) {
                        let laid = rest.laid(profile);
                        rest.set(state, laid);
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
        for held in self.all.values_mut() {
            if let Some(profile) = old.woken(&held.state) {
                let laid = self.rest.laid(&profile);
                self.rest.set(&mut held.state, laid);
            }
        }
        self.rest.n_names_kept = self.rest.resting.n_names();
    }

    /// Visits every profile that is held, in order of ids.
    pub fn visit<E>(
        &self,
        visit: &mut dyn FnMut(u128, &Entity, &Profile) -> Result<(), E>,
    ) -> Result<(), E> {
        for (id, held) in &self.all {
            let visited = self.rest.look(held, |entity, profile| visit(*id, entity, profile));
            visited.transpose()?;
        }
        Ok(())
    }
}

/// Two are equal when their profiles are, at rest or not.
impl PartialEq for Profiles {
    fn eq(&self, other: &Self) -> bool {
        let is_same = |ours: &Held, theirs: &Held| {
            let is_same = |ours: &Profile| other.rest.look(theirs, |_, theirs| ours == theirs);
            self.rest.look(ours, |_, ours| is_same(ours)).flatten() == Some(true)
        };
        let mut both = self.all.iter().zip(&other.all);
        self.n_all() == other.n_all()
            && both.all(|((id, ours), (other, theirs))| id == other && is_same(ours, theirs))
    }
}

impl State {
    fn first_open(&self) -> Day {
        match self {
            Self::Awake(profile) => profile.first_open(),
            Self::AtRest(_, due) => due.first_open,
        }
    }

    fn is_new(&self) -> bool {
        match self {
            Self::Awake(profile) => profile.is_new(),
            Self::AtRest(_, due) => due.is_new,
        }
    }

    /// About what it takes, with its entity. Unit: bytes.
    fn n_bytes(&self) -> usize {
        Rest::ENTITY_BYTES
            + match self {
                Self::Awake(_) => Rest::AWAKE_BYTES,
                Self::AtRest(bytes, _) => bytes.len(),
            }
    }
}

/// Who may stay in use, and who rests.
#[derive(Debug)]
struct Rest {
    resting: Resting,
    lateness: Lateness,
    /// The oldest day that learns: profiles at rest are brought up to it when they are needed.
    oldest_open: Day,
    n_awake: usize,
    /// What is held, about, and what may be. Unit: bytes.
    n_bytes: usize,
    bytes_max: usize,
    /// Names that profiles held when it was last looked. Unit: values.
    n_names_kept: usize,
}

impl Rest {
    /// So few names are not worth a look at who holds them. Unit: values.
    const NAMES_MIN: usize = 1_024;
    /// What an entity takes, and its place among the others. Unit: bytes.
    const ENTITY_BYTES: usize = 320;
    /// What a profile in use takes, as a rule. Unit: bytes.
    const AWAKE_BYTES: usize = 32 << 10;

    fn new(lateness: Lateness, key: HashKey) -> Self {
        let (resting, oldest_open) = (Resting::new(key), Day(i32::MIN));
        let (n_awake, n_bytes, n_names_kept) = (0, 0, 0);
        Self {
            resting,
            lateness,
            oldest_open,
            n_awake,
            n_bytes,
            bytes_max: usize::MAX,
            n_names_kept,
        }
    }

    /// Begins with no names; answers with what knows the old ones.
    fn renewed(&mut self) -> Self {
        let Self { oldest_open, n_awake, n_bytes, bytes_max, .. } = *self;
        let new = Self::new(self.lateness, *self.resting.key());
        std::mem::replace(self, Self { oldest_open, n_awake, n_bytes, bytes_max, ..new })
    }

    /// Whether no more profiles can stay in use.
    fn is_full(&self) -> bool {
        let of_bytes = self.bytes_max / 2 / Self::AWAKE_BYTES;
        self.n_awake >= of_bytes.min(Profiles::AWAKE_MAX)
    }

    /// A profile that was not held so far.
    fn held(&mut self, entity: Entity, profile: &Profile) -> Held {
        let state = self.laid(profile);
        self.n_bytes += state.n_bytes();
        Held { entity, state, was_needed: true }
    }

    /// Puts `new` in the place of a state.
    fn set(&mut self, state: &mut State, new: State) {
        self.let_go(state);
        self.n_awake += usize::from(matches!(new, State::Awake(_)));
        self.n_bytes += new.n_bytes();
        *state = new;
    }

    /// A state is not held any more.
    fn let_go(&mut self, state: &State) {
        self.n_awake = self.n_awake.saturating_sub(usize::from(matches!(state, State::Awake(_))));
        self.n_bytes = self.n_bytes.saturating_sub(state.n_bytes());
    }

    fn with<T>(
        &mut self,
        held: &mut Held,
        using: impl FnOnce(&Entity, &mut Profile) -> T,
    ) -> Option<T> {
        let Held { entity, state, was_needed } = held;
        *was_needed = true;
        if let State::Awake(profile) = state {
            return Some(using(entity, profile));
        }
        let mut profile = self.woken(state)?;
        let answer = using(entity, &mut profile);
        let new = if self.is_full() { self.laid(&profile) } else { State::Awake(profile) };
        self.set(state, new);
        Some(answer)
    }

    fn look<T>(&self, held: &Held, look: impl FnOnce(&Entity, &Profile) -> T) -> Option<T> {
        match &held.state {
            State::Awake(profile) => Some(look(&held.entity, profile)),
            state @ State::AtRest(..) => {
                self.woken(state).map(|profile| look(&held.entity, &profile))
            }
        }
    }

    fn laid(&mut self, profile: &Profile) -> State {
        let bytes = self.resting.laid(profile);
        let (first_open, is_new) = (profile.first_open(), profile.is_new());
        let due = Due { first_open, settles_on: profile.settles_on(self.lateness), is_new };
        State::AtRest(bytes, due)
    }

    fn lay_anew(&mut self, state: &mut State) {
        if let Some(profile) = self.woken(state) {
            let laid = self.laid(&profile);
            self.set(state, laid);
        }
    }

    /// What a profile at rest is in use.
    fn woken(&self, state: &State) -> Option<Box<Profile>> {
        let State::AtRest(bytes, _) = state else { return None };
        let mut profile: Box<Profile> = self.resting.woken(bytes);
        profile.advance(self.oldest_open, self.lateness);
        Some(profile)
    }

    fn has_old_names(&self) -> bool {
        self.resting.n_names() / 2 > self.n_names_kept.max(Self::NAMES_MIN)
    }
}

#[cfg(test)]
mod tests;
