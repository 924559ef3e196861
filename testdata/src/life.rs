//! What happens on ordinary days: everybody and everything makes the calls that are theirs.
//!
//! A *life* is something that goes on for a while: a console session, a pipeline's run, a function
//! that works every few minutes. It makes some calls, says when it goes on, and draws from a
//! generator of its own, so that what one does changes nothing for the others.

mod agents;
mod credentials;
pub(crate) mod instance;
mod machines;
mod network;
mod people;
pub(crate) mod pipelines;
mod scaling;
mod services;
pub(crate) mod terraform;

pub(crate) use people::is_quiet;

use crate::aws::call::Call;
use crate::aws::caller::Caller;
use crate::organisation::Organisation;
use crate::post::Post;
use crate::rng::Rng;

/// Something that goes on for a while.
pub trait Life {
    /// Makes the calls that are due at `now_s`, none of them dated before it, and answers when it
    /// goes on, later than `now_s`; `None` at its end. Unit: seconds since the Unix epoch.
    fn step(&mut self, now_s: i64, stage: &mut Stage<'_>) -> Option<i64>;
}

/// A life, and when it begins.
pub struct Start {
    /// Unit: seconds since the Unix epoch.
    pub at_s: i64,
    /// What begins.
    pub life: Box<dyn Life>,
}

/// Where lives are lived: the organisation, and the way to its logs.
pub struct Stage<'a> {
    /// Who there is.
    pub organisation: &'a Organisation,
    /// What takes records and flows.
    pub post: Post<'a>,
}

impl Stage<'_> {
    /// Makes a call in an account, and answers the id of its record.
    pub fn call(&mut self, account: usize, caller: &Caller, call: Call, rng: &mut Rng) -> String {
        let Some(of) = self.organisation.accounts.get(account) else { return String::new() };
        let record = call.record(caller, &of.id, rng);
        let id = record.id.clone();
        self.post.record(account, record);
        id
    }
}

/// Everything that begins on `day`, counted from 0.
pub fn day(organisation: &Organisation, day: i64) -> Vec<Start> {
    let mut starts = services::day(organisation, day);
    starts.extend(scaling::day(organisation, day));
    starts.extend(machines::day(organisation, day));
    starts.extend(agents::day(organisation, day));
    starts.extend(pipelines::day(organisation, day));
    starts.extend(people::day(organisation, day));
    starts.extend(network::day(organisation, day));
    starts.sort_by_key(|start| start.at_s);
    starts
}
