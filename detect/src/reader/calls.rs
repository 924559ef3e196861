//! What interfaces called, and what called them: the calls of one object to what is counted of them.
//!
//! An object is applied whole or not at all, so what it shows of a pair of hosts may decide whether they are
//! counted: fewer than three connections of one peer to one port are no attempts to log on.

use super::Reader;
use crate::chunk::{Chunk, Peer};
use crate::facts::{Fact, Topic};
use baseline::{
    Aggregate, Day, Dimension, Entity, Entry, HashKey, Kind, Session, Slot, Talk, Value, kept,
};
use ingest::{
    enrich::{Asn, Caller},
    flow::{Call, ip},
};
use std::sync::{Arc, OnceLock};

/// Fewer ports that one side calls of the other in one object are what ordinary hosts call. Unit: ports.
const PORTS_OF_PEER_MIN: u32 = 3;

/// Fewer connections of one side to one port of the other in one object are no attempts to log on. Unit:
/// connections.
const TRIES_MIN: u32 = 3;

/// A connection on which a password is tried carries less, either way: an SSH handshake is about 4 KiB. Unit:
/// bytes.
const TRY_BYTES_MAX: u64 = 16 << 10;

/// It carries more, either way: the banner and the first half of that handshake. Unit: bytes.
const TRY_BYTES_MIN: u64 = 500;

/// Services at which somebody logs on by hand: FTP, SSH, Telnet, RDP, VNC, WinRM.
pub(crate) const LOGON_PORTS: &[u16] = &[21, 22, 23, 3389, 5900, 5985, 5986];

/// Services by which a host is administered: those, and RPC, SMB, the API of Docker.
const ADMIN_PORTS: &[u16] = &[21, 22, 23, 135, 139, 445, 2375, 2376, 3389, 5900, 5985, 5986];

/// Ports outside that any host calls.
const COMMON_PORTS: &[u16] = &[53, 80, 123, 443, 853];

/// The dynamic range (RFC 6335, 6): peers of calls and games answer there, no services.
const DYNAMIC_PORT_MIN: u16 = 49_152;

/// Ports of services to which programs open many short connections that are all alike.
const PROGRAM_PORTS: &[u16] = &[
    // The web, names, time, files, messages.
    53, 80, 123, 443, 853, 2049, 5222, 5223, 5228, 8000, 8080, 8443, 8888,
    // Mail and directories.
    25, 110, 143, 389, 465, 587, 636, 993, 995, 2525, 2587,
    // Databases, caches, queues, metrics.
    1433, 1521, 1883, 3306, 4222, 5432, 5671, 5672, 6379, 8086, 8883, 9042, 9092, 9093, 9094, 9200,
    10_516, 11_211, 27_017,
];

/// Ports of services that are there for everybody: the web, mail between servers, names, the time.
const PUBLIC_PORTS: &[u16] = &[25, 53, 80, 123, 443, 853];

/// Services that are asked at fixed times by everybody: names and the time.
const CLOCKWORK_PORTS: &[u16] = &[53, 123];

/// From so many tries of one peer in one object on they are counted apart as well: among hundreds of strangers who
/// try a little it would be lost. Unit: connections.
const BURST_MIN: u32 = 10;

/// Fewer connections to one service in one object that stay without an answer are a hiccup. Unit: connections.
const IN_VAIN_MIN: u32 = 10;

/// Fewer packets to one peer in one object are no flood: 100 a second of five minutes. Unit: packets.
const FLOOD_PACKETS_MIN: u64 = 30_000;

/// Of a flood hardly anything comes back: who receives data answers at least every other packet by TCP (RFC
/// 5681, 4.2) and by QUIC (RFC 9000, 13.2.2), though some do so ten times more seldom.
const FLOOD_RATIO_MIN: u64 = 20;

/// TCP segments of a flood are openings or fragments, not full of data. Unit: bytes.
const FLOOD_SEGMENT_BYTES_MAX: u64 = 120;

/// How far back the sum of a slot is looked for: an object holds few slots. Beyond, one more sum of it
/// costs nothing but its room. Unit: entries.
const ENTRIES_BACK: usize = 8;

/// IANA protocol numbers.
const TCP: u8 = 6;
const UDP: u8 = 17;

/// What the value of a count is.
#[derive(Debug, Clone, Copy)]
enum Named {
    /// The peer.
    Peer,
    /// `peer port`.
    Service,
    /// `protocol port peer`.
    Flood,
    /// `protocol port`.
    Port,
    /// `dns peer` or `dot peer`.
    Resolver,
}

impl Reader<'_> {
    /// Reads what interfaces of `account` called and what called them, in `n_flows` flow records of the object
    /// that began last.
    pub fn flows(&mut self, account: &str, n_flows: u64, calls: &[Call]) {
        if let Some(object) = self.chunk.objects.last_mut() {
            object.n_flows += n_flows;
        }
        for call in calls {
            self.call(account, call);
        }
    }

    fn call(&mut self, account: &str, call: &Call) {
        let n_flows = u64::from(call.n_flows);
        let (end_ms, slot, is_late) = self.counted_at(call.end_ms());
        let is_learned = self.is_learned(slot);
        let Some(object) = self.chunk.objects.last_mut() else { return };
        if is_learned {
            object.n_learned_flows += n_flows;
            return;
        }
        object.n_late_flows += if is_late { n_flows } else { 0 };
        let (first, last) = object.flow_times_ms.unwrap_or((end_ms, end_ms));
        object.flow_times_ms = Some((first.min(end_ms), last.max(end_ms)));
        let peer = self.peer(call.peer);
        self.note_own(account, call, slot);
        let is_public = !is_of_same_vpc(call.own, call.peer)
            && self.chunk.peers.get(peer).is_some_and(|peer| peer.is_public);
        let talks = if is_public { self.talks(call, peer, slot) } else { Vec::new() };
        let session = if is_public { self.session(call, peer) } else { None };
        let key = &self.context.options.hash_key;
        let Self { chunk: Chunk { objects, interfaces, peers, services, .. }, scratch, .. } = self;
        let Some(object) = objects.last_mut() else { return };
        let aggregate = object.interface((account, &call.interface), || {
            scratch.clear();
            scratch.extend_from_slice(account.as_bytes());
            scratch.push(0xff);
            scratch.extend_from_slice(call.interface.as_bytes());
            let new = || {
                let (account, key) = (account.into(), Arc::clone(&call.interface));
                Aggregate::of(Entity { account, kind: Kind::Interface, key })
            };
            let number = interfaces.number(scratch, new);
            interfaces.get(number).map_or_else(new, Aggregate::clone)
        });
        aggregate.talks.extend(talks);
        aggregate.sessions.extend(session.map(|session| (slot.hour(), session)));
        let entry = |dimension, value, amount| {
            let (evidence, first, others) = (None, None, Vec::new());
            let n_records = n_flows;
            Entry { dimension, slot, value, amount, n_records, evidence, first, others }
        };
        if !call.is_inbound {
            let key = (Dimension::Connections, slot);
            let mut known = aggregate.entries.iter_mut().rev().take(ENTRIES_BACK);
            match known.find(|known| (known.dimension, known.slot) == key) {
                Some(known) => {
                    known.amount = known.amount.saturating_add(n_flows);
                    known.n_records = known.amount;
                }
                None => aggregate.entries.push(entry(Dimension::Connections, None, n_flows)),
            }
        }
        let Some(of_peer) = peers.get(peer) else { return };
        let mut say = |dimension, named, amount| {
            let value = match named {
                Named::Peer => of_peer.value.clone(),
                _ => service(services, (call, named, &of_peer.value), key),
            };
            aggregate.entries.push(entry(dimension, Some(value), amount));
        };
        if call.is_inbound {
            count_inbound(call, is_public, &mut say);
        } else {
            count_outbound(call, is_public, &mut say);
        }
    }

    /// Notes which address an interface has: calls come in the order of interfaces.
    fn note_own(&mut self, account: &str, call: &Call, slot: Slot) {
        let key = &self.context.options.hash_key;
        let Some(object) = self.chunk.objects.last_mut() else { return };
        let hour = slot.hour();
        let is_noted = object.last_own.as_ref().is_some_and(|(interface, own, at)| {
            (*own, *at) == (call.own, hour) && *interface == call.interface
        });
        if is_noted {
            return;
        }
        object.last_own = Some((Arc::clone(&call.interface), call.own, hour));
        let value = key.value(&format!("{} {}", ip(call.own), call.interface));
        let (account, topic) = (kept(account), Topic::Holds);
        object.facts.push(Fact { account, topic, value, slot, evidence: None });
    }

    /// The number of a peer.
    fn peer(&mut self, address: u128) -> u32 {
        let Self { context, chunk, .. } = self;
        chunk.peers.number(&address.to_be_bytes(), || {
            let address = ip(address);
            let value = context.options.hash_key.value(&address.to_string());
            let is_public = matches!(Caller::of(address), Caller::Public(_));
            Peer { value, is_public, is_amazon: OnceLock::new() }
        })
    }

    fn is_amazon(&self, address: u128, peer: u32) -> bool {
        let enrich = &self.context.enrich;
        let look = || enrich.origin(ip(address)).network.is_some_and(Asn::is_amazon);
        self.chunk.peers.get(peer).is_some_and(|peer| *peer.is_amazon.get_or_init(look))
    }

    /// A connection to a service outside that went on.
    fn session(&mut self, call: &Call, peer: u32) -> Option<Session> {
        let lasting = call.lasting.filter(|_| !call.is_inbound && call.port != 0)?;
        let key = &self.context.options.hash_key;
        let Chunk { peers, services, .. } = &mut self.chunk;
        let with = service(services, (call, Named::Service, &peers.get(peer)?.value), key);
        let (port, covered_s) = (lasting.port, lasting.covered_s);
        Some(Session { with, protocol: call.protocol, port, covered_s })
    }

    /// What is said of the talk with a service outside, by day. Of those in networks of Amazon, where its own
    /// services are, and of clocks and names, which are asked at fixed times by everybody, none is kept.
    fn talks(&mut self, call: &Call, peer: u32, slot: Slot) -> Vec<(Day, Talk)> {
        let has_ports = matches!(call.protocol, TCP | UDP) && call.port != 0;
        let is_clockwork = CLOCKWORK_PORTS.contains(&call.port);
        let is_apart = call.is_inbound || !has_ports || is_clockwork;
        if is_apart || call.opened.n() == 0 || self.is_amazon(call.peer, peer) {
            return Vec::new();
        }
        let opened: Vec<(Slot, u32)> = call
            .opened
            .iter()
            .map(|(at_s, n)| (self.counted_at(at_s.saturating_mul(1_000)).1, n))
            .filter(|(slot, _)| !self.is_learned(*slot))
            .collect();
        let key = &self.context.options.hash_key;
        let Chunk { peers, services, .. } = &mut self.chunk;
        let Some(peer) = peers.get(peer) else { return Vec::new() };
        let with = service(services, (call, Named::Service, &peer.value), key);
        let mut talk = Talk::new(with.clone(), call.protocol);
        (talk.n_flows, talk.bytes, talk.squares) =
            (u64::from(call.n_flows), call.bytes, call.squares);
        let mut talks = vec![(slot.hour().day(), talk)];
        for (slot, n) in opened {
            let day = slot.hour().day();
            if !talks.iter().any(|(of, _)| *of == day) {
                talks.push((day, Talk::new(with.clone(), call.protocol)));
            }
            let of_day = talks.iter_mut().filter(|(of, _)| *of == day);
            of_day.for_each(|(_, talk)| talk.open(slot, n));
        }
        talks
    }
}

/// The value that names a service of a call.
fn service(
    services: &mut crate::intern::Interner<Value>,
    (call, named, peer): (&Call, Named, &Value),
    key: &HashKey,
) -> Value {
    let Call { port, protocol, .. } = *call;
    let [high, low] = port.to_be_bytes();
    let mut text = [0; 20];
    let [address @ .., a, b, c, d] = &mut text;
    address.copy_from_slice(&call.peer.to_be_bytes());
    (*a, *b, *c, *d) = (high, low, protocol, named as u8);
    let new = || {
        let text = match named {
            Named::Peer => return peer.clone(),
            Named::Service => format!("{} {port}", peer.text),
            Named::Resolver if port == 853 => format!("dot {}", peer.text),
            Named::Resolver => format!("dns {}", peer.text),
            Named::Port => format!("{} {port}", name(protocol)),
            Named::Flood => format!("{} {port} {}", name(protocol), peer.text),
        };
        key.value(&text)
    };
    let number = services.number(&text, new);
    services.get(number).map_or_else(new, Value::clone)
}

/// Whether two addresses are of one VPC: of IPv6, whose addresses are all public, by the /56 that AWS gives to
/// each (docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html).
fn is_of_same_vpc(own: u128, peer: u128) -> bool {
    let is_mapped = |address: u128| address >> 32 == 0xffff;
    !is_mapped(own) && !is_mapped(peer) && own >> 72 == peer >> 72
}

fn name(protocol: u8) -> String {
    match protocol {
        TCP => "tcp".to_owned(),
        UDP => "udp".to_owned(),
        other => format!("protocol-{other}"),
    }
}

fn count_outbound(call: &Call, is_public: bool, say: &mut dyn FnMut(Dimension, Named, u64)) {
    let Call { port, is_answered, .. } = *call;
    let (n_flows, n_opened) = (u64::from(call.n_flows), u64::from(call.opened.n()));
    // What has no port is no port scan: ICMP.
    if port != 0 {
        if call.n_ports_of_peer >= PORTS_OF_PEER_MIN {
            say(Dimension::PeerPorts, Named::Service, n_flows);
        }
        if !is_answered {
            say(Dimension::ScanTargets, Named::Service, n_flows);
        }
    }
    if looks_like_logon(call, is_public) {
        say(Dimension::LogonTriesMade, Named::Service, n_opened);
    }
    if !is_public {
        if is_answered && ADMIN_PORTS.contains(&port) && call.protocol == TCP {
            say(Dimension::Neighbours, Named::Service, n_flows);
        }
        return;
    }
    let is_common = COMMON_PORTS.contains(&port) || port >= DYNAMIC_PORT_MIN;
    if is_answered && matches!(call.protocol, TCP | UDP) && port != 0 && !is_common {
        say(Dimension::PortsCalled, Named::Port, n_flows);
    }
    let (bytes, packets) = (call.bytes.0, call.packets);
    if bytes > 0 {
        say(Dimension::BytesOut, Named::Peer, bytes.div_ceil(1 << 10));
    }
    // What is not answered does not last: each flow is a connection.
    if !is_answered && port != 0 && call.n_flows >= IN_VAIN_MIN {
        say(Dimension::CallsInVain, Named::Service, n_flows);
    }
    if is_answered && matches!(port, 53 | 853) {
        say(Dimension::Resolvers, Named::Resolver, n_flows);
    }
    let is_one_way = packets.1.saturating_mul(FLOOD_RATIO_MIN) < packets.0;
    let is_data = call.protocol == TCP && bytes > packets.0.saturating_mul(FLOOD_SEGMENT_BYTES_MAX);
    if packets.0 >= FLOOD_PACKETS_MIN && is_one_way && !is_data {
        say(Dimension::Floods, Named::Flood, packets.0 / 1_000);
    }
}

fn count_inbound(call: &Call, is_public: bool, say: &mut dyn FnMut(Dimension, Named, u64)) {
    if looks_like_logon(call, is_public) {
        let n = call.opened.n();
        say(Dimension::LogonTries, Named::Service, u64::from(n));
        if n >= BURST_MIN && LOGON_PORTS.contains(&call.port) {
            say(Dimension::LogonBursts, Named::Service, u64::from(n));
        }
    }
    let is_service = matches!(call.protocol, TCP | UDP) && call.port != 0;
    if is_service && is_public && is_visit(call) {
        say(Dimension::Visits, Named::Service, u64::from(call.n_flows));
    }
    if is_service && !call.is_answered && call.n_ports_of_peer >= PORTS_OF_PEER_MIN {
        let dimension = if is_public { Dimension::Probes } else { Dimension::ProbesInside };
        say(dimension, Named::Service, u64::from(call.n_flows));
    }
}

/// Whether somebody was let in, and not only tried, at a port that is not meant for everybody.
fn is_visit(call: &Call) -> bool {
    let n = u64::from(call.opened.n()).max(1);
    let is_more_than_a_try = call.bytes.0.max(call.bytes.1) > n.saturating_mul(TRY_BYTES_MAX);
    call.is_admitted
        && call.is_answered
        && (is_more_than_a_try || call.lasting.is_some())
        && !PUBLIC_PORTS.contains(&call.port)
}

/// Whether the connections of a call are short, answered, and several, at a service to which programs do not
/// make such by themselves.
fn looks_like_logon(call: &Call, is_public: bool) -> bool {
    let n = u64::from(call.opened.n());
    // Nobody tries a password without a handshake; what keeps a connection open says less.
    let says_something = call.bytes.0.min(call.bytes.1) >= n.saturating_mul(TRY_BYTES_MIN);
    let is_short = says_something
        && call.lasting.is_none()
        && call.bytes.0.max(call.bytes.1) <= n.saturating_mul(TRY_BYTES_MAX);
    let is_apt = LOGON_PORTS.contains(&call.port)
        || is_public && call.port != 0 && !PROGRAM_PORTS.contains(&call.port);
    call.protocol == TCP
        && call.is_admitted
        && call.is_answered
        && call.opened.n() >= TRIES_MIN
        && is_short
        && is_apt
}
