//! VPCs, and what stands behind each of their interfaces.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Account;
use crate::aws::flow::{Fields, Format, Place, VERSION_2, VERSION_5, VERSION_10};
use crate::calendar::Zone;
use crate::clock::MINUTE_S;
use crate::places::{self, CITIES};
use crate::rng::Rng;

/// Subnets of a VPC: public and private ones in turn, each a /24, two to a zone.
const SUBNETS: usize = 4;

/// What stands behind an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostKind {
    /// A server that everybody on the internet can reach on ports 22 and 80.
    Exposed,
    /// A load balancer, whose clients are on the internet.
    Balancer,
    /// The NAT gateway of those in private subnets.
    Nat,
    /// Where engineers sign in before they go on.
    Bastion,
    /// A machine of the application, in a private subnet.
    Application,
    /// A database that AWS runs.
    Database,
    /// A cache that AWS runs.
    Cache,
    /// A machine that nobody has used for a long time.
    Idle,
}

/// An interface, and what stands behind it.
#[derive(Debug, Clone)]
pub struct Host {
    /// `eni-...`
    pub interface: String,
    /// What it is.
    pub kind: HostKind,
    /// Its private address.
    pub address: Ipv4Addr,
    /// Its address of version 6, where the VPC has both.
    pub address_6: Option<Ipv6Addr>,
    /// Index of its subnet.
    subnet: usize,
    /// `i-...`, or `-` where AWS runs it.
    instance: String,
    /// Its windows begin so long after those of the VPC. Unit: seconds.
    pub phase_s: i64,
    /// What is known of one that was only heard of.
    heard: Option<Fields>,
}

/// A VPC whose interfaces have flow logs.
#[derive(Debug, Clone)]
pub struct Vpc {
    /// Index of its account; it is in that account's home region.
    pub account: usize,
    /// `vpc-...`
    pub id: String,
    /// `fl-...`
    pub flow_log: String,
    /// What the flow log writes.
    pub format: Format,
    /// Flows are summed over so long: a minute on Nitro, else ten. Unit: seconds.
    pub window_s: i64,
    /// The first address; it has 65,536.
    pub first: Ipv4Addr,
    /// The first address of its /56, where it has both versions.
    pub first_6: Option<Ipv6Addr>,
    /// What it has, the public ones first.
    pub hosts: Vec<Host>,
    /// Whose day its clients have.
    pub zone: Zone,
    /// Drawn once, for what else is in it.
    pub seed: u64,
    subnets: Vec<String>,
    /// Number of the first of its availability zones.
    first_zone: u64,
}

impl Vpc {
    /// VPC number `number`.
    pub(super) fn new(rng: &mut Rng, number: u32, accounts: &[Account]) -> Self {
        let account = number as usize % accounts.len().max(1);
        let home = accounts.get(account).map_or(places::GLOBAL, |account| account.home);
        let first = Ipv4Addr::new(10, u8::try_from(number % 250).unwrap_or(0), 0, 0);
        let first_6 = (number % 3 != 1).then(|| {
            let lot = u128::from(rng.below(1 << 16)) << 72;
            Ipv6Addr::from(places::of_region_6(home) | lot)
        });
        // Instances from before Nitro are rare by now.
        let window_s = if number % 8 == 6 { 10 * MINUTE_S } else { MINUTE_S };
        let format = match number % 4 {
            1 => VERSION_5,
            3 => VERSION_10,
            _ => VERSION_2,
        };
        let mut vpc = Self {
            account,
            id: format!("vpc-{}", rng.hex(17)),
            flow_log: format!("fl-{}", rng.hex(17)),
            format,
            window_s,
            first,
            first_6,
            hosts: Vec::new(),
            zone: rng.pick(&CITIES).unwrap_or(&CITIES[0]).zone,
            seed: rng.bits(),
            subnets: (0..SUBNETS).map(|_| format!("subnet-{}", rng.hex(17))).collect(),
            first_zone: 1 + rng.below(4),
        };
        let n_hosts = 4 + usize::try_from(rng.below(28)).unwrap_or(0);
        for place in 0..n_hosts {
            vpc.add(kind(place, number), rng);
        }
        vpc
    }

    /// One of somebody's own, of which its flow log, and interfaces with their addresses and what
    /// their rows say of them, are heard of and no more.
    pub(crate) fn heard_of(
        account: usize,
        (flow_log, format): (&str, Format),
        interfaces: Vec<(String, Ipv4Addr, Fields)>,
    ) -> Self {
        let mut rng = Rng::new(0);
        let flow_log = flow_log.to_owned();
        let mut vpc = Self { account, flow_log, format, ..Self::new(&mut rng, 0, &[]) };
        vpc.hosts.clear();
        for (interface, address, fields) in interfaces {
            vpc.add(HostKind::Application, &mut rng);
            if let Some(host) = vpc.hosts.last_mut() {
                (host.interface, host.address, host.heard) = (interface, address, Some(fields));
            }
        }
        vpc
    }

    /// A host of that kind, at an address that nobody has.
    fn add(&mut self, kind: HostKind, rng: &mut Rng) {
        let is_public = matches!(
            kind,
            HostKind::Exposed | HostKind::Balancer | HostKind::Nat | HostKind::Bastion
        );
        // Every other subnet is public.
        let pair = usize::try_from(rng.below(SUBNETS as u64 / 2)).unwrap_or(0);
        let subnet = pair * 2 + usize::from(!is_public);
        // Four addresses and the last of a subnet are AWS's own.
        let mut in_subnet = 4 + u32::try_from(rng.below(251)).unwrap_or(0);
        let network = u32::from(self.first) + 256 * (1 + u32::try_from(subnet).unwrap_or(0));
        let taken = |address: u32| self.hosts.iter().any(|host| u32::from(host.address) == address);
        while taken(network + in_subnet) {
            in_subnet = if in_subnet < 254 { in_subnet + 1 } else { 4 };
        }
        let is_awss = matches!(kind, HostKind::Balancer | HostKind::Nat | HostKind::Database)
            || kind == HostKind::Cache;
        let address_6 = self.first_6.filter(|_| kind != HostKind::Nat).map(|first| {
            let of_subnet = u128::try_from(subnet).unwrap_or(0) << 64;
            Ipv6Addr::from(u128::from(first) | of_subnet | u128::from(rng.bits()))
        });
        self.hosts.push(Host {
            interface: format!("eni-{}", rng.hex(17)),
            kind,
            address: Ipv4Addr::from(network + in_subnet),
            address_6,
            subnet,
            instance: if is_awss { "-".to_owned() } else { format!("i-{}", rng.hex(17)) },
            phase_s: rng.between(0, self.window_s - 1),
            heard: None,
        });
    }

    /// The number of the host with that interface.
    pub(crate) fn host(&self, interface: &str) -> Option<u16> {
        let place = self.hosts.iter().position(|host| host.interface == interface)?;
        u16::try_from(place).ok()
    }

    /// What stands in the rows of one of its interfaces, which is in `account` and `region`.
    pub(crate) fn place<'a>(&'a self, host: &'a Host, account: &'a Account) -> Place<'a> {
        if let Some(heard) = &host.heard {
            return Place::heard_of(&account.id, &host.interface, host.address, heard);
        }
        let nitro = self.window_s == MINUTE_S;
        Place {
            account: &account.id,
            interface: &host.interface,
            vpc: &self.id,
            subnet: self.subnets.get(host.subnet).map_or("-", String::as_str),
            instance: &host.instance,
            region: account.home,
            zone: places::zone_of(account.home, self.first_zone, host.subnet / 2),
            own: (Some(host.address), host.address_6),
            within: (Some(self.first), self.first_6),
            outward: match (host.is_public(), nitro) {
                (false, _) => "1",
                (true, false) => "2",
                (true, true) => "8",
            },
            about: None,
        }
    }
}

impl Host {
    /// Whether it has a way to the internet of its own.
    pub fn is_public(&self) -> bool {
        self.subnet.is_multiple_of(2)
    }

    /// Whether somebody can work on it: what AWS runs gives nobody a shell.
    pub fn is_instance(&self) -> bool {
        self.instance().is_some()
    }

    /// `i-...`, where it is one.
    pub(crate) fn instance(&self) -> Option<&str> {
        Some(self.instance.as_str()).filter(|instance| *instance != "-")
    }
}

/// What comes in which place: a VPC has one of each that others need before it has more machines.
fn kind(place: usize, number: u32) -> HostKind {
    match place {
        // Some put a server of their own on the internet, some a load balancer.
        0 if number.is_multiple_of(2) => HostKind::Exposed,
        0 | 16 => HostKind::Balancer,
        1 | 20 => HostKind::Database,
        3 => HostKind::Nat,
        6 => HostKind::Cache,
        8 | 24 => HostKind::Idle,
        10 => HostKind::Bastion,
        _ => HostKind::Application,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_is_given_twice() {
        for seed in 0..300 {
            let mut rng = Rng::new(seed);
            let vpc = Vpc::new(&mut rng, 0, &[]);
            let mut addresses: Vec<_> = vpc.hosts.iter().map(|host| host.address).collect();
            let n = addresses.len();
            addresses.sort_unstable();
            addresses.dedup();
            assert_eq!(addresses.len(), n, "seed {seed}");
            let is_usable = |host: &Host| (4..255).contains(&host.address.octets()[3]);
            assert!(vpc.hosts.iter().all(is_usable), "seed {seed}");
        }
    }
}
