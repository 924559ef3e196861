//! Connections of a story as flow logs have them: out of the victim's interface, to its neighbours, and in from outside.
//!
//! In: whom, and what goes there and comes back. Out: rows of everybody who logs them.

use std::net::{IpAddr, Ipv4Addr};

use super::scene::{Packets, Scene};
use super::victim::Interface;
use crate::aws::flow::{FIN, SYN, TCP, UDP};
use crate::places::{self, HOSTING_ASIA, HOSTING_EU, VPN};

/// An interface of the same VPC.
pub(super) type Neighbour = (String, Ipv4Addr);

/// An address with a port.
pub(super) type End = (IpAddr, u16);

/// What goes over one connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traffic {
    protocol: u8,
    /// Packets and bytes of whoever opened it.
    there: (i64, i64),
    /// Packets and bytes of the other side; no packets where nobody answers.
    back: (i64, i64),
    /// Unit: seconds.
    lasts_s: i64,
    accepted: bool,
    is_clear: bool,
}

impl Traffic {
    /// A connection that is opened, answered and closed: packets and bytes there and back.
    pub(super) fn tcp(there: (i64, i64), back: (i64, i64), lasts_s: i64) -> Self {
        Self { protocol: TCP, there, back, lasts_s, accepted: true, is_clear: false }
    }

    /// Datagrams there and back.
    pub(super) fn udp(there: (i64, i64), back: (i64, i64), lasts_s: i64) -> Self {
        Self { protocol: UDP, ..Self::tcp(there, back, lasts_s) }
    }

    /// So many openings that nobody answers. A client asks again after 1, 3, 7 and 15 seconds (RFC 6298).
    pub(super) fn in_vain(n: i64) -> Self {
        Self::tcp((n, 60 * n), (0, 0), (1 << (n - 1).clamp(0, 6)) - 1)
    }

    /// The same, refused by a security group or a network ACL.
    pub(super) fn refused(n: i64) -> Self {
        Self { accepted: false, ..Self::in_vain(n) }
    }

    /// The same in clear text, where such connections are encrypted.
    pub(super) fn in_clear(self) -> Self {
        Self { is_clear: true, ..self }
    }

    /// The rows of one interface: the way there, and the way back if there is one.
    fn rows(&self, start_s: i64, interface: &str, (from, to): (End, End)) -> Vec<Packets> {
        // What gets no further than one packet has opened and no more.
        let ends = if self.back.0 > 0 && self.there.0 > 1 { SYN | FIN } else { SYN };
        let there = Packets {
            interface: interface.to_owned(),
            from,
            to,
            protocol: self.protocol,
            tcp_flags: if self.protocol == TCP { ends } else { 0 },
            packets: self.there.0,
            bytes: self.there.1,
            start_s,
            end_s: start_s + self.lasts_s,
            accepted: self.accepted,
            beyond: None,
            is_clear: self.is_clear,
        };
        let back = (self.back.0 > 0).then(|| there.answer(self.back.0, self.back.1));
        std::iter::once(there).chain(back).collect()
    }
}

impl Interface {
    /// Its neighbours; where none are known, two that are made up.
    pub(super) fn near(&self) -> Vec<Neighbour> {
        if !self.neighbours.is_empty() {
            return self.neighbours.clone();
        }
        (1..=2).map(|n| (format!("{}{n}", self.id), self.next_door(40 + n))).collect()
    }

    /// Address number `n` of its /24, and of those that follow.
    pub(super) fn next_door(&self, n: u32) -> Ipv4Addr {
        Ipv4Addr::from((u32::from(self.address) & 0xffff_ff00).wrapping_add(n))
    }

    /// The end of a connection at this side, by the version that the other side speaks.
    fn end(&self, other: IpAddr, port: u16) -> End {
        let own_6 = self.address_6.filter(|_| other.is_ipv6());
        (own_6.map_or(IpAddr::V4(self.address), IpAddr::V6), port)
    }
}

impl Scene<'_> {
    /// The interface opens a connection now; what leaves by a NAT gateway is logged there, too.
    pub(super) fn opens(&mut self, to: End, traffic: Traffic) {
        for row in self.own_rows(to, traffic) {
            self.flow(row);
        }
    }

    /// The same by an endpoint in the VPC, past the NAT gateway.
    pub(super) fn opens_by_endpoint(&mut self, to: End, traffic: Traffic) {
        let rows = self.own_rows(to, traffic);
        self.arrival(rows);
    }

    fn own_rows(&mut self, to: End, traffic: Traffic) -> Vec<Packets> {
        let Some(at) = self.victim.interface.as_ref() else { return Vec::new() };
        let from = at.end(to.0, self.ephemeral());
        traffic.rows(self.now_s, &at.id, (from, to))
    }

    /// The same to a neighbour, who logs it as well.
    pub(super) fn opens_near(&mut self, (id, to): &Neighbour, (port, traffic): (u16, Traffic)) {
        let Some(at) = self.victim.interface.as_ref() else { return };
        let to = (IpAddr::V4(*to), port);
        let from = at.end(to.0, self.ephemeral());
        for interface in [&at.id, id] {
            for row in traffic.rows(self.now_s, interface, (from, to)) {
                self.flow(row);
            }
        }
    }

    /// Tries a port of a neighbour, whose security group refuses what is not open.
    pub(super) fn probes(&mut self, (id, to): &Neighbour, (port, is_open): (u16, bool)) {
        let Some(at) = self.victim.interface.as_ref() else { return };
        let n = i64::from(is_open);
        let traffic = Traffic::tcp((1, 44), (n, 44 * n), self.rng.between(0, 20));
        let to = (IpAddr::V4(*to), port);
        let rows = traffic.rows(self.now_s, &at.id, (at.end(to.0, self.ephemeral()), to));
        // The other side's own record of it.
        let theirs = rows.first().map(|row| Packets {
            interface: id.clone(),
            accepted: is_open,
            ..row.clone()
        });
        for row in rows.into_iter().chain(theirs) {
            self.flow(row);
        }
    }

    /// Somebody outside opens a connection to a port of the interface: no NAT gateway sees it.
    pub(super) fn is_visited(&mut self, (from, port): End, traffic: Traffic) {
        let Some(at) = self.victim.interface.as_ref() else { return };
        let ends = ((from, self.ephemeral()), at.end(from, port));
        let rows = traffic.rows(self.now_s, &at.id, ends);
        self.arrival(rows);
    }

    /// A port of a client. Systems give them out one after the other (RFC 6056, algorithm 3), or two connections of
    /// one minute would be one row.
    pub(super) fn ephemeral(&mut self) -> u16 {
        self.n_opened += 1;
        let lot = self.start_s.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        u16::try_from(32_768 + (lot + self.n_opened) % 28_232).unwrap_or(40_000)
    }

    /// A server that nobody knows: by IPv6 once in three, where the interface has it.
    pub(super) fn server(&mut self) -> IpAddr {
        let has_6 = self.victim.interface.as_ref().is_some_and(|at| at.address_6.is_some());
        if has_6 && self.rng.one_in(3) {
            return places::hosting_6(&mut self.rng).into();
        }
        self.server_4().into()
    }

    /// The same by IPv4.
    pub(super) fn server_4(&mut self) -> Ipv4Addr {
        let network = self.rng.pick(&[HOSTING_EU, HOSTING_ASIA, VPN]).copied().unwrap_or(VPN);
        network.address(&mut self.rng)
    }
}
