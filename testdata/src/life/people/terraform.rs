//! Terraform from a laptop: a plan or two, and now and then an apply.

use super::{Desk, entry};
use crate::aws::api::At;
use crate::aws::caller::Caller;
use crate::clock::MINUTE_S;
use crate::life::terraform::{self, Purpose};
use crate::life::{Life, Stage};
use crate::organisation::part;
use crate::rng::Rng;

/// A plan or two, and perhaps an apply.
pub(super) struct Runs {
    desk: Desk,
    rng: Rng,
    caller: Option<Caller>,
    left: u32,
}

impl Runs {
    pub(super) fn new(desk: Desk, mut rng: Rng) -> Self {
        let left = 1 + rng.count(1.2);
        Self { desk, rng, caller: None, left }
    }

    fn run(&mut self, now_s: i64, caller: &Caller, stage: &mut Stage<'_>) {
        let (organisation, number) = (stage.organisation, self.desk.account);
        let Some(account) = organisation.accounts.get(number) else { return };
        let rng = &mut self.rng;
        let purpose = if self.left == 1 && rng.one_in(2) { Purpose::Apply } else { Purpose::Plan };
        // All who may work in an account manage the same part of it.
        let seed = Rng::for_part(organisation.seed, &[part::ACCOUNT, number as u64]).bits();
        let at = At { time_s: now_s, region: account.home, account: &account.id };
        for call in terraform::run(seed, account, at, purpose, rng) {
            stage.call(number, caller, call, rng);
        }
    }
}

impl Life for Runs {
    fn step(&mut self, now_s: i64, stage: &mut Stage<'_>) -> Option<i64> {
        let address = self.desk.address(now_s, stage.organisation)?;
        let Some(caller) = self.caller.take() else {
            let at = (now_s, address.as_str());
            let (caller, next_s) = entry::on_command_line(&self.desk, stage, at, &mut self.rng)?;
            let person = stage.organisation.people.get(self.desk.number)?;
            self.caller = Some(caller.with(person.laptop().terraform));
            return Some(next_s);
        };
        let caller = caller.moved(&address, &caller.agent);
        self.run(now_s, &caller, stage);
        self.caller = Some(caller);
        self.left -= 1;
        let wait_s = self.rng.between(2 * MINUTE_S, 12 * MINUTE_S);
        (self.left > 0).then_some(now_s + wait_s)
    }
}
