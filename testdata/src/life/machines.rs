//! Fleets, functions and services: units of work all day, more of it by day than by night.

use super::{Life, Stage, Start};
use crate::aws::call::{Call, Encryption, Transfer};
use crate::aws::caller::{Caller, Session};
use crate::clock::HOUR_S;
use crate::organisation::{Machine, Organisation, part};
use crate::places;
use crate::rng::Rng;

/// What every machine of `organisation` begins on `day`.
pub(super) fn day(organisation: &Organisation, day: i64) -> Vec<Start> {
    let machines = organisation.machines.iter().enumerate();
    machines
        .filter(|(_, machine)| day >= machine.deployed_day)
        .map(|(number, machine)| {
            let mut rng = organisation.rng(part::MACHINE, number, day);
            let midnight_s = organisation.midnight(day);
            let wait_s = wait(machine, midnight_s, &mut rng);
            let work = Work { machine: number, rng, end_s: organisation.midnight(day + 1) };
            Start { at_s: midnight_s + wait_s, life: Box::new(work) }
        })
        .collect()
}

struct Work {
    machine: usize,
    rng: Rng,
    end_s: i64,
}

impl Life for Work {
    fn step(&mut self, now_s: i64, stage: &mut Stage<'_>) -> Option<i64> {
        let organisation = stage.organisation;
        let machine = organisation.machines.get(self.machine)?;
        let account = organisation.accounts.get(machine.account)?;
        let region = account.home;
        let session = Session { name: "i-0123456789abcdef0", key: "ASIAEXAMPLE", since_s: now_s };
        let identity = machine.role.session(session, &[]);
        let address = places::of_region(region).address(&mut self.rng).to_string();
        let caller = Caller::new(identity, &address, "aws-sdk-rust/1.3.11");
        let bucket = machine.buckets.first().and_then(|&index| account.buckets.get(index))?;
        let moved = Transfer { in_bytes: 0, out_bytes: 1, encryption: Encryption::Default };
        let call = Call::new(now_s, region, "s3", "GetObject").on_object(
            &account.id,
            (bucket, "key"),
            moved,
            &mut self.rng,
        );
        stage.call(machine.account, &caller, call, &mut self.rng);
        let next_s = now_s + wait(machine, now_s, &mut self.rng);
        (next_s < self.end_s).then_some(next_s)
    }
}

/// Until the next unit of work; by night twice as long as by day.
fn wait(machine: &Machine, now_s: i64, rng: &mut Rng) -> i64 {
    let hour = now_s.rem_euclid(24 * HOUR_S) / HOUR_S;
    let pace = if (7..19).contains(&hour) { 1.3 } else { 0.7 };
    let mean_s = 3_600.0 / (machine.work_an_hour * pace);
    #[expect(clippy::cast_possible_truncation, reason = "at most a few days")]
    let wait_s = rng.exponential(mean_s).min(1e6) as i64;
    wait_s.max(1)
}
