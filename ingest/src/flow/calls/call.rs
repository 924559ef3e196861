//! What is told of the calls of one interface to one service, or of one peer to a service of the interface.

use std::sync::Arc;

/// The grain of [`Opened`]. Unit: seconds.
const GRAIN_S: i64 = 300;

/// Calls of one interface to one service of one peer, or of a peer to a service of the interface, within
/// one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The interface's id.
    pub interface: Arc<str>,
    /// Whether the peer called.
    pub is_inbound: bool,
    /// The interface's own address; see [`Addresses`](crate::flow::Addresses).
    pub own: u128,
    /// The other side's address.
    pub peer: u128,
    /// The port called, of whichever side was called; 0 where the protocol has none.
    pub port: u16,
    /// IANA protocol number.
    pub protocol: u8,
    /// Earliest `start`. Unit: seconds since the Unix epoch.
    pub start_s: i64,
    /// Latest `end`. Unit: seconds since the Unix epoch.
    pub end_s: i64,
    /// Flow records from the side that called.
    pub n_flows: u32,
    /// A flow from the side that called was accepted.
    pub is_admitted: bool,
    /// An answer was accepted; over TCP, more than packets without payload to a SYN.
    pub is_answered: bool,
    /// How many ports the called side was called at in the same object by the other, those that any host
    /// calls left out. Unit: ports.
    pub n_ports_of_peer: u32,
    /// Connections that were opened, by five minutes.
    pub opened: Opened,
    /// What the interface sent, and what it received, accepted or not. Unit: bytes.
    pub bytes: (u64, u64),
    /// The same. Unit: packets.
    pub packets: (u64, u64),
    /// The sum of the squares of what each flow of the caller brought: how alike they are. Unit: square bytes.
    pub squares: u64,
    /// A connection that went on and on.
    pub lasting: Option<Lasting>,
    /// Whether an accepted flow went in clear text (`encryption-status` 0), or all were encrypted, as far as the log
    /// tells.
    pub is_clear: Option<bool>,
}

/// How many connections were opened in which five minutes, by when their flows ended; without `tcp-flags`,
/// flows from another port than the one before, over TCP of packets enough for a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opened {
    /// Nearly all objects hold five minutes: no room has to be found for more.
    first: Option<(i64, u32)>,
    rest: Vec<(i64, u32)>,
}

/// A connection by the caller's port, and how much of its object it covers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lasting {
    /// The caller's port.
    pub port: u16,
    /// From its first packet to its last. Unit: seconds.
    pub covered_s: u32,
}

impl Call {
    /// When it ended. Unit: milliseconds since the Unix epoch.
    pub fn end_ms(&self) -> i64 {
        self.end_s.saturating_mul(1_000)
    }

    /// Joins what is known of the same target.
    pub(super) fn merge(&mut self, other: &Self) {
        self.start_s = self.start_s.min(other.start_s);
        self.end_s = self.end_s.max(other.end_s);
        self.n_flows = self.n_flows.saturating_add(other.n_flows);
        self.is_admitted |= other.is_admitted;
        self.is_answered |= other.is_answered;
        for (at_s, n) in other.opened.iter() {
            self.opened.add(at_s, n);
        }
        let sum = |a: (u64, u64), b: (u64, u64)| (a.0.saturating_add(b.0), a.1.saturating_add(b.1));
        self.bytes = sum(self.bytes, other.bytes);
        self.packets = sum(self.packets, other.packets);
        self.squares = self.squares.saturating_add(other.squares);
        let longest = |one: &Option<Lasting>| one.map(|one| (one.covered_s, one.port));
        if longest(&other.lasting) > longest(&self.lasting) {
            self.lasting = other.lasting;
        }
        self.is_clear = self.is_clear.max(other.is_clear);
    }
}

impl Opened {
    /// Adds `n` connections of which a flow ended at `end_s`. Unit: seconds since the Unix epoch.
    #[inline]
    pub fn add(&mut self, end_s: i64, n: u32) {
        let at_s = end_s.div_euclid(GRAIN_S) * GRAIN_S;
        match &mut self.first {
            Some((first, sum)) if *first == at_s => *sum = sum.saturating_add(n),
            None => self.first = Some((at_s, n)),
            Some(_) => match self.rest.iter_mut().find(|(other, _)| *other == at_s) {
                Some((_, sum)) => *sum = sum.saturating_add(n),
                None => self.rest.push((at_s, n)),
            },
        }
    }

    /// When five minutes began, and how many connections were opened in them. Unit: seconds since the Unix
    /// epoch.
    pub fn iter(&self) -> impl Iterator<Item = (i64, u32)> {
        self.first.iter().chain(&self.rest).copied()
    }

    /// All of them.
    pub fn n(&self) -> u32 {
        self.iter().fold(0, |sum, (_, n)| sum.saturating_add(n))
    }

    /// Takes back one.
    pub(super) fn take_one(&mut self) {
        if let Some((_, n)) = &mut self.first {
            *n = n.saturating_sub(1);
        }
    }
}
