//! Whom did the hosts behind each interface call, who called them, and who answered? Asked of all batches
//! of one object at once.
//!
//! * The own side of a row is what `flow-direction` says (egress: the source); without that field,
//!   the one address that is on a side of more rows of the interface than any other of its version.
//! * The opener is who sent SYN, the responder who sent SYN-ACK; without these flags the lower port
//!   is the service, and of equal ports the own side is the opener if its flow started first, or in the same
//!   second as that of a peer outside while its own address is private.
//! * Multicast and the limited broadcast address never answer and are left out.
//! * Of answers alone nobody knows who asked: they are left out, but for the ports that they count.

use std::collections::HashMap;
use std::sync::Arc;

use hashbrown::HashTable;

use super::{Field, FlowBatch};

mod call;
mod columns;
mod encryption;
mod hash;
mod own;
mod sum;

pub use call::{Call, Lasting, Opened};

use columns::{Columns, Flow};
use hash::Seeded;
use own::{Interface, Own};
use sum::{Key, Said, Sum};

/// Most distinct (interface, two addresses, service port, protocol) of one object; rows of further
/// ones are counted in [`Calls::dropped_rows`]. One takes up to 400 bytes.
pub(crate) const KEYS_MAX: usize = 1 << 17;

/// Most interfaces of one object; rows of further ones are counted as dropped.
const INTERFACES_MAX: usize = 1 << 16;

/// With more names than this, they are forgotten at the end of an object; else most objects name the
/// same interfaces as those before.
const NAMES_KEPT_MAX: usize = 1 << 10;

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
    /// Room that is used again.
    targets: Vec<Target>,
}

/// What a sum is of, in the order of what is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    /// Of the interface among the names in their order.
    rank: u32,
    is_inbound: bool,
    peer: u128,
    port: u16,
    protocol: u8,
    /// Its place among the sums.
    place: u32,
    is_opener: bool,
}

impl Target {
    fn of_peer(&self) -> (u32, bool, u128) {
        (self.rank, self.is_inbound, self.peer)
    }

    fn service(&self) -> (u16, u8) {
        (self.port, self.protocol)
    }
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
        let (has_direction, has_all_directions) = columns.directions();
        if !has_all_directions {
            self.see_sides(&columns, &interfaces, batch.rows());
        }
        // What nothing can change any more need not wait for the end.
        let is_known = is_whole && !has_direction;
        let own = |id| if is_known { self.own(id) } else { self.settled(id) };
        let interfaces: Vec<Option<(u32, Own)>> =
            interfaces.into_iter().map(|id| Some((id?, own(id?)))).collect();
        let mut nulls = 0;
        for i in 0..batch.rows() {
            nulls = if i % 64 == 0 { columns.nulls_at(i) } else { nulls >> 1 };
            let Some(name) = columns.interface.key(i) else { continue };
            let Some(Some((interface, own))) = interfaces.get(name) else {
                self.dropped_rows += 1;
                continue;
            };
            if nulls & 1 == 0
                && let Some((key, said)) = columns.key(i, *interface, own)
            {
                self.add_row(key, &said, &columns.flow(i));
            }
        }
    }

    /// Counts the addresses of the rows that do not tell their own side.
    fn see_sides(&mut self, columns: &Columns<'_>, interfaces: &[Option<u32>], n_rows: usize) {
        let has_v6 = columns.has_v6(n_rows);
        let is_settled = |own: Own| own.v4.is_some() && (own.v6.is_some() || !has_v6);
        let is_open = |id: &&u32| !is_settled(self.settled(**id));
        let mut n_open = interfaces.iter().flatten().filter(is_open).count();
        for i in 0..n_rows {
            if n_open == 0 {
                return;
            }
            let id = columns.interface.key(i).and_then(|name| *interfaces.get(name)?);
            let interface = id.and_then(|id| self.interfaces.get_mut(id as usize));
            if let Some(interface) = interface.filter(|interface| !is_settled(interface.settled()))
                && columns.tells_side(i).is_none()
                && let Some((src, dst)) = columns.ends(i)
            {
                interface.saw_row(src, dst);
                n_open -= usize::from(is_settled(interface.settled()));
            }
        }
    }

    fn own(&self, id: u32) -> Own {
        self.interfaces.get(id as usize).map(Interface::own).unwrap_or_default()
    }

    fn settled(&self, id: u32) -> Own {
        self.interfaces.get(id as usize).map(Interface::settled).unwrap_or_default()
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
    fn add_row(&mut self, key: Key, said: &Said, flow: &Flow) {
        match self.sum(key) {
            Some(sum) => sum.add(&key, said, flow),
            None => self.dropped_rows += u64::from(!key.is_of_many()),
        }
    }

    /// The sum of this key; `None` if there is none to be, or it is new and there are too many.
    #[inline]
    fn sum(&mut self, key: Key) -> Option<&mut Sum> {
        let Self { sums, places, seeded, last, .. } = self;
        let is_at = |place: usize| sums.get(place).is_some_and(|(known, _)| *known == key);
        if !is_at(*last) {
            let hash = key.hash(seeded);
            *last = match places.find(hash, |place| is_at(*place as usize)) {
                Some(place) => *place as usize,
                None if key.is_of_many() || sums.len() >= KEYS_MAX => return None,
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

    /// Ends the object: puts the calls of each interface by direction, peer, port and protocol in place of what
    /// `calls` holds. The gatherer is empty afterwards.
    pub fn finish(&mut self, calls: &mut Vec<Call>) {
        self.target();
        let Self { interfaces, sums, targets, .. } = self;
        calls.clear();
        for of_one_peer in targets.chunk_by(|a, b| a.of_peer() == b.of_peer()) {
            let services = of_one_peer.chunk_by(|a, b| a.service() == b.service());
            let is_uncommon =
                |of: &&[Target]| of.first().is_some_and(|one| !COMMON_PORTS.contains(&one.port));
            let n_ports = services.clone().filter(is_uncommon).count();
            let n_ports_of_peer = u32::try_from(n_ports).unwrap_or(u32::MAX);
            for of_one_service in services {
                // Several own addresses may have called the same service.
                let each = of_one_service.iter().filter_map(|target| {
                    let (key, sum) = sums.get_mut(target.place as usize)?;
                    let name = &interfaces.get(key.interface as usize)?.name;
                    Some(sum.call(key, (target.is_opener, target.is_inbound), name))
                });
                let whole = each.reduce(|mut whole, call| {
                    whole.merge(&call);
                    whole
                });
                let asked = whole.filter(|call| call.n_flows > 0);
                calls.extend(asked.map(|call| Call { n_ports_of_peer, ..call }));
            }
        }
        self.clear();
    }

    /// Works out what the sums are of, in order.
    fn target(&mut self) {
        let own: Vec<Own> = self.interfaces.iter().map(Interface::own).collect();
        let ranks = self.ranks();
        self.targets.clear();
        self.targets.extend((0..).zip(&self.sums).filter_map(|(place, (key, sum))| {
            let interface = key.interface as usize;
            let told = sum.is_told_own;
            let told = told.map(|is_own| if is_own { key.opener } else { key.responder });
            let own = told.or_else(|| own.get(interface)?.beside(key.opener))?;
            let (is_opener, is_inbound) = sum.sides(key, own)?;
            let peer = if is_opener { key.responder } else { key.opener };
            let Key { port, protocol, .. } = *key;
            let rank = *ranks.get(interface)?;
            Some(Target { rank, is_inbound, peer, port, protocol, place, is_opener })
        }));
        self.targets.sort_unstable();
    }

    fn clear(&mut self) {
        self.interfaces.clear();
        self.sums.clear();
        self.object = self.object.wrapping_add(1);
        if self.names.len() > NAMES_KEPT_MAX || self.object == 0 {
            self.names.clear();
        }
        self.places.clear();
        self.last = 0;
        self.dropped_rows = 0;
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

#[cfg(test)]
mod tests;
