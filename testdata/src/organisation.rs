//! Who there is: accounts, people, machines, pipelines and agents, made from a seed and a size.
//!
//! What is drawn for one of them depends on the seed and its number alone, so a larger organisation
//! begins with the same people. It holds what lasts; what happens is in `life`.

mod agents;
mod machines;
mod names;
mod network;
mod people;
mod pipelines;
mod whereabouts;

pub use agents::{Agent, Tool};
pub use machines::{Kind, Machine};
pub use network::{Host, HostKind, Vpc};
pub use people::{Access, Person, Team, Trip};
pub use pipelines::{Deployer, Entry, Pipeline};
pub use whereabouts::{DESK_S, Stay};

use crate::aws::caller::Role;
use crate::clock::DAY_S;
use crate::places::{HOME_REGIONS, REGIONS};
use crate::rng::Rng;

/// How much of everything there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// AWS accounts, at least one.
    pub accounts: u32,
    /// People, at least one.
    pub people: u32,
    /// Fleets, functions and services, each with a role of its own.
    pub machines: u32,
    /// CI pipelines.
    pub pipelines: u32,
    /// AI agents.
    pub agents: u32,
    /// VPCs with flow logs.
    pub vpcs: u32,
}

/// Numbers that keep what is drawn for one thing apart from another; see [`Rng::for_part`].
pub(crate) mod part {
    pub(crate) const ORGANISATION: u64 = 1;
    pub(crate) const ACCOUNT: u64 = 2;
    pub(crate) const PERSON: u64 = 3;
    pub(crate) const MACHINE: u64 = 4;
    pub(crate) const PIPELINE: u64 = 5;
    pub(crate) const AGENT: u64 = 6;
    pub(crate) const VPC: u64 = 7;
    pub(crate) const SCALING: u64 = 8;
    pub(crate) const DELIVERY: u64 = 10;
    pub(crate) const STORY: u64 = 11;
    pub(crate) const PLACE: u64 = 12;
}

/// An account, and what is in it.
#[derive(Debug, Clone)]
pub struct Account {
    /// Twelve digits.
    pub id: String,
    /// For example `rivermill-prod-2`.
    pub name: String,
    /// Where its machines are.
    pub home: &'static str,
    /// A trail of its own writes the home region a second time.
    pub has_second_trail: bool,
    /// Where its own trail and its services deliver logs.
    pub log_bucket: String,
    /// Buckets with data, data events on.
    pub buckets: Vec<String>,
    /// Names in Secrets Manager.
    pub secrets: Vec<String>,
    /// Ids of KMS keys.
    pub keys: Vec<String>,
    /// Drawn once: part of the ids of principals.
    seed: u64,
}

impl Account {
    /// The role of that name in this account; the same name gives the same id.
    pub fn role(&self, path: &str, name: &str) -> Role {
        let hash = name.bytes().fold(self.seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let principal = format!("AROA{}", Rng::new(hash).capitals(17));
        Role { account: self.id.clone(), path: path.to_owned(), name: name.to_owned(), principal }
    }
}

/// One bucket in so many is encrypted with a key of KMS.
const ENCRYPTED_ONE_IN: usize = 4;

impl Account {
    /// The key of KMS that encrypts bucket number `bucket`; `None`: S3's own keys do.
    pub fn kms_key(&self, bucket: usize) -> Option<&str> {
        let nth = bucket.checked_rem(self.keys.len()).unwrap_or(0);
        let is_encrypted = bucket % ENCRYPTED_ONE_IN == ENCRYPTED_ONE_IN - 1;
        self.keys.get(nth).map(String::as_str).filter(|_| is_encrypted)
    }

    /// The role that Identity Center makes here for a permission set.
    pub fn reserved_role(&self, permission_set: &str) -> Role {
        let seed = self.id.bytes().chain(permission_set.bytes());
        let seed = seed.fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let name = format!("AWSReservedSSO_{permission_set}_{}", Rng::new(seed).hex(16));
        self.role("aws-reserved/sso.amazonaws.com/", &name)
    }
}

/// Everybody and everything.
#[derive(Debug, Clone)]
pub struct Organisation {
    /// What it was made from.
    pub seed: u64,
    /// `o-` and ten characters.
    pub id: String,
    /// What everything is called after.
    pub name: &'static str,
    /// The start of the story. Unit: seconds since the Unix epoch, a midnight UTC.
    pub start_s: i64,
    /// The first is the one that people sign in to first, and holds the audit tools.
    pub accounts: Vec<Account>,
    /// People, who sign in.
    pub people: Vec<Person>,
    /// Fleets, functions, services.
    pub machines: Vec<Machine>,
    /// CI pipelines.
    pub pipelines: Vec<Pipeline>,
    /// AI agents.
    pub agents: Vec<Agent>,
    /// VPCs.
    pub vpcs: Vec<Vpc>,
}

impl Organisation {
    /// Makes one of `size` that lives from `start_s` for `days`.
    pub fn new(seed: u64, size: Size, (start_s, days): (i64, i64)) -> Self {
        let mut rng = Rng::for_part(seed, &[part::ORGANISATION]);
        let name = rng.pick(&names::ORGANISATIONS).copied().unwrap_or("rivermill");
        let id = format!("o-{}", rng.hex(10));
        let accounts: Vec<Account> =
            (0..size.accounts.max(1)).map(|number| account(seed, name, number)).collect();
        let draw = |part: u64, number: u32| Rng::for_part(seed, &[part, u64::from(number)]);
        let people = (0..size.people.max(1))
            .map(|number| {
                Person::new(
                    &mut draw(part::PERSON, number),
                    number,
                    (name, start_s, days),
                    &accounts,
                )
            })
            .collect();
        let machines = (0..size.machines)
            .map(|number| Machine::new(&mut draw(part::MACHINE, number), number, days, &accounts))
            .collect();
        let pipelines = (0..size.pipelines)
            .filter_map(|number| {
                Pipeline::new(&mut draw(part::PIPELINE, number), number, name, &accounts)
            })
            .collect();
        let agents = (0..size.agents)
            .filter_map(|number| Agent::new(&mut draw(part::AGENT, number), number, &accounts))
            .collect();
        let vpcs = (0..size.vpcs)
            .map(|number| Vpc::new(&mut draw(part::VPC, number), number, &accounts))
            .collect();
        Self { seed, id, name, start_s, accounts, people, machines, pipelines, agents, vpcs }
    }

    /// Where the organisation's trail delivers.
    pub fn trail_bucket(&self) -> String {
        format!("{}-organisation-trail", self.name)
    }

    /// `d-...`, where Identity Center keeps its people.
    pub fn store(&self) -> String {
        format!("d-{}", Rng::for_part(self.seed, &[part::ORGANISATION, 1]).digits(10))
    }

    /// Midnight UTC of `day`, counted from 0. Unit: seconds since the Unix epoch.
    pub fn midnight(&self, day: i64) -> i64 {
        self.start_s + day * DAY_S
    }

    /// What is drawn for number `number` of `part` on `day`, and nothing else.
    pub(crate) fn rng(&self, part: u64, number: usize, day: i64) -> Rng {
        let day = u64::try_from(day).unwrap_or(0);
        Rng::for_part(self.seed, &[part, number as u64, 1 + day])
    }
}

fn account(seed: u64, organisation: &str, number: u32) -> Account {
    let mut rng = Rng::for_part(seed, &[part::ACCOUNT, u64::from(number)]);
    let purpose = if number == 0 {
        "hub".to_owned()
    } else {
        let purposes = ["prod", "staging", "data", "sandbox"];
        let purpose = purposes.get(number as usize % purposes.len()).unwrap_or(&"prod");
        format!("{purpose}-{number}")
    };
    let name = format!("{organisation}-{purpose}");
    let id = rng.between(100_000_000_000, 999_999_999_999).to_string();
    let home = HOME_REGIONS.get(number as usize % HOME_REGIONS.len()).unwrap_or(&REGIONS[0]);
    let n_buckets = rng.between(4, 14);
    let buckets = (0..n_buckets)
        .map(|_| {
            let what = rng.pick(&names::CONTENTS).copied().unwrap_or("data");
            format!("{name}-{what}-{}", rng.hex(4))
        })
        .collect();
    let secrets = (0..rng.between(6, 40))
        .map(|_| {
            let what = rng.pick(&names::SERVICES).copied().unwrap_or("core");
            let kind = rng.pick(&["database", "token", "signing-key", "webhook"]).copied();
            format!("{purpose}/{what}/{}", kind.unwrap_or("token"))
        })
        .collect();
    let keys = (0..4).map(|_| rng.uuid()).collect();
    Account {
        log_bucket: format!("{name}-logs"),
        home,
        has_second_trail: number % 4 == 1,
        buckets,
        secrets,
        keys,
        seed: rng.bits(),
        id,
        name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size =
        Size { accounts: 3, people: 20, machines: 30, pipelines: 3, agents: 2, vpcs: 2 };

    #[test]
    fn a_larger_organisation_begins_with_the_same_people() {
        let small = Organisation::new(7, SIZE, (0, 30));
        let large = Organisation::new(7, Size { people: 50, ..SIZE }, (0, 30));
        let mails = |of: &Organisation| -> Vec<String> {
            of.people.iter().map(|person| person.mail.clone()).collect()
        };
        assert_eq!(mails(&small), mails(&large)[..20]);
        let other = Organisation::new(8, SIZE, (0, 30));
        assert_ne!(mails(&small), mails(&other));
    }

    #[test]
    fn names_are_not_given_twice() {
        let made = Organisation::new(7, Size { people: 2_000, machines: 2_000, ..SIZE }, (0, 30));
        let mut mails: Vec<_> = made.people.iter().map(|person| &person.mail).collect();
        mails.sort_unstable();
        mails.dedup();
        assert_eq!(mails.len(), 2_000);
        let mut roles: Vec<_> = made.machines.iter().map(|machine| machine.role.arn()).collect();
        roles.sort_unstable();
        roles.dedup();
        assert_eq!(roles.len(), 2_000);
    }

    #[test]
    fn a_role_has_one_principal() {
        let made = Organisation::new(7, SIZE, (0, 30));
        let account = &made.accounts[1];
        assert_eq!(account.role("", "audit").principal, account.role("", "audit").principal);
        assert_ne!(account.role("", "audit").principal, account.role("", "deploy").principal);
    }
}
