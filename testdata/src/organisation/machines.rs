//! Machines.

use super::{Account, names};
use crate::aws::caller::Role;
use crate::rng::Rng;

/// What a machine runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// EC2 instances behind an Auto Scaling group: they come and go.
    Fleet,
    /// A Lambda function.
    Function,
    /// An ECS service on Fargate.
    Service,
}

/// A fleet, a function or a service with a role of its own.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Index of its account.
    pub account: usize,
    /// What it runs on.
    pub kind: Kind,
    /// For example `billing-worker-17`.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// Indices of the buckets it works with, the usual one first.
    pub buckets: Vec<usize>,
    /// Index of its secret.
    pub secret: usize,
    /// Instances or tasks at night; by day there are more.
    pub n_instances: u32,
    /// Units of work an hour, each of a few calls.
    pub work_an_hour: f64,
    /// The day of the month of its batch job, if it has one.
    pub batch_day: Option<i8>,
    /// First day; negative when it was there before.
    pub deployed_day: i64,
}

impl Machine {
    /// Machine number `number` in a story of `days`.
    pub(super) fn new(rng: &mut Rng, number: u32, days: i64, accounts: &[Account]) -> Self {
        let account = pick_index(rng, accounts.len());
        let kind = match rng.below(10) {
            0..=3 => Kind::Fleet,
            4..=7 => Kind::Function,
            _ => Kind::Service,
        };
        let what = rng.pick(&names::SERVICES).copied().unwrap_or("core");
        let part = rng.pick(&names::ROLES).copied().unwrap_or("worker");
        let name = format!("{what}-{part}-{number}");
        let (role, n_buckets, n_secrets) = accounts.get(account).map_or((None, 1, 1), |account| {
            let path = if kind == Kind::Function { "service-role/" } else { "" };
            let role = account.role(path, &format!("{name}-role"));
            (Some(role), account.buckets.len(), account.secrets.len())
        });
        let role = role.unwrap_or(Role {
            account: String::new(),
            path: String::new(),
            name: name.clone(),
            principal: String::new(),
        });
        Self {
            account,
            kind,
            name,
            role,
            buckets: (0..=rng.below(3)).map(|_| pick_index(rng, n_buckets)).collect(),
            secret: pick_index(rng, n_secrets),
            n_instances: u32::try_from(1 + rng.below(4)).unwrap_or(1),
            // The first few machines make most of the calls.
            work_an_hour: 60.0 / libm::pow(f64::from(number) + 1.0, 0.9),
            batch_day: rng.chance(0.05).then(|| i8::try_from(rng.between(1, 28)).unwrap_or(1)),
            deployed_day: if rng.chance(0.04) { rng.between(1, days.max(1)) } else { -1 },
        }
    }
}

/// Fleets that work less are of one size day and night. Unit: units of work an hour.
const SCALED_WORK: f64 = 4.0;

impl Machine {
    /// Whether there are twice as many by day.
    pub fn is_scaled(&self) -> bool {
        self.kind != Kind::Fleet || self.work_an_hour >= SCALED_WORK
    }
}

pub(super) fn pick_index(rng: &mut Rng, n: usize) -> usize {
    usize::try_from(rng.below(n as u64)).unwrap_or(0)
}
