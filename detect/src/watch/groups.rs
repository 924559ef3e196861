//! The groups of one watch on one day. Those that matches came for last are in use; the others rest as the bytes of
//! their form, a quarter of what they take in use. What is answered of them does not depend on it.

use super::{Sighting, matched::Matched};
use baseline::{Entity, Few, HashKey, Slot, form, form::Resting};
use std::{borrow::Cow, collections::BTreeMap, mem, sync::Arc};

/// What the place of a group among the others takes, without what stands there. Unit: bytes.
const PLACE_BYTES: usize = 96;

/// Where a group stands: what it hashes to, whose it is, a hash of its values.
pub(super) type Place = (u64, u128, u64);

/// A group as it is kept: what it hashes to, whose it is, its values.
pub(crate) type GroupKey = (u64, u128, Arc<str>);

/// Where the group of somebody with these values stands.
pub(super) fn place((id, values): (u128, &str), key: &HashKey) -> Place {
    (key.hash(&format!("{id:032x} {values}")), id, key.hash(values))
}

/// One slot of a group: by place of the rule among the members.
pub(super) type Slotted = Few<u16, Matched>;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    pub(super) entity: Entity,
    /// Unit: matches.
    n: u64,
    pub(super) slots: Few<Slot, Slotted>,
}

/// A group with its values.
#[derive(Debug, Clone, PartialEq)]
struct Valued {
    values: Arc<str>,
    group: Group,
}

#[derive(Debug)]
enum State {
    InUse(Box<Valued>),
    AtRest(Box<[u8]>),
}

/// All groups of the day.
#[derive(Debug, Default)]
pub(super) struct Groups {
    all: BTreeMap<Place, State>,
    in_use: Vec<Place>,
    /// What of them is in use. Unit: rules that matched, each in so many slots.
    n_in_use: usize,
    /// What the others take, about. Unit: bytes.
    resting_bytes: usize,
}

impl Group {
    /// Counts a match; answers whether it is the first of its rule in its slot.
    fn add(&mut self, sighting: &Sighting<'_>) -> bool {
        let Sighting { slot, found, .. } = sighting;
        self.n = self.n.saturating_add(1);
        let slot = self.slots.entry(*slot).or_default();
        let is_first = slot.get(&found.member).is_none();
        slot.entry(found.member).or_default().add(sighting);
        is_first
    }

    fn n_matched(&self) -> usize {
        self.slots.values().map(|slot| slot.values().count()).sum()
    }
}

impl Groups {
    /// What a group in use takes for each rule and slot, as a rule. Unit: bytes.
    pub(super) const IN_USE_BYTES: usize = 1_024;

    /// How many there are. Unit: groups.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn holds(&self, place: &Place) -> bool {
        self.all.contains_key(place)
    }

    /// The last place that is taken.
    pub(super) fn last(&self) -> Option<&Place> {
        self.all.last_key_value().map(|(place, _)| place)
    }

    /// In order.
    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        self.all.keys()
    }

    /// What is in use. Unit: rules that matched, each in so many slots.
    pub(super) fn n_in_use(&self) -> usize {
        self.n_in_use
    }

    /// About what they take. Unit: bytes.
    pub(super) fn n_bytes(&self) -> usize {
        self.resting_bytes + self.n_in_use * Self::IN_USE_BYTES
    }

    /// Counts a match.
    pub(super) fn add(&mut self, place: Place, sighting: &Sighting<'_>, resting: &Resting) {
        let state = self.all.entry(place).or_insert_with(|| {
            let entity = sighting.entity.clone();
            let group = Group { entity, n: 0, slots: Few::default() };
            self.in_use.push(place);
            State::InUse(Box::new(Valued { values: sighting.found.group.as_str().into(), group }))
        });
        let is_first = match state {
            State::InUse(one) => one.group.add(sighting),
            State::AtRest(bytes) => {
                let mut woken: Box<Valued> = resting.woken(bytes);
                self.in_use.push(place);
                self.n_in_use += woken.group.n_matched();
                self.resting_bytes -= PLACE_BYTES + bytes.len();
                let is_first = woken.group.add(sighting);
                *state = State::InUse(woken);
                is_first
            }
        };
        self.n_in_use += usize::from(is_first);
    }

    /// Takes back a group, of which there is none; answers about what it takes. Unit: bytes.
    pub(super) fn insert(
        &mut self,
        (hash, id, values): GroupKey,
        group: Group,
        resting: &mut Resting,
    ) -> usize {
        let place = (hash, id, resting.key().hash(&values));
        let laid = resting.laid(&Valued { values, group });
        let n_bytes = PLACE_BYTES + laid.len();
        self.resting_bytes += n_bytes;
        self.all.insert(place, State::AtRest(laid));
        n_bytes
    }

    /// Lets go of the last group; answers how many matches it held.
    pub(super) fn let_go_of_last(&mut self, resting: &Resting) -> u64 {
        let Some((place, state)) = self.all.pop_last() else { return 0 };
        let matches = state.look(resting).group.n;
        match state {
            State::InUse(one) => {
                self.in_use.retain(|other| *other != place);
                self.n_in_use -= one.group.n_matched();
            }
            State::AtRest(bytes) => self.resting_bytes -= PLACE_BYTES + bytes.len(),
        }
        matches
    }

    /// Lays to rest what is in use.
    pub(super) fn rest(&mut self, resting: &mut Resting) {
        self.n_in_use = 0;
        for place in mem::take(&mut self.in_use) {
            let Some(state) = self.all.get_mut(&place) else { continue };
            if let State::InUse(one) = state {
                let laid = resting.laid(&**one);
                self.resting_bytes += PLACE_BYTES + laid.len();
                *state = State::AtRest(laid);
            }
        }
    }

    /// Looks at a group.
    pub(super) fn look(&self, place: &Place, resting: &Resting) -> Option<Cow<'_, Group>> {
        Some(match self.all.get(place)?.look(resting) {
            Cow::Borrowed(one) => Cow::Borrowed(&one.group),
            Cow::Owned(one) => Cow::Owned(one.group),
        })
    }

    /// All of them as they are kept.
    pub(super) fn whole(&self, resting: &Resting) -> BTreeMap<GroupKey, Group> {
        let whole = |((hash, id, _), state): (&Place, &State)| {
            let Valued { values, group } = state.look(resting).into_owned();
            ((*hash, *id, values), group)
        };
        self.all.iter().map(whole).collect()
    }

    /// Whether they are those others, which rest elsewhere.
    pub(super) fn are(&self, resting: &Resting, (others, elsewhere): (&Self, &Resting)) -> bool {
        let mut both = self.all.iter().zip(&others.all);
        let is_same = |ours: &State, theirs: &State| ours.look(resting) == theirs.look(elsewhere);
        self.len() == others.len()
            && both.all(|((at, ours), (other, theirs))| at == other && is_same(ours, theirs))
    }
}

impl State {
    fn look(&self, resting: &Resting) -> Cow<'_, Valued> {
        match self {
            Self::InUse(one) => Cow::Borrowed(one),
            Self::AtRest(bytes) => Cow::Owned(resting.woken(bytes)),
        }
    }
}

form! {
    Group { entity, n, slots }
    Valued { values, group }
}
