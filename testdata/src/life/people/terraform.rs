//! Terraform from a laptop: a plan reads what there is, 20 to 200 calls in 10 to 30 seconds, and
//! now and then an apply changes some of it.

use super::things::Dealt;
use super::{Desk, entry, tasks};
use crate::aws::api::{At, denied, ec2, iam, network, s3, sts, systems};
use crate::aws::caller::Caller;
use crate::clock::MINUTE_S;
use crate::life::{Life, Stage};
use crate::organisation::Team;
use crate::rng::Rng;
use tasks::Tell;

/// Calls of a run: median, deviation of the logarithm, range.
const CALLS: (f64, f64, (i64, i64)) = (70.0, 0.6, (20, 200));
/// How long a run takes. Unit: seconds.
const RUN_S: (i64, i64) = (10, 30);
/// A call is throttled once in so many.
const THROTTLED_ONE_IN: u64 = 60;
/// An apply changes something with one call in so many.
const CHANGE_ONE_IN: u64 = 7;

/// What a plan reads.
const READS: [Tell; 8] = [
    |at, of, rng| ec2::describe_instance(at, of.instance, rng),
    |at, of, rng| network::describe_security_group(at, of.security_group, rng),
    |at, of, rng| iam::get_role(at, of.role, rng),
    |at, of, rng| iam::list_attached_role_policies(at, of.role, rng),
    |at, of, rng| iam::list_role_policies(at, of.role, rng),
    |at, of, rng| systems::describe_services(at, "main", of.service, rng),
    |at, of, rng| s3::get_bucket_acl(at, of.bucket, rng),
    |at, of, rng| ec2::describe_instance_attribute(at, of.instance, "userData", rng),
];

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
        let applies = self.left == 1 && rng.one_in(2);
        let lasts_s = rng.between(RUN_S.0, RUN_S.1);
        let mut at = At { time_s: now_s, region: account.home, account: &account.id };
        stage.call(number, caller, sts::get_caller_identity(at, rng), rng);
        for _ in 0..rng.log_normal_between(CALLS.0, CALLS.1, CALLS.2) - 1 {
            at.time_s = now_s + rng.between(0, lasts_s);
            let dealt = Dealt::new(organisation, number, rng);
            let changes = tasks::changes(Team::Platform);
            let tells = if applies && rng.one_in(CHANGE_ONE_IN) { changes } else { &READS[..] };
            let Some(tell) = rng.pick(tells) else { continue };
            let call = tell(at, &dealt.things(), rng);
            let call = if rng.one_in(THROTTLED_ONE_IN) { denied::throttled(call) } else { call };
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
