//! The built-in tables: bytes that `ingest/data/regenerate.py` wrote, read in place. Nothing is
//! inflated before an address asks for its block, and a block is inflated once per process.
//!
//! The layout is drawn at the top of that script.

use std::sync::OnceLock;

use libdeflater::Decompressor;

/// Largest inflated block. Unit: bytes. The largest built-in one, of names, has 33,917.
pub(super) const BLOCK_BYTES_MAX: usize = 64 * 1024;
/// Most ranges or names in a block; bounds what a damaged header can ask for.
const BLOCK_ENTRIES_MAX: usize = 4096;
const HEADER_BYTES: usize = 32;
const VERSION: u16 = 1;

/// What a table holds; the number in its header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub(super) enum Kind {
    Country4 = 1,
    Country6 = 2,
    Network4 = 3,
    Network6 = 4,
    Names = 5,
    Places = 6,
}

/// A table's header and sections, borrowed from the program's own bytes.
#[derive(Clone, Copy)]
pub(super) struct Table {
    pub(super) date: u32,
    pub(super) entries: usize,
    block_entries: usize,
    dictionary: &'static [[u8; 4]],
    index: &'static [[[u8; 4]; 4]],
    pub(super) data: &'static [u8],
}

impl Table {
    /// Reads the header; `None` for any other kind or version, or when a section is cut short.
    pub(super) fn open(bytes: &'static [u8], kind: Kind) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(HEADER_BYTES)?;
        let word = |at: usize| Some(u32::from_le_bytes(*head.get(at..)?.first_chunk()?));
        let half = |at: usize| Some(u16::from_le_bytes(*head.get(at..)?.first_chunk()?));
        let size = |at: usize| usize::try_from(word(at)?).ok();
        if head.get(..4)? != b"sntl" || half(4)? != VERSION || half(6)? != kind as u16 {
            return None;
        }
        let block_entries = size(28)?;
        let (dictionary, rest) = rest.split_at_checked(size(20)?.checked_mul(4)?)?;
        let (index, data) = rest.split_at_checked(size(16)?.checked_mul(16)?)?;
        (block_entries <= BLOCK_ENTRIES_MAX).then_some(Self {
            date: word(8)?,
            entries: size(12)?,
            block_entries,
            dictionary: dictionary.as_chunks().0,
            index: index.as_chunks().0.as_chunks().0,
            data,
        })
    }

    /// Number of blocks.
    pub(super) fn blocks(&self) -> usize {
        self.index.len()
    }

    /// First key of every block, ascending.
    pub(super) fn firsts(&self) -> impl Iterator<Item = u64> + use<> {
        self.index.iter().map(|entry| Self::split(entry).0)
    }

    fn split(entry: &[[u8; 4]; 4]) -> (u64, usize, usize) {
        let [low, high, end, size] = entry.map(u32::from_le_bytes);
        (u64::from(high) << 32 | u64::from(low), end as usize, size as usize)
    }

    /// Inflates one block: its first key, how many entries it holds, its bytes.
    pub(super) fn inflate(&self, block: usize) -> Option<(u64, usize, Vec<u8>)> {
        let (first, end, size) = Self::split(self.index.get(block)?);
        let start = match block.checked_sub(1) {
            Some(before) => Self::split(self.index.get(before)?).1,
            None => 0,
        };
        if size > BLOCK_BYTES_MAX {
            return None;
        }
        let mut raw = vec![0; size];
        let written =
            Decompressor::new().deflate_decompress(self.data.get(start..end)?, &mut raw).ok()?;
        let before = block.checked_mul(self.block_entries)?;
        let entries = self.entries.checked_sub(before)?.min(self.block_entries);
        (written == size).then_some((first, entries, raw))
    }

    fn value(&self, code: u64) -> Option<u32> {
        let code = usize::try_from(code).ok()?;
        match self.dictionary.get(code) {
            Some(value) => Some(u32::from_le_bytes(*value)),
            None => u32::try_from(code.checked_sub(self.dictionary.len())?).ok(),
        }
    }
}

/// Takes one LEB128 number off the front.
pub(super) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// A block of ranges, inflated: range `i` reaches from `firsts[i]` to the next one's first.
pub(super) struct Block {
    pub(super) firsts: Box<[u64]>,
    pub(super) values: Box<[u32]>,
}

impl Block {
    fn decode(table: &Table, block: usize) -> Option<Self> {
        let (mut at, entries, raw) = table.inflate(block)?;
        let mut rest = raw.as_slice();
        let mut firsts = Vec::with_capacity(entries);
        for _ in 0..entries {
            firsts.push(at);
            let code = varint(&mut rest)?;
            let odd = (code >> 6).checked_mul(2)?.checked_add(1)?;
            // The last range of the table may end where the keys end.
            at = at.wrapping_add(odd << (code & 63));
        }
        let mut values = Vec::with_capacity(entries);
        for _ in 0..entries {
            values.push(table.value(varint(&mut rest)?)?);
        }
        rest.is_empty().then(|| Self { firsts: firsts.into(), values: values.into() })
    }

    pub(super) fn get(&self, key: u64) -> Option<u32> {
        let after = self.firsts.partition_point(|first| *first <= key);
        self.values.get(after.checked_sub(1)?).copied()
    }
}

/// A table of ranges with the blocks that were asked for so far.
///
/// Blocks stay: a lookup never locks nor evicts, and its cost does not depend on what others look
/// up. All blocks of all tables together hold `DECODED_BYTES_MAX`.
pub(super) struct Ranges {
    pub(super) bytes: &'static [u8],
    pub(super) kind: Kind,
    opened: OnceLock<Option<Opened>>,
}

pub(super) struct Opened {
    pub(super) table: Table,
    firsts: Box<[u64]>,
    blocks: Box<[OnceLock<Option<Block>>]>,
}

impl Ranges {
    pub(super) const fn new(bytes: &'static [u8], kind: Kind) -> Self {
        Self { bytes, kind, opened: OnceLock::new() }
    }

    pub(super) fn opened(&self) -> Option<&Opened> {
        self.opened
            .get_or_init(|| {
                let table = Table::open(self.bytes, self.kind)?;
                let blocks = (0..table.blocks()).map(|_| OnceLock::new()).collect();
                Some(Opened { table, firsts: table.firsts().collect(), blocks })
            })
            .as_ref()
    }

    /// The value of the range that holds `key`; `None` when nobody's does.
    pub(super) fn get(&self, key: u64) -> Option<u32> {
        let opened = self.opened()?;
        let after = opened.firsts.partition_point(|first| *first <= key);
        let value = opened.block(after.checked_sub(1)?)?.get(key)?;
        (value != 0).then_some(value)
    }
}

impl Opened {
    pub(super) fn block(&self, block: usize) -> Option<&Block> {
        self.blocks.get(block)?.get_or_init(|| Block::decode(&self.table, block)).as_ref()
    }
}
