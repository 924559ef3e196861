//! What the watches of one shard hold: matches by watch, day, group and slot. Any order of the same
//! matches gives the same memory.

use super::{
    Sighting, Watch, Watches,
    groups::{Group, GroupKey, Groups, Place, Slotted, place},
};
use baseline::{
    Day, Entity, Form, HashKey, Slot, form,
    form::{Resting, Writer},
    ids_beside, stable_hash,
    time::SLOTS,
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

/// Groups that a watch holds of one day in one shard; of more, the smallest by keyed hash are kept.
/// Unit: groups.
pub(super) const GROUPS_MAX: usize = 1_024;

/// What of groups stays in use, in each shard; of more, all are laid to rest after a batch. Unit: rules that matched,
/// each in so many slots.
pub(super) const IN_USE_MAX: usize = 2_048;

/// What a group matched in the days that a window can reach, in order of slots.
#[derive(Debug)]
pub(super) struct Timeline<'m> {
    pub(super) entity: &'m Entity,
    pub(super) slots: Vec<(Slot, &'m Slotted)>,
}

/// What looks at a watch, by its number, and what it holds of somebody, by his id.
pub(super) type Visit<'v> = &'v mut dyn FnMut((u32, &Watch), u128, &[Timeline<'_>]);

/// The matches of one shard.
#[derive(Debug)]
pub(crate) struct Memory {
    watches: BTreeMap<u32, BTreeMap<Day, Groups>>,
    resting: Resting,
    /// What of groups stays in use. Unit: rules that matched, each in so many slots.
    in_use_max: usize,
    /// What is held, about. Unit: bytes.
    n_bytes: usize,
    /// Days that hold matches and were not judged yet.
    open: BTreeSet<Day>,
    /// Matches that were left out because their day had too many groups. Unit: matches.
    pub(crate) n_dropped: u64,
}

impl Memory {
    /// Nothing matched yet; values have hashes of this key.
    pub(crate) fn new(key: HashKey) -> Self {
        let (watches, open) = (BTreeMap::new(), BTreeSet::new());
        let resting = Resting::new(key);
        Self { watches, resting, in_use_max: IN_USE_MAX, n_bytes: 0, open, n_dropped: 0 }
    }

    /// Holds groups in use of about so much from now on, and at most [`IN_USE_MAX`]. Unit: bytes.
    pub(crate) fn hold(&mut self, bytes_max: usize) {
        self.in_use_max = IN_USE_MAX.min(bytes_max / Groups::IN_USE_BYTES);
    }

    /// About what is held. Unit: bytes.
    pub(crate) fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    fn count_bytes(&mut self) {
        self.n_bytes = self.groups().map(Groups::n_bytes).sum();
    }

    fn groups(&self) -> impl Iterator<Item = &Groups> {
        self.watches.values().flat_map(BTreeMap::values)
    }

    /// Counts a match.
    pub(crate) fn add(&mut self, sighting: &Sighting<'_>) {
        let Sighting { id, slot, found, .. } = sighting;
        let day = slot.hour().day();
        self.open.insert(day);
        let place = place((*id, &found.group), self.resting.key());
        let groups = self.watches.entry(found.watch).or_default().entry(day).or_default();
        let bytes_before = groups.n_bytes();
        if groups.len() >= GROUPS_MAX && !groups.holds(&place) {
            if groups.last().is_some_and(|last| place < *last) {
                let n = groups.let_go_of_last(&self.resting);
                self.n_dropped = self.n_dropped.saturating_add(n);
            } else {
                self.n_dropped = self.n_dropped.saturating_add(1);
                return;
            }
        }
        groups.add(place, sighting, &self.resting);
        self.n_bytes = (self.n_bytes + groups.n_bytes()).saturating_sub(bytes_before);
    }

    /// Lays groups to rest, if too many are in use.
    pub(crate) fn rest(&mut self) {
        if self.groups().map(Groups::n_in_use).sum::<usize>() <= self.in_use_max {
            return;
        }
        for groups in self.watches.values_mut().flat_map(BTreeMap::values_mut) {
            groups.rest(&mut self.resting);
        }
        self.count_bytes();
    }

    /// The first day before `oldest_open` that holds matches and was not judged.
    pub(crate) fn first_closing(&self, oldest_open: Day) -> Option<Day> {
        self.open.range(..oldest_open).next().copied()
    }

    /// Days that hold matches and were not judged, in order.
    pub(crate) fn open_days(&self) -> impl Iterator<Item = Day> {
        self.open.iter().copied()
    }

    /// Whom what matched on a day is about.
    pub(crate) fn of_whom(&self, day: Day) -> BTreeSet<u128> {
        let groups = self.watches.values().filter_map(|days| days.get(&day));
        groups.flat_map(Groups::places).map(|place| place.1).collect()
    }

    /// Notes that a day was judged.
    pub(crate) fn close(&mut self, day: Day) {
        self.open.remove(&day);
    }

    /// Forgets what no window that ends in an open day can reach.
    pub(crate) fn advance(&mut self, oldest_open: Day, watches: &Watches) {
        self.watches.retain(|number, days| {
            let back = watches.get(*number).map_or(0, days_back);
            let kept = days.split_off(&Day(oldest_open.0.saturating_sub(back)));
            *days = kept;
            !days.is_empty()
        });
        self.count_bytes();
    }

    /// Of whom watches hold something, and who is judged with those that are wanted, each by watch and id: what other
    /// flow logs have of them.
    pub(crate) fn beside<'m>(
        &'m self,
        wanted: &'m BTreeSet<(u32, u128)>,
    ) -> impl Iterator<Item = u128> + 'm {
        let all = self.watches.iter().flat_map(|(number, days)| {
            days.values().flat_map(Groups::places).map(|place| (*number, place.1))
        });
        all.filter(|one| has_beside(wanted, *one)).map(|(_, id)| id)
    }

    /// Has `visit` look at what each watch holds of those who matched on `day`, group by group: of all, or of those
    /// that are wanted, each by watch and id.
    pub(super) fn each(
        &self,
        (day, wanted): (Day, Option<&BTreeSet<(u32, u128)>>),
        watches: &Watches,
        visit: Visit<'_>,
    ) {
        let is_wanted =
            |number: u32, id: u128| wanted.is_none_or(|all| has_beside(all, (number, id)));
        for (number, days) in &self.watches {
            let of_watch = (*number, 0)..=(*number, u128::MAX);
            if wanted.is_some_and(|wanted| wanted.range(of_watch).next().is_none()) {
                continue;
            }
            let (Some(watch), Some(groups)) = (watches.get(*number), days.get(&day)) else {
                continue;
            };
            let first = Day(day.0.saturating_sub(days_back(watch)));
            let mut by_entity: BTreeMap<u128, Vec<&Place>> = BTreeMap::new();
            for place in groups.places().filter(|place| is_wanted(*number, place.1)) {
                by_entity.entry(place.1).or_default().push(place);
            }
            for (id, places) in by_entity {
                let of_days = |place: &&Place| -> Vec<Cow<'_, Group>> {
                    let days = days.range(first..=day).map(|(_, groups)| groups);
                    days.filter_map(|groups| groups.look(place, &self.resting)).collect()
                };
                let all: Vec<_> = places.iter().map(of_days).collect();
                let timelines: Vec<_> = all.iter().filter_map(|days| Timeline::of(days)).collect();
                visit((*number, watch), id, &timelines);
            }
        }
    }
}

impl<'m> Timeline<'m> {
    /// Of what a group holds of days, in their order.
    fn of(days: &'m [Cow<'m, Group>]) -> Option<Self> {
        let slots = days.iter().flat_map(|group| group.slots.iter());
        let slots = slots.map(|(at, slot)| (*at, slot)).collect();
        Some(Self { entity: &days.last()?.entity, slots })
    }
}

/// Under what the matches of a watch on one day are kept, of one shard.
pub(crate) fn key_of_day(watch: u128, (shard, day): (u32, Day)) -> u128 {
    stable_hash(&[&watch.to_le_bytes(), &shard.to_le_bytes(), &day.0.to_le_bytes()])
}

/// What a watch holds of some days in one shard, on its way to a file and back.
#[derive(Debug)]
pub(crate) struct Held {
    /// Of the watch and the shard, and of the day where it is one.
    pub(crate) key: u128,
    watch: u128,
    days: BTreeMap<Day, BTreeMap<GroupKey, Group>>,
}

impl Memory {
    /// Writes what windows that end on `end` or later reach into, of the days before, in shard `number`.
    pub(crate) fn write_closed(
        &self,
        (end, number): (Day, u32),
        watches: &Watches,
    ) -> Vec<(u128, Writer)> {
        let of = |(at, days): (&u32, &BTreeMap<Day, Groups>)| {
            let watch = watches.get(*at)?;
            let first = Day(end.0.saturating_sub(days_back(watch)));
            let days =
                days.range(first..end).map(|(day, groups)| (*day, groups.whole(&self.resting)));
            let (watch, days) = (watch.identity(), days.collect());
            let key = stable_hash(&[&watch.to_le_bytes(), &number.to_le_bytes()]);
            let closed = Held { key, watch, days };
            let mut to = Writer::default();
            closed.write(&mut to);
            (!closed.days.is_empty()).then_some((key, to))
        };
        self.watches.iter().filter_map(of).collect()
    }

    /// Takes back one group.
    pub(crate) fn recall(&mut self, (watch, day, key, group): OfDay) {
        let groups = self.watches.entry(watch).or_default().entry(day).or_default();
        self.n_bytes += groups.insert(key, group, &mut self.resting);
    }

    /// The same of a day that was not judged yet, or was.
    pub(crate) fn recall_open(&mut self, of_day: OfDay, oldest_open: Day) {
        if of_day.1 >= oldest_open {
            self.open.insert(of_day.1);
        }
        self.recall(of_day);
    }

    /// The same of days that were not judged, with whom the matches are about.
    pub(crate) fn open_groups(&self) -> impl Iterator<Item = (Day, (u32, u128))> {
        let of = |(watch, days): (&u32, &BTreeMap<Day, Groups>)| {
            let open = days.iter().filter(|(day, _)| self.open.contains(day));
            let watch = *watch;
            open.flat_map(move |(day, all)| all.places().map(move |place| (*day, (watch, place.1))))
                .collect::<Vec<_>>()
        };
        self.watches.iter().flat_map(of)
    }

    /// Watches with the days of which they hold anything.
    pub(crate) fn days(&self) -> impl Iterator<Item = (u32, Day)> {
        let of = |(watch, days): (&u32, &BTreeMap<Day, Groups>)| {
            let watch = *watch;
            days.keys().map(move |day| (watch, *day)).collect::<Vec<_>>()
        };
        self.watches.iter().flat_map(of)
    }

    /// Goes on with watches of which each had the number that its place says, and has this one now; forgets what
    /// the others held, and answers which days of them it was.
    pub(crate) fn renumber(
        &mut self,
        numbers: &[Option<u32>],
        oldest_open: Day,
    ) -> BTreeSet<(u32, Day)> {
        let mut gone = BTreeSet::new();
        for (before, days) in std::mem::take(&mut self.watches) {
            match numbers.get(before as usize).copied().flatten() {
                Some(now) => drop(self.watches.insert(now, days)),
                None => gone.extend(days.into_keys().map(|day| (before, day))),
            }
        }
        let days = self.watches.values().flat_map(BTreeMap::keys);
        self.open = days.copied().filter(|day| *day >= oldest_open).collect();
        self.count_bytes();
        gone
    }

    /// Writes what a watch holds of a day in shard `number`; nothing where that is nothing.
    pub(crate) fn write_day(
        &self,
        (number, at, day): (u32, u32, Day),
        watches: &Watches,
    ) -> Option<(u128, Writer)> {
        let groups = self.watches.get(&at)?.get(&day)?.whole(&self.resting);
        let watch = watches.get(at)?.identity();
        let key = key_of_day(watch, (number, day));
        let mut to = Writer::default();
        Held { key, watch, days: BTreeMap::from([(day, groups)]) }.write(&mut to);
        Some((key, to))
    }
}

/// Two are equal when their groups are, at rest or not.
impl PartialEq for Memory {
    fn eq(&self, other: &Self) -> bool {
        let mut both = self.groups().zip(other.groups());
        (&self.open, self.n_dropped) == (&other.open, other.n_dropped)
            && self.days().eq(other.days())
            && both.all(|(ours, theirs)| ours.are(&self.resting, (theirs, &other.resting)))
    }
}

/// A group of a watch on one day.
pub(crate) type OfDay = (u32, Day, GroupKey, Group);

impl Held {
    /// Its groups, each with the id of the one that it is about. Matches of a watch that is not in force
    /// any more are of no use to anybody.
    pub(crate) fn groups(self, watches: &Watches) -> impl Iterator<Item = (u128, OfDay)> {
        let watch = watches.of_identity(self.watch);
        let days = watch.map(|watch| self.days.into_iter().map(move |day| (watch, day)));
        days.into_iter().flatten().flat_map(|(watch, (day, groups))| {
            groups.into_iter().map(move |(key, group)| (key.1, (watch, day, key, group)))
        })
    }
}

form! {
    Held { key, watch, days }
}

/// Days before its own that a window can reach into.
fn days_back(watch: &Watch) -> i32 {
    (watch.n_slots + 24 * SLOTS - 1) / (24 * SLOTS)
}

/// Whether it, or what another flow log has of the same, is among those that are wanted.
fn has_beside(wanted: &BTreeSet<(u32, u128)>, (number, id): (u32, u128)) -> bool {
    let beside = ids_beside(id);
    wanted.range((number, *beside.start())..=(number, *beside.end())).next().is_some()
}
