//! Fleets, functions and services: units of work all day, more of it by day than by night, and
//! once a month a batch.

use super::credentials::{Fetcher, fetch};
use super::instance::{Instance, is_busy, n_running};
use super::{Life, Stage, Start};
use crate::aws::api::{At, keys, s3, systems};
use crate::aws::call::Call;
use crate::aws::caller::Caller;
use crate::clock::{HOUR_S, folder};
use crate::organisation::{Account, Kind, Machine, Organisation, part};
use crate::rng::Rng;

/// Credentials are fetched anew after this. Unit: seconds.
const KEY_LIFE_S: i64 = 6 * HOUR_S;
/// S3 asks KMS once for so many objects.
const BUCKET_KEY_ONE_IN: u64 = 4;
/// When batches begin, and how long they go on. Unit: seconds.
const BATCH_S: (i64, i64) = (HOUR_S, 3 * HOUR_S);

/// What every machine of `organisation` begins on `day`.
pub(super) fn day(organisation: &Organisation, day: i64) -> Vec<Start> {
    let machines = organisation.machines.iter().enumerate();
    let here = machines.filter(|(_, machine)| day >= machine.deployed_day);
    here.flat_map(|(number, machine)| {
        let mut rng = organisation.rng(part::MACHINE, number, day);
        let midnight_s = organisation.midnight(day);
        let wait_s = wait(machine, midnight_s, &mut rng);
        let batch_rng = Rng::new(rng.bits());
        let work = |rng, end_s, pace| {
            Box::new(Work { machine: number, day, rng, end_s, pace, running: Vec::new() })
        };
        let batch = (machine.batch_day == Some(day_of_month(midnight_s))).then(|| Start {
            at_s: midnight_s + BATCH_S.0,
            life: work(batch_rng, midnight_s + BATCH_S.0 + BATCH_S.1, Pace::Batch),
        });
        let usual = Start {
            at_s: midnight_s + wait_s,
            life: work(rng, organisation.midnight(day + 1), Pace::Usual),
        };
        [Some(usual), batch].into_iter().flatten()
    })
    .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    Usual,
    /// Object after object.
    Batch,
}

/// The units of work of one machine on one day.
struct Work {
    machine: usize,
    day: i64,
    rng: Rng,
    end_s: i64,
    pace: Pace,
    running: Vec<Option<Running>>,
}

/// An instance, a task or an execution environment with its credentials.
#[derive(Clone)]
struct Running {
    caller: Caller,
    /// AWS services that act for it with the same credentials.
    secrets: Caller,
    storage: Caller,
    since_s: i64,
}

/// What a step works with.
struct Hands<'a, 'o> {
    at: At<'o>,
    machine: &'o Machine,
    account: &'o Account,
    stage: &'a mut Stage<'o>,
}

impl Hands<'_, '_> {
    fn call(&mut self, caller: &Caller, call: Call, rng: &mut Rng) {
        self.stage.call(self.machine.account, caller, call, rng);
    }
}

impl Life for Work {
    fn step(&mut self, now_s: i64, stage: &mut Stage<'_>) -> Option<i64> {
        let organisation = stage.organisation;
        let machine = organisation.machines.get(self.machine)?;
        let account = organisation.accounts.get(machine.account)?;
        let at = At { time_s: now_s, region: account.home, account: &account.id };
        let mut hands = Hands { at, machine, account, stage };
        let running = self.running(&mut hands)?;
        let next_s = match self.pace {
            Pace::Usual => {
                self.unit(&running, &mut hands);
                now_s + wait(machine, now_s, &mut self.rng)
            }
            Pace::Batch => {
                for _ in 0..self.rng.between(2, 8) {
                    self.transfer(&running, &mut hands);
                }
                now_s + self.rng.between(4, 20)
            }
        };
        (next_s < self.end_s).then_some(next_s)
    }
}

impl Work {
    /// One of those that run now, with credentials that are still good.
    fn running(&mut self, hands: &mut Hands<'_, '_>) -> Option<Running> {
        let now_s = hands.at.time_s;
        let n = n_running(hands.machine, now_s);
        let slot = usize::try_from(self.rng.below(n as u64)).unwrap_or(0);
        if self.running.len() <= slot {
            self.running.resize_with(slot + 1, || None);
        }
        let place = self.running.get(slot).and_then(Option::as_ref);
        if let Some(kept) = place.filter(|running| now_s - running.since_s < KEY_LIFE_S) {
            return Some(kept.clone());
        }
        let running = self.start(slot, hands)?;
        if let Some(place) = self.running.get_mut(slot) {
            *place = Some(running.clone());
        }
        Some(running)
    }

    /// Fetches credentials, and does what machines do once they have some.
    fn start(&mut self, slot: usize, hands: &mut Hands<'_, '_>) -> Option<Running> {
        let organisation = hands.stage.organisation;
        let instance = Instance::new(organisation, (self.machine, self.day), slot)?;
        let (machine, since_s) = (hands.machine, hands.at.time_s);
        let service = match machine.kind {
            Kind::Fleet => "ec2.amazonaws.com",
            Kind::Function => "lambda.amazonaws.com",
            Kind::Service => "ecs-tasks.amazonaws.com",
        };
        let name = instance.session_name();
        let fetcher = Fetcher::ForMachine(service);
        let who = (&machine.role, name.as_str());
        let key = fetch(hands.stage, machine.account, fetcher, who, (since_s, &mut self.rng));
        let running = Running {
            caller: instance.caller(&key, since_s),
            secrets: instance.through("secretsmanager.amazonaws.com", &key, since_s),
            storage: instance.through("AWS Internal", &key, since_s),
            since_s,
        };
        if machine.kind == Kind::Function {
            let stream = format!("{}/[$LATEST]{}", folder(since_s), self.rng.hex(32));
            let group = format!("/aws/lambda/{}", machine.name);
            let call = systems::create_log_stream(hands.at, group, stream, &mut self.rng);
            hands.call(&running.caller, call, &mut self.rng);
        }
        self.read_secret(&running, hands);
        Some(running)
    }

    fn read_secret(&mut self, running: &Running, hands: &mut Hands<'_, '_>) {
        let (at, rng) = (hands.at, &mut self.rng);
        let Some(secret) = hands.account.secrets.get(hands.machine.secret) else { return };
        let At { region, account, .. } = at;
        let arn = format!("arn:aws:secretsmanager:{region}:{account}:secret:{secret}");
        let call = keys::get_secret_value(at, &arn, rng);
        hands.call(&running.caller, call, rng);
        let version = rng.uuid();
        let nth = hands.machine.secret.checked_rem(hands.account.keys.len()).unwrap_or(0);
        let Some(key) = hands.account.keys.get(nth) else { return };
        let call = keys::decrypt_for_secret(at, key, arn, version, rng);
        hands.call(&running.secrets, call, rng);
    }

    /// What the machine is there for.
    fn unit(&mut self, running: &Running, hands: &mut Hands<'_, '_>) {
        if self.rng.one_in(60) {
            self.read_secret(running, hands);
        }
        let n = match hands.machine.kind {
            Kind::Function => 1,
            Kind::Fleet | Kind::Service => self.rng.between(1, 4),
        };
        for _ in 0..n {
            self.transfer(running, hands);
        }
    }

    /// Reads or writes one object.
    fn transfer(&mut self, running: &Running, hands: &mut Hands<'_, '_>) {
        let Hands { at, machine, account, .. } = *hands;
        let rng = &mut self.rng;
        let nth = rng.rank(machine.buckets.len());
        let Some(&index) = machine.buckets.get(nth) else { return };
        let Some(bucket) = account.buckets.get(index) else { return };
        let bytes = rng.log_normal_between(48_000.0, 1.9, (40, 5_000_000_000));
        let number = rng.between(100_000, 9_999_999);
        let chosen = rng.below(100);
        let place = if (62..=88).contains(&chosen) { "done" } else { "inbox" };
        let key = format!("{}/{place}/{}/{number:07}.json", machine.name, folder(at.time_s));
        let object = (bucket.as_str(), key.as_str());
        let kms_key = account.kms_key(index);
        let call = match (chosen, kms_key) {
            (0..=61, _) if rng.one_in(150) => s3::get_object_in_vain(at, object, rng),
            (0..=61, None) => s3::get_object(at, object, bytes, rng),
            (0..=61, Some(_)) => s3::get_encrypted_object(at, object, bytes, rng),
            (62..=88, None) => s3::put_object(at, object, bytes, rng),
            (62..=88, Some(key)) => s3::put_encrypted_object(at, object, (bytes, key), rng),
            (89..=92, _) => s3::head_object(at, object, rng),
            (93..=96, _) => s3::delete_object(at, object, rng),
            _ => {
                let prefix = format!("{}/", machine.name);
                s3::list_objects(at, (bucket, &prefix), 2_400, rng)
            }
        };
        if let Some(key) = kms_key.filter(|_| call.error.is_none()) {
            let context = format!("arn:aws:s3:::{bucket}");
            let asked = match call.name {
                "GetObject" => Some(keys::decrypt(at, key, context, rng)),
                "PutObject" => Some(keys::generate_data_key(at, key, context, rng)),
                _ => None,
            };
            // S3 keeps a bucket's key for some minutes.
            if let Some(asked) = asked.filter(|_| rng.one_in(BUCKET_KEY_ONE_IN)) {
                hands.call(&running.storage, asked, rng);
            }
        }
        hands.call(&running.caller, call, rng);
    }
}

/// Until the next unit of work.
fn wait(machine: &Machine, now_s: i64, rng: &mut Rng) -> i64 {
    let pace = if is_busy(now_s) { 1.3 } else { 0.65 };
    let mean_s = 3_600.0 / (machine.work_an_hour * pace);
    #[expect(clippy::cast_possible_truncation, reason = "at most a few days")]
    let wait_s = rng.exponential(mean_s).min(1e6) as i64;
    wait_s.max(1)
}

fn day_of_month(midnight_s: i64) -> i8 {
    // The last two characters of the folder 2026/03/02.
    folder(midnight_s).get(8..).and_then(|day| day.parse().ok()).unwrap_or(1)
}
