//! Attacks, and harmless things that look like one: stories with known truth.
//!
//! A story is told whole, for one victim from one moment on, and goes into the logs between what
//! everybody else does. Each is a file in `story/`.

use crate::aws::call::{Call, Record};
use crate::aws::caller::Caller;
use crate::aws::flow::Flow;
use crate::json::Json;
use crate::rng::Rng;
use crate::truth::Step;

/// A story that can be told of anybody of the right kind.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    /// Name, for example `codefinger`.
    pub name: &'static str,
    /// What happens, in one line.
    pub about: &'static str,
    /// It looks like an attack and is none.
    pub is_harmless: bool,
    /// Whom it can happen to.
    pub victim: VictimKind,
    /// Tells it.
    pub tell: fn(&mut Scene<'_>),
}

/// Whom a story can happen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VictimKind {
    /// Somebody who signs in.
    Person,
    /// A role of instances, tasks or functions.
    Machine,
    /// A role of a CI pipeline.
    Pipeline,
    /// A network interface.
    Interface,
}

/// Whom it happens to, as the logs know them.
#[derive(Debug, Clone)]
pub struct Victim {
    /// Account id.
    pub account: String,
    /// Where they work.
    pub region: &'static str,
    /// `userIdentity` of their calls.
    pub identity: Json,
    /// `arn` of it, which the truth names; for an interface account and interface id.
    pub entity: String,
    /// Where their calls come from.
    pub address: String,
    /// What they call with.
    pub agent: String,
    /// Buckets they work with.
    pub buckets: Vec<String>,
    /// Names in Secrets Manager of their account.
    pub secrets: Vec<String>,
    /// The bucket and the name of the account's trail.
    pub trail: (String, String),
}

/// A story while it is told.
pub struct Scene<'a> {
    /// Whom it happens to.
    pub victim: &'a Victim,
    /// When it begins. Unit: seconds since the Unix epoch.
    pub start_s: i64,
    /// Draws for this story alone.
    pub rng: Rng,
    /// Records, each with the account it belongs to.
    pub records: Vec<(String, Record)>,
    /// Flows.
    pub flows: Vec<Flow>,
    /// What is true of it.
    pub steps: Vec<Step>,
}

impl Scene<'_> {
    /// A call in the victim's account that belongs to the last step.
    pub fn call(&mut self, caller: &Caller, call: Call) {
        let record = call.record(caller, &self.victim.account, &mut self.rng);
        if let Some(step) = self.steps.last_mut() {
            step.event(record.time_s, record.id.clone());
        }
        self.records.push((self.victim.account.clone(), record));
    }
}
