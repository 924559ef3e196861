//! Whom stories of a plan happen to, and when.

use std::collections::BTreeSet;
use std::collections::VecDeque;

use super::{Hours, Packets, Silence, Story, Told, Victim, VictimKind};
use crate::aws::call::Record;
use crate::aws::flow::{Flow, Gap};
use crate::calendar;
use crate::clock::{DAY_S, HOUR_S};
use crate::life::{Life, Stage, is_quiet};
use crate::organisation::{Entry, Organisation, Vpc, part};
use crate::places::City;
use crate::rng::Rng;
use crate::truth::{Account, Truth};

/// What somebody sat down for is over after this. Unit: seconds.
const SITTING_S: i64 = 4 * HOUR_S;

/// How often a flow log that would take away what others say falls silent at another time. Unit: tries.
const TRIES_MAX: usize = 24;

/// What a plan's stories come to: lives that hand over records and flows, and the truth.
pub(crate) struct Schedule {
    pub(crate) tellings: Vec<Telling>,
    pub(crate) truth: Truth,
}

/// Tells every story of somebody of the right kind, never twice of the same. One for which nobody
/// is left is left out.
pub(crate) fn schedule(of: &Organisation, days: i64, stories: &[&'static Story]) -> Schedule {
    let mut taken = BTreeSet::new();
    let mut all: Vec<(usize, Telling, Account)> = Vec::new();
    // Flow logs fall silent while nobody else has something to say in them.
    let mut numbers: Vec<usize> = (0..stories.len()).collect();
    let is_silent = |story: &&&'static Story| story.victim == VictimKind::FlowLog;
    numbers.sort_by_key(|number| stories.get(*number).is_some_and(|story| is_silent(&story)));
    let mut spoken = Vec::new();
    for number in numbers {
        let Some(story) = stories.get(number) else { continue };
        let mut rng = of.rng(part::STORY, number, -1);
        let latest = (days - story.days).max(0);
        for tries in 0..TRIES_MAX {
            // The first half is for learning what is usual. Where every day of the second has something to say,
            // it has less.
            let first = if tries < TRIES_MAX / 3 { days / 2 } else { 1 };
            let day = rng.between(first.min(latest), latest);
            let mut takes = taken.clone();
            let drawn = choose(of, story, (day, latest), (&mut takes, &mut rng));
            let Some((victim, start_s)) = drawn else { break };
            let told = story.told(&victim, (of.start_s, start_s), Rng::new(rng.bits()));
            let (telling, truth) = telling(of, &victim, told);
            if telling.is_heard_out(&spoken) {
                taken = takes;
                // What leads up to it is ordinary life.
                let own = telling.flows.iter().filter(|(_, flow)| flow.start_s >= start_s);
                spoken.extend(own.map(|(vpc, flow)| (*vpc, flow.start_s, flow.end_s)));
                all.push((number, telling, truth));
                break;
            }
        }
    }
    all.sort_by_key(|(number, ..)| *number);
    let (tellings, stories) = all.into_iter().map(|(_, telling, truth)| (telling, truth)).unzip();
    Schedule { tellings, truth: Truth { stories } }
}

/// What was told of `victim`, as the organisation has it.
fn telling(of: &Organisation, victim: &Victim, told: Told) -> (Telling, Account) {
    let Told { truth, records, flows, silence, gaps } = told;
    let index = |id: &String| of.accounts.iter().position(|account| account.id == *id);
    let records = records.into_iter();
    let records = records.filter_map(|(id, record)| Some((index(&id)?, record))).collect();
    let is_own =
        |vpc: &Vpc| victim.interface.as_ref().is_some_and(|own| vpc.host(&own.id).is_some());
    let silence = silence.zip(of.vpcs.iter().position(is_own));
    let mut flows: Vec<_> = flows.iter().filter_map(|flow| hosted(of, flow)).collect();
    flows.sort_by_key(|(_, flow)| flow.start_s);
    let own = victim.interface.as_ref().and_then(|own| host_of(of, &own.id));
    let gaps = own.into_iter().flat_map(|own| gaps.iter().map(move |gap| (own, *gap))).collect();
    (Telling { records, flows: flows.into(), silence, gaps }, truth)
}

/// A flow with its VPC, at the host whose interface it names.
fn hosted(of: &Organisation, flow: &Packets) -> Option<(usize, Flow<u16>)> {
    host_of(of, &flow.interface).map(|(vpc, host)| (vpc, flow.at(host)))
}

/// The numbers of a VPC, and in it of the host with that interface.
fn host_of(of: &Organisation, interface: &str) -> Option<(usize, u16)> {
    let mut vpcs = of.vpcs.iter().enumerate();
    vpcs.find_map(|(number, vpc)| Some((number, vpc.host(interface)?)))
}

/// Somebody whom `story` fits, and when: on `day`, or as near to it as they can.
fn choose(
    of: &Organisation,
    story: &Story,
    (day, latest): (i64, i64),
    (taken, rng): (&mut BTreeSet<(u8, usize)>, &mut Rng),
) -> Option<(Victim, i64)> {
    let (lot, n): (u8, usize) = match story.victim {
        VictimKind::Person => (0, of.people.len()),
        VictimKind::Machine | VictimKind::Program => (1, of.machines.len()),
        VictimKind::Pipeline | VictimKind::PipelineWithKey => (2, of.pipelines.len()),
        VictimKind::Interface | VictimKind::EncryptedInterface | VictimKind::FlowLog => {
            (3, of.vpcs.iter().map(|vpc| vpc.hosts.len()).sum())
        }
    };
    let is_here = |index: usize| match story.victim {
        VictimKind::Person => of.people.get(index).is_some_and(|person| {
            person.is_here(day) && person.is_here(day + 3) && person.is_here(0)
        }),
        VictimKind::Machine | VictimKind::Program => {
            of.machines.get(index).is_some_and(|machine| machine.deployed_day <= 0)
        }
        VictimKind::PipelineWithKey => of
            .pipelines
            .get(index)
            .is_some_and(|pipeline| matches!(pipeline.entry, Entry::Key { .. })),
        VictimKind::Pipeline => true,
        VictimKind::Interface | VictimKind::EncryptedInterface | VictimKind::FlowLog => {
            let mut hosts =
                of.vpcs.iter().flat_map(|vpc| vpc.hosts.iter().map(move |it| (vpc, it)));
            let fits = |vpc: &Vpc| {
                story.victim != VictimKind::EncryptedInterface || vpc.format.tells_encryption()
            };
            hosts.nth(index).is_some_and(|(vpc, host)| host.is_instance() && fits(vpc))
        }
    };
    let mut free: Vec<usize> =
        (0..n).filter(|&index| !taken.contains(&(lot, index)) && is_here(index)).collect();
    while !free.is_empty() {
        let index = free.remove(rng.rank(free.len()));
        let begins = if story.victim == VictimKind::Person {
            person(of, index, story, ((day, latest), rng))
        } else {
            other(of, index, story, ((day, latest), rng))
        };
        if begins.is_some() {
            taken.insert((lot, index));
            return begins;
        }
    }
    None
}

/// A machine, a pipeline or an interface: on the UTC day, so that a story never begins before the
/// logs do. What people have a pipeline do is done on working days.
fn other(
    of: &Organisation,
    index: usize,
    story: &Story,
    ((day, latest), rng): ((i64, i64), &mut Rng),
) -> Option<(Victim, i64)> {
    let hour_s = hour_s(story.hours, rng);
    let is_fit = |day: &i64| {
        story.hours != Hours::Work || calendar::LONDON.is_working_day(of.midnight(*day))
    };
    let day = days(day, latest).find(is_fit)?;
    let victim = match story.victim {
        VictimKind::Person => None,
        VictimKind::Machine | VictimKind::Program => Victim::machine(of, index, day),
        VictimKind::Pipeline | VictimKind::PipelineWithKey => Victim::pipeline(of, index, day),
        VictimKind::Interface | VictimKind::EncryptedInterface | VictimKind::FlowLog => {
            Victim::interface(of, index)
        }
    };
    victim.map(|victim| (victim, of.midnight(day) + hour_s))
}

/// The days after the one drawn, then those before it.
fn days(day: i64, latest: i64) -> impl Iterator<Item = i64> {
    (day..=latest).chain((1..day).rev())
}

/// Unit: seconds after midnight.
fn hour_s(hours: Hours, rng: &mut Rng) -> i64 {
    match hours {
        Hours::Work => rng.between(9 * HOUR_S, 13 * HOUR_S),
        Hours::Leaving => rng.between(16 * HOUR_S, 19 * HOUR_S),
        Hours::Night => rng.between(HOUR_S, 4 * HOUR_S),
        Hours::Any => rng.between(HOUR_S, 18 * HOUR_S),
    }
}

/// Person number `index` when a story can begin for them, on `day` or near it; `None`: never.
fn person(
    of: &Organisation,
    index: usize,
    story: &Story,
    ((day, latest), rng): ((i64, i64), &mut Rng),
) -> Option<(Victim, i64)> {
    let someone = of.people.get(index)?;
    let hour_s = hour_s(story.hours, rng);
    days(day, latest).find_map(|day| {
        let midnight_s = of.midnight(day);
        let wall = |city: City| city.zone.at(midnight_s, hour_s).max(of.start_s + HOUR_S);
        let at_work = || of.at_work(index, midnight_s);
        let start_s = match story.hours {
            Hours::Work => wall(at_work()?),
            Hours::Night => wall(someone.city_on(midnight_s)?),
            Hours::Any => midnight_s + hour_s,
            Hours::Leaving => {
                let start_s = wall(at_work().filter(|city| *city == someone.city)?);
                let away = (start_s - SITTING_S, start_s + story.days * DAY_S);
                is_quiet(of, index, away).then_some(start_s)?
            }
        };
        Some((Victim::person(of, index, start_s)?, start_s))
    })
}

/// A story that was told, as it goes into the logs.
pub(crate) struct Telling {
    records: VecDeque<(usize, Record)>,
    flows: VecDeque<(usize, Flow<u16>)>,
    /// With the VPC whose flow log it is.
    silence: Option<(Silence, usize)>,
    /// By numbers of VPC and host, in order of time.
    gaps: VecDeque<((usize, u16), Gap)>,
}

impl Telling {
    /// When it begins. Unit: seconds since the Unix epoch.
    pub(crate) fn begins_s(&self) -> i64 {
        self.next_s().unwrap_or(0)
    }

    /// Whether it takes nothing away of what others say, flows by VPC with start and end. Unit: seconds since the Unix
    /// epoch.
    fn is_heard_out(&self, spoken: &[(usize, i64, i64)]) -> bool {
        let Some((Silence { from_s, until_s, .. }, own)) = &self.silence else { return true };
        let cut = |(vpc, start_s, end_s): &(usize, i64, i64)| {
            vpc == own && *end_s >= from_s - HOUR_S && *start_s <= until_s + HOUR_S
        };
        !spoken.iter().any(cut)
    }

    /// When something is due. Unit: seconds since the Unix epoch.
    fn next_s(&self) -> Option<i64> {
        let record_s = self.records.front().map(|(_, record)| record.time_s);
        let flow_s = self.flows.front().map(|(_, flow)| flow.start_s);
        let gap_s = self.gaps.front().map(|(_, gap)| gap.start_s);
        record_s.into_iter().chain(flow_s).chain(gap_s).min()
    }
}

impl Life for Telling {
    fn step(&mut self, now_s: i64, stage: &mut Stage<'_>) -> Option<i64> {
        if let Some((silence, vpc)) = self.silence.take() {
            stage.post.fall_silent(vpc, silence);
        }
        while self.records.front().is_some_and(|(_, record)| record.time_s <= now_s) {
            let (account, record) = self.records.pop_front()?;
            stage.post.record(account, record);
        }
        while self.flows.front().is_some_and(|(_, flow)| flow.start_s <= now_s) {
            let (vpc, flow) = self.flows.pop_front()?;
            stage.post.flow(vpc, flow);
        }
        while self.gaps.front().is_some_and(|(_, gap)| gap.start_s <= now_s) {
            let ((vpc, host), gap) = self.gaps.pop_front()?;
            stage.post.skipped(vpc, host, (gap.start_s, gap.end_s));
        }
        self.next_s()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::organisation::Size;
    use crate::story::{STORIES, named};

    const SIZE: Size =
        Size { accounts: 2, people: 60, machines: 6, pipelines: 4, agents: 0, vpcs: 1 };
    /// Thursday 2026-03-05. Unit: seconds since the Unix epoch.
    const START_S: i64 = 1_772_668_800;
    const DAYS: i64 = 21;

    fn time_s(iso: &str) -> i64 {
        iso.parse::<jiff::Timestamp>().unwrap().as_second()
    }

    /// Stories with the person they are about.
    fn told_of_people(seed: u64) -> Vec<(&'static Story, usize, (i64, i64))> {
        let of = Organisation::new(seed, SIZE, (START_S, DAYS));
        let truth = schedule(&of, DAYS, &STORIES).truth;
        let about = truth.stories.iter().filter_map(|told| {
            let name = told.entity.rsplit('/').next()?;
            let is_it = |mail: &str| mail == name || mail.split('@').next() == Some(name);
            let number = of.people.iter().position(|person| is_it(&person.mail))?;
            Some((named(&told.name)?, number, (time_s(&told.first), time_s(&told.last))))
        });
        about.collect()
    }

    #[test]
    fn work_is_done_on_days_on_which_they_work() {
        let mut seen = 0;
        for seed in 1..=12 {
            let of = Organisation::new(seed, SIZE, (START_S, DAYS));
            for (story, number, (first_s, _)) in told_of_people(seed) {
                if story.hours != Hours::Work {
                    continue;
                }
                let (city, _) = of.people[number].city_at(first_s).unwrap();
                let local_s = first_s + city.zone.offset_s(first_s);
                let date_s = local_s - local_s.rem_euclid(DAY_S);
                assert_eq!(of.at_work(number, date_s), Some(city), "{} of {seed}", story.name);
                assert!((9..14).contains(&city.zone.hour(first_s)), "{} of {seed}", story.name);
                seen += 1;
            }
        }
        assert!(seen > 40, "{seen} stories");
    }

    #[test]
    fn who_travels_in_a_story_is_nowhere_else() {
        let mut seen = 0;
        for seed in 1..=12 {
            let of = Organisation::new(seed, SIZE, (START_S, DAYS));
            for (story, number, (first_s, last_s)) in told_of_people(seed) {
                if story.hours != Hours::Leaving {
                    continue;
                }
                let away = (first_s - 3 * HOUR_S, last_s);
                assert!(is_quiet(&of, number, away), "{} of {seed}", of.people[number].mail);
                seen += 1;
            }
        }
        assert!(seen >= 10, "{seen} journeys");
    }
}
