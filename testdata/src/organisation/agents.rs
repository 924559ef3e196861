//! AI agents: programs that a model leads, in runtimes of Bedrock's `AgentCore`.

use super::machines::pick_index;
use super::{Account, names};
use crate::aws::caller::Role;
use crate::rng::Rng;

/// What an agent may do besides asking its model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tool {
    /// Looks something up in a knowledge base, by its id.
    Retrieve(String),
    /// Reads an object of a bucket, by its index.
    ReadObject(usize),
    /// Asks a table, by its name.
    Query(String),
    /// Writes to a table, by its name.
    Note(String),
    /// Has a function do something, by its name.
    Invoke(String),
}

/// An agent.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Index of its account.
    pub account: usize,
    /// For example `billing-assistant-2`.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// The model that leads it.
    pub model: &'static str,
    /// What it may do: the same few things as long as it lives.
    pub tools: Vec<Tool>,
    /// Index of the secret it reads when it begins.
    pub secret: usize,
    /// Conversations on a working day, on average.
    pub sessions_a_day: f64,
}

const MODELS: [&str; 3] = [
    "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "anthropic.claude-haiku-4-5-20251001-v1:0",
    "amazon.nova-pro-v1:0",
];

impl Agent {
    /// Agent number `number`.
    pub(super) fn new(rng: &mut Rng, number: u32, accounts: &[Account]) -> Option<Self> {
        let index = pick_index(rng, accounts.len());
        let account = accounts.get(index)?;
        let what = rng.pick(&names::SERVICES).copied().unwrap_or("core");
        let name = format!("{what}-assistant-{number}");
        let role_name =
            format!("AmazonBedrockAgentCoreSDKRuntime-{}-{}", account.home, rng.hex(10));
        let knowledge = Tool::Retrieve(rng.capitals(10));
        let others = [
            Tool::ReadObject(pick_index(rng, account.buckets.len())),
            Tool::Query(format!("{what}-orders")),
            Tool::Note(format!("{what}-tickets")),
            Tool::Invoke(format!("{what}-lookup-{number}")),
        ];
        let mut tools: Vec<_> = others.into_iter().filter(|_| rng.one_in(2)).collect();
        tools.insert(0, knowledge);
        Some(Self {
            account: index,
            role: account.role("", &role_name),
            name,
            model: rng.pick(&MODELS).copied().unwrap_or(MODELS[0]),
            tools,
            secret: pick_index(rng, account.secrets.len()),
            sessions_a_day: rng.log_normal(12.0, 0.9).min(200.0),
        })
    }
}
