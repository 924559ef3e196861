//! Whom did the hosts behind each interface call, and who answered? The question of a port scan,
//! asked of all batches of one object at once. Inbound calls are no attempts.
//!
//! * The own side of a row is what `flow-direction` says (egress: the source); without that field,
//!   the one address that is on a side of more rows of the interface than any other.
//! * The opener is who sent SYN, the responder who sent SYN-ACK; without these flags the lower port
//!   is the service, and of equal ports the own side is the opener only if its flow started first.
//! * Multicast and the limited broadcast address never answer and are left out.

use std::collections::HashMap;
use std::sync::Arc;

use hashbrown::HashTable;

use super::{Addresses, Field, FlowBatch, Numbers, Texts};

mod hash;
mod own;

use hash::Seeded;
use own::Interface;

/// Most distinct (interface, two addresses, service port, protocol) of one object; rows of further
/// ones are counted in [`Attempts::dropped_rows`]. One takes about 200 bytes.
pub(crate) const KEYS_MAX: usize = 1 << 17;

/// Most interfaces of one object; rows of further ones are counted as dropped.
const INTERFACES_MAX: usize = 1 << 16;

/// With more names than this, they are forgotten at the end of an object; else most objects name the
/// same interfaces as those before.
const NAMES_KEPT_MAX: usize = 1 << 10;

/// An answer of so many packets or fewer may be a mere SYN-ACK or RST.
const REFUSAL_PACKETS_MAX: i64 = 2;

/// Largest packet without payload: IPv4 and TCP headers with the options of a SYN-ACK. Unit: bytes.
const REFUSAL_PACKET_BYTES_MAX: i64 = 60;

/// Protocol number of TCP.
const TCP: u8 = 6;

/// `tcp-flags` bit of an opening packet.
const SYN: i32 = 0x02;

/// `tcp-flags` bits of an answer to it.
const SYN_ACK: i32 = 0x12;

/// Calls of one interface to one service of one peer, within one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The interface's id.
    pub interface: Arc<str>,
    /// The address called; see [`Addresses`].
    pub peer: u128,
    /// The port called; 0 where the protocol has none.
    pub port: u16,
    /// IANA protocol number.
    pub protocol: u8,
    /// Earliest `start`. Unit: seconds since the Unix epoch.
    pub start_s: i64,
    /// Latest `end`. Unit: seconds since the Unix epoch.
    pub end_s: i64,
    /// Flow records from the own side; 0 where the object holds only the answers.
    pub n_flows: u32,
    /// An answer was accepted; over TCP, more than packets without payload to a SYN.
    pub is_answered: bool,
    /// How many ports of this peer the interface called in the same object, those that any host calls
    /// left out. Unit: ports.
    pub n_ports_of_peer: u32,
}

/// Ports that any host calls of any peer; calls to them are no sign of a scan of ports.
const COMMON_PORTS: &[u16] = &[0, 53, 80, 123, 443, 445, 853, 2049];

/// The fields that [`Attempts`] looks at.
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
];

/// Gathers the batches of one object.
#[derive(Debug, Default)]
pub struct Attempts {
    interfaces: Vec<Interface>,
    /// By name: the object that met it last, and its place there among the interfaces.
    names: HashMap<Arc<str>, (u32, u32)>,
    /// Number of the object at hand.
    object: u32,
    /// Places in `calls`, by the hash of their keys.
    places: HashTable<u32>,
    seeded: Seeded,
    calls: Vec<(Key, Call)>,
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

#[derive(Debug, Clone, Copy, Default)]
struct Call {
    /// Whether the opener is the own side, where the format tells it.
    is_told_own: Option<bool>,
    /// From the opener, and from the responder.
    sides: [Side; 2],
    /// A SYN of the opener was seen, or cannot be seen in this format.
    opened: bool,
}

/// The flows of one side of a call.
#[derive(Debug, Clone, Copy)]
struct Side {
    flows: u32,
    start: i64,
    end: i64,
    /// An accepted flow with payload, or with more packets than a refusal has.
    speaks: bool,
    /// An accepted flow.
    accepted: bool,
}

impl Default for Side {
    fn default() -> Self {
        Self { flows: 0, start: i64::MAX, end: i64::MIN, speaks: false, accepted: false }
    }
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

impl Attempts {
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
            self.add_row(&row, |side| columns.add_to(side, i));
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
    fn add_row(&mut self, row: &Row, add_to: impl FnOnce(&mut Side)) {
        let Some((key, from_opener)) = row.key() else { return };
        let Some(call) = self.call(key) else {
            self.dropped_rows += 1;
            return;
        };
        let is_told_own = row.is_from_own.map(|from_own| from_own == from_opener);
        call.is_told_own = is_told_own.or(call.is_told_own);
        call.opened |= row.flags.is_none_or(|flags| from_opener && flags & SYN != 0);
        let [from, back] = &mut call.sides;
        add_to(if from_opener { from } else { back });
    }

    /// The call of this key; `None` if it is new and there are too many.
    fn call(&mut self, key: Key) -> Option<&mut Call> {
        let Self { calls, places, seeded, last, .. } = self;
        let is_at = |place: usize| calls.get(place).is_some_and(|(known, _)| *known == key);
        if !is_at(*last) {
            let hash = key.hash(seeded);
            *last = match places.find(hash, |place| is_at(*place as usize)) {
                Some(place) => *place as usize,
                None if calls.len() >= KEYS_MAX => return None,
                None => {
                    let place = u32::try_from(calls.len()).ok()?;
                    calls.push((key, Call::default()));
                    let key_at = |place: &u32| calls.get(*place as usize).map(|(key, _)| key);
                    let hash_at = |place: &u32| key_at(place).map_or(0, |key| key.hash(seeded));
                    places.insert_unique(hash, place, hash_at);
                    place as usize
                }
            };
        }
        calls.get_mut(*last).map(|(_, call)| call)
    }

    /// Ends the object: the attempts by interface, peer, port and protocol. The gatherer is empty
    /// afterwards.
    pub fn finish(&mut self) -> Vec<Attempt> {
        let own: Vec<Option<u128>> = self.interfaces.iter().map(Interface::own).collect();
        let ranks = self.ranks();
        let interfaces = &self.interfaces;
        let mut ranked = Vec::with_capacity(self.calls.len());
        ranked.extend(self.calls.drain(..).filter_map(|(key, call)| {
            let interface = key.interface as usize;
            let told = call.is_told_own;
            let told = told.map(|is_own| if is_own { key.opener } else { key.responder });
            let own = told.or(own.get(interface).copied().flatten())?;
            let attempt = call.attempt(&key, own, &interfaces.get(interface)?.name)?;
            Some((*ranks.get(interface)?, attempt))
        }));
        self.interfaces.clear();
        self.object = self.object.wrapping_add(1);
        if self.names.len() > NAMES_KEPT_MAX || self.object == 0 {
            self.names.clear();
        }
        self.places.clear();
        self.last = 0;
        self.dropped_rows = 0;
        let target = |(rank, one): &(u32, Attempt)| (*rank, one.peer, one.port, one.protocol);
        ranked.sort_unstable_by_key(target);
        // Several own addresses may have called the same service.
        ranked.dedup_by(|next, kept| {
            let same = target(next) == target(kept);
            if same {
                kept.1.merge(&next.1);
            }
            same
        });
        let same_peer = |a: &(u32, Attempt), b: &(u32, Attempt)| (a.0, a.1.peer) == (b.0, b.1.peer);
        for of_one_peer in ranked.chunk_by_mut(same_peer) {
            let is_uncommon = |(_, one): &&(u32, Attempt)| !COMMON_PORTS.contains(&one.port);
            let n_ports = of_one_peer.iter().filter(is_uncommon).count();
            let n_ports = u32::try_from(n_ports).unwrap_or(u32::MAX);
            for (_, one) in of_one_peer.iter_mut() {
                one.n_ports_of_peer = n_ports;
            }
        }
        ranked.into_iter().map(|(_, attempt)| attempt).collect()
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

impl Attempt {
    /// When it ended. Unit: milliseconds since the Unix epoch.
    pub fn end_ms(&self) -> i64 {
        self.end_s.saturating_mul(1_000)
    }

    /// Joins what is known of the same target.
    fn merge(&mut self, other: &Self) {
        self.start_s = self.start_s.min(other.start_s);
        self.end_s = self.end_s.max(other.end_s);
        self.n_flows = self.n_flows.saturating_add(other.n_flows);
        self.is_answered |= other.is_answered;
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

    /// Adds the flow of row `i`.
    #[inline]
    fn add_to(&self, side: &mut Side, i: usize) {
        let (packets, bytes) = (or_zero(self.packets, i), or_zero(self.bytes, i));
        let start = or_zero(self.start, i);
        let rejected = self.action.is_some_and(|(texts, reject)| {
            reject.is_some_and(|reject| texts.key(i) == Some(reject))
        });
        let speaks = packets > REFUSAL_PACKETS_MAX
            || bytes > packets.saturating_mul(REFUSAL_PACKET_BYTES_MAX);
        side.flows = side.flows.saturating_add(1);
        side.start = side.start.min(start);
        side.end = side.end.max(self.end.and_then(|end| end.get(i)).unwrap_or(start));
        side.speaks |= speaks && !rejected;
        side.accepted |= !rejected;
    }
}

/// The number of row `i`; 0 for null, and where the format lacks the column.
#[inline]
fn or_zero<T: Copy + Default>(column: Option<Numbers<'_, T>>, i: usize) -> T {
    column.and_then(|column| column.get_or_zero(i)).unwrap_or_default()
}

impl Row {
    /// Whose service this is, and whether the row comes from the side that opened; `None` where
    /// nobody could answer, and for what others open towards us: that is not asked for.
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
        let opener = if from_opener { self.src } else { self.dst };
        if self.own.is_some_and(|own| !tie && opener != own) {
            return None;
        }
        let (responder, port) =
            if from_opener { (self.dst, self.dstport) } else { (self.src, self.srcport) };
        if is_many(opener) || is_many(responder) {
            return None;
        }
        let Self { interface, protocol, .. } = *self;
        Some((Key { interface, port, protocol, tie, opener, responder }, from_opener))
    }
}

impl Call {
    /// This call as an attempt of the own side; `None` if another side opened it.
    fn attempt(&self, key: &Key, own: u128, interface: &Arc<str>) -> Option<Attempt> {
        let [opener, responder] = self.sides;
        let (sent, back, peer) = match (key.opener == own, key.responder == own) {
            (true, _) => (opener, responder, key.responder),
            (false, true) if key.tie => (responder, opener, key.opener),
            _ => return None,
        };
        if key.tie && sent.start >= back.start {
            return None;
        }
        // A connection that idles looks like a refusal: few small packets back are one only where
        // an opening was seen, or cannot be seen.
        let is_answered = back.speaks || (back.accepted && (key.protocol != TCP || !self.opened));
        // Unwanted packets to a high port of ours come from what looks like a service.
        if sent.flows == 0 && !is_answered {
            return None;
        }
        Some(Attempt {
            interface: Arc::clone(interface),
            peer,
            port: key.port,
            protocol: key.protocol,
            start_s: sent.start.min(back.start),
            end_s: sent.end.max(back.end),
            n_flows: sent.flows,
            is_answered,
            n_ports_of_peer: 0,
        })
    }
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
