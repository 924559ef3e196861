//! The columns that tell who called, and what a row of them says.

use super::{
    encryption::Encryption,
    own::{Own, is_v6},
    sum::{Key, SYN, Said},
};
use crate::flow::{Addresses, Field, FlowBatch, Numbers, Texts};

/// Protocol number of TCP.
pub(super) const TCP: u8 = 6;

/// `tcp-flags` bits of an answer to an opening packet.
const SYN_ACK: i32 = 0x12;

/// What a row counts.
pub(super) struct Flow {
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) is_rejected: bool,
    /// Of accepted flows; see [`encryption`](super::encryption).
    pub(super) encryption: u8,
}

/// The columns that the question needs.
pub(super) struct Columns<'a> {
    pub(super) interface: Texts<'a>,
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
    /// With the key of the word `egress`.
    direction: Option<(Texts<'a>, Option<usize>)>,
    /// With the key of the word `REJECT`.
    action: Option<(Texts<'a>, Option<usize>)>,
    encryption: Option<Encryption<'a>>,
}

impl<'a> Columns<'a> {
    /// `None` without interfaces, addresses and ports.
    pub(super) fn of(batch: &'a FlowBatch) -> Option<Self> {
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

    /// Whether the format has a direction, and whether each row of it.
    pub(super) fn directions(&self) -> (bool, bool) {
        (self.direction.is_some(), self.direction.is_some_and(|(texts, _)| !texts.has_nulls()))
    }

    /// Whether the format says that the row comes from the own side.
    #[inline]
    pub(super) fn tells_side(&self, i: usize) -> Option<bool> {
        let (texts, egress) = self.direction?;
        Some(Some(texts.key(i)?) == egress)
    }

    /// Source and destination of row `i`, where it has both.
    pub(super) fn ends(&self, i: usize) -> Option<(u128, u128)> {
        Some((self.srcaddr.get(i)?, self.dstaddr.get(i)?))
    }

    /// Whether any of the first `n_rows` rows is of IPv6.
    pub(super) fn has_v6(&self, n_rows: usize) -> bool {
        (0..n_rows).any(|i| self.srcaddr.get(i).is_some_and(is_v6))
    }

    /// Which of the rows from `i` to the next multiple of 64 say nothing of a call, row `i` lowest.
    pub(super) fn nulls_at(&self, i: usize) -> u64 {
        let addresses = self.srcaddr.nulls_at(i) | self.dstaddr.nulls_at(i);
        addresses | self.srcport.nulls_at(i) | self.dstport.nulls_at(i)
    }

    /// Whose service row `i`, which has addresses and ports, is of; `None` for what passes between others.
    /// `own` are the own side's addresses, as far as they are known.
    #[inline]
    pub(super) fn key(&self, i: usize, interface: u32, own: &Own) -> Option<(Key, Said)> {
        let (src, dst) = (self.srcaddr.get_or_zero(i)?, self.dstaddr.get_or_zero(i)?);
        let srcport = u16::try_from(self.srcport.get_or_zero(i)?).ok()?;
        let dstport = u16::try_from(self.dstport.get_or_zero(i)?).ok()?;
        let protocol = u8::try_from(or_zero(self.protocol, i)).ok()?;
        let flags = self.flags.and_then(|flags| flags.get(i));
        let is_from_own = self.tells_side(i);
        let told = is_from_own.map(|from_own| if from_own { src } else { dst });
        if told.or(own.beside(src)).is_some_and(|own| src != own && dst != own) {
            return None;
        }
        let of_tcp = flags.filter(|_| protocol == TCP).unwrap_or(0);
        let opens = of_tcp & SYN != 0;
        let tie = srcport == dstport && !opens;
        let from_opener = if tie {
            src < dst
        } else if opens {
            of_tcp & SYN_ACK != SYN_ACK
        } else {
            dstport < srcport
        };
        let (opener, responder, port) =
            if from_opener { (src, dst, dstport) } else { (dst, src, srcport) };
        let key = Key { interface, port, protocol, tie, opener, responder };
        Some((key, Said { from_opener, is_from_own, srcport, flags }))
    }

    /// What row `i` counts.
    #[inline]
    pub(super) fn flow(&self, i: usize) -> Flow {
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
