//! The command line: a command now and then, each a call or a few. Platform and security people
//! go into another account with it.

use super::things::Dealt;
use super::{Desk, entry, tasks};
use crate::aws::api::At;
use crate::aws::api::denied::{self, Because};
use crate::aws::caller::Caller;
use crate::aws::caller::agents;
use crate::life::{Life, Stage};
use crate::rng::Rng;

/// Commands of a session: median, deviation of the logarithm, range.
const COMMANDS: (f64, f64, (i64, i64)) = (9.0, 0.9, (2, 80));
/// From one command to the next: median, deviation of the logarithm, range. Unit: seconds.
const WAIT_S: (f64, f64, (i64, i64)) = (45.0, 1.3, (2, 1_800));
/// A command is refused once in so many.
const REFUSED_ONE_IN: u64 = 80;
/// One session in so many goes into another account.
const ELSEWHERE_ONE_IN: u64 = 4;

/// A session at the command line.
pub(super) struct Shell {
    desk: Desk,
    rng: Rng,
    caller: Option<(usize, Caller)>,
    left_commands: i64,
    goes_elsewhere: bool,
}

impl Shell {
    pub(super) fn new(desk: Desk, mut rng: Rng) -> Self {
        let left_commands = rng.log_normal_between(COMMANDS.0, COMMANDS.1, COMMANDS.2);
        let goes_elsewhere = rng.one_in(ELSEWHERE_ONE_IN);
        Self { desk, rng, caller: None, left_commands, goes_elsewhere }
    }

    fn command(&mut self, now_s: i64, (number, caller): (usize, &Caller), stage: &mut Stage<'_>) {
        let organisation = stage.organisation;
        let commands = tasks::commands(self.desk.team);
        let rng = &mut self.rng;
        let Some((command, tell)) = commands.get(rng.rank(commands.len())) else { return };
        let Some(account) = organisation.accounts.get(number) else { return };
        let Some(person) = organisation.people.get(self.desk.number) else { return };
        let caller = caller.with(&agents::running(person.laptop().command_line, command));
        let dealt = Dealt::new(organisation, number, rng);
        // Long answers come in pages, and `logs tail` asks again and again.
        for page in 0..i64::from(1 + rng.count(0.4)) {
            let at = At { time_s: now_s + page, region: account.home, account: &account.id };
            let call = tell(at, &dealt.things(), rng);
            let call = if rng.one_in(REFUSED_ONE_IN) {
                denied::denied(call, &caller, None, Because::NothingAllows, rng)
            } else {
                call
            };
            stage.call(number, &caller, call, rng);
        }
    }
}

impl Life for Shell {
    fn step(&mut self, now_s: i64, stage: &mut Stage<'_>) -> Option<i64> {
        let address = self.desk.address(now_s, stage.organisation)?;
        let Some((number, caller)) = self.caller.take() else {
            let at = (now_s, address.as_str());
            let (caller, next_s) = entry::on_command_line(&self.desk, stage, at, &mut self.rng)?;
            self.caller = Some((self.desk.account, caller));
            return Some(next_s);
        };
        let mut caller = caller.moved(&address, &caller.agent);
        let mut number = number;
        if self.goes_elsewhere && self.rng.one_in(2) {
            self.goes_elsewhere = false;
            let at = (now_s, &caller);
            let there = entry::into_other_account(&self.desk, stage, at, &mut self.rng);
            (number, caller) = there.unwrap_or((number, caller));
        }
        self.command(now_s, (number, &caller), stage);
        self.caller = Some((number, caller));
        self.left_commands -= 1;
        let wait_s = self.rng.log_normal_between(WAIT_S.0, WAIT_S.1, WAIT_S.2);
        (self.left_commands > 0).then_some(now_s + wait_s)
    }
}
