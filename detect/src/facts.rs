//! Facts of accounts: the few things that records of one kind of log say and that are joined with the other.
//! Who let whom in, on which instance a session began, which address belongs to which interface.
//!
//! In: what detectors say of records by `counts.fact`, and what calls of flow logs show. Out: the facts of an
//! account on a day and those before it, for whoever judges an entity of that account. They are no shard's:
//! as priors they change between batches only, and all shards read them.
//!
//! A fact is a text of some words under a topic, with the hours in which it was said, of how much, and its first records.
//! Any order of the same logs gives the same facts.

pub(crate) mod inventory;
pub(crate) mod openings;
pub(crate) mod reads;
mod rows;
mod said;
pub(crate) mod sessions;
mod topic;

use crate::engine::{Engine, shard_of};
use baseline::{
    Day, Entity, Evidence, Form, FormError, Kind, Slot, Value,
    form::{Reader, Writer},
    stable_hash,
};
use inventory::Inventory;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

pub(crate) use said::Said;
pub(crate) use topic::Topic;

/// Facts of one topic that an account keeps of a day; of more, the smallest by keyed hash. Unit: facts.
const FACTS_MAX: usize = 4_096;

/// Days before the one that is judged that are no habit yet: they are still open, or just closed. Unit: days.
const DAYS_OPEN: i32 = 2;

/// A fact on its way.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) account: Arc<str>,
    pub(crate) topic: Topic,
    pub(crate) value: Value,
    pub(crate) slot: Slot,
    /// Of how much it speaks; 0 of most. Unit: that of its topic.
    pub(crate) amount: u64,
    /// The record that says it; none of flow logs.
    pub(crate) evidence: Option<Evidence>,
}

type OfTopic = BTreeMap<Value, Said>;

type OfDay = BTreeMap<Topic, OfTopic>;

/// Whether no more are kept: others may have been left out.
fn is_full(facts: &OfTopic) -> bool {
    facts.len() >= FACTS_MAX
}

/// What is known of one account.
#[derive(Debug, Default)]
pub(crate) struct OfAccount {
    days: BTreeMap<Day, OfDay>,
    /// What many entities are judged by, worked out for the first of them.
    views: Mutex<BTreeMap<Day, Arc<View>>>,
}

static NOTHING: OfAccount = OfAccount { days: BTreeMap::new(), views: Mutex::new(BTreeMap::new()) };

impl PartialEq for OfAccount {
    fn eq(&self, other: &Self) -> bool {
        self.days == other.days
    }
}

/// What is known of an account on a day, for those that look for one thing in all of it.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) inventory: Inventory,
    /// The facts of the use of credentials, by identity.
    uses: BTreeMap<Arc<str>, Vec<Value>>,
    /// Instances whose credentials called, by address.
    pub(crate) users: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
}

impl View {
    fn of(known: &OfAccount, day: Day) -> Self {
        let inventory = Inventory::of(known, day);
        let mut view = Self { inventory, uses: BTreeMap::new(), users: BTreeMap::new() };
        let uses = known.days.get(&day).and_then(|facts| facts.get(&Topic::Used));
        for value in uses.into_iter().flat_map(BTreeMap::keys) {
            if let Some(of) = Use::of(&value.text) {
                view.uses.entry(of.key.into()).or_default().push(value.clone());
                view.users.entry(of.address.into()).or_default().insert(of.instance.into());
            }
        }
        view
    }
}

/// What a fact says of the use of credentials.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Use<'f> {
    pub(crate) instance: &'f str,
    pub(crate) address: &'f str,
    /// Of the identity.
    pub(crate) key: &'f str,
}

impl<'f> Use<'f> {
    pub(crate) fn of(text: &'f str) -> Option<Self> {
        let mut words = text.splitn(3, ' ');
        Some(Self { instance: words.next()?, address: words.next()?, key: words.next()? })
    }
}

impl OfAccount {
    /// What is known on `day`.
    pub(crate) fn view(&self, day: Day) -> Arc<View> {
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        let view = views.entry(day).or_insert_with(|| Arc::new(View::of(self, day)));
        Arc::clone(view)
    }

    /// From where credentials of an identity were used on `day`, by `view`, which is of that day.
    pub(crate) fn uses<'f>(
        &'f self,
        day: Day,
        view: &View,
        identity: &str,
    ) -> Vec<(Use<'f>, &'f Said)> {
        let facts = self.days.get(&day).and_then(|facts| facts.get(&Topic::Used));
        let own = view.uses.get(identity).into_iter().flatten();
        let own = own.filter_map(|value| facts?.get_key_value(value));
        own.filter_map(|(value, said)| Some((Use::of(&value.text)?, said))).collect()
    }

    /// Forgets what was worked out of facts that are others now.
    fn changed(&mut self) {
        self.views.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Facts of a topic of the days from `back` days before `day` to itself, in order of days.
    pub(crate) fn until(
        &self,
        day: Day,
        (topic, back): (Topic, i32),
    ) -> impl Iterator<Item = (Day, &str, &Said)> {
        let days = self.days.range(Day(day.0.saturating_sub(back))..=day);
        let of_topic = days.filter_map(move |(day, facts)| Some((*day, facts.get(&topic)?)));
        of_topic.flat_map(|(day, facts)| {
            facts.iter().map(move |(value, said)| (day, &*value.text, said))
        })
    }

    /// On how many days somebody did what is told of on `day`, of those that are long closed: habits do not follow
    /// from what is not judged yet.
    pub(crate) fn n_days(&self, day: Day, topic: Topic, is_it: impl Fn(&str) -> bool) -> usize {
        let last = Day(day.0.saturating_sub(DAYS_OPEN));
        let facts = self.until(last, (topic, topic.days_kept() - DAYS_OPEN));
        let days = facts.filter(|(_, text, _)| is_it(text)).map(|(day, ..)| day);
        days.collect::<BTreeSet<_>>().len()
    }

    /// Whether on one of these days facts of a topic may have been left out.
    pub(crate) fn is_full(&self, day: Day, (topic, back): (Topic, i32)) -> bool {
        let mut days = self.days.range(Day(day.0.saturating_sub(back))..=day);
        days.any(|(_, facts)| facts.get(&topic).is_some_and(is_full))
    }

    /// Whether anything is known of a topic on `day` or the day before.
    pub(crate) fn has(&self, day: Day, topic: Topic) -> bool {
        let mut days = self.days.range(Day(day.0.saturating_sub(1))..=day);
        days.any(|(_, facts)| facts.contains_key(&topic))
    }
}

/// What is known of all accounts.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Facts {
    accounts: BTreeMap<Arc<str>, OfAccount>,
    /// Days with as many facts of a topic as they keep, of those that are forgotten. Unit: days.
    n_full: u64,
}

impl Facts {
    /// What is known of an account.
    pub(crate) fn of(&self, account: &str) -> &OfAccount {
        self.accounts.get(account).unwrap_or(&NOTHING)
    }

    /// Days of accounts with as many facts of a topic as they keep: others may have been left out. It follows from
    /// the facts, and so does not depend on their order. Unit: days.
    pub(crate) fn n_full(&self) -> u64 {
        let days = self.accounts.values().flat_map(|known| known.days.values());
        self.n_full.saturating_add(
            days.flat_map(BTreeMap::values).filter(|all| is_full(all)).count() as u64,
        )
    }

    /// Takes a fact; whether that changes anything.
    fn add(&mut self, fact: &Fact) -> bool {
        let Fact { account, topic, value, slot, amount, evidence } = fact;
        let hour = slot.hour();
        let of_account = self.accounts.entry(Arc::clone(account)).or_default();
        of_account.changed();
        let facts = of_account.days.entry(hour.day()).or_default().entry(*topic).or_default();
        if facts.len() >= FACTS_MAX && !facts.contains_key(value) {
            match facts.last_entry() {
                Some(last) if value < last.key() => drop(last.remove()),
                _ => return false,
            }
        }
        let said = facts.entry(value.clone()).or_default();
        let is_new = said.add(hour, *amount);
        let is_kept = evidence.as_ref().is_some_and(|one| topic.keep(one, &mut said.records));
        is_kept || is_new
    }

    /// Forgets what no open day is judged by any more; answers what is gone, or changed.
    fn advance(&mut self, oldest_open: Day) -> BTreeSet<(Arc<str>, Day)> {
        let (mut touched, n_full) = (BTreeSet::new(), &mut self.n_full);
        self.accounts.retain(|account, known| {
            known.changed();
            let days = &mut known.days;
            days.retain(|day, facts| {
                let n_before = facts.len();
                facts.retain(|topic, all| {
                    let is_kept = day.0 >= oldest_open.0.saturating_sub(topic.days_kept());
                    *n_full += u64::from(!is_kept && is_full(all));
                    is_kept
                });
                if facts.len() < n_before {
                    touched.insert((Arc::clone(account), *day));
                }
                !facts.is_empty()
            });
            !days.is_empty()
        });
        touched
    }

    /// Accounts with the days of which something is known.
    fn days(&self) -> impl Iterator<Item = (&Arc<str>, Day)> {
        let of = |(account, days): (_, &OfAccount)| {
            days.days.keys().map(move |day| (account, *day)).collect::<Vec<_>>()
        };
        self.accounts.iter().flat_map(of)
    }

    /// What is known of an account on a day, as bytes.
    fn write(&self, (account, day): (&Arc<str>, Day)) -> Option<Writer> {
        let facts = self.accounts.get(account)?.days.get(&day)?;
        let mut to = Writer::default();
        account.write(&mut to);
        day.write(&mut to);
        facts.write(&mut to);
        Some(to)
    }

    /// Takes back what [`Self::write`] wrote; answers its key.
    pub(crate) fn recall(&mut self, from: &mut Reader<'_>) -> Result<u128, FormError> {
        let (account, day, facts): (Arc<str>, Day, OfDay) = Form::read(from)?;
        let key = key(&account, day);
        let known = self.accounts.entry(account).or_default();
        known.changed();
        known.days.insert(day, facts);
        Ok(key)
    }
}

/// What the facts of an account on a day are kept under.
fn key(account: &str, day: Day) -> u128 {
    stable_hash(&[b"facts", account.as_bytes(), &day.0.to_le_bytes()])
}

/// Facts that changed since they were last kept, by account and day.
#[derive(Debug, Default)]
pub(crate) struct ChangedFacts(BTreeSet<(Arc<str>, Day)>);

impl ChangedFacts {
    /// What has changed, each under its key: bytes, or nothing where nothing is known any more.
    pub(crate) fn take(&mut self, facts: &Facts) -> Vec<(u128, Option<Writer>)> {
        let changed = std::mem::take(&mut self.0).into_iter();
        changed.map(|(account, day)| (key(&account, day), facts.write((&account, day)))).collect()
    }
}

impl Engine {
    /// Takes facts, and notes whom they touch.
    pub(crate) fn learn_facts<'f>(&mut self, facts: impl Iterator<Item = &'f Fact>) {
        let mut changed: BTreeMap<&Arc<str>, Vec<&Fact>> = BTreeMap::new();
        for fact in facts.filter(|fact| self.facts.add(fact)) {
            changed.entry(&fact.account).or_default().push(fact);
        }
        for (account, facts) in changed {
            if self.context.notes_changes {
                let days = facts.iter().map(|fact| (Arc::clone(account), fact.slot.hour().day()));
                self.changes.facts.0.extend(days);
            }
            self.touch(account, &facts);
        }
    }

    /// Notes whose open days facts of an account may change: judging on the way must look at them again.
    fn touch(&mut self, account: &Arc<str>, facts: &[&Fact]) {
        let Some(touched) = &mut self.touched else { return };
        for (interface, from) in inventory::concerned(self.facts.of(account), facts) {
            let (account, kind) = (Arc::clone(account), Kind::Interface);
            let id = Entity { account, kind, key: interface.into() }.id();
            let shard = shard_of(id);
            if let (Some((touched, _)), Some(shard)) =
                (touched.get_mut(shard), self.shards.get(shard))
            {
                shard.ids_beside(id).for_each(|id| touched.note_hour(id, from));
            }
        }
    }

    /// Forgets facts that are of no use once days before `oldest_open` have closed.
    pub(crate) fn forget_facts(&mut self, oldest_open: Day) {
        let changed = self.facts.advance(oldest_open);
        if self.context.notes_changes {
            self.changes.facts.0.extend(changed);
        }
    }

    /// Facts of the days before `end`, each with its key.
    pub(crate) fn facts_before(&self, end: Day) -> impl Iterator<Item = (u128, Writer)> {
        let closed = self.facts.days().filter(move |(_, day)| *day < end);
        closed.filter_map(|(account, day)| {
            Some((key(account, day), self.facts.write((account, day))?))
        })
    }
}

#[cfg(test)]
mod tests;
