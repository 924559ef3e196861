//! Pipelines of a CI provider, which deploy with Terraform or `CloudFormation`.

use super::machines::pick_index;
use super::{Account, names};
use crate::aws::caller::{Role, User};
use crate::rng::Rng;

/// The first pipeline and every so many after it still has a user with a key.
const KEY_EVERY: u32 = 3;

/// One of so many pipelines deploys with `CloudFormation`.
const STACK_EVERY: u32 = 4;

/// How a pipeline gets in.
#[derive(Debug, Clone)]
pub enum Entry {
    /// A token of the provider becomes a session of a role.
    Token {
        /// The role.
        role: Role,
    },
    /// A user from before there were tokens, whose key nobody took away.
    Key {
        /// The user.
        user: User,
        /// `AKIA...`
        key: String,
    },
}

/// What a pipeline deploys with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deployer {
    /// Terraform, which makes all calls itself.
    Terraform,
    /// `CloudFormation`, which makes them for the pipeline.
    CloudFormation {
        /// The stack's name.
        stack: String,
    },
}

/// A pipeline of a CI provider.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Index of the account it deploys to.
    pub account: usize,
    /// For example `rivermill/billing-infra`.
    pub repository: String,
    /// How it gets in.
    pub entry: Entry,
    /// What it deploys with.
    pub deployer: Deployer,
    /// Runs on a working day, on average.
    pub runs_a_day: f64,
    /// Compares each night what is there with what should be, where Terraform does it.
    pub checks_drift: bool,
    /// Drawn once, for what it deploys.
    pub seed: u64,
}

impl Pipeline {
    /// Pipeline number `number`.
    pub(super) fn new(
        rng: &mut Rng,
        number: u32,
        organisation: &str,
        accounts: &[Account],
    ) -> Option<Self> {
        let index = pick_index(rng, accounts.len());
        let account = accounts.get(index)?;
        let what = rng.pick(&names::SERVICES).copied().unwrap_or("core");
        let name = format!("deploy-{what}-{number}");
        let entry = if number.is_multiple_of(KEY_EVERY) {
            let principal = format!("AIDA{}", rng.capitals(17));
            let user = User { account: account.id.clone(), name: format!("ci-{name}"), principal };
            Entry::Key { user, key: format!("AKIA{}", rng.capitals(16)) }
        } else {
            Entry::Token { role: account.role("", &name) }
        };
        let deployer = if number % STACK_EVERY == 2 {
            Deployer::CloudFormation { stack: format!("{what}-{number}") }
        } else {
            Deployer::Terraform
        };
        Some(Self {
            deployer,
            account: index,
            repository: format!("{organisation}/{what}-infra-{number}"),
            entry,
            runs_a_day: rng.log_normal(3.0, 0.8).min(30.0),
            checks_drift: rng.one_in(2),
            seed: rng.bits(),
        })
    }
}
