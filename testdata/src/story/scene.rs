//! A story while it is told: a clock that goes on, and calls made in the order they are written.

use super::tools::{self, Guise};
use super::{Silence, Story, Told, Victim};
use crate::aws::api::At;
use crate::aws::api::denied::{Because, denied};
use crate::aws::call::{Call, Record};
use crate::aws::caller::Caller;
use crate::aws::flow::{Flow, Gap};
use crate::clock::{DAY_S, iso};
use crate::rng::Rng;
use crate::truth::{Account, Step};

/// One way of one connection, at an interface of the organisation or the user's own.
pub type Packets = Flow<String>;

/// What is usual is told of so many days before a story. Unit: days.
pub(super) const HABIT_DAYS_MAX: i64 = 30;

/// A story while it is told.
pub struct Scene<'a> {
    /// Whom it happens to.
    pub victim: &'a Victim,
    /// From when on ordinary life may be told. Unit: seconds since the Unix epoch.
    pub known_since_s: i64,
    /// When it begins. Unit: seconds since the Unix epoch.
    pub start_s: i64,
    /// The time it is. Unit: seconds since the Unix epoch.
    pub now_s: i64,
    /// Draws for this story alone.
    pub rng: Rng,
    /// How much slower than the fastest it is done, at least 1.
    pub tempo: i64,
    /// Connections that were opened.
    pub(super) n_opened: u64,
    records: Vec<(String, Record)>,
    flows: Vec<Packets>,
    steps: Vec<Step>,
    silence: Option<Silence>,
    gaps: Vec<Gap>,
}

impl<'a> Scene<'a> {
    /// Nothing has happened yet.
    pub(super) fn new(
        victim: &'a Victim,
        (known_since_s, start_s): (i64, i64),
        mut rng: Rng,
    ) -> Self {
        let tempo = rng.pick(&[1, 1, 2, 5]).copied().unwrap_or(1);
        let (records, flows, steps) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            victim,
            known_since_s,
            start_s,
            now_s: start_s,
            rng,
            tempo,
            n_opened: 0,
            records,
            flows,
            steps,
            silence: None,
            gaps: Vec::new(),
        }
    }

    /// From here on, what happens belongs to this step of the victim's identity. What comes before the first one is
    /// ordinary life, and no part of the truth.
    pub(super) fn step(&mut self, name: &'static str, technique: &'static str) {
        self.step_of(name, technique, &self.victim.entity());
    }

    /// The same of somebody else.
    pub(super) fn step_of(&mut self, name: &'static str, technique: &'static str, entity: &str) {
        self.steps.push(Step::new(name, technique, entity));
    }

    /// Time passes: this long in a hurry, longer by tempo. Unit: seconds.
    pub(super) fn wait(&mut self, least_s: i64, most_s: i64) {
        self.now_s += self.rng.between(least_s, most_s) * self.tempo;
    }

    /// An intruder as the logs see one.
    pub(super) fn guise(&mut self) -> Guise {
        tools::guise(&self.victim.address, &self.victim.agent, &mut self.rng)
    }

    /// A call in the victim's account that belongs to the last step.
    pub(super) fn call(&mut self, caller: &Caller, call: Call) {
        self.call_in(&self.victim.account.clone(), caller, call);
    }

    /// A call in another account.
    pub(super) fn call_in(&mut self, account: &str, caller: &Caller, call: Call) {
        let record = call.record(caller, account, &mut self.rng);
        if let Some(step) = self.steps.last_mut() {
            step.event(record.time_s, record.id.clone());
        }
        self.records.push((account.to_owned(), record));
    }

    /// A call of ordinary life: it is no part of the truth.
    pub(super) fn ordinary(&mut self, caller: &Caller, call: Call) {
        let record = call.record(caller, &self.victim.account, &mut self.rng);
        self.records.push((self.victim.account.clone(), record));
    }

    /// Now, in the victim's account and region.
    pub(super) fn at(&self) -> At<'a> {
        let Victim { account, region, .. } = self.victim;
        At { time_s: self.now_s, region, account }
    }

    /// A call now, in the victim's account and region, that belongs to the last step.
    pub(super) fn make(&mut self, caller: &Caller, call: impl FnOnce(At<'_>, &mut Rng) -> Call) {
        let call = call(self.at(), &mut self.rng);
        self.call(caller, call);
    }

    /// The same in another region.
    pub(super) fn make_in(
        &mut self,
        region: &'static str,
        caller: &Caller,
        call: impl FnOnce(At<'_>, &mut Rng) -> Call,
    ) {
        let at = At { region, ..self.at() };
        let call = call(at, &mut self.rng);
        self.call(caller, call);
    }

    /// One that is refused for want of a permission.
    pub(super) fn make_in_vain(
        &mut self,
        caller: &Caller,
        call: impl FnOnce(At<'_>, &mut Rng) -> Call,
    ) {
        let call = call(self.at(), &mut self.rng);
        let call = denied(call, caller, None, Because::NothingAllows, &mut self.rng);
        self.call(caller, call);
    }

    /// A flow that belongs to the last step, with what a NAT gateway sees of it.
    pub(super) fn flow(&mut self, packets: Packets) {
        let at = self.victim.interface.as_ref();
        let mut rows = at.map(|at| at.through_nat(&packets)).unwrap_or_default();
        rows.insert(0, packets);
        if let Some(step) = self.steps.last_mut() {
            for row in &rows {
                step.flow(row);
            }
        }
        self.flows.append(&mut rows);
    }

    /// Flows of the last step between an interface and somebody who comes from outside: no NAT gateway sees them.
    pub(super) fn arrival(&mut self, flows: Vec<Packets>) {
        if let Some(step) = self.steps.last_mut() {
            for flow in &flows {
                step.flow(flow);
            }
        }
        self.flows.extend(flows);
    }

    /// Does the same on every day, at about this hour, up to this one, which `each` is told: it begins the first step.
    /// What was done before is why it is usual.
    pub(super) fn daily(&mut self, mut each: impl FnMut(&mut Self, bool)) {
        let today_s = self.now_s;
        let first_s = self.known_since_s.max(today_s - HABIT_DAYS_MAX * DAY_S);
        for back in (0..=(today_s - first_s) / DAY_S).rev() {
            self.now_s = today_s - back * DAY_S + self.rng.between(0, 900);
            each(self, back == 0);
        }
    }

    /// For so long flows of the interface are lost, and its log says so. Unit: seconds.
    pub(super) fn lose(&mut self, lasts_s: i64) {
        let gap = Gap { start_s: self.now_s, end_s: self.now_s + lasts_s - 1, is_skipped: true };
        if let Some(step) = self.steps.last_mut() {
            step.span(gap.start_s, gap.end_s);
        }
        self.gaps.push(gap);
        self.now_s += lasts_s;
    }

    /// From now on the flow log of the victim writes nothing, until `until_s`, when another one begins.
    pub(super) fn fall_silent(&mut self, until_s: i64, renewed: &str) {
        self.silence = Some(Silence { from_s: self.now_s, until_s, renewed: renewed.to_owned() });
    }

    pub(super) fn finish(self, story: &Story) -> Told {
        let Self { mut records, mut flows, mut steps, silence, gaps, .. } = self;
        records.sort_by_key(|(_, record)| record.time_s);
        flows.sort_by_key(|flow| flow.end_s);
        steps.retain(|step| !step.first.is_empty());
        steps.sort_by(|one, other| one.first.cmp(&other.first));
        let first = steps.first().map_or_else(|| iso(self.start_s), |step| step.first.clone());
        let victim = || self.victim.entity();
        let entity = steps.first().map_or_else(victim, |step| step.entity.clone());
        let last = steps.iter().map(|step| step.last.clone()).max().unwrap_or_default();
        let truth = Account {
            name: story.name.to_owned(),
            is_harmless: story.is_harmless,
            entity,
            first,
            last,
            steps,
        };
        Told { truth, records, flows, silence, gaps }
    }
}
