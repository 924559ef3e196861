//! What the watches of one shard hold: matches by watch, day, group and slot. Any order of the same
//! matches gives the same memory.

use super::{Sighting, Watch, Watches};
use baseline::{
    Day, Distinct, Entity, EventId, Evidence, Few, Form, HashKey, Slot, evidence::Records, form,
    form::Writer, ids_beside, stable_hash, time::SLOTS,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Groups that a watch holds of one day in one shard; of more, the smallest by keyed hash are kept.
/// Unit: groups.
pub(super) const GROUPS_MAX: usize = 1_024;

/// Records that a slot keeps of one rule and group, the first by time and id. Unit: records.
pub(super) const RECORDS_MAX: usize = 32;

/// When something was, in an order that is the same whatever the order of the logs.
pub(super) type Mark<'m> = (i64, &'m EventId);

/// What one rule matched in one slot, or in several together.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Matched {
    /// Unit: matches.
    pub(super) n: u64,
    /// The first.
    pub(super) records: Records,
    /// The last.
    pub(super) last: Option<(i64, EventId)>,
    /// What a correlation counts.
    pub(super) counted: Distinct,
    pub(super) clauses: Distinct,
    pub(super) targets: Distinct,
    pub(super) apis: Distinct,
    pub(super) peers: Distinct,
    pub(super) ports: Distinct,
}

impl Matched {
    fn add(&mut self, sighting: &Sighting<'_>) {
        let Sighting { found, evidence, api, flow, .. } = sighting;
        self.n = self.n.saturating_add(1);
        let mark = (evidence.time_ms, evidence.id.clone());
        self.last = self.last.take().max(Some(mark));
        self.records.add(Evidence::clone(evidence), RECORDS_MAX);
        found.counted.iter().for_each(|value| self.counted.add(value, 1));
        found.clause.iter().for_each(|clause| self.clauses.add(clause, 1));
        found.targets.iter().for_each(|target| self.targets.add(target, 1));
        if let Some(api) = api {
            self.apis.add(api, 1);
        }
        if let Some(flow) = flow {
            flow.peer.iter().for_each(|peer| self.peers.add(peer, 1));
            flow.port.iter().for_each(|port| self.ports.add(port, 1));
        }
    }

    /// Adds what was matched in another slot, or by another rule.
    pub(super) fn merge(&mut self, other: &Self, records_max: usize) {
        self.n = self.n.saturating_add(other.n);
        self.last = self.last.take().max(other.last.clone());
        other.records.iter().for_each(|record| self.records.add(record.clone(), records_max));
        for (ours, theirs) in [
            (&mut self.counted, &other.counted),
            (&mut self.clauses, &other.clauses),
            (&mut self.targets, &other.targets),
            (&mut self.apis, &other.apis),
            (&mut self.peers, &other.peers),
            (&mut self.ports, &other.ports),
        ] {
            ours.merge(theirs);
        }
    }

    /// The first match after `marks` of those that are kept. CloudTrail tells time by the second, so
    /// that another record of the same second may be the next; what has no id must be later.
    pub(super) fn after(&self, marks: &[Mark<'_>]) -> Option<Mark<'_>> {
        let kept = self.records.iter().map(|record| (record.time_ms, &record.id));
        let last = self.last.iter().map(|(time_ms, id)| (*time_ms, id));
        let is_next = |(time_ms, id): &Mark<'_>| {
            let has_id = !matches!(id, EventId::Text(text) if text.is_empty());
            let is_other = || has_id && marks.iter().all(|(_, used)| used != id);
            marks.last().is_none_or(|(at_ms, _)| time_ms > at_ms || time_ms == at_ms && is_other())
        };
        kept.chain(last).filter(is_next).min()
    }
}

/// One slot of a group: by place of the rule among the members.
pub(super) type Slotted = Few<u16, Matched>;

/// A group: what it hashes to, whose it is, its values.
pub(crate) type GroupKey = (u64, u128, Arc<str>);

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    entity: Entity,
    n: u64,
    slots: Few<Slot, Slotted>,
}

type Groups = BTreeMap<GroupKey, Group>;

/// What a group matched in the days that a window can reach, in order of slots.
#[derive(Debug)]
pub(super) struct Timeline<'m> {
    pub(super) entity: &'m Entity,
    pub(super) slots: Vec<(Slot, &'m Slotted)>,
}

/// The matches of one shard.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Memory {
    watches: BTreeMap<u32, BTreeMap<Day, Groups>>,
    /// Days that hold matches and were not judged yet.
    open: BTreeSet<Day>,
    /// Matches that were left out because their day had too many groups. Unit: matches.
    pub(crate) n_dropped: u64,
}

impl Memory {
    /// Counts a match.
    pub(crate) fn add(&mut self, sighting: &Sighting<'_>, key: &HashKey) {
        let Sighting { entity, id, slot, found, .. } = sighting;
        let day = slot.hour().day();
        self.open.insert(day);
        let hash = key.hash(&format!("{id:032x} {}", found.group));
        let group: GroupKey = (hash, *id, found.group.as_str().into());
        let groups = self.watches.entry(found.watch).or_default().entry(day).or_default();
        if groups.len() >= GROUPS_MAX && !groups.contains_key(&group) {
            match groups.last_entry() {
                Some(last) if group < *last.key() => {
                    self.n_dropped = self.n_dropped.saturating_add(last.remove().n);
                }
                _ => {
                    self.n_dropped = self.n_dropped.saturating_add(1);
                    return;
                }
            }
        }
        let new = || Group { entity: entity.clone(), n: 0, slots: Few::default() };
        let group = groups.entry(group).or_insert_with(new);
        group.n = group.n.saturating_add(1);
        group.slots.entry(*slot).or_default().entry(found.member).or_default().add(sighting);
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
        groups.flat_map(Groups::keys).map(|key| key.1).collect()
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
    }

    /// Of whom watches hold something, and who is judged with those that are wanted, each by watch and id: what other
    /// flow logs have of them.
    pub(crate) fn beside<'m>(
        &'m self,
        wanted: &'m BTreeSet<(u32, u128)>,
    ) -> impl Iterator<Item = u128> + 'm {
        let keys = self.watches.iter().flat_map(|(number, days)| {
            days.values().flat_map(|groups| groups.keys()).map(|key| (*number, key.1))
        });
        keys.filter(|key| has_beside(wanted, *key)).map(|(_, id)| id)
    }

    /// What each watch holds of those who matched on `day`, group by group: of all, or of those that are
    /// wanted, each by watch and id.
    pub(super) fn of(
        &self,
        (day, wanted): (Day, Option<&BTreeSet<(u32, u128)>>),
        watches: &Watches,
    ) -> Vec<(u32, BTreeMap<u128, Vec<Timeline<'_>>>)> {
        let mut all = Vec::new();
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
            let mut by_entity: BTreeMap<u128, Vec<Timeline<'_>>> = BTreeMap::new();
            for (key, group) in groups.iter().filter(|(key, _)| is_wanted(*number, key.1)) {
                let of_days = days.range(first..=day).filter_map(|(_, groups)| groups.get(key));
                let slots =
                    of_days.flat_map(|group| group.slots.iter().map(|(at, slot)| (*at, slot)));
                let timeline = Timeline { entity: &group.entity, slots: slots.collect() };
                by_entity.entry(key.1).or_default().push(timeline);
            }
            all.push((*number, by_entity));
        }
        all
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
    days: BTreeMap<Day, Groups>,
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
            let days = days.range(first..end).map(|(day, groups)| (*day, groups.clone()));
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
        let days = self.watches.entry(watch).or_default();
        days.entry(day).or_default().insert(key, group);
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
            open.flat_map(move |(day, groups)| groups.keys().map(move |key| (*day, (watch, key.1))))
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
        gone
    }

    /// Writes what a watch holds of a day in shard `number`; nothing where that is nothing.
    pub(crate) fn write_day(
        &self,
        (number, at, day): (u32, u32, Day),
        watches: &Watches,
    ) -> Option<(u128, Writer)> {
        let groups = self.watches.get(&at)?.get(&day)?.clone();
        let watch = watches.get(at)?.identity();
        let key = key_of_day(watch, (number, day));
        let mut to = Writer::default();
        Held { key, watch, days: BTreeMap::from([(day, groups)]) }.write(&mut to);
        Some((key, to))
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
    Group { entity, n, slots }
    Matched { n, records, last, counted, clauses, targets, apis, peers, ports }
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
