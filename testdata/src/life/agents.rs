//! AI agents: people talk to them while they work, and each question is a burst of calls of a model
//! and of the agent's few tools.

use super::credentials::{Fetcher, fetch};
use super::{Life, Stage, Start};
use crate::aws::api::denied::throttled;
use crate::aws::api::{At, database, keys, lambda, models, s3};
use crate::aws::call::Call;
use crate::aws::caller::agents::AGENT;
use crate::aws::caller::{Caller, Session};
use crate::calendar::LONDON;
use crate::clock::{DAY_S, HOUR_S};
use crate::organisation::{Account, Agent, Organisation, Tool, part};
use crate::places;
use crate::rng::Rng;

/// When people talk to agents, on the wall of their office. Unit: seconds.
const OFFICE_S: (i64, i64) = (8 * HOUR_S, 19 * HOUR_S);
/// Of 100 conversations so many are at another time.
const AT_ANY_TIME_OF_100: u64 = 8;
/// On a free day there are as many as at other times of a working day.
const FREE_DAY: f64 = 0.08;
/// Of 100 calls of a model so many are throttled at first.
const THROTTLED_OF_100: u64 = 3;
/// Addresses that a runtime calls from.
const N_ADDRESSES: usize = 4;

/// The conversations of `day`.
pub(super) fn day(organisation: &Organisation, day: i64) -> Vec<Start> {
    let midnight_s = organisation.midnight(day);
    let works = LONDON.is_working_day(midnight_s);
    let agents = organisation.agents.iter().enumerate();
    agents
        .flat_map(|(number, agent)| {
            let mut rng = organisation.rng(part::AGENT, number, day);
            let share = if works { 1.0 } else { FREE_DAY };
            let n = rng.count(agent.sessions_a_day * share);
            (0..n).map(move |_| {
                let is_odd = !works || rng.below(100) < AT_ANY_TIME_OF_100;
                let at_s = if is_odd {
                    midnight_s + rng.between(0, DAY_S - HOUR_S)
                } else {
                    LONDON.at(midnight_s, rng.between(OFFICE_S.0, OFFICE_S.1))
                };
                let n_questions = rng.log_normal_between(3.0, 0.7, (1, 20));
                let rng = Rng::new(rng.bits());
                let life = Box::new(Talk { agent: number, n_questions, caller: None, rng });
                Start { at_s, life }
            })
        })
        .collect()
}

/// A conversation, a question at a time.
struct Talk {
    agent: usize,
    n_questions: i64,
    caller: Option<Caller>,
    rng: Rng,
}

/// What a question works with.
struct Hands<'a, 'o> {
    at: At<'o>,
    agent: &'o Agent,
    account: &'o Account,
    stage: &'a mut Stage<'o>,
}

impl Hands<'_, '_> {
    fn call(&mut self, caller: &Caller, call: Call, rng: &mut Rng) {
        self.stage.call(self.agent.account, caller, call, rng);
        self.at.time_s += rng.between(0, 2);
    }
}

impl Life for Talk {
    fn step(&mut self, now_s: i64, stage: &mut Stage<'_>) -> Option<i64> {
        let organisation = stage.organisation;
        let agent = organisation.agents.get(self.agent)?;
        let account = organisation.accounts.get(agent.account)?;
        let at = At { time_s: now_s, region: account.home, account: &account.id };
        let mut hands = Hands { at, agent, account, stage };
        let caller = match self.caller.take() {
            Some(caller) => caller,
            None => self.begin(&mut hands),
        };
        self.answer(&caller, &mut hands);
        let done_s = hands.at.time_s;
        self.caller = Some(caller);
        self.n_questions -= 1;
        let wait_s = self.rng.log_normal_between(45.0, 0.9, (5, 900));
        (self.n_questions > 0).then_some(done_s + wait_s)
    }
}

impl Talk {
    /// A runtime of its own begins for each conversation.
    fn begin(&mut self, hands: &mut Hands<'_, '_>) -> Caller {
        let (at, agent, rng) = (hands.at, hands.agent, &mut self.rng);
        let name = format!("BedrockAgentCore-{}", rng.uuid());
        let fetcher = Fetcher::ForMachine("bedrock-agentcore.amazonaws.com");
        let who = (&agent.role, name.as_str());
        let key = fetch(hands.stage, agent.account, fetcher, who, (at.time_s, rng));
        let session = Session { name: &name, key: &key, since_s: at.time_s };
        let nth = rng.rank(N_ADDRESSES) as u64;
        let part = [part::AGENT, self.agent as u64, u64::MAX, nth];
        let mut place = Rng::for_part(hands.stage.organisation.seed, &part);
        let address = places::of_region(at.region).address(&mut place).to_string();
        let caller = Caller::new(agent.role.session(session, &[]), &address, AGENT);
        if let Some(secret) = hands.account.secrets.get(agent.secret) {
            let At { region, account, .. } = at;
            let arn = format!("arn:aws:secretsmanager:{region}:{account}:secret:{secret}");
            let call = keys::get_secret_value(at, arn, rng);
            hands.call(&caller, call, rng);
        }
        caller
    }

    /// The model is asked what to do, does it, and is asked again.
    fn answer(&mut self, caller: &Caller, hands: &mut Hands<'_, '_>) {
        self.think(caller, hands);
        for _ in 0..self.rng.between(0, 4) {
            let Some(tool) = hands.agent.tools.get(self.rng.rank(hands.agent.tools.len())) else {
                return;
            };
            let call = self.act(tool, hands);
            hands.call(caller, call, &mut self.rng);
            self.think(caller, hands);
        }
    }

    fn think(&mut self, caller: &Caller, hands: &mut Hands<'_, '_>) {
        let rng = &mut self.rng;
        let call = models::converse(hands.at, hands.agent.model, rng);
        let call = models::at_runtime(call);
        if rng.below(100) < THROTTLED_OF_100 {
            hands.call(caller, throttled(call.clone()), rng);
        }
        let call = Call { time_s: hands.at.time_s, ..call };
        hands.call(caller, call, rng);
        hands.at.time_s += rng.between(1, 6);
    }

    fn act(&mut self, tool: &Tool, hands: &Hands<'_, '_>) -> Call {
        let (at, rng) = (hands.at, &mut self.rng);
        match tool {
            Tool::Retrieve(knowledge) => models::at_runtime(models::retrieve(at, knowledge, rng)),
            Tool::ReadObject(bucket) => {
                let bucket = hands.account.buckets.get(*bucket).map_or("", String::as_str);
                let number = rng.between(1, 400);
                let key = format!("documents/{number:05}.md");
                let bytes = rng.log_normal_between(9_000.0, 1.2, (200, 4_000_000));
                s3::get_object(at, (bucket, &key), bytes, rng)
            }
            Tool::Query(table) => database::query(at, table, rng),
            Tool::Note(table) => {
                let item = rng.hex(8);
                database::put_item(at, table, item, rng)
            }
            Tool::Invoke(function) => lambda::invoke(at, function, rng),
        }
    }
}
