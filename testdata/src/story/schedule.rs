//! Whom stories of a plan happen to, and when.

use std::collections::BTreeSet;
use std::collections::VecDeque;

use super::{Hours, Packets, Story, Victim, VictimKind};
use crate::aws::call::Record;
use crate::clock::HOUR_S;
use crate::life::{Life, Stage};
use crate::organisation::{Entry, Organisation, part};
use crate::rng::Rng;
use crate::truth::Truth;

/// What a plan's stories come to: lives that hand over records, flows, and the truth.
pub(crate) struct Schedule {
    pub(crate) tellings: Vec<Telling>,
    pub(crate) flows: Vec<(Victim, Vec<Packets>)>,
    pub(crate) truth: Truth,
}

/// Tells every story of somebody of the right kind, never twice of the same. One for which nobody
/// is left is left out.
pub(crate) fn schedule(of: &Organisation, days: i64, stories: &[&'static Story]) -> Schedule {
    let mut taken = BTreeSet::new();
    let mut made = Schedule { tellings: Vec::new(), flows: Vec::new(), truth: Truth::default() };
    for (number, story) in stories.iter().enumerate() {
        let mut rng = of.rng(part::STORY, number, -1);
        // The first half is for learning what is usual.
        let latest = (days - story.days).max(0);
        let day = rng.between((days / 2).min(latest), latest);
        let Some(victim) = choose(of, story.victim, day, (&mut taken, &mut rng)) else { continue };
        let start_s = begin(story.hours, of.midnight(day), &victim, &mut rng);
        let told = story.told(&victim, (of.start_s, start_s), Rng::new(rng.bits()));
        let index = |id: &String| of.accounts.iter().position(|account| account.id == *id);
        let records = told.records.into_iter();
        let records: VecDeque<_> =
            records.filter_map(|(id, record)| Some((index(&id)?, record))).collect();
        if !records.is_empty() {
            made.tellings.push(Telling { records });
        }
        if !told.flows.is_empty() {
            made.flows.push((victim, told.flows));
        }
        made.truth.stories.push(told.truth);
    }
    made
}

fn begin(hours: Hours, midnight_s: i64, victim: &Victim, rng: &mut Rng) -> i64 {
    let hour_s = match hours {
        Hours::Work => rng.between(9 * HOUR_S, 13 * HOUR_S),
        Hours::Night => rng.between(HOUR_S, 4 * HOUR_S),
        Hours::Any => rng.between(HOUR_S, 18 * HOUR_S),
    };
    match hours {
        // On the UTC day, so that a story never begins before the logs do.
        Hours::Any => midnight_s + hour_s,
        Hours::Work | Hours::Night => victim.zone.at(midnight_s, hour_s).max(midnight_s + HOUR_S),
    }
}

fn choose(
    of: &Organisation,
    kind: VictimKind,
    day: i64,
    (taken, rng): (&mut BTreeSet<(u8, usize)>, &mut Rng),
) -> Option<Victim> {
    let (lot, n): (u8, usize) = match kind {
        VictimKind::Person => (0, of.people.len()),
        VictimKind::Machine => (1, of.machines.len()),
        VictimKind::Pipeline | VictimKind::PipelineWithKey => (2, of.pipelines.len()),
        VictimKind::Interface => (3, of.vpcs.iter().map(|vpc| vpc.interfaces.len()).sum()),
    };
    let is_here = |index: usize| match kind {
        VictimKind::Person => of.people.get(index).is_some_and(|person| {
            person.is_here(day) && person.is_here(day + 3) && person.is_here(0)
        }),
        VictimKind::Machine => {
            of.machines.get(index).is_some_and(|machine| machine.deployed_day <= 0)
        }
        VictimKind::PipelineWithKey => of
            .pipelines
            .get(index)
            .is_some_and(|pipeline| matches!(pipeline.entry, Entry::Key { .. })),
        VictimKind::Pipeline | VictimKind::Interface => true,
    };
    let mut free: Vec<usize> =
        (0..n).filter(|&index| !taken.contains(&(lot, index)) && is_here(index)).collect();
    let index = free.get(rng.rank(free.len())).copied().or_else(|| free.pop())?;
    taken.insert((lot, index));
    match kind {
        VictimKind::Person => Victim::person(of, index, day),
        VictimKind::Machine => Victim::machine(of, index, day),
        VictimKind::Pipeline | VictimKind::PipelineWithKey => Victim::pipeline(of, index, day),
        VictimKind::Interface => Victim::interface(of, index, day),
    }
}

/// A story that was told, as it goes into the logs.
pub(crate) struct Telling {
    records: VecDeque<(usize, Record)>,
}

impl Telling {
    /// When it begins. Unit: seconds since the Unix epoch.
    pub(crate) fn begins_s(&self) -> i64 {
        self.records.front().map_or(0, |(_, record)| record.time_s)
    }
}

impl Life for Telling {
    fn step(&mut self, now_s: i64, stage: &mut Stage<'_>) -> Option<i64> {
        while let Some((_, record)) = self.records.front() {
            if record.time_s > now_s {
                return Some(record.time_s);
            }
            let (account, record) = self.records.pop_front()?;
            stage.post.record(account, record);
        }
        None
    }
}
