//! Whom did the hosts behind each interface call, who called them, and who answered? Asked of all batches
//! of one object at once.
//!
//! * The own side of a row is what `flow-direction` says (egress: the source); without that field,
//!   the one address that is on a side of more rows of the interface than any other.
//! * The opener is who sent SYN, the responder who sent SYN-ACK; without these flags the lower port
//!   is the service, and of equal ports the own side is the opener if its flow started first, or in the same
//!   second as that of a peer outside while its own address is private.
//! * Multicast and the limited broadcast address never answer and are left out.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use hashbrown::HashTable;

use super::{Addresses, Field, FlowBatch, Numbers, Texts};

mod encryption;
mod hash;
mod own;

use encryption::Encryption;
use hash::Seeded;
use own::Interface;

/// Most distinct (interface, two addresses, service port, protocol) of one object; rows of further
/// ones are counted in [`Calls::dropped_rows`]. One takes up to 400 bytes.
pub(crate) const KEYS_MAX: usize = 1 << 17;

/// Most interfaces of one object; rows of further ones are counted as dropped.
const INTERFACES_MAX: usize = 1 << 16;

/// With more names than this, they are forgotten at the end of an object; else most objects name the
/// same interfaces as those before.
const NAMES_KEPT_MAX: usize = 1 << 10;

/// An answer of so many packets or fewer may be a mere SYN-ACK or RST.
const REFUSAL_PACKETS_MAX: u64 = 2;

/// Largest packet without payload: IPv4 and TCP headers with the options of a SYN-ACK. Unit: bytes.
const REFUSAL_PACKET_BYTES_MAX: u64 = 60;

/// Protocol number of TCP.
const TCP: u8 = 6;

/// `tcp-flags` bit of an opening packet.
const SYN: i32 = 0x02;

/// `tcp-flags` bit of a refusal.
const RST: i32 = 0x04;

/// `tcp-flags` bits of an answer to it.
const SYN_ACK: i32 = 0x12;

/// Calls of one interface to one service of one peer, or of a peer to a service of the interface, within
/// one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The interface's id.
    pub interface: Arc<str>,
    /// Whether the peer called.
    pub is_inbound: bool,
    /// The interface's own address; see [`Addresses`].
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
    /// Flow records from the side that called; 0 where the object holds only the answers.
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

/// A side sends so many packets at least where a TCP connection is opened, used and closed. Unit: packets.
const CONNECTION_PACKETS_MIN: u64 = 4;

/// The grain of [`Opened`]. Unit: seconds.
const GRAIN_S: i64 = 300;

/// From so much of an object on a connection lasts: most of five minutes. Unit: seconds.
const LASTING_S_MIN: u32 = 200;

/// Ports that any host calls of any peer; calls to them are no sign of a scan of ports.
const COMMON_PORTS: &[u16] = &[0, 53, 80, 123, 443, 445, 853, 2049];

/// The fields that [`Calls`] looks at.
pub const FIELDS: &[Field] = &[
    Field::InterfaceId,
    Field::SrcAddr,
    Field::DstAddr,
    Field::SrcPort,
    Field::DstPort,
    Field::Protocol,
    Field::Packets,
    Field::Bytes,
    Field::Start,
    Field::End,
    Field::Action,
    Field::TcpFlags,
    Field::FlowDirection,
    Field::EncryptionStatus,
];

/// Gathers the batches of one object.
#[derive(Debug, Default)]
pub struct Calls {
    interfaces: Vec<Interface>,
    /// By name: the object that met it last, and its place there among the interfaces.
    names: HashMap<Arc<str>, (u32, u32)>,
    /// Number of the object at hand.
    object: u32,
    /// Places in `sums`, by the hash of their keys.
    places: HashTable<u32>,
    seeded: Seeded,
    sums: Vec<(Key, Sum)>,
    /// The place of the last row: flows of one connection often follow each other.
    last: usize,
    dropped_rows: u64,
}

/// A service of one side as the other side calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    interface: u32,
    port: u16,
    protocol: u8,
    /// Both ports are equal: `opener` is just the smaller address.
    tie: bool,
    opener: u128,
    responder: u128,
}

impl Key {
    fn hash(&self, seeded: &Seeded) -> u64 {
        let ports = u64::from(self.port) << 16 | u64::from(self.protocol) << 8;
        let first = u64::from(self.interface) << 32 | ports | u64::from(self.tie);
        seeded.hash(first, self.opener, self.responder)
    }
}

#[derive(Debug, Clone, Default)]
struct Sum {
    /// Whether the opener is the own side, where the format tells it.
    is_told_own: Option<bool>,
    /// From the opener, and from the responder.
    sides: [Side; 2],
    /// A SYN of the opener was seen, or cannot be seen in this format.
    is_opened: bool,
    /// The format tells the flags of its packets.
    has_flags: bool,
    /// See [`encryption`].
    encryption: u8,
}

/// The flows of one side of a call.
#[derive(Debug, Clone)]
struct Side {
    flows: u32,
    start: i64,
    end: i64,
    /// An accepted flow with payload, or with more packets than a refusal has.
    speaks: bool,
    /// An accepted flow.
    accepted: bool,
    bytes: u64,
    packets: u64,
    /// The rest is counted of the side that opened, and of both where nobody can tell.
    opened: Opened,
    squares: u64,
    leading: Leading,
}

/// The port from which a side sends for longest, after Boyer and Moore (1981), each flow weighing its seconds.
#[derive(Debug, Clone, Copy, Default)]
struct Leading {
    port: u16,
    weight: u32,
    first: i64,
    last: i64,
}

impl Default for Side {
    fn default() -> Self {
        Self {
            flows: 0,
            start: i64::MAX,
            end: i64::MIN,
            speaks: false,
            accepted: false,
            bytes: 0,
            packets: 0,
            opened: Opened::default(),
            squares: 0,
            leading: Leading::default(),
        }
    }
}

/// What a row counts.
struct Flow {
    packets: u64,
    bytes: u64,
    start: i64,
    end: i64,
    is_rejected: bool,
    /// Of accepted flows; see [`encryption`].
    encryption: u8,
}

/// The columns that the question needs.
struct Columns<'a> {
    interface: Texts<'a>,
    srcaddr: Addresses<'a>,
    dstaddr: Addresses<'a>,
    srcport: Numbers<'a, i32>,
    dstport: Numbers<'a, i32>,
    protocol: Option<Numbers<'a, i32>>,
    flags: Option<Numbers<'a, i32>>,
    packets: Option<Numbers<'a, i64>>,
    bytes: Option<Numbers<'a, i64>>,
    start: Option<Numbers<'a, i64>>,
    end: Option<Numbers<'a, i64>>,
    direction: Option<(Texts<'a>, Option<usize>)>,
    action: Option<(Texts<'a>, Option<usize>)>,
    encryption: Option<Encryption<'a>>,
}

/// One row, its ports and addresses in place.
struct Row {
    interface: u32,
    src: u128,
    dst: u128,
    srcport: u16,
    dstport: u16,
    protocol: u8,
    /// `None` where the format does not have them.
    flags: Option<i32>,
    /// Whether the source is the own side, where the format tells it.
    is_from_own: Option<bool>,
    /// The own side's address, as far as it is known.
    own: Option<u128>,
}

impl Calls {
    /// Rows of the object at hand that were left out because it has more than `KEYS_MAX` keys or
    /// `INTERFACES_MAX` interfaces; [`Self::finish`] sets it to 0.
    pub fn dropped_rows(&self) -> u64 {
        self.dropped_rows
    }

    /// Takes in one batch; without interfaces, addresses and ports it has nothing to say.
    pub fn add(&mut self, batch: &FlowBatch) {
        let Some(columns) = Columns::of(batch) else { return };
        let is_whole = batch.is_whole() && self.interfaces.is_empty();
        let interfaces: Vec<Option<u32>> =
            columns.interface.words().map(|name| self.interface(name)).collect();
        self.see_sides(&columns, &interfaces, batch.rows());
        // What nothing can change any more need not wait for the end.
        let is_known = is_whole && columns.direction.is_none();
        let own = |id| if is_known { self.own(id) } else { self.settled(id) };
        let interfaces: Vec<Option<(u32, Option<u128>)>> =
            interfaces.into_iter().map(|id| Some((id?, own(id?)))).collect();
        let mut nulls = 0;
        for i in 0..batch.rows() {
            nulls = if i % 64 == 0 { columns.nulls_at(i) } else { nulls >> 1 };
            let Some(name) = columns.interface.key(i) else { continue };
            let Some((interface, own)) = interfaces.get(name).copied().flatten() else {
                self.dropped_rows += 1;
                continue;
            };
            if nulls & 1 != 0 {
                continue;
            }
            let Some(row) = columns.row(i, interface, own) else { continue };
            self.add_row(&row, &columns.flow(i));
        }
    }

    /// Counts the addresses of the rows that do not tell their own side.
    fn see_sides(&mut self, columns: &Columns<'_>, interfaces: &[Option<u32>], n_rows: usize) {
        if columns.direction.is_some_and(|(texts, _)| !texts.has_nulls()) {
            return;
        }
        let is_open = |id: &&u32| self.settled(**id).is_none();
        let mut n_open = interfaces.iter().flatten().filter(is_open).count();
        for i in 0..n_rows {
            if n_open == 0 {
                return;
            }
            let id = columns.interface.key(i).and_then(|name| *interfaces.get(name)?);
            let interface = id.and_then(|id| self.interfaces.get_mut(id as usize));
            if let Some(interface) = interface.filter(|interface| interface.settled.is_none())
                && columns.tells_side(i).is_none()
                && let (Some(src), Some(dst)) = (columns.srcaddr.get(i), columns.dstaddr.get(i))
            {
                interface.saw_row(src, dst);
                n_open -= usize::from(interface.settled.is_some());
            }
        }
    }

    fn own(&self, id: u32) -> Option<u128> {
        self.interfaces.get(id as usize)?.own()
    }

    fn settled(&self, id: u32) -> Option<u128> {
        self.interfaces.get(id as usize)?.settled
    }

    fn interface(&mut self, name: &str) -> Option<u32> {
        let Self { interfaces, names, object, .. } = self;
        let known = names.get_key_value(name);
        if let Some((_, (of, id))) = known
            && of == object
        {
            return Some(*id);
        }
        if interfaces.len() >= INTERFACES_MAX {
            return None;
        }
        let id = u32::try_from(interfaces.len()).ok()?;
        let name: Arc<str> = known.map_or_else(|| name.into(), |(name, _)| Arc::clone(name));
        names.insert(Arc::clone(&name), (*object, id));
        interfaces.push(Interface::new(name));
        Some(id)
    }

    #[inline]
    fn add_row(&mut self, row: &Row, flow: &Flow) {
        let Some((key, from_opener)) = row.key() else { return };
        let Some(sum) = self.sum(key) else {
            self.dropped_rows += 1;
            return;
        };
        let is_told_own = row.is_from_own.map(|from_own| from_own == from_opener);
        sum.is_told_own = is_told_own.or(sum.is_told_own);
        let flags = row.flags.filter(|_| row.protocol == TCP);
        sum.has_flags |= flags.is_some();
        sum.encryption |= flow.encryption;
        sum.is_opened |= row.flags.is_none_or(|flags| from_opener && flags & SYN != 0);
        let [from, back] = &mut sum.sides;
        let side = if from_opener { from } else { back };
        side.add(flow, !from_opener && is_refusal(flags));
        if from_opener || key.tie {
            let has_packets = row.protocol != TCP || flow.packets >= CONNECTION_PACKETS_MIN;
            side.caller((row.srcport, flags), flow, has_packets);
        }
    }

    /// The sum of this key; `None` if it is new and there are too many.
    fn sum(&mut self, key: Key) -> Option<&mut Sum> {
        let Self { sums, places, seeded, last, .. } = self;
        let is_at = |place: usize| sums.get(place).is_some_and(|(known, _)| *known == key);
        if !is_at(*last) {
            let hash = key.hash(seeded);
            *last = match places.find(hash, |place| is_at(*place as usize)) {
                Some(place) => *place as usize,
                None if sums.len() >= KEYS_MAX => return None,
                None => {
                    let place = u32::try_from(sums.len()).ok()?;
                    sums.push((key, Sum::default()));
                    let key_at = |place: &u32| sums.get(*place as usize).map(|(key, _)| key);
                    let hash_at = |place: &u32| key_at(place).map_or(0, |key| key.hash(seeded));
                    places.insert_unique(hash, place, hash_at);
                    place as usize
                }
            };
        }
        sums.get_mut(*last).map(|(_, sum)| sum)
    }

    /// Ends the object: the calls of each interface by direction, peer, port and protocol. The gatherer is
    /// empty afterwards.
    pub fn finish(&mut self) -> Vec<Call> {
        let own: Vec<Option<u128>> = self.interfaces.iter().map(Interface::own).collect();
        let ranks = self.ranks();
        let interfaces = &self.interfaces;
        let mut ranked = Vec::with_capacity(self.sums.len());
        ranked.extend(self.sums.drain(..).filter_map(|(key, sum)| {
            let interface = key.interface as usize;
            let told = sum.is_told_own;
            let told = told.map(|is_own| if is_own { key.opener } else { key.responder });
            let own = told.or(own.get(interface).copied().flatten())?;
            let call = sum.call(&key, own, &interfaces.get(interface)?.name)?;
            Some((*ranks.get(interface)?, call))
        }));
        self.interfaces.clear();
        self.object = self.object.wrapping_add(1);
        if self.names.len() > NAMES_KEPT_MAX || self.object == 0 {
            self.names.clear();
        }
        self.places.clear();
        self.last = 0;
        self.dropped_rows = 0;
        let of_peer = |(rank, one): &(u32, Call)| (*rank, one.is_inbound, one.peer);
        let target = |one: &(u32, Call)| (of_peer(one), one.1.port, one.1.protocol);
        ranked.sort_unstable_by_key(target);
        // Several own addresses may have called the same service.
        ranked.dedup_by(|next, kept| {
            let same = target(next) == target(kept);
            if same {
                kept.1.merge(&next.1);
            }
            same
        });
        for of_one_peer in ranked.chunk_by_mut(|a, b| of_peer(a) == of_peer(b)) {
            let is_uncommon = |(_, one): &&(u32, Call)| !COMMON_PORTS.contains(&one.port);
            let n_ports = of_one_peer.iter().filter(is_uncommon).count();
            let n_ports = u32::try_from(n_ports).unwrap_or(u32::MAX);
            for (_, one) in of_one_peer.iter_mut() {
                one.n_ports_of_peer = n_ports;
            }
        }
        ranked.into_iter().map(|(_, call)| call).collect()
    }

    /// Where each interface stands among the names in their order.
    fn ranks(&self) -> Vec<u32> {
        let mut by_name: Vec<(&str, usize)> =
            self.interfaces.iter().map(|interface| &*interface.name).zip(0..).collect();
        by_name.sort_unstable();
        let mut ranks = vec![0; by_name.len()];
        for (rank, (_, at)) in (0..).zip(by_name) {
            if let Some(place) = ranks.get_mut(at) {
                *place = rank;
            }
        }
        ranks
    }
}

impl Call {
    /// When it ended. Unit: milliseconds since the Unix epoch.
    pub fn end_ms(&self) -> i64 {
        self.end_s.saturating_mul(1_000)
    }

    /// Joins what is known of the same target.
    fn merge(&mut self, other: &Self) {
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
        let (first, rest) = (&mut self.first, &mut self.rest);
        if let Some((_, sum)) = first.iter_mut().chain(rest).find(|(other, _)| *other == at_s) {
            *sum = sum.saturating_add(n);
        } else if self.first.is_none() {
            self.first = Some((at_s, n));
        } else {
            self.rest.push((at_s, n));
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
    fn take_one(&mut self) {
        if let Some((_, n)) = &mut self.first {
            *n = n.saturating_sub(1);
        }
    }
}

impl<'a> Columns<'a> {
    fn of(batch: &'a FlowBatch) -> Option<Self> {
        let key_of = |field, word: &str| {
            let texts = batch.texts(field)?;
            Some((texts, texts.words().position(|known| known == word)))
        };
        Some(Self {
            interface: batch.texts(Field::InterfaceId)?,
            srcaddr: batch.addresses(Field::SrcAddr)?,
            dstaddr: batch.addresses(Field::DstAddr)?,
            srcport: batch.int32(Field::SrcPort)?,
            dstport: batch.int32(Field::DstPort)?,
            protocol: batch.int32(Field::Protocol),
            flags: batch.int32(Field::TcpFlags),
            packets: batch.int64(Field::Packets),
            bytes: batch.int64(Field::Bytes),
            start: batch.int64(Field::Start),
            end: batch.int64(Field::End),
            direction: key_of(Field::FlowDirection, "egress"),
            action: key_of(Field::Action, "REJECT"),
            encryption: Encryption::of(batch),
        })
    }

    /// Whether the format says that the row comes from the own side.
    #[inline]
    fn tells_side(&self, i: usize) -> Option<bool> {
        let (texts, egress) = self.direction?;
        Some(Some(texts.key(i)?) == egress)
    }

    /// Which of the rows from `i` to the next multiple of 64 say nothing of a call, row `i` lowest.
    fn nulls_at(&self, i: usize) -> u64 {
        let addresses = self.srcaddr.nulls_at(i) | self.dstaddr.nulls_at(i);
        addresses | self.srcport.nulls_at(i) | self.dstport.nulls_at(i)
    }

    /// Row `i`, which has addresses and ports.
    #[inline]
    fn row(&self, i: usize, interface: u32, own: Option<u128>) -> Option<Row> {
        let (src, dst) = (self.srcaddr.get_or_zero(i)?, self.dstaddr.get_or_zero(i)?);
        let is_from_own = self.tells_side(i);
        let told = is_from_own.map(|from_own| if from_own { src } else { dst });
        Some(Row {
            interface,
            src,
            dst,
            srcport: u16::try_from(self.srcport.get_or_zero(i)?).ok()?,
            dstport: u16::try_from(self.dstport.get_or_zero(i)?).ok()?,
            protocol: u8::try_from(or_zero(self.protocol, i)).ok()?,
            flags: self.flags.and_then(|flags| flags.get(i)),
            is_from_own,
            own: told.or(own),
        })
    }

    /// What row `i` counts.
    #[inline]
    fn flow(&self, i: usize) -> Flow {
        let start = or_zero(self.start, i);
        let count = |column| u64::try_from(or_zero(column, i)).unwrap_or(0);
        let is_rejected = self.action.is_some_and(|(texts, reject)| {
            reject.is_some_and(|reject| texts.key(i) == Some(reject))
        });
        let told = self.encryption.as_ref().filter(|_| !is_rejected);
        Flow {
            packets: count(self.packets),
            bytes: count(self.bytes),
            start,
            end: self.end.and_then(|end| end.get(i)).unwrap_or(start),
            is_rejected,
            encryption: told.map_or(0, |told| told.of_row(i)),
        }
    }
}

/// The number of row `i`; 0 for null, and where the format lacks the column.
#[inline]
fn or_zero<T: Copy + Default>(column: Option<Numbers<'_, T>>, i: usize) -> T {
    column.and_then(|column| column.get_or_zero(i)).unwrap_or_default()
}

impl Row {
    /// Whose service this is, and whether the row comes from the side that opened; `None` where
    /// nobody could answer, and for what passes between others.
    #[inline]
    fn key(&self) -> Option<(Key, bool)> {
        let flags = self.flags.filter(|_| self.protocol == TCP).unwrap_or(0);
        let opens = flags & SYN != 0;
        let tie = self.srcport == self.dstport && !opens;
        let from_opener = if tie {
            self.src < self.dst
        } else if opens {
            flags & SYN_ACK != SYN_ACK
        } else {
            self.dstport < self.srcport
        };
        let (opener, responder, port) = if from_opener {
            (self.src, self.dst, self.dstport)
        } else {
            (self.dst, self.src, self.srcport)
        };
        if self.own.is_some_and(|own| opener != own && responder != own) {
            return None;
        }
        if is_many(opener) || is_many(responder) {
            return None;
        }
        let Self { interface, protocol, .. } = *self;
        Some((Key { interface, port, protocol, tie, opener, responder }, from_opener))
    }
}

impl Side {
    #[inline]
    fn add(&mut self, flow: &Flow, is_refusal: bool) {
        let has_payload = flow.bytes > flow.packets.saturating_mul(REFUSAL_PACKET_BYTES_MAX);
        let speaks = has_payload || flow.packets > REFUSAL_PACKETS_MAX && !is_refusal;
        self.flows = self.flows.saturating_add(1);
        self.start = self.start.min(flow.start);
        self.end = self.end.max(flow.end);
        self.speaks |= speaks && !flow.is_rejected;
        self.accepted |= !flow.is_rejected;
        self.bytes = self.bytes.saturating_add(flow.bytes);
        self.packets = self.packets.saturating_add(flow.packets);
    }
}

impl Side {
    /// Counts a flow of the side that calls: its port, the TCP flags where they are told, and whether it has
    /// packets enough for a connection.
    #[inline]
    fn caller(&mut self, (port, flags): (u16, Option<i32>), flow: &Flow, has_packets: bool) {
        let Leading { port: known, weight, first, last } = &mut self.leading;
        let is_same = *known == port && *weight > 0;
        if flags.map_or(!is_same && has_packets, |flags| flags & SYN != 0) {
            self.opened.add(flow.end, 1);
        }
        self.squares = self.squares.saturating_add(flow.bytes.saturating_mul(flow.bytes));
        let lasted_s = flow.end.saturating_sub(flow.start).saturating_add(1);
        let lasted_s = u32::try_from(lasted_s.max(1)).unwrap_or(u32::MAX);
        if is_same {
            *weight = weight.saturating_add(lasted_s);
            (*first, *last) = ((*first).min(flow.start), (*last).max(flow.end));
        } else if *weight < lasted_s {
            (*known, *weight) = (port, lasted_s - *weight);
            (*first, *last) = (flow.start, flow.end);
        } else {
            *weight -= lasted_s;
        }
    }

    fn lasting(&self) -> Option<Lasting> {
        let Leading { port, first, last, .. } = self.leading;
        let covered_s = u32::try_from(last.saturating_sub(first).saturating_add(1)).unwrap_or(0);
        (covered_s >= LASTING_S_MIN).then_some(Lasting { port, covered_s })
    }
}

impl Sum {
    /// What the own side has to do with it; `None` if nothing.
    fn call(self, key: &Key, own: u128, interface: &Arc<str>) -> Option<Call> {
        let Self { sides: [opener, responder], is_opened, has_flags, encryption, .. } = self;
        let (ours, theirs, peer) = if key.opener == own {
            (opener, responder, key.responder)
        } else if key.responder == own {
            (responder, opener, key.opener)
        } else {
            return None;
        };
        let is_inbound = match ours.start.cmp(&theirs.start) {
            // Tunnels use one port on both sides, and begin at once: whoever is inside went out.
            Ordering::Equal if key.tie && (!own::is_private(own) || own::is_private(peer)) => {
                return None;
            }
            Ordering::Equal if key.tie => false,
            first if key.tie => first.is_gt(),
            _ => key.opener != own,
        };
        let bytes = (ours.bytes, theirs.bytes);
        let packets = (ours.packets, theirs.packets);
        let (sent, back) = if is_inbound { (theirs, ours) } else { (ours, theirs) };
        // A connection that idles looks like a refusal: few small packets back are one only where
        // an opening was seen, or cannot be seen.
        let is_answered = back.speaks || (back.accepted && (key.protocol != TCP || !is_opened));
        // Unwanted packets to a high port of ours come from what looks like a service.
        if sent.flows == 0 && !is_answered {
            return None;
        }
        let lasting = sent.lasting();
        let mut opened = sent.opened;
        // Without flags its first flow looked like an opening.
        if lasting.is_some() && !has_flags {
            opened.take_one();
        }
        Some(Call {
            interface: Arc::clone(interface),
            is_inbound,
            own,
            peer,
            port: key.port,
            protocol: key.protocol,
            start_s: sent.start.min(back.start),
            end_s: sent.end.max(back.end),
            n_flows: sent.flows,
            is_admitted: sent.accepted,
            is_answered,
            n_ports_of_peer: 0,
            opened,
            bytes,
            packets,
            squares: sent.squares,
            lasting,
            is_clear: encryption::is_clear(encryption),
        })
    }
}

/// Whether an answer of these TCP flags refuses, however often: who opens from one port again and again is
/// refused as often, in one flow.
fn is_refusal(flags: Option<i32>) -> bool {
    flags.is_some_and(|flags| flags & (RST | SYN) == RST)
}

/// Is this an address of many hosts?
#[inline]
fn is_many(address: u128) -> bool {
    // 224.0.0.0/4 and 255.255.255.255 mapped, or ff00::/8.
    match u32::try_from(address ^ (0xffff << 32)) {
        Ok(v4) => v4 >> 28 == 0xe || v4 == u32::MAX,
        Err(_) => address >> 120 == 0xff,
    }
}

#[cfg(test)]
mod tests;
