//! What Terraform calls: it reads everything it manages, ten things at a time, and changes what is
//! not as it should be. One run has 20 to 200 records within 10 to 30 s, a tenth of them errors, most
//! of these throttled calls that are made again (measured on public traces).

use crate::aws::api::config::SCAN;
use crate::aws::api::denied::{not_found, throttled};
use crate::aws::api::{At, ec2, iam, keys, lambda, network, s3, sts, systems};
use crate::aws::call::Call;
use crate::organisation::Account;
use crate::rng::Rng;

/// Records of one run, fewest and most.
const RECORDS: (usize, usize) = (20, 200);
/// How long one run calls. Unit: seconds.
const RUN_S: (i64, i64) = (10, 30);
/// Of 100 calls so many are throttled at first.
const THROTTLED_OF_100: u64 = 6;
/// Of 1,000 records of a run that changes something so many are writes.
const WRITES_OF_1000: usize = 195;

/// A kind of thing that is managed.
#[derive(Debug, Clone, Copy)]
enum Thing {
    Parameter,
    Role,
    SecurityGroup,
    Network,
    Bucket,
    Function,
    Secret,
    Service,
}

/// How often each is found among those managed.
const THINGS: [Thing; 16] = [
    Thing::Parameter,
    Thing::Parameter,
    Thing::Parameter,
    Thing::Role,
    Thing::Role,
    Thing::Role,
    Thing::SecurityGroup,
    Thing::SecurityGroup,
    Thing::SecurityGroup,
    Thing::Network,
    Thing::Network,
    Thing::Bucket,
    Thing::Function,
    Thing::Function,
    Thing::Secret,
    Thing::Service,
];

/// What a run does with what it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Only reads, to tell what has changed.
    Plan,
    /// Changes it.
    Apply,
}

/// A run from `at` on over what `seed` stands for: its calls in the order of their times.
pub(crate) fn run(
    seed: u64,
    account: &Account,
    at: At<'_>,
    purpose: Purpose,
    rng: &mut Rng,
) -> Vec<Call> {
    let last_s = at.time_s + rng.between(RUN_S.0, RUN_S.1);
    let mut script = Script { at, last_s, calls: Vec::new(), rng };
    script.begin();
    let managed = managed_by(seed, account);
    for thing in &managed {
        script.together(|script| thing.read(script));
    }
    if purpose == Purpose::Apply {
        while script.needs_writes() {
            let chosen = script.rng.pick(&managed).cloned();
            let Some(thing) = chosen else { break };
            script.together(|script| thing.change(script));
        }
    }
    script.finish()
}

/// What is managed together: the same from run to run.
fn managed_by(seed: u64, account: &Account) -> Vec<Managed> {
    let mut rng = Rng::new(seed);
    let n = 4 + rng.below(34);
    (0..n).map(|number| Managed::new(number, account, &mut rng)).collect()
}

/// Changes of `n` of the things that `seed` stands for, one after the other, as `CloudFormation`
/// makes them: without a look at all others first.
pub(super) fn changes(
    seed: u64,
    account: &Account,
    (at, n): (At<'_>, i64),
    rng: &mut Rng,
) -> Vec<Call> {
    let managed = managed_by(seed, account);
    let mut script = Script { at, last_s: at.time_s + 90, calls: Vec::new(), rng };
    for _ in 0..n {
        if let Some(thing) = script.rng.pick(&managed) {
            thing.change(&mut script);
            script.at.time_s += script.rng.between(1, 8);
        }
    }
    script.finish()
}

/// The calls of a run while they are written down.
struct Script<'a, 'r> {
    at: At<'a>,
    /// When the run is over. Unit: seconds since the Unix epoch.
    last_s: i64,
    calls: Vec<Call>,
    rng: &'r mut Rng,
}

impl Script<'_, '_> {
    fn begin(&mut self) {
        let at = self.at;
        let calls = [
            sts::get_caller_identity(at, self.rng),
            ec2::describe_account_attributes(at, self.rng),
            network::describe_availability_zones(at, self.rng),
        ];
        self.calls.extend(calls);
    }

    /// What belongs together begins at any moment of the run and goes on in its own order.
    fn together(&mut self, tell: impl FnOnce(&mut Self)) {
        let begun = self.at;
        let time_s = self.rng.between(begun.time_s + 1, self.last_s);
        self.at = At { time_s, ..begun };
        tell(self);
        self.at = begun;
    }

    /// The next call, at first throttled now and then.
    fn call(&mut self, call: Call) {
        if self.rng.below(100) < THROTTLED_OF_100 && call.service != "s3" {
            self.calls.push(throttled(call.clone()));
            self.pause();
        }
        self.calls.push(Call { time_s: self.at.time_s, ..call });
        self.pause();
    }

    fn pause(&mut self) {
        let time_s = self.at.time_s + self.rng.between(0, 1);
        self.at.time_s = time_s.min(self.last_s);
    }

    fn needs_writes(&self) -> bool {
        let n = self.calls.len();
        let n_writes = self.calls.iter().filter(|call| !call.read_only).count();
        n < RECORDS.0 || n < RECORDS.1 && n_writes * 1_000 < n * WRITES_OF_1000
    }

    fn finish(self) -> Vec<Call> {
        let mut calls = self.calls;
        calls.sort_by_key(|call| call.time_s);
        calls.truncate(RECORDS.1);
        calls
    }
}

/// A call of `aws::api` as the next of a script.
macro_rules! ask {
    ($script:ident, $call:path $(, $place:expr)*) => {{
        let call = $call($script.at $(, $place)*, $script.rng);
        $script.call(call);
    }};
}

/// Something that is managed, by its name and ids.
#[derive(Debug, Clone)]
struct Managed {
    kind: Thing,
    name: String,
    /// `<digits>`: what follows `vpc-`, `sg-` and their kind.
    id: String,
    bucket: String,
}

impl Managed {
    fn new(number: u64, account: &Account, rng: &mut Rng) -> Self {
        let kind = rng.pick(&THINGS).copied().unwrap_or(Thing::Parameter);
        let bucket = rng.pick(&account.buckets).cloned().unwrap_or_default();
        let name = format!("{}-{}-{number}", account.name, rng.hex(4));
        Self { kind, name, id: format!("0{}", rng.hex(16)), bucket }
    }

    fn thing(&self, prefix: &str) -> String {
        [prefix, "-", &self.id].concat()
    }

    fn parameter(&self) -> String {
        ["/", &self.name].concat()
    }

    fn read(&self, script: &mut Script<'_, '_>) {
        let name = &self.name;
        match self.kind {
            Thing::Parameter => {
                ask!(script, systems::get_parameter, self.parameter());
                ask!(script, systems::describe_parameters, self.parameter());
                ask!(script, systems::list_tags_of_parameter, self.parameter());
            }
            Thing::Role => {
                ask!(script, iam::get_role, name);
                ask!(script, iam::list_role_policies, name);
                ask!(script, iam::list_attached_role_policies, name);
            }
            Thing::SecurityGroup => {
                ask!(script, network::describe_security_group, self.thing("sg"));
            }
            Thing::Network => {
                ask!(script, network::describe_vpc, self.thing("vpc"));
                ask!(script, network::describe_vpc_attribute, self.thing("vpc"));
                ask!(script, network::describe_subnet, self.thing("subnet"));
                ask!(script, network::describe_route_table, self.thing("rtb"));
            }
            Thing::Bucket => self.read_bucket(script),
            Thing::Function => {
                ask!(script, lambda::get_function, name);
                ask!(script, lambda::list_versions, name);
            }
            Thing::Secret => {
                ask!(script, keys::describe_secret, name);
                ask!(script, keys::get_resource_policy, name);
            }
            Thing::Service => {
                ask!(script, systems::describe_services, name, name);
            }
        }
    }

    /// Terraform asks a bucket for less than AWS Config does.
    fn read_bucket(&self, script: &mut Script<'_, '_>) {
        for (place, question) in SCAN.iter().enumerate().filter(|(place, _)| place % 3 == 0) {
            let draw = Rng::for_part(place as u64, &[self.bucket.len() as u64]).below(100);
            let has = draw >= question.error_percent;
            let call = question.call(script.at, &self.bucket, has, script.rng);
            script.call(call);
        }
    }

    fn change(&self, script: &mut Script<'_, '_>) {
        let name = &self.name;
        match self.kind {
            Thing::Parameter => {
                ask!(script, systems::put_parameter, self.parameter());
                ask!(script, systems::get_parameter, self.parameter());
            }
            Thing::Role => {
                ask!(script, iam::put_role_policy, name, "inline", POLICY);
                ask!(script, iam::get_role_policy, name, "inline");
            }
            Thing::SecurityGroup => {
                let group = self.thing("sg");
                ask!(script, network::authorize_security_group_ingress, &group, 443, "10.0.0.0/8");
                ask!(script, network::describe_security_group, &group);
            }
            Thing::Network => {
                let (table, subnet) = (self.thing("rtb"), self.thing("subnet"));
                // Gone since the last run: made anew.
                let call = network::describe_route_table(script.at, &table, script.rng);
                script.call(not_found(call, &table));
                let made = ["rtb-0", &script.rng.hex(16)].concat();
                ask!(script, network::create_route_table, self.thing("vpc"), &made, "10.0.0.0/16");
                ask!(script, network::describe_route_table, &made);
                ask!(script, network::associate_route_table, &made, subnet);
            }
            Thing::Bucket => {
                let tag = ("Team", "platform");
                let call = s3::put_bucket_tagging(script.at, &self.bucket, tag, script.rng);
                script.call(call);
            }
            Thing::Function => {
                ask!(script, lambda::update_function_code, name, &self.bucket);
                ask!(script, lambda::get_function, name);
            }
            Thing::Secret => {
                ask!(script, ec2::create_tags, self.thing("eni"), "Team", "platform");
            }
            Thing::Service => {
                ask!(script, systems::register_task_definition, name, "registry.example/service");
                ask!(script, systems::update_service, name, name, name);
                ask!(script, systems::describe_services, name, name);
            }
        }
    }
}

const POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
