//! Whom stories of a plan happen to, and when.

use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::net::IpAddr;

use super::{Hours, Packets, Story, Victim, VictimKind};
use crate::aws::call::Record;
use crate::aws::flow::Flow;
use crate::clock::HOUR_S;
use crate::life::{Life, Stage};
use crate::organisation::{Host, HostKind, Organisation, part};
use crate::rng::Rng;
use crate::truth::Truth;

/// What a plan's stories come to: lives that hand over records and flows, and the truth.
pub(crate) struct Schedule {
    pub(crate) tellings: Vec<Telling>,
    pub(crate) truth: Truth,
}

/// Tells every story of somebody of the right kind, never twice of the same. One for which nobody
/// is left is left out.
pub(crate) fn schedule(of: &Organisation, days: i64, stories: &[&'static Story]) -> Schedule {
    let mut taken = BTreeSet::new();
    let mut made = Schedule { tellings: Vec::new(), truth: Truth::default() };
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
        let mut flows: Vec<_> = told.flows.iter().flat_map(|flow| hosted(of, flow)).collect();
        flows.sort_by_key(|(_, flow)| flow.start_s);
        if !(records.is_empty() && flows.is_empty()) {
            made.tellings.push(Telling { records, flows: flows.into() });
        }
        made.truth.stories.push(told.truth);
    }
    made
}

/// A flow with its VPC, at the host whose interface it names; and what the NAT gateway sees of it,
/// where the host has no other way to the internet.
fn hosted(of: &Organisation, flow: &Packets) -> Vec<(usize, Flow<u16>)> {
    let mut vpcs = of.vpcs.iter().enumerate();
    let Some((number, vpc, host)) =
        vpcs.find_map(|(number, vpc)| Some((number, vpc, vpc.host(&flow.interface)?)))
    else {
        return Vec::new();
    };
    let mut flows = vec![flow.at(host)];
    let at = vpc.hosts.get(usize::from(host));
    let nat = vpc.hosts.iter().zip(0..).find(|(host, _)| host.kind == HostKind::Nat);
    if let (Some(at), Some((nat, gate))) = (at, nat)
        && !at.is_public()
    {
        flows.extend(through_nat(flow, at.address.into(), (gate, nat.address.into())));
    }
    flows.into_iter().map(|flow| (number, flow)).collect()
}

/// The two rows that a NAT gateway writes of a flow between `own` and the internet.
fn through_nat(flow: &Packets, own: IpAddr, (gate, gateway): (u16, IpAddr)) -> Vec<Flow<u16>> {
    let leaves = flow.from.0 == own;
    let (near, far) = if leaves { (flow.from, flow.to) } else { (flow.to, flow.from) };
    let is_public = |address| matches!(address, IpAddr::V4(address) if !address.is_private());
    if !is_public(far.0) {
        return Vec::new();
    }
    // The gateway's own port is the same on both ways.
    let lot = Rng::for_part(u64::from(near.1), &[u64::from(far.1)]).between(1_024, 65_535);
    let port = u16::try_from(lot).unwrap_or(near.1);
    let way = |near, far, beyond| {
        let (from, to) = if leaves { (near, far) } else { (far, near) };
        Flow { from, to, beyond, ..flow.at(gate) }
    };
    vec![way(near, (gateway, far.1), Some(far.0)), way((gateway, port), far, None)]
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
        VictimKind::Machine | VictimKind::Program => (1, of.machines.len()),
        VictimKind::Pipeline => (2, of.pipelines.len()),
        VictimKind::Interface => (3, of.vpcs.iter().map(|vpc| vpc.hosts.len()).sum()),
    };
    let is_here = |index: usize| match kind {
        VictimKind::Person => of.people.get(index).is_some_and(|person| {
            person.is_here(day) && person.is_here(day + 3) && person.is_here(0)
        }),
        VictimKind::Machine | VictimKind::Program => {
            of.machines.get(index).is_some_and(|machine| machine.deployed_day <= 0)
        }
        VictimKind::Pipeline => true,
        VictimKind::Interface => {
            let mut hosts = of.vpcs.iter().flat_map(|vpc| &vpc.hosts);
            hosts.nth(index).is_some_and(Host::is_instance)
        }
    };
    let mut free: Vec<usize> =
        (0..n).filter(|&index| !taken.contains(&(lot, index)) && is_here(index)).collect();
    let index = free.get(rng.rank(free.len())).copied().or_else(|| free.pop())?;
    taken.insert((lot, index));
    match kind {
        VictimKind::Person => Victim::person(of, index, day),
        VictimKind::Machine | VictimKind::Program => Victim::machine(of, index, day),
        VictimKind::Pipeline => Victim::pipeline(of, index, day),
        VictimKind::Interface => Victim::interface(of, index, day),
    }
}

/// A story that was told, as it goes into the logs.
pub(crate) struct Telling {
    records: VecDeque<(usize, Record)>,
    flows: VecDeque<(usize, Flow<u16>)>,
}

impl Telling {
    /// When it begins. Unit: seconds since the Unix epoch.
    pub(crate) fn begins_s(&self) -> i64 {
        self.next_s().unwrap_or(0)
    }

    /// When something is due. Unit: seconds since the Unix epoch.
    fn next_s(&self) -> Option<i64> {
        let record_s = self.records.front().map(|(_, record)| record.time_s);
        let flow_s = self.flows.front().map(|(_, flow)| flow.start_s);
        record_s.into_iter().chain(flow_s).min()
    }
}

impl Life for Telling {
    fn step(&mut self, now_s: i64, stage: &mut Stage<'_>) -> Option<i64> {
        while self.records.front().is_some_and(|(_, record)| record.time_s <= now_s) {
            let (account, record) = self.records.pop_front()?;
            stage.post.record(account, record);
        }
        while self.flows.front().is_some_and(|(_, flow)| flow.start_s <= now_s) {
            let (vpc, flow) = self.flows.pop_front()?;
            stage.post.flow(vpc, flow);
        }
        self.next_s()
    }
}
