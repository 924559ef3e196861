//! Fleets, functions and services: units of work all day, more of it by day than by night, and
//! once a month a batch.

use super::{Life, Stage, Start, credentials};
use crate::aws::call::{Call, Encryption, Transfer};
use crate::aws::caller::{Caller, Endpoint, Session};
use crate::clock::{DAY_S, HOUR_S, folder};
use crate::json::Json;
use crate::object;
use crate::organisation::{Account, Kind, Machine, Organisation, part};
use crate::places;
use crate::rng::Rng;

/// Credentials are fetched anew after this. Unit: seconds.
const KEY_LIFE_S: i64 = 6 * HOUR_S;
/// Instances that are always there are replaced after this. Unit: days.
const INSTANCE_LIFE_DAYS: i64 = 17;
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
struct Running {
    caller: Caller,
    since_s: i64,
}

impl Life for Work {
    fn step(&mut self, now_s: i64, stage: &mut Stage<'_>) -> Option<i64> {
        let organisation = stage.organisation;
        let machine = organisation.machines.get(self.machine)?;
        let account = organisation.accounts.get(machine.account)?;
        let caller = self.caller(now_s, (machine, account), stage);
        let next_s = match self.pace {
            Pace::Usual => {
                self.unit(now_s, (machine, account), &caller, stage);
                now_s + wait(machine, now_s, &mut self.rng)
            }
            Pace::Batch => {
                for _ in 0..self.rng.between(2, 8) {
                    self.transfer(now_s, (machine, account), &caller, stage);
                }
                now_s + self.rng.between(4, 20)
            }
        };
        (next_s < self.end_s).then_some(next_s)
    }
}

impl Work {
    /// One of those that run now, with credentials that are still good.
    fn caller(
        &mut self,
        now_s: i64,
        (machine, account): (&Machine, &Account),
        stage: &mut Stage<'_>,
    ) -> Caller {
        let n_by_day = if is_day(now_s) { machine.n_instances * 2 } else { machine.n_instances };
        let slot = usize::try_from(self.rng.below(u64::from(n_by_day))).unwrap_or(0);
        if self.running.len() <= slot {
            self.running.resize_with(slot + 1, || None);
        }
        let good = |running: &&Running| now_s - running.since_s < KEY_LIFE_S;
        let kept = self.running.get(slot).and_then(Option::as_ref).filter(good);
        if let Some(running) = kept {
            return running.caller.clone();
        }
        let caller = self.start(slot, now_s, (machine, account), stage);
        if let Some(place) = self.running.get_mut(slot) {
            *place = Some(Running { caller: caller.clone(), since_s: now_s });
        }
        caller
    }

    /// Fetches credentials, and does what machines do once they have some.
    fn start(
        &mut self,
        slot: usize,
        now_s: i64,
        (machine, account): (&Machine, &Account),
        stage: &mut Stage<'_>,
    ) -> Caller {
        let instance = Instance::new(stage.organisation, (self.machine, self.day), slot);
        let at = (machine.account, account.home);
        let service = match machine.kind {
            Kind::Fleet => "ec2.amazonaws.com",
            Kind::Function => "lambda.amazonaws.com",
            Kind::Service => "ecs-tasks.amazonaws.com",
        };
        let name = instance.session_name(machine);
        let who = (&machine.role, name.as_str());
        let key = credentials::fetch(stage, at, service, who, (now_s, &mut self.rng));
        let caller = instance.caller(machine, account, (&name, &key, now_s));
        if machine.kind == Kind::Function {
            self.open_log(now_s, (machine, account), &caller, stage);
        }
        self.read_secret(now_s, (machine, account), &caller, stage);
        caller
    }

    fn open_log(
        &mut self,
        now_s: i64,
        (machine, account): (&Machine, &Account),
        caller: &Caller,
        stage: &mut Stage<'_>,
    ) {
        let stream = format!("{}/[$LATEST]{}", folder(now_s), self.rng.hex(32));
        let call = Call::new(now_s, account.home, "logs", "CreateLogStream").asking(object! {
            "logStreamName": stream, "logGroupName": format!("/aws/lambda/{}", machine.name),
        });
        stage.call(machine.account, caller, call, &mut self.rng);
    }

    fn read_secret(
        &mut self,
        now_s: i64,
        (machine, account): (&Machine, &Account),
        caller: &Caller,
        stage: &mut Stage<'_>,
    ) {
        let Some(secret) = account.secrets.get(machine.secret) else { return };
        let arn = format!("arn:aws:secretsmanager:{}:{}:secret:{secret}", account.home, account.id);
        let call = Call::new(now_s, account.home, "secretsmanager", "GetSecretValue")
            .asking(object! { "secretId": &arn });
        stage.call(machine.account, caller, call, &mut self.rng);
        let Some(key) = account.keys.get(machine.secret % account.keys.len().max(1)) else {
            return;
        };
        let call = Call::new(now_s, account.home, "kms", "Decrypt")
            .asking(object! {
                "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
                "encryptionContext": object! {
                    "SecretARN": &arn, "SecretVersionId": self.rng.uuid(),
                },
            })
            .touching(object! {
                "accountId": &account.id, "type": "AWS::KMS::Key", "ARN": key,
            });
        let service = "secretsmanager.amazonaws.com";
        stage.call(machine.account, &caller.moved(service, service), call, &mut self.rng);
    }

    /// What the machine is there for.
    fn unit(
        &mut self,
        now_s: i64,
        who: (&Machine, &Account),
        caller: &Caller,
        stage: &mut Stage<'_>,
    ) {
        let (machine, _) = who;
        if self.rng.one_in(60) {
            self.read_secret(now_s, who, caller, stage);
        }
        let n = match machine.kind {
            Kind::Function => 1,
            Kind::Fleet | Kind::Service => self.rng.between(1, 4),
        };
        for _ in 0..n {
            self.transfer(now_s, who, caller, stage);
        }
    }

    /// Reads or writes one object.
    fn transfer(
        &mut self,
        now_s: i64,
        (machine, account): (&Machine, &Account),
        caller: &Caller,
        stage: &mut Stage<'_>,
    ) {
        let rng = &mut self.rng;
        let nth = rng.rank(machine.buckets.len());
        let bucket = machine.buckets.get(nth).and_then(|&index| account.buckets.get(index));
        let Some(bucket) = bucket else { return };
        let bytes = rng.log_normal_between(48_000.0, 1.9, (40, 5_000_000_000));
        let number = rng.between(100_000, 9_999_999);
        let (name, moved, place) = match rng.below(100) {
            0..=61 => ("GetObject", (0, bytes), "inbox"),
            62..=88 => ("PutObject", (bytes, 0), "done"),
            89..=92 => ("HeadObject", (0, 0), "inbox"),
            93..=96 => ("DeleteObject", (0, 0), "inbox"),
            _ => ("ListObjects", (0, 2_400), ""),
        };
        let call = Call::new(now_s, account.home, "s3", name);
        if name == "ListObjects" {
            let call = call
                .asking(object! {
                    "list-type": "2", "bucketName": bucket, "prefix": format!("{}/", machine.name),
                    "Host": format!("{bucket}.s3.{}.amazonaws.com", account.home),
                })
                .on_bucket(&account.id, bucket, rng)
                .of(crate::aws::call::Kind::Data);
            stage.call(machine.account, caller, call, rng);
            return;
        }
        let key = format!("{}/{place}/{}/{number:07}.json", machine.name, folder(now_s));
        let encryption = match name {
            "GetObject" | "PutObject" => Encryption::Default,
            _ => Encryption::None,
        };
        let call = if name == "PutObject" {
            call.answered(object! { "x-amz-server-side-encryption": "AES256" })
        } else {
            call
        };
        let moved = Transfer { in_bytes: moved.0, out_bytes: moved.1, encryption };
        let mut call = call.on_object(&account.id, (bucket, &key), moved, rng);
        if name == "GetObject" && rng.one_in(150) {
            call = call.refused("NoSuchKey", "The specified key does not exist.");
        }
        stage.call(machine.account, caller, call, rng);
    }
}

/// What lasts of one of several: its id and its address.
struct Instance {
    id: u64,
    rng: Rng,
}

impl Instance {
    /// Those above the usual number come and go each day; the others stay for some weeks.
    fn new(organisation: &Organisation, (machine, day): (usize, i64), slot: usize) -> Self {
        let usual = organisation.machines.get(machine).map_or(1, |of| of.n_instances as usize);
        let life = if slot < usual { INSTANCE_LIFE_DAYS } else { 1 };
        // Not all are replaced on one day.
        let phase = i64::try_from(machine + slot).unwrap_or(0) % life;
        let age = u64::try_from((day + phase) / life).unwrap_or(0);
        let part = [part::MACHINE, machine as u64, slot as u64, u64::MAX, age];
        let mut rng = Rng::for_part(organisation.seed, &part);
        Self { id: rng.bits(), rng }
    }

    fn session_name(&self, machine: &Machine) -> String {
        let id = self.id;
        match machine.kind {
            Kind::Fleet => format!("i-0{id:016x}"),
            Kind::Function => machine.name.clone(),
            Kind::Service => format!("{id:016x}{:016x}", id.rotate_left(17)),
        }
    }

    fn caller(
        mut self,
        machine: &Machine,
        account: &Account,
        (name, key, since_s): (&str, &str, i64),
    ) -> Caller {
        let session = Session { name, key, since_s };
        let (region, id) = (account.home, &account.id);
        let scope = |kind: &str, what: String| {
            let issued = object! { "issuerType": kind, "credentialsIssuedTo": what };
            ("inScopeOf", issued)
        };
        let identity = match machine.kind {
            Kind::Fleet => machine.role.session(session, &[("ec2RoleDelivery", Json::from("2.0"))]),
            Kind::Function => {
                let arn = format!("arn:aws:lambda:{region}:{id}:function:{}", machine.name);
                machine.role.session(session, &[scope("AWS::Lambda::Function", arn)])
            }
            Kind::Service => machine.role.session(session, &[]),
        };
        let rng = &mut self.rng;
        match machine.role.principal.bytes().last().map(|byte| byte % 3) {
            // Through the VPC's endpoint for S3 and its kind: a private address.
            Some(0) => {
                let address = format!("10.0.{}.{}", rng.below(250), 4 + rng.below(250));
                let endpoint =
                    Endpoint { id: format!("vpce-{}", rng.hex(17)), account: id.clone() };
                Caller::new(identity, &address, agent(machine)).through(endpoint)
            }
            // Behind the NAT gateway of the account: one address for all.
            Some(1) if machine.kind != Kind::Function => {
                let mut shared = Rng::for_part(machine.account as u64, &[part::ACCOUNT]);
                let address = places::of_region(region).address(&mut shared).to_string();
                Caller::new(identity, &address, agent(machine))
            }
            _ => {
                let address = places::of_region(region).address(rng).to_string();
                Caller::new(identity, &address, agent(machine))
            }
        }
    }
}

fn agent(machine: &Machine) -> &'static str {
    let agents = [
        "aws-sdk-rust/1.3.11 ua/2.1 api/s3/1.119.0 os/linux lang/rust/1.92.0",
        "aws-sdk-java/2.39.4 md/io#sync md/http#Apache ua/2.1 os/Linux#6.12.58 lang/java#21.0.9 \
         md/OpenJDK_64-Bit_Server_VM#21.0.9+11-LTS md/vendor#Amazon.com_Inc.",
        "Boto3/1.40.61 md/Botocore#1.40.61 ua/2.1 os/linux#6.1.158 md/arch#x86_64 \
         lang/python#3.13.9 md/pyimpl#CPython cfg/retry-mode#standard Botocore/1.40.61",
        "aws-sdk-go-v2/1.39.6 ua/2.1 os/linux lang/go#1.25.4 md/GOOS#linux md/GOARCH#arm64 \
         api/s3#1.90.0",
    ];
    let pick = machine.name.len() % agents.len();
    agents.get(pick).copied().unwrap_or("aws-sdk-rust/1.3.11")
}

/// Machines follow the people that use them, most of whom are awake then.
fn is_day(now_s: i64) -> bool {
    (7 * HOUR_S..20 * HOUR_S).contains(&now_s.rem_euclid(DAY_S))
}

/// Until the next unit of work.
fn wait(machine: &Machine, now_s: i64, rng: &mut Rng) -> i64 {
    let pace = if is_day(now_s) { 1.3 } else { 0.65 };
    let mean_s = 3_600.0 / (machine.work_an_hour * pace);
    #[expect(clippy::cast_possible_truncation, reason = "at most a few days")]
    let wait_s = rng.exponential(mean_s).min(1e6) as i64;
    wait_s.max(1)
}

fn day_of_month(midnight_s: i64) -> i8 {
    // The last two characters of the folder 2026/03/02.
    folder(midnight_s).get(8..).and_then(|day| day.parse().ok()).unwrap_or(1)
}
