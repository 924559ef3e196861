//! What interfaces called, and what called them: the calls of one object to what is counted of them.
//!
//! An object is applied whole or not at all, so what it shows of a pair of hosts may decide whether they are
//! counted: fewer than three connections of one peer to one port are no attempts to log on.

mod named;

use super::Reader;
use crate::{
    chunk::{Chunk, Peer},
    facts::{Fact, Topic},
    intern::Interner,
    resolvers,
};
use baseline::{
    Aggregate, Day, Dimension, Entity, Entry, HashKey, Kind, Session, Slot, Talk, Value, kept,
};
use ingest::{
    enrich::{Asn, Caller},
    flow::{Call, ip},
    flowlog::Gap,
};
use named::{Named, is_mapped, segments, segments_value};
use std::sync::{Arc, OnceLock};

pub(crate) use named::{CLEAR, ENCRYPTED};

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

/// What a session brings at least, either way, where no connection goes on: four times what a password that is
/// tried does. Unit: bytes.
const SESSION_BYTES_MIN: u64 = 64 << 10;

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

/// Less of one peer in one object is not worth to be compared with what S3 logs. Unit: bytes.
const TAKEN_BYTES_MIN: u64 = 1 << 20;

/// How far back the sum of a slot is looked for: an object holds few slots. Beyond, one more sum of it
/// costs nothing but its room. Unit: entries.
const ENTRIES_BACK: usize = 8;

/// IANA protocol numbers.
const TCP: u8 = 6;
const UDP: u8 = 17;

impl Reader<'_> {
    /// Reads what interfaces of `account` called and what called them, in `n_flows` flow records of the object
    /// that began last. Calls of one interface come together.
    pub fn flows(&mut self, account: &str, n_flows: u64, calls: &[Call]) {
        if let Some(object) = self.chunk.objects.last_mut() {
            object.n_flows += n_flows;
        }
        let is_same = |a: &Call, b: &Call| {
            Arc::ptr_eq(&a.interface, &b.interface) || a.interface == b.interface
        };
        for of_one in calls.chunk_by(is_same) {
            let Some(Call { interface, .. }) = of_one.first() else { continue };
            let mut aggregate = self.interface(account, interface);
            let mut n_counted = 0;
            for call in of_one {
                n_counted += usize::from(self.call(call, &mut aggregate));
            }
            if let Some(object) = self.chunk.objects.last_mut()
                && n_counted > 0
            {
                object.flows.push(aggregate);
            }
        }
    }

    /// Reads when flows of interfaces of `account` were lost, in the object that began last.
    pub fn gaps(&mut self, account: &str, gaps: &[Gap]) {
        for gap in gaps {
            let (_, slot, _) = self.counted_at(gap.end_ms());
            if self.is_learned(slot) {
                continue;
            }
            let mut aggregate = self.interface(account, &gap.interface);
            aggregate.entries.push(entry((Dimension::Skipped, slot), None, (gap.lasted_s(), 1)));
            if let Some(object) = self.chunk.objects.last_mut() {
                object.flows.push(aggregate);
            }
        }
    }

    /// An aggregate of nothing of an interface, as the flow log at hand has it.
    fn interface(&mut self, account: &str, interface: &Arc<str>) -> Aggregate {
        let Self { chunk: Chunk { interfaces, .. }, scratch, log, .. } = self;
        let log = log.as_deref();
        scratch.clear();
        for part in [account, log.unwrap_or_default(), interface] {
            scratch.extend_from_slice(part.as_bytes());
            scratch.push(0xff);
        }
        let new = || {
            let (account, key) = (account.into(), Arc::clone(interface));
            let entity = Entity { account, kind: Kind::Interface, key };
            let id = entity.id_in(log);
            Aggregate::with_id(entity, id)
        };
        let number = interfaces.number(scratch, new);
        interfaces.get(number).map_or_else(new, Aggregate::clone)
    }

    /// Reads a call of the interface of `aggregate`; false if it belongs to a day that was learned before.
    fn call(&mut self, call: &Call, aggregate: &mut Aggregate) -> bool {
        let n_flows = u64::from(call.n_flows);
        let (end_ms, slot, is_late) = self.counted_at(call.end_ms());
        let is_learned = self.is_learned(slot);
        let Some(object) = self.chunk.objects.last_mut() else { return false };
        if is_learned {
            object.n_learned_flows += n_flows;
            return false;
        }
        object.n_late_flows += if is_late { n_flows } else { 0 };
        let (first, last) = object.flow_times_ms.unwrap_or((end_ms, end_ms));
        object.flow_times_ms = Some((first.min(end_ms), last.max(end_ms)));
        self.note_own(&aggregate.entity.account, call, slot);
        let is_public = !is_of_same_vpc(call.own, call.peer)
            && matches!(Caller::of(ip(call.peer)), Caller::Public(_));
        if !call.is_inbound {
            add(aggregate, entry((Dimension::Connections, slot), None, (n_flows, n_flows)));
        }
        if let Some(pair) = segments(call, is_public) {
            let key = &self.context.options.hash_key;
            let value = segments_value(&mut self.chunk.services, pair, key);
            add(aggregate, entry((Dimension::Segments, slot), Some(value), (n_flows, n_flows)));
        }
        let Aggregate { entries, talks, sessions, .. } = aggregate;
        let mut say = |dimension, named, amount| {
            let value = Some(self.named(call, named));
            entries.push(entry((dimension, slot), value, (amount, n_flows)));
        };
        if call.is_inbound {
            count_inbound(call, is_public, &mut say);
            return true;
        }
        count_outbound(call, is_public, &mut say);
        if call.bytes.1 >= TAKEN_BYTES_MIN && self.may_be_aws(call, is_public) {
            let value = Some(self.named(call, Named::Peer));
            let kibibytes = call.bytes.1 >> 10;
            entries.push(entry((Dimension::BytesTaken, slot), value, (kibibytes, n_flows)));
        }
        if is_public {
            if self.is_doh(call) {
                let value = Some(self.named(call, Named::Resolver));
                entries.push(entry((Dimension::Resolvers, slot), value, (n_flows, n_flows)));
            }
            self.talk(call, slot, talks);
            sessions.extend(self.session(call).map(|session| (slot.hour(), session)));
        }
        true
    }

    /// Notes which address an interface has: calls come in the order of interfaces.
    fn note_own(&mut self, account: &Arc<str>, call: &Call, slot: Slot) {
        let Some(object) = self.chunk.objects.last_mut() else { return };
        let is_noted = object.last_own.as_ref().is_some_and(|(interface, own, hour)| {
            (*own, *hour) == (call.own, slot.hour()) && *interface == call.interface
        });
        if is_noted {
            return;
        }
        object.last_own = Some((Arc::clone(&call.interface), call.own, slot.hour()));
        let key = &self.context.options.hash_key;
        let value = key.value(&format!("{} {}", ip(call.own), call.interface));
        let (account, topic) = (kept(account), Topic::Holds);
        object.facts.push(Fact { account, topic, value, slot, amount: 0, evidence: None });
    }

    /// Whether names were asked by HTTPS, as far as addresses tell.
    fn is_doh(&mut self, call: &Call) -> bool {
        if call.is_inbound || !call.is_answered || call.port != 443 {
            return false;
        }
        let Self { context, chunk, .. } = self;
        let look = || resolvers::is_doh(call.peer, context.options.rules.lists());
        let peer = peer(&mut chunk.peers, call.peer, &context.options.hash_key);
        peer.is_some_and(|peer| *peer.is_doh.get_or_init(look))
    }

    /// Whether a call may be of an API of AWS: outside in its networks, or inside by an endpoint.
    fn may_be_aws(&mut self, call: &Call, is_public: bool) -> bool {
        call.port == 443 && (!is_public || self.is_amazon(call.peer))
    }

    fn is_amazon(&mut self, address: u128) -> bool {
        let Self { context, chunk, .. } = self;
        let look = || context.enrich.origin(ip(address)).network.is_some_and(Asn::is_amazon);
        let peer = peer(&mut chunk.peers, address, &context.options.hash_key);
        peer.is_some_and(|peer| *peer.is_amazon.get_or_init(look))
    }

    /// The value that names a service of a call, or its peer.
    fn named(&mut self, call: &Call, named: Named) -> Value {
        let key = &self.context.options.hash_key;
        let Chunk { peers, services, .. } = &mut self.chunk;
        let mut of_peer = || {
            let peer = peer(peers, call.peer, key);
            peer.map_or_else(|| key.value(""), |peer| peer.value.clone())
        };
        match named {
            Named::Peer => of_peer(),
            _ => named::service(services, (call, named, &mut of_peer), key),
        }
    }

    /// A connection to a service outside that went on.
    fn session(&mut self, call: &Call) -> Option<Session> {
        let lasting = call.lasting.filter(|_| call.port != 0)?;
        let with = self.named(call, Named::Service);
        let (port, covered_s) = (lasting.port, lasting.covered_s);
        Some(Session { with, protocol: call.protocol, port, covered_s })
    }

    /// Adds what is said of the talk with a service outside, by day, to `talks`. Of those in networks of Amazon,
    /// where its own services are, and of clocks and names, which are asked at fixed times by everybody, none is
    /// kept.
    fn talk(&mut self, call: &Call, slot: Slot, talks: &mut Vec<(Day, Talk)>) {
        let has_ports = matches!(call.protocol, TCP | UDP) && call.port != 0;
        let is_clockwork = CLOCKWORK_PORTS.contains(&call.port);
        if !has_ports || is_clockwork || call.opened.n() == 0 || self.is_amazon(call.peer) {
            return;
        }
        let from = talks.len();
        let day = slot.hour().day();
        let mut talk = Talk::new(self.named(call, Named::Service), call.protocol);
        (talk.n_flows, talk.bytes, talk.squares) =
            (u64::from(call.n_flows), call.bytes, call.squares);
        talks.push((day, talk));
        for (at_s, n) in call.opened.iter() {
            let slot = self.counted_at(at_s.saturating_mul(1_000)).1;
            if self.is_learned(slot) {
                continue;
            }
            let day = slot.hour().day();
            let of_call = talks.get_mut(from..).unwrap_or_default();
            if let Some((_, talk)) = of_call.iter_mut().find(|(of, _)| *of == day) {
                talk.open(slot, n);
            } else {
                let mut talk = Talk::new(self.named(call, Named::Service), call.protocol);
                talk.open(slot, n);
                talks.push((day, talk));
            }
        }
    }
}

/// A peer, remembered if it is new.
fn peer<'p>(peers: &'p mut Interner<Peer>, address: u128, key: &HashKey) -> Option<&'p Peer> {
    let number = peers.number(&address.to_be_bytes(), || Peer {
        value: key.value(&ip(address).to_string()),
        is_amazon: OnceLock::new(),
        is_doh: OnceLock::new(),
    });
    peers.get(number)
}

/// So much of something, in so many flow records.
fn entry(
    (dimension, slot): (Dimension, Slot),
    value: Option<Value>,
    (amount, n_records): (u64, u64),
) -> Entry {
    let (evidence, first, others) = (None, None, Vec::new());
    Entry { dimension, slot, value, amount, n_records, evidence, first, others }
}

/// Adds an entry of which many are alike.
fn add(aggregate: &mut Aggregate, entry: Entry) {
    let is_same = |known: &&mut Entry| {
        (known.dimension, known.slot) == (entry.dimension, entry.slot) && known.value == entry.value
    };
    match aggregate.entries.iter_mut().rev().take(ENTRIES_BACK).find(is_same) {
        Some(known) => {
            known.amount = known.amount.saturating_add(entry.amount);
            known.n_records = known.n_records.saturating_add(entry.n_records);
        }
        None => aggregate.entries.push(entry),
    }
}

/// Whether two addresses are of one VPC: of IPv6, whose addresses are all public, by the /56 that AWS gives to
/// each (docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html).
fn is_of_same_vpc(own: u128, peer: u128) -> bool {
    !is_mapped(own) && !is_mapped(peer) && own >> 72 == peer >> 72
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
        if !call.is_admitted {
            say(Dimension::Rejects, Named::Service, n_flows);
        }
        if let Some(is_clear) = call.is_clear.filter(|_| is_answered && port != 0) {
            let named = if is_clear { Named::Clear } else { Named::Encrypted };
            say(Dimension::Encryption, named, n_flows);
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
    if is_public && is_session(call) {
        let covered_s = call.lasting.map_or(1, |lasting| u64::from(lasting.covered_s));
        say(Dimension::Logons, Named::Service, covered_s);
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

/// Whether somebody is logged on: a connection goes on, or brings more than passwords that are tried.
fn is_session(call: &Call) -> bool {
    let most = call.bytes.0.max(call.bytes.1);
    let of_tries = u64::from(call.opened.n()).saturating_mul(TRY_BYTES_MAX);
    let goes_on = call.lasting.is_some() || most >= SESSION_BYTES_MIN && most > of_tries;
    call.protocol == TCP && call.is_answered && LOGON_PORTS.contains(&call.port) && goes_on
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
    if call.protocol != TCP || !call.is_admitted || !call.is_answered || call.lasting.is_some() {
        return false;
    }
    let n = call.opened.n();
    if n < TRIES_MIN {
        return false;
    }
    let (least, most) = (call.bytes.0.min(call.bytes.1), call.bytes.0.max(call.bytes.1));
    let each = u64::from(n);
    // Nobody tries a password without a handshake.
    let is_try =
        least >= each.saturating_mul(TRY_BYTES_MIN) && most <= each.saturating_mul(TRY_BYTES_MAX);
    is_try
        && (LOGON_PORTS.contains(&call.port)
            || is_public && call.port != 0 && !PROGRAM_PORTS.contains(&call.port))
}

#[cfg(test)]
mod tests;
