//! What is summed of the rows of one call, and the call that it makes.

use std::cmp::Ordering;
use std::sync::Arc;

use super::call::{Call, Lasting, Opened};
use super::columns::{Flow, TCP};
use super::{encryption, hash::Seeded, own};

/// An answer of so many packets or fewer may be a mere SYN-ACK or RST.
const REFUSAL_PACKETS_MAX: u64 = 2;

/// Largest packet without payload: IPv4 and TCP headers with the options of a SYN-ACK. Unit: bytes.
const REFUSAL_PACKET_BYTES_MAX: u64 = 60;

/// `tcp-flags` bit of an opening packet.
pub(super) const SYN: i32 = 0x02;

/// `tcp-flags` bit of a refusal.
const RST: i32 = 0x04;

/// A side sends so many packets at least where a TCP connection is opened, used and closed. Unit: packets.
const CONNECTION_PACKETS_MIN: u64 = 4;

/// From so much of an object on a connection lasts: most of five minutes. Unit: seconds.
const LASTING_S_MIN: u32 = 200;

/// A service of one side as the other side calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) interface: u32,
    pub(super) port: u16,
    pub(super) protocol: u8,
    /// Both ports are equal: `opener` is just the smaller address.
    pub(super) tie: bool,
    pub(super) opener: u128,
    pub(super) responder: u128,
}

impl Key {
    #[inline]
    pub(super) fn hash(&self, seeded: &Seeded) -> u64 {
        let ports = u64::from(self.port) << 16 | u64::from(self.protocol) << 8;
        let first = u64::from(self.interface) << 32 | ports | u64::from(self.tie);
        seeded.hash(first, self.opener, self.responder)
    }

    /// Whether a side is an address of many hosts, which never answers.
    pub(super) fn is_of_many(&self) -> bool {
        is_many(self.opener) || is_many(self.responder)
    }
}

/// The rows of one key.
#[derive(Debug, Clone, Default)]
pub(super) struct Sum {
    /// Whether the opener is the own side, where the format tells it.
    pub(super) is_told_own: Option<bool>,
    /// From the opener, and from the responder.
    sides: [Side; 2],
    /// Of the opener.
    caller: Caller,
    /// Of the responder, where nobody can tell who opened.
    other_caller: Option<Box<Caller>>,
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
    /// An accepted flow with payload, or with more packets than a refusal has.
    speaks: bool,
    /// An accepted flow.
    accepted: bool,
    start: i64,
    end: i64,
    bytes: u64,
    packets: u64,
}

/// What is counted besides of a side that called.
#[derive(Debug, Clone, Default)]
struct Caller {
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
        let (start, end) = (i64::MAX, i64::MIN);
        Self { flows: 0, speaks: false, accepted: false, start, end, bytes: 0, packets: 0 }
    }
}

/// What a row says of its call besides its key.
pub(super) struct Said {
    /// It comes from the opener.
    pub(super) from_opener: bool,
    /// It comes from the own side, where the format tells it.
    pub(super) is_from_own: Option<bool>,
    pub(super) srcport: u16,
    /// `None` where the format does not have them.
    pub(super) flags: Option<i32>,
}

impl Sum {
    #[inline]
    pub(super) fn add(&mut self, key: &Key, said: &Said, flow: &Flow) {
        let Said { from_opener, is_from_own, srcport, flags } = *said;
        let is_told_own = is_from_own.map(|from_own| from_own == from_opener);
        self.is_told_own = is_told_own.or(self.is_told_own);
        self.is_opened |= flags.is_none_or(|flags| from_opener && flags & SYN != 0);
        let flags = flags.filter(|_| key.protocol == TCP);
        self.has_flags |= flags.is_some();
        self.encryption |= flow.encryption;
        let [from, back] = &mut self.sides;
        let side = if from_opener { from } else { back };
        side.add(flow, !from_opener && is_refusal(flags));
        let caller = match from_opener {
            true => &mut self.caller,
            false if key.tie => &mut **self.other_caller.get_or_insert_default(),
            false => return,
        };
        let has_packets = key.protocol != TCP || flow.packets >= CONNECTION_PACKETS_MIN;
        caller.add((srcport, flags), flow, has_packets);
    }

    /// Which side is the own one: whether it is the opener, and whether the peer called; `None` if the own side
    /// has nothing to do with it, or nobody can tell.
    pub(super) fn sides(&self, key: &Key, own: u128) -> Option<(bool, bool)> {
        let [opener, responder] = &self.sides;
        let is_opener = key.opener == own;
        let (ours, theirs, peer) = match is_opener {
            true => (opener, responder, key.responder),
            false if key.responder == own => (responder, opener, key.opener),
            false => return None,
        };
        let is_inbound = match ours.start.cmp(&theirs.start) {
            // Tunnels use one port on both sides, and begin at once: whoever is inside went out.
            Ordering::Equal if key.tie && (!own::is_private(own) || own::is_private(peer)) => {
                return None;
            }
            Ordering::Equal if key.tie => false,
            first if key.tie => first.is_gt(),
            _ => !is_opener,
        };
        let (sent, back) = if is_inbound { (theirs, ours) } else { (ours, theirs) };
        // Unwanted packets to a high port of ours come from what looks like a service.
        let is_unwanted = sent.flows == 0 && !self.is_answer(key, back);
        (!is_unwanted).then_some((is_opener, is_inbound))
    }

    /// A connection that idles looks like a refusal: few small packets back are one only where an opening was
    /// seen, or cannot be seen.
    fn is_answer(&self, key: &Key, back: &Side) -> bool {
        back.speaks || (back.accepted && (key.protocol != TCP || !self.is_opened))
    }

    /// The call, of what [`Self::sides`] says.
    pub(super) fn call(
        &mut self,
        key: &Key,
        (is_opener, is_inbound): (bool, bool),
        interface: &Arc<str>,
    ) -> Call {
        let [opener, responder] = &self.sides;
        let (ours, theirs) = if is_opener { (opener, responder) } else { (responder, opener) };
        let (own, peer) = (key.opener, key.responder);
        let (own, peer) = if is_opener { (own, peer) } else { (peer, own) };
        let (sent, back) = if is_inbound { (theirs, ours) } else { (ours, theirs) };
        let is_answered = self.is_answer(key, back);
        let mut caller = if is_opener == is_inbound {
            self.other_caller.take().map(|caller| *caller).unwrap_or_default()
        } else {
            std::mem::take(&mut self.caller)
        };
        let lasting = caller.lasting();
        // Without flags its first flow looked like an opening.
        if lasting.is_some() && !self.has_flags {
            caller.opened.take_one();
        }
        Call {
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
            opened: caller.opened,
            bytes: (ours.bytes, theirs.bytes),
            packets: (ours.packets, theirs.packets),
            squares: caller.squares,
            lasting,
            is_clear: encryption::is_clear(self.encryption),
        }
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

impl Caller {
    /// Counts a flow: its port, the TCP flags where they are told, and whether it has packets enough for a
    /// connection.
    #[inline]
    fn add(&mut self, (port, flags): (u16, Option<i32>), flow: &Flow, has_packets: bool) {
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
