//! Whom a story happens to, as the logs know them: made of an organisation, or read from records.

use std::net::Ipv4Addr;

use serde_json::Value;

use super::tools;
use crate::aws::caller::agents::TERRAFORM;
use crate::aws::caller::forms::Holder;
use crate::aws::caller::{Caller, Role, Session, User};
use crate::calendar::{self, Zone};
use crate::json::Json;
use crate::life::instance::Instance;
use crate::life::pipelines;
use crate::organisation::{Access, Entry, Organisation};
use crate::places::REGIONS;

/// Whom it happens to, as the logs know them.
#[derive(Debug, Clone)]
pub struct Victim {
    /// Account id.
    pub account: String,
    /// Where they work.
    pub region: &'static str,
    /// Their principal.
    pub who: Who,
    /// Where their calls come from.
    pub address: String,
    /// What they call with.
    pub agent: String,
    /// The hours they keep.
    pub zone: Zone,
    /// Buckets they work with; the first is the usual one.
    pub buckets: Vec<String>,
    /// Keys of objects in the first bucket; where there are none, names are made up.
    pub objects: Vec<String>,
    /// Names in Secrets Manager of their account.
    pub secrets: Vec<String>,
    /// The account's trail.
    pub trail: Trail,
    /// Another account of the same organisation.
    pub second_account: Option<String>,
    /// For stories of the network.
    pub interface: Option<Interface>,
}

/// Who calls.
#[derive(Debug, Clone)]
pub enum Who {
    /// An IAM user with a long-lived key.
    User {
        /// The user.
        user: User,
        /// `AKIA...`
        key: String,
    },
    /// Sessions of a role.
    Session {
        /// The role.
        role: Role,
        /// The session's name.
        name: String,
        /// Who opened it.
        opened: Opened,
    },
}

/// Who opened a session of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// Somebody: people are told apart by the session's name, all others are not.
    ByPerson,
    /// An AWS service, for a machine.
    ForMachine(Holder),
    /// A token of a provider such as GitHub.
    ByToken,
    /// Nothing is known of it.
    Otherwise,
}

/// Where an account's calls are logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trail {
    /// Where it delivers.
    pub bucket: String,
    /// Its name.
    pub name: String,
}

/// A network interface and what is near it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// `eni-...`
    pub id: String,
    /// Its private address.
    pub address: Ipv4Addr,
    /// `fl-...`
    pub flow_log: String,
    /// Other interfaces of the VPC with their addresses.
    pub neighbours: Vec<(String, Ipv4Addr)>,
}

/// Why a story cannot be told of an identity.
#[derive(Debug, PartialEq, Eq)]
pub enum VictimError {
    /// The identity is no JSON object, or lacks a field.
    Lacks(&'static str),
    /// A `type` that no story is told of.
    Kind(String),
    /// A region that is not known.
    Region(String),
}

impl std::fmt::Display for VictimError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lacks(field) => write!(f, "the userIdentity has no `{field}`"),
            Self::Kind(kind) => {
                write!(
                    f,
                    "no story is told of a userIdentity of type `{kind}`, only of IAMUser and AssumedRole"
                )
            }
            Self::Region(region) => write!(f, "the region `{region}` is not known"),
        }
    }
}

impl std::error::Error for VictimError {}

impl Victim {
    /// Reads a `userIdentity` and its place from a record of the victim. Lists are empty: fill in
    /// what is known.
    pub fn read(
        identity: &str,
        (account, region): (&str, &str),
        (address, agent): (&str, &str),
    ) -> Result<Self, VictimError> {
        let value: Value =
            serde_json::from_str(identity).map_err(|_| VictimError::Lacks("type"))?;
        let region = REGIONS
            .into_iter()
            .find(|known| *known == region)
            .ok_or_else(|| VictimError::Region(region.to_owned()))?;
        Ok(Self {
            who: Who::read(&value)?,
            account: account.to_owned(),
            region,
            address: address.to_owned(),
            agent: agent.to_owned(),
            zone: calendar::LONDON,
            buckets: Vec::new(),
            objects: Vec::new(),
            secrets: Vec::new(),
            trail: Trail { bucket: format!("trail-{account}"), name: "main".to_owned() },
            second_account: None,
            interface: None,
        })
    }

    /// Person number `index` as they are on `day`.
    pub fn person(of: &Organisation, index: usize, day: i64) -> Option<Self> {
        let person = of.people.get(index)?;
        let account = of.accounts.get(*person.accounts.first()?)?;
        let (who, number) = match &person.access {
            Access::IdentityCenter { permission_set, .. } => {
                let (role, name) = (account.reserved_role(permission_set), person.mail.clone());
                let who = Who::Session { role, name, opened: Opened::ByPerson };
                (who, *person.accounts.first()?)
            }
            // Users are in the first account.
            Access::IamUser { user, key, .. } => {
                (Who::User { user: user.clone(), key: key.clone() }, 0)
            }
        };
        let city = person.city_on(day);
        let address = of.address_of(index, day);
        let buckets = of.accounts.get(number)?.buckets.clone();
        let agent = tools::COMMAND_LINE.to_owned();
        Some(Self { zone: city.zone, ..Self::of(of, number, (who, address, agent), buckets)? })
    }

    /// Machine number `index`: the instance that is there day and night, as it lives on `day`.
    pub fn machine(of: &Organisation, index: usize, day: i64) -> Option<Self> {
        let machine = of.machines.get(index)?;
        let account = of.accounts.get(machine.account)?;
        let instance = Instance::new(of, (index, day), 0)?;
        let opened = Opened::ForMachine(instance.holder());
        let name = instance.session_name();
        let who = Who::Session { role: machine.role.clone(), name, opened };
        let (address, _) = instance.place();
        let buckets = machine.buckets.iter().filter_map(|&n| account.buckets.get(n)).cloned();
        let at = (who, address, instance.agent().to_owned());
        Self::of(of, machine.account, at, buckets.collect())
    }

    /// Pipeline number `index`, as its first run of `day`.
    pub fn pipeline(of: &Organisation, index: usize, day: i64) -> Option<Self> {
        let pipeline = of.pipelines.get(index)?;
        let who = match &pipeline.entry {
            Entry::Token { role } => {
                let (role, name) = (role.clone(), pipelines::SESSION.to_owned());
                Who::Session { role, name, opened: Opened::ByToken }
            }
            Entry::Key { user, key } => Who::User { user: user.clone(), key: key.clone() },
        };
        let address = pipelines::first_runner(of, index, day);
        let buckets = of.accounts.get(pipeline.account)?.buckets.clone();
        Self::of(of, pipeline.account, (who, address, TERRAFORM.to_owned()), buckets)
    }

    /// Interface number `index`, counted through all VPCs.
    pub fn interface(of: &Organisation, index: usize, _day: i64) -> Option<Self> {
        let all = of.vpcs.iter().flat_map(|vpc| vpc.interfaces.iter().map(move |at| (vpc, at)));
        let (vpc, (id, address)) = all.into_iter().nth(index)?;
        let account = of.accounts.get(vpc.account)?;
        let role = account.role("", "network");
        let who = Who::Session { role, name: id.clone(), opened: Opened::Otherwise };
        let neighbours = vpc.interfaces.iter().filter(|(other, _)| other != id).cloned().collect();
        let interface = Interface {
            id: id.clone(),
            address: *address,
            flow_log: vpc.flow_log.clone(),
            neighbours,
        };
        let at = (who, address.to_string(), String::new());
        Some(Self {
            interface: Some(interface),
            ..Self::of(of, vpc.account, at, account.buckets.clone())?
        })
    }

    fn of(
        of: &Organisation,
        number: usize,
        (who, address, agent): (Who, String, String),
        buckets: Vec<String>,
    ) -> Option<Self> {
        let account = of.accounts.get(number)?;
        let next = of.accounts.get((number + 1) % of.accounts.len());
        Some(Self {
            account: account.id.clone(),
            region: account.home,
            who,
            address,
            agent,
            zone: calendar::LONDON,
            buckets,
            objects: Vec::new(),
            secrets: account.secrets.clone(),
            trail: Trail { bucket: account.log_bucket.clone(), name: account.name.clone() },
            second_account: next.filter(|next| next.id != account.id).map(|next| next.id.clone()),
            interface: None,
        })
    }

    /// What the truth names.
    pub fn entity(&self) -> String {
        match (&self.interface, &self.who) {
            (Some(interface), _) => format!("{}/{}", self.account, interface.id),
            (None, who) => who.arn(),
        }
    }

    /// A caller with credentials of the victim, at the victim's own place. Sessions begin at
    /// `since_s` with `key`. Unit: seconds since the Unix epoch.
    pub(super) fn caller(&self, key: &str, since_s: i64) -> Caller {
        Caller::new(self.who.identity(self.region, key, since_s), &self.address, &self.agent)
    }

    /// The usual bucket.
    pub(super) fn bucket(&self) -> String {
        let made_up = || format!("data-{}", self.account);
        self.buckets.first().cloned().unwrap_or_else(made_up)
    }
}

impl Who {
    fn read(value: &Value) -> Result<Self, VictimError> {
        let text = |value: &Value, field| {
            value
                .get(field)
                .and_then(Value::as_str)
                .map(str::to_owned)
                .ok_or(VictimError::Lacks(field))
        };
        match text(value, "type")?.as_str() {
            "IAMUser" => {
                let user = User {
                    account: text(value, "accountId")?,
                    name: text(value, "userName")?,
                    principal: text(value, "principalId")?,
                };
                Ok(Self::User { user, key: text(value, "accessKeyId")? })
            }
            "AssumedRole" => {
                let context =
                    value.get("sessionContext").ok_or(VictimError::Lacks("sessionContext"))?;
                let issuer =
                    context.get("sessionIssuer").ok_or(VictimError::Lacks("sessionIssuer"))?;
                let arn = text(value, "arn")?;
                let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
                let role_arn = text(issuer, "arn")?;
                let (role, path) = (text(issuer, "userName")?, role_arn.split_once(":role/"));
                let path = path.and_then(|(_, path)| path.strip_suffix(role.as_str()));
                let role = Role {
                    account: text(issuer, "accountId")?,
                    path: path.unwrap_or_default().to_owned(),
                    name: role,
                    principal: text(issuer, "principalId")?,
                };
                let is_person = role.name.starts_with("AWSReservedSSO_") || name.contains('@');
                let opened = match (is_person, name.starts_with("i-")) {
                    (true, _) => Opened::ByPerson,
                    (false, true) => Opened::ForMachine(Holder::Instance),
                    (false, false) => Opened::Otherwise,
                };
                Ok(Self::Session { role, name, opened })
            }
            other => Err(VictimError::Kind(other.to_owned())),
        }
    }

    /// The principal that stays from day to day.
    pub fn arn(&self) -> String {
        match self {
            Self::User { user, .. } => user.arn(),
            Self::Session { role, name, opened: Opened::ByPerson } => role.session_arn(name),
            Self::Session { role, .. } => role.arn(),
        }
    }

    /// `userIdentity` in `region`: of a user always with the long-lived key.
    fn identity(&self, region: &str, key: &str, since_s: i64) -> Json {
        match self {
            Self::User { user, key } => user.with_key(key),
            Self::Session { role, name, opened } => {
                let session = Session { name, key, since_s };
                match opened {
                    Opened::ForMachine(holder) => role.held_by(session, region, holder),
                    Opened::ByToken => role.federated_by(session, pipelines::PROVIDER),
                    Opened::ByPerson | Opened::Otherwise => role.session(session, &[]),
                }
            }
        }
    }
}
