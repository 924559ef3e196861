//! What flow logs tell of an interface and its neighbours.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::Tally;
use crate::aws::flow::{Fields, VERSION_2};
use crate::story::{Interface, VictimError};

/// Interfaces that are remembered. Unit: interfaces.
pub const INTERFACES_MAX: usize = 64;
/// Addresses that compete for being an interface's own. Unit: addresses.
pub const ADDRESSES_MAX: usize = 8;

/// Interfaces of one account and region, as their flow logs know them.
#[derive(Debug, Clone)]
pub(super) struct Interfaces {
    own: String,
    by_id: BTreeMap<String, One>,
}

#[derive(Debug, Clone)]
struct One {
    addresses: Tally<Ipv4Addr>,
    fields: Fields,
}

impl One {
    /// The address on most of its rows; of those on equally many a private one, since who speaks with
    /// a single peer has both ends on every row.
    fn own(&self) -> Option<Ipv4Addr> {
        let most = self.addresses.counts.values().max()?;
        let on_most = || self.addresses.counts.iter().filter(|(_, n)| *n == most);
        let private = on_most().find(|(address, _)| address.is_private());
        private.or_else(|| on_most().next()).map(|(address, _)| *address)
    }
}

impl Interfaces {
    /// Nothing is known yet; `own` is what will be asked for.
    pub(super) fn near(own: &str) -> Self {
        Self { own: own.to_owned(), by_id: BTreeMap::new() }
    }

    pub(super) fn own(&self) -> &str {
        &self.own
    }

    /// Takes a row; `fields` are asked for at the interface's first.
    pub(super) fn row(
        &mut self,
        id: &str,
        ends: [Option<IpAddr>; 2],
        fields: &mut dyn FnMut() -> Fields,
    ) {
        if !self.by_id.contains_key(id) {
            // One place is kept for the own interface, however late it comes.
            if self.by_id.len() >= INTERFACES_MAX && id != self.own {
                return;
            }
            let one = One { addresses: Tally::new(ADDRESSES_MAX), fields: fields() };
            self.by_id.insert(id.to_owned(), one);
        }
        let Some(one) = self.by_id.get_mut(id) else { return };
        for end in ends.into_iter().flatten() {
            if let IpAddr::V4(address) = end {
                one.addresses.count(&address);
            }
        }
    }

    /// The interface, whose own address is the one on most of its rows, and its neighbours: of the
    /// same VPC or, where the rows do not tell, of the same /16.
    pub(super) fn interface(&self) -> Result<Interface, VictimError> {
        let id = &self.own;
        let own = self.by_id.get(id).ok_or(VictimError::Lacks("interface-id"))?;
        let address = own.own().ok_or(VictimError::Lacks("IPv4 address"))?;
        let is_near = |one: &One, other: Ipv4Addr| match own.fields.get("vpc-id") {
            Some(vpc) => one.fields.get("vpc-id") == Some(vpc),
            None => u32::from(other) >> 16 == u32::from(address) >> 16,
        };
        let others = self.by_id.iter().filter(|(other, _)| *other != id);
        let others = others.filter_map(|(other, one)| Some((other, one, one.own()?)));
        let near = others.filter(|(_, one, address)| is_near(one, *address));
        let neighbours = near.map(|(other, _, address)| (other.clone(), address)).collect();
        let fields = self.by_id.iter().map(|(id, one)| (id.clone(), one.fields.clone())).collect();
        let instances = self.by_id.iter().filter_map(|(id, one)| {
            let instance = one.fields.get("instance-id").filter(|id| id.starts_with("i-"));
            Some((id.clone(), instance?.clone()))
        });
        Ok(Interface {
            id: id.clone(),
            address,
            address_6: None,
            instances: instances.collect(),
            flow_log: String::new(),
            neighbours,
            gateway: None,
            format: VERSION_2,
            fields,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(has_vpc: bool) -> Interfaces {
        let mut seen = Interfaces::near("eni-1");
        let address = |text: &str| Some(text.parse().unwrap());
        for (id, own, vpc) in [
            ("eni-1", "10.0.0.1", "vpc-1"),
            ("eni-2", "10.0.0.2", "vpc-1"),
            ("eni-3", "10.0.0.3", "vpc-2"),
            ("eni-4", "10.9.0.3", "vpc-1"),
        ] {
            let fields = || Fields::from([("vpc-id".to_owned(), vpc.to_owned())]);
            for n in 0..20 {
                let peer = format!("192.0.2.{n}");
                let first = &mut || if has_vpc { fields() } else { Fields::new() };
                seen.row(id, [address(&peer), address(own)], first);
                seen.row(id, [address(own), address(&peer)], &mut || unreachable!());
            }
            seen.row(id, [None, None], &mut || unreachable!());
        }
        seen
    }

    #[test]
    fn the_own_address_is_on_every_row() {
        let interface = seen(true).interface().unwrap();
        assert_eq!(interface.address, Ipv4Addr::new(10, 0, 0, 1));
        assert_eq!(interface.fields["eni-1"]["vpc-id"], "vpc-1");
    }

    #[test]
    fn of_two_ends_of_every_row_the_private_one_is_its_own() {
        let mut seen = Interfaces::near("eni-1");
        let ends = ["8.8.8.8", "172.31.0.5"].map(|end| Some(end.parse().unwrap()));
        seen.row("eni-1", ends, &mut Fields::new);
        assert_eq!(seen.interface().unwrap().address, Ipv4Addr::new(172, 31, 0, 5));
    }

    #[test]
    fn addresses_that_compete_are_bounded() {
        let mut seen = Interfaces::near("eni-1");
        for n in 0..ADDRESSES_MAX + 5 {
            let end = format!("192.0.2.{n}").parse().unwrap();
            seen.row("eni-1", [Some(end), None], &mut Fields::new);
        }
        assert_eq!(seen.by_id["eni-1"].addresses.counts.len(), ADDRESSES_MAX);
    }

    #[test]
    fn neighbours_are_of_the_vpc() {
        let near = |has_vpc| {
            let found = seen(has_vpc).interface().unwrap().neighbours;
            found.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
        };
        assert_eq!(near(true), ["eni-2", "eni-4"]);
        assert_eq!(near(false), ["eni-2", "eni-3"]);
    }

    #[test]
    fn interfaces_are_bounded_and_the_own_one_is_never_left_out() {
        let mut seen = Interfaces::near("eni-own");
        assert_eq!(seen.interface().unwrap_err(), VictimError::Lacks("interface-id"));
        for n in 0..INTERFACES_MAX + 5 {
            seen.row(&format!("eni-{n}"), [None, None], &mut Fields::new);
        }
        assert_eq!(seen.by_id.len(), INTERFACES_MAX);
        seen.row("eni-own", [None, None], &mut Fields::new);
        assert_eq!(seen.interface().unwrap_err(), VictimError::Lacks("IPv4 address"));
    }
}
