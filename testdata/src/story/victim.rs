//! Whom a story happens to, as the logs know them: made of an organisation, or read from records.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::known::Identity;
use super::{Packets, STORIES, VictimKind};
use crate::aws::caller::agents::{self, Laptop, TERRAFORM};
use crate::aws::caller::forms::Holder;
use crate::aws::caller::{Caller, Role, Session, User};
use crate::aws::flow::{Fields, Format};
use crate::calendar::{self, Zone};
use crate::clock::DAY_S;
use crate::json::Json;
use crate::life::instance::Instance;
use crate::life::pipelines;
use crate::organisation::{Access, Entry, Host, HostKind, Organisation};
use crate::rng::Rng;

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
    /// What else they call with.
    pub laptop: Laptop,
    /// The hours they keep.
    pub zone: Zone,
    /// Buckets they work with; the first is the usual one.
    pub buckets: Vec<String>,
    /// Keys of objects in the first bucket; where there are none, names are made up.
    pub objects: Vec<String>,
    /// Names in Secrets Manager of their account.
    pub secrets: Vec<String>,
    /// Name of the account's trail.
    pub trail: String,
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
    /// Somebody whose records were read.
    Known(Identity),
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
}

/// A network interface and what is near it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// `eni-...`
    pub id: String,
    /// Its private address.
    pub address: Ipv4Addr,
    /// Its address of version 6, where it is known.
    pub address_6: Option<Ipv6Addr>,
    /// `i-...` by interface, where it is known: of it and of its neighbours.
    pub instances: BTreeMap<String, String>,
    /// `fl-...`
    pub flow_log: String,
    /// Other interfaces of the VPC with their addresses.
    pub neighbours: Vec<(String, Ipv4Addr)>,
    /// The NAT gateway among them, where it has no other way to the internet that is known.
    pub gateway: Option<(String, Ipv4Addr)>,
    /// How its flow log writes a row.
    pub format: Format,
    /// What rows of each interface say of it besides.
    pub fields: BTreeMap<String, Fields>,
}

impl Interface {
    /// The address of it, or of a neighbour.
    pub(super) fn address_of(&self, id: &str) -> Option<Ipv4Addr> {
        if id == self.id {
            return Some(self.address);
        }
        let mut near = self.neighbours.iter();
        near.find(|(other, _)| other == id).map(|(_, address)| *address)
    }

    /// The two rows that the NAT gateway writes of a flow between this interface and the internet.
    pub(super) fn through_nat(&self, flow: &Packets) -> Vec<Packets> {
        let Some((gate, gateway)) = &self.gateway else { return Vec::new() };
        let leaves = flow.from.0 == self.address;
        let (near, far) = if leaves { (flow.from, flow.to) } else { (flow.to, flow.from) };
        let is_public = |address| matches!(address, IpAddr::V4(address) if !address.is_private());
        if flow.interface != self.id || !is_public(far.0) {
            return Vec::new();
        }
        let gateway = IpAddr::from(*gateway);
        // The gateway's own port is the same on both ways, and that of no other client of the same service.
        let [lot, ..] = Rng::new(u64::from(u32::from(self.address))).bits().to_be_bytes();
        let port = near.1 ^ u16::from(lot);
        let way = |near, far, beyond| {
            let (from, to) = if leaves { (near, far) } else { (far, near) };
            Packets { from, to, beyond, ..flow.at(gate.clone()) }
        };
        vec![way(near, (gateway, far.1), Some(far.0)), way((gateway, port), far, None)]
    }
}

/// Why a story cannot be told of an identity.
#[derive(Debug, PartialEq, Eq)]
pub enum VictimError {
    /// Its records lack something.
    Lacks(&'static str),
    /// A `type` that no story is told of.
    Kind(String),
    /// A region whose name cannot be one.
    Region(String),
    /// The story happens to others.
    Unfit {
        /// The story.
        story: &'static str,
        /// Whom it happens to.
        of: VictimKind,
        /// What the identity is.
        kinds: &'static [VictimKind],
    },
}

impl std::fmt::Display for VictimError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lacks(field) => write!(f, "its records have no {field}"),
            Self::Kind(kind) => {
                write!(
                    f,
                    "no story is told of a userIdentity of type {kind}, only of IAMUser and AssumedRole"
                )
            }
            Self::Region(region) => write!(f, "{region:?} is no region"),
            Self::Unfit { story, of, kinds } => {
                let is = kinds.iter().map(|kind| kind.in_words()).collect::<Vec<_>>().join(" or ");
                let fitting = STORIES.iter().filter(|story| kinds.contains(&story.victim));
                let fitting = fitting.map(|story| story.name).collect::<Vec<_>>().join(", ");
                let of = of.in_words();
                write!(f, "{story} happens to {of}, this is {is} (expected one of {fitting})")
            }
        }
    }
}

impl std::error::Error for VictimError {}

impl Victim {
    /// Person number `index` as they are at `at_s`, with the address and the tools they have then.
    /// `None`: there is no such person, or they are in the air. Unit: seconds since the Unix epoch.
    pub fn person(of: &Organisation, index: usize, at_s: i64) -> Option<Self> {
        let person = of.people.get(index)?;
        let day = (at_s - of.start_s).div_euclid(DAY_S);
        let (who, number) = match &person.access {
            Access::IdentityCenter { .. } => {
                let number = *person.accounts.first()?;
                let permission_set = person.team(day).permission_set();
                let role = of.accounts.get(number)?.reserved_role(permission_set);
                let name = person.mail.clone();
                let who = Who::Session { role, name, opened: Opened::ByPerson };
                (who, number)
            }
            // Users are in the first account.
            Access::IamUser { user, key, .. } => {
                (Who::User { user: user.clone(), key: key.clone() }, 0)
            }
        };
        let stay = of.stay(index, at_s)?;
        let laptop = person.laptop();
        let buckets = of.accounts.get(number)?.buckets.clone();
        let agent = agents::running(laptop.command_line, "s3.ls");
        let zone = stay.city.zone;
        Some(Self { laptop, zone, ..Self::of(of, number, (who, stay.address, agent), buckets)? })
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
    pub fn interface(of: &Organisation, index: usize) -> Option<Self> {
        let mut all = of.vpcs.iter().flat_map(|vpc| vpc.hosts.iter().map(move |at| (vpc, at)));
        let (vpc, host) = all.nth(index)?;
        let Host { interface: id, address, address_6, .. } = host;
        let account = of.accounts.get(vpc.account)?;
        let who = Who::nobody(&account.id);
        let others = vpc.hosts.iter().filter(|other| other.interface != *id);
        let nat = vpc.hosts.iter().find(|other| other.kind == HostKind::Nat && !host.is_public());
        let named = |other: &Host| (other.interface.clone(), other.address);
        let instances = vpc
            .hosts
            .iter()
            .filter_map(|other| Some((other.interface.clone(), other.instance()?.to_owned())));
        let interface = Interface {
            id: id.clone(),
            address: *address,
            address_6: *address_6,
            instances: instances.collect(),
            flow_log: vpc.flow_log.clone(),
            neighbours: others.map(named).collect(),
            gateway: nat.map(named),
            format: vpc.format.clone(),
            fields: BTreeMap::new(),
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
            laptop: agents::WINDOWS,
            zone: calendar::LONDON,
            buckets,
            objects: Vec::new(),
            secrets: account.secrets.clone(),
            trail: account.name.clone(),
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
        let caller =
            Caller::new(self.who.identity(self.region, key, since_s), &self.address, &self.agent);
        match &self.who {
            Who::Known(identity) => Caller { arn: identity.session_arn.clone(), ..caller },
            _ => caller,
        }
    }

    /// The usual bucket.
    pub(super) fn bucket(&self) -> String {
        let made_up = || format!("data-{}", self.account);
        self.buckets.first().cloned().unwrap_or_else(made_up)
    }
}

impl Who {
    /// Of an interface, which makes no calls.
    pub(super) fn nobody(account: &str) -> Self {
        let (account, name) = (account.to_owned(), "network".to_owned());
        let role = Role { account, path: String::new(), name, principal: String::new() };
        Self::Session { role, name: String::new(), opened: Opened::ForMachine(Holder::Instance) }
    }

    /// The principal that stays from day to day.
    pub fn arn(&self) -> String {
        match self {
            Self::User { user, .. } => user.arn(),
            Self::Session { role, name, opened: Opened::ByPerson } => role.session_arn(name),
            Self::Session { role, .. } => role.arn(),
            Self::Known(identity) => identity.arn.clone(),
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
                    Opened::ByPerson => role.session(session, &[]),
                }
            }
            Self::Known(identity) => identity.session(key, since_s),
        }
    }
}
