//! CI pipelines: on working days they deploy, and some look each night whether all is as it should be.

use super::terraform::{self, Purpose};
use super::{Life, Stage, Start};
use crate::aws::api::sts::{self, Opening};
use crate::aws::api::{At, stacks};
use crate::aws::call::Call;
use crate::aws::caller::agents::{GITHUB_ACTION, LINUX, TERRAFORM, running};
use crate::aws::caller::forms::web_identity_user;
use crate::aws::caller::{Caller, Role, Session};
use crate::calendar::LONDON;
use crate::clock::{HOUR_S, MINUTE_S};
use crate::json::Json;
use crate::organisation::{Account, Deployer, Entry, Organisation, Pipeline, part};
use crate::places;
use crate::rng::Rng;

/// Who tells what a pipeline is: GitHub.
pub(crate) const PROVIDER: &str = "token.actions.githubusercontent.com";
/// The session's name, unless a pipeline asks for another.
pub(crate) const SESSION: &str = "GitHubActions";
/// Who makes the calls of a stack's change.
const SERVICE: &str = "cloudformation.amazonaws.com";
/// When people merge what is then deployed, on the wall of their office. Unit: seconds.
const MERGES_S: (i64, i64) = (9 * HOUR_S, 18 * HOUR_S);
/// When nightly checks begin. Unit: seconds after midnight UTC.
const NIGHT_S: (i64, i64) = (2 * HOUR_S, 3 * HOUR_S);
/// From the sign-in to Terraform's first call. Unit: seconds.
const SETUP_S: (i64, i64) = (6, 40);

/// The runs of `day`.
pub(super) fn day(organisation: &Organisation, day: i64) -> Vec<Start> {
    let pipelines = organisation.pipelines.iter().enumerate();
    pipelines.flat_map(|(number, pipeline)| runs(organisation, (number, pipeline), day)).collect()
}

fn runs(
    organisation: &Organisation,
    (number, pipeline): (usize, &Pipeline),
    day: i64,
) -> impl Iterator<Item = Start> + use<> {
    let midnight_s = organisation.midnight(day);
    let mut rng = organisation.rng(part::PIPELINE, number, day);
    let address = runner(&mut rng);
    let n = if LONDON.is_working_day(midnight_s) { rng.count(pipeline.runs_a_day) } else { 0 };
    let mut moments: Vec<_> = (0..n)
        .map(|_| {
            let at_s = LONDON.at(midnight_s, rng.between(MERGES_S.0, MERGES_S.1));
            (at_s, Purpose::Apply)
        })
        .collect();
    if pipeline.checks_drift && pipeline.deployer == Deployer::Terraform {
        let phase_s = i64::try_from(number).unwrap_or(0) * 7 * MINUTE_S % (NIGHT_S.1 - NIGHT_S.0);
        moments.push((midnight_s + NIGHT_S.0 + phase_s + rng.between(0, 90), Purpose::Plan));
    }
    moments.sort_by_key(|(at_s, _)| *at_s);
    let mut addresses = std::iter::once(address);
    moments.into_iter().map(move |(at_s, purpose)| {
        let mut rng = Rng::new(rng.bits());
        let address = addresses.next().unwrap_or_else(|| runner(&mut rng));
        Start { at_s, life: Box::new(Run { pipeline: number, purpose, address, rng }) }
    })
}

/// Where the provider runs a job; the next one is somewhere else.
fn runner(rng: &mut Rng) -> String {
    places::RUNNERS.address(rng).to_string()
}

/// Where the first run of `day` calls from.
pub(crate) fn first_runner(organisation: &Organisation, number: usize, day: i64) -> String {
    runner(&mut organisation.rng(part::PIPELINE, number, day))
}

/// One run, made in one go.
struct Run {
    pipeline: usize,
    purpose: Purpose,
    address: String,
    rng: Rng,
}

impl Life for Run {
    fn step(&mut self, now_s: i64, stage: &mut Stage<'_>) -> Option<i64> {
        let organisation = stage.organisation;
        let pipeline = organisation.pipelines.get(self.pipeline)?;
        let account = organisation.accounts.get(pipeline.account)?;
        let at = At { time_s: now_s, region: account.home, account: &account.id };
        let key = match &pipeline.entry {
            Entry::Token { role } => self.sign_in(at, (pipeline, role), stage),
            Entry::Key { key, .. } => key.clone(),
        };
        let identity = |service| identity(&pipeline.entry, (&key, now_s), service);
        let time_s = now_s + self.rng.between(SETUP_S.0, SETUP_S.1);
        let (at, rng) = (At { time_s, ..at }, &mut self.rng);
        let calls = match &pipeline.deployer {
            Deployer::Terraform => {
                let caller = Caller::new(identity(None), &self.address, TERRAFORM);
                let calls = terraform::run(pipeline.seed, account, at, self.purpose, rng);
                calls.into_iter().map(|call| (caller.clone(), call)).collect()
            }
            Deployer::CloudFormation { stack } => {
                let agent = running(LINUX.command_line, "cloudformation.deploy");
                let caller = Caller::new(identity(None), &self.address, &agent);
                let service = Caller::new(identity(Some(SERVICE)), SERVICE, SERVICE);
                change_stack(pipeline, account, (at, stack), [caller, service], rng)
            }
        };
        for (caller, call) in calls {
            stage.call(pipeline.account, &caller, call, &mut self.rng);
        }
        None
    }
}

impl Run {
    /// Makes a session of the provider's token; answers its key.
    fn sign_in(
        &mut self,
        at: At<'_>,
        (pipeline, role): (&Pipeline, &Role),
        stage: &mut Stage<'_>,
    ) -> String {
        let key = format!("ASIA{}", self.rng.capitals(16));
        let subject = format!("repo:{}:ref:refs/heads/main", pipeline.repository);
        let provider_arn = ["arn:aws:iam::", at.account, ":oidc-provider/", PROVIDER].concat();
        let identity = web_identity_user(&provider_arn, "sts.amazonaws.com", &subject);
        let action = Caller::new(identity, &self.address, GITHUB_ACTION);
        let opening = Opening { role, session: SESSION, key: &key };
        let token = (PROVIDER, subject.as_str());
        let call = sts::assume_role_with_web_identity(at, opening, token, &mut self.rng);
        stage.call(pipeline.account, &action, call, &mut self.rng);
        key
    }
}

/// `userIdentity` of a run, or of a service at work for it.
fn identity(entry: &Entry, (key, since_s): (&str, i64), service: Option<&str>) -> Json {
    match (entry, service) {
        (Entry::Token { role }, None) => {
            role.federated_by(Session { name: SESSION, key, since_s }, PROVIDER)
        }
        (Entry::Token { role }, Some(service)) => {
            role.invoked_by(Session { name: SESSION, key, since_s }, service)
        }
        (Entry::Key { user, key }, None) => user.with_key(key),
        (Entry::Key { user, key }, Some(service)) => user.invoked_by(key, service),
    }
}

/// The command line changes a stack and watches; `CloudFormation` makes the calls.
fn change_stack(
    pipeline: &Pipeline,
    account: &Account,
    (at, stack): (At<'_>, &str),
    [caller, service]: [Caller; 2],
    rng: &mut Rng,
) -> Vec<(Caller, Call)> {
    let change = format!("awscli-cloudformation-package-deploy-{}", at.time_s);
    let bucket = account.buckets.first().map_or("", String::as_str);
    let later = |seconds: i64| At { time_s: at.time_s + seconds, ..at };
    let mut asked = vec![
        stacks::describe_stacks(at, stack, rng),
        stacks::create_change_set(later(1), stack, &change, bucket, rng),
        stacks::describe_change_set(later(2), stack, &change, rng),
        stacks::describe_change_set(later(7), stack, &change, rng),
        stacks::execute_change_set(later(8), stack, &change, rng),
    ];
    let n = rng.between(2, 9);
    let made = terraform::changes(pipeline.seed, account, (later(10), n), rng);
    let last_s = made.last().map_or(at.time_s, |call| call.time_s);
    let mut watch = later(12);
    while watch.time_s < last_s + 5 {
        asked.push(stacks::describe_stacks(watch, stack, rng));
        watch.time_s += 5;
    }
    let asked = asked.into_iter().map(|call| (caller.clone(), call));
    let made = made.into_iter().map(|call| (service.clone(), call));
    asked.chain(made).collect()
}
