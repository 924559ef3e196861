//! One column of a batch under construction: reads its value at a place in the text, eight bytes at
//! a time, and appends it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::marks::Marks;
use super::words::{
    NULL, any_integer, ends, integer, integer_at, ipv4, ipv4_at, ipv6_groups, word,
};
use crate::flow::{Data, Kind, Other, Values, Words};

/// A column that grows line by line.
#[derive(Debug)]
pub(super) enum Column {
    /// A field nobody knows: stepped over.
    Skip,
    Int32(Values<i32>),
    Int64(Values<i64>),
    Address(Values<u128>),
    Text(Box<Dictionary>),
}

impl Column {
    pub(super) fn new(kind: Option<Kind>) -> Self {
        match kind {
            None => Self::Skip,
            Some(Kind::Int32) => Self::Int32(Values::default()),
            Some(Kind::Int64) => Self::Int64(Values::default()),
            Some(Kind::Address) => Self::Address(Values::default()),
            Some(Kind::Text) => Self::Text(Box::default()),
        }
    }

    /// Appends the value that starts at `pos` and returns where it ends: at a byte up to space.
    /// `None`: no valid value, or fewer than [`super::words::PADDING`] bytes of text behind it.
    #[inline]
    pub(super) fn push(&mut self, text: &[u8], pos: usize) -> Option<usize> {
        match self {
            Self::Int32(_) | Self::Int64(_) => {
                let (value, end) = integer(text, pos)?;
                match self {
                    Self::Int32(values) if value == NULL => values.push_null(),
                    Self::Int32(values) => values.push(i32::try_from(value).ok()?),
                    Self::Int64(values) if value == NULL => values.push_null(),
                    Self::Int64(values) => values.push(value),
                    _ => {}
                }
                Some(end)
            }
            Self::Address(values) => {
                if let Some((value, end)) = ipv4(text, pos) {
                    values.push(mapped(value));
                    return Some(end);
                }
                let end = token_end(text, pos)?;
                match text.get(pos..end)? {
                    b"-" => values.push_null(),
                    token => values.push(ipv6(token)?),
                }
                Some(end)
            }
            Self::Text(dictionary) => dictionary.push(text, pos),
            Self::Skip => token_end(text, pos),
        }
    }

    /// Appends the values at `place` of the first `rows` marked lines and returns how many of them
    /// are good. Behind those may be others, to be truncated.
    pub(super) fn extend(
        &mut self,
        text: &[u8],
        (marks, place): (&Marks, usize),
        rows: usize,
    ) -> usize {
        let places = marks.values(place, rows);
        let token = |start, end| text.get(start..end).unwrap_or_default();
        match self {
            Self::Skip => rows,
            Self::Int32(values) => {
                let read = |start, end| i32::try_from(integer_at(text, start, end)?).ok();
                values.extend(places, read, |start, end| match any_integer(token(start, end))? {
                    NULL => Some(Other::Null),
                    value => i32::try_from(value).ok().map(Other::Value),
                })
            }
            Self::Int64(values) => {
                let read = |start, end| integer_at(text, start, end);
                values.extend(places, read, |start, end| match any_integer(token(start, end))? {
                    NULL => Some(Other::Null),
                    value => Some(Other::Value(value)),
                })
            }
            Self::Address(values) => {
                let read = |start, end| ipv4_at(text, start, end).map(mapped);
                values.extend(places, read, |start, end| match token(start, end) {
                    b"-" => Some(Other::Null),
                    token => ip(token).map(Other::Value),
                })
            }
            Self::Text(dictionary) => dictionary.extend(text, places),
        }
    }

    /// Does it hold words? Those of a batch are kept, so it is read last.
    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// Forgets what a broken line left behind.
    pub(super) fn truncate(&mut self, rows: usize) {
        match self {
            Self::Skip => {}
            Self::Int32(values) => values.truncate(rows),
            Self::Int64(values) => values.truncate(rows),
            Self::Address(values) => values.truncate(rows),
            Self::Text(dictionary) => dictionary.words.keys.truncate(rows),
        }
    }

    /// Forgets the rows that are not to be kept.
    pub(super) fn retain(&mut self, keep: &dyn Fn(usize) -> bool) {
        match self {
            Self::Skip => {}
            Self::Int32(values) => values.retain(keep),
            Self::Int64(values) => values.retain(keep),
            Self::Address(values) => values.retain(keep),
            Self::Text(dictionary) => dictionary.words.keys.retain(keep),
        }
    }

    /// What was read, handed out; `None` for a skipped field.
    pub(super) fn take(&mut self) -> Option<Data> {
        Some(match self {
            Self::Skip => return None,
            Self::Int32(values) => Data::Int32(std::mem::take(values)),
            Self::Int64(values) => Data::Int64(std::mem::take(values)),
            Self::Address(values) => Data::Address(std::mem::take(values)),
            Self::Text(dictionary) => Data::Text(dictionary.take()),
        })
    }

    /// Takes back the space of what was handed out.
    pub(super) fn reclaim(&mut self, data: Data) {
        match (self, data) {
            (Self::Int32(own), Data::Int32(values)) => *own = emptied(values),
            (Self::Int64(own), Data::Int64(values)) => *own = emptied(values),
            (Self::Address(own), Data::Address(values)) => *own = emptied(values),
            (Self::Text(dictionary), Data::Text(mut words)) => {
                words.clear();
                dictionary.words = words;
            }
            _ => {}
        }
    }
}

fn emptied<T: Copy + Default>(mut values: Values<T>) -> Values<T> {
    values.clear();
    values
}

/// Where the token at `pos` ends; `None` if it is empty.
#[inline]
fn token_end(text: &[u8], pos: usize) -> Option<usize> {
    let mut end = pos;
    loop {
        let stop = ends(word(text, end)?);
        if stop != 0 {
            end += (stop.trailing_zeros() / 8) as usize;
            return (end > pos).then_some(end);
        }
        end += 8;
    }
}

/// An IPv4 address in IPv6.
#[inline]
fn mapped(v4: u32) -> u128 {
    0xffff_0000_0000 | u128::from(v4)
}

/// An address at the start of the text, or of IPv6.
#[cold]
pub(super) fn ip(token: &[u8]) -> Option<u128> {
    if token.contains(&b':') {
        return ipv6(token);
    }
    let v4: Ipv4Addr = std::str::from_utf8(token).ok()?.parse().ok()?;
    Some(mapped(v4.to_bits()))
}

fn ipv6(token: &[u8]) -> Option<u128> {
    if let Some(address) = ipv6_groups(token) {
        return Some(address);
    }
    let address: Ipv6Addr = std::str::from_utf8(token).ok()?.parse().ok()?;
    Some(address.to_bits())
}

/// Words up to this length are compared as numbers. Unit: bytes. Interface ids have 21.
const SHORT_BYTES: usize = 24;

/// How many slots are looked at before a word goes to the ordered map: chosen names must not make
/// the table slow.
const PROBES_MAX: usize = 16;

/// Marks a word that is a null.
const NULL_KEY: u32 = u32::MAX;

/// The first bytes of a word as numbers, the rest zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Short {
    words: [u64; 3],
    len: usize,
}

/// A word that may come next.
#[derive(Debug, Clone, Copy, Default)]
struct Guess {
    /// Of length 0 where there is no guess.
    short: Short,
    masks: [u64; 3],
    key: u32,
}

impl Guess {
    /// Is this the word of `len` bytes that starts so, as far as its first eight bytes tell?
    #[inline]
    fn starts(&self, first: u64, len: usize) -> bool {
        let ([mask, ..], [own, ..]) = (self.masks, self.short.words);
        self.short.len == len && (first & mask) == own
    }

    /// Are the bytes behind the first eight those of this word?
    #[inline]
    fn goes_on(&self, ahead: &[u8; SHORT_BYTES]) -> bool {
        let ([_, b, c], [_, own_b, own_c]) = (self.masks, self.short.words);
        let at = |at| word(ahead, at).unwrap_or(0);
        ((at(8) & b) ^ own_b) | ((at(16) & c) ^ own_c) == 0
    }

    /// Is this the word that the text goes on with?
    #[inline]
    fn fits(&self, ahead: &[u8]) -> bool {
        let same = [0, 8, 16].into_iter().zip(self.short.words).zip(self.masks).fold(
            self.short.len > 0,
            |same, ((at, own), mask)| {
                same & word(ahead, at).is_some_and(|word| (word & mask) ^ own == 0)
            },
        );
        same && ahead.get(self.short.len).is_some_and(|end| *end <= b' ')
    }
}

/// A dictionary-encoded column. It guesses that a row repeats a word of the rows before.
#[derive(Debug)]
pub(super) struct Dictionary {
    words: Words,
    /// What to expect: the last two words that differ, the newest first. Rows of two directions
    /// alternate.
    guesses: [Guess; 2],
    /// How each word begins.
    shorts: Vec<Short>,
    /// Open addressing by hash: key + 1, or 0.
    slots: Vec<u32>,
    overflow: BTreeMap<Box<[u8]>, u32>,
}

impl Default for Dictionary {
    fn default() -> Self {
        Self {
            words: Words::default(),
            guesses: [Guess::default(); 2],
            shorts: Vec::new(),
            slots: vec![0; 64],
            overflow: BTreeMap::new(),
        }
    }
}

impl Dictionary {
    /// The key of no word.
    pub(super) const NULL: u32 = NULL_KEY;

    /// Appends the words at these places; returns how many could be.
    fn extend(
        &mut self,
        text: &[u8],
        places: impl ExactSizeIterator<Item = (usize, usize)>,
    ) -> usize {
        let rows = places.len();
        self.words.keys.reserve(rows);
        for (row, (start, end)) in places.enumerate() {
            let [newest, other] = &self.guesses;
            let ahead = text.get(start..).and_then(|ahead| ahead.first_chunk());
            let len = end - start;
            let mut short = None;
            if let Some(ahead) = ahead {
                let start = word(ahead, 0).unwrap_or(0);
                let mut is_newest = newest.starts(start, len);
                let mut is_other = other.starts(start, len);
                if len > 8 {
                    is_newest = is_newest && newest.goes_on(ahead);
                    is_other = !is_newest && is_other && other.goes_on(ahead);
                }
                if is_newest | is_other {
                    let key = if is_newest { newest.key } else { other.key };
                    self.push_key(key);
                    continue;
                }
                short = (len <= SHORT_BYTES).then(|| Short::at(ahead, len));
            }
            let Some(token) = text.get(start..end) else { return row };
            if self.push_token(short.unwrap_or_else(|| Short::of(token)), token).is_none() {
                return row;
            }
        }
        rows
    }

    #[inline]
    fn push(&mut self, text: &[u8], pos: usize) -> Option<usize> {
        if let Some(ahead) = text.get(pos..pos + SHORT_BYTES + 1) {
            let [newest, other] = self.guesses;
            if newest.fits(ahead) {
                self.push_key(newest.key);
                return Some(pos + newest.short.len);
            }
            if other.fits(ahead) {
                self.push_key(other.key);
                self.guesses = [other, newest];
                return Some(pos + other.short.len);
            }
        }
        self.push_other(text, pos)
    }

    /// Appends a known word, or [`Self::NULL`].
    #[inline]
    pub(super) fn push_key(&mut self, key: u32) {
        let keys = &mut self.words.keys;
        if key == NULL_KEY { keys.push_null() } else { keys.push(key) }
    }

    pub(super) fn push_null(&mut self) {
        self.words.keys.push_null();
    }

    /// The key of a word, which is added if it is new.
    pub(super) fn key_of(&mut self, word: &[u8]) -> Option<u32> {
        self.key(Short::of(word), word)
    }

    fn push_other(&mut self, text: &[u8], pos: usize) -> Option<usize> {
        let end = token_end(text, pos)?;
        let token = text.get(pos..end)?;
        self.push_token(Short::of(token), token)?;
        Some(end)
    }

    fn push_token(&mut self, short: Short, token: &[u8]) -> Option<()> {
        let key = if token == b"-" { NULL_KEY } else { self.key(short, token)? };
        // A long word is never guessed by its first bytes alone.
        if token.len() <= SHORT_BYTES {
            let [newest, _] = self.guesses;
            self.guesses = [Guess { short, masks: masks(short.len), key }, newest];
        }
        self.push_key(key);
        Some(())
    }

    /// The key of a word, new or known.
    fn key(&mut self, short: Short, token: &[u8]) -> Option<u32> {
        if let Some(key) = self.find(short, token) {
            return Some(key);
        }
        match String::from_utf8_lossy(token) {
            std::borrow::Cow::Borrowed(word) => self.insert(word),
            std::borrow::Cow::Owned(lossy) => {
                let known = self.find(Short::of(lossy.as_bytes()), lossy.as_bytes());
                known.or_else(|| self.insert(&lossy))
            }
        }
    }

    /// The key of a known word, which begins so.
    fn find(&self, short: Short, token: &[u8]) -> Option<u32> {
        for slot in self.probe(&short, token) {
            let key = self.slots.get(slot)?.checked_sub(1)?;
            if self.shorts.get(key as usize) == Some(&short)
                && (token.len() <= SHORT_BYTES || self.word(key) == Some(token))
            {
                return Some(key);
            }
        }
        self.overflow.get(token).copied()
    }

    fn insert(&mut self, word: &str) -> Option<u32> {
        let key = self.words.add(word)?;
        self.shorts.push(Short::of(word.as_bytes()));
        if self.shorts.len() * 2 > self.slots.len() {
            self.grow();
        } else {
            self.place(key);
        }
        Some(key)
    }

    /// Puts a word that is in `words` into the table.
    fn place(&mut self, key: u32) {
        let Some(short) = self.shorts.get(key as usize).copied() else { return };
        let Some(token) = self.word(key) else { return };
        let free = self.probe(&short, token).find(|slot| self.slots.get(*slot) == Some(&0));
        if let Some(free) = free {
            if let Some(slot) = self.slots.get_mut(free) {
                *slot = key + 1;
            }
        } else {
            let token = token.into();
            self.overflow.insert(token, key);
        }
    }

    fn grow(&mut self) {
        self.slots = vec![0; self.slots.len() * 4];
        self.overflow.clear();
        for key in (0..).take(self.shorts.len()) {
            self.place(key);
        }
    }

    fn word(&self, key: u32) -> Option<&[u8]> {
        self.words.word(key as usize).map(str::as_bytes)
    }

    #[inline]
    fn probe(&self, short: &Short, token: &[u8]) -> impl Iterator<Item = usize> + use<> {
        let mut hash = 0x9e37_79b9_7f4a_7c15_u64 ^ short.len as u64;
        for word in short.words {
            hash = (hash ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd);
            hash ^= hash >> 32;
        }
        if token.len() > SHORT_BYTES {
            hash ^= xxhash_rust::xxh3::xxh3_64(token);
        }
        let mask = self.slots.len() - 1;
        let start = usize::try_from(hash & 0xffff_ffff).unwrap_or(0);
        (0..PROBES_MAX).map(move |i| (start + i) & mask)
    }

    fn take(&mut self) -> Words {
        self.shorts.clear();
        self.slots.fill(0);
        self.overflow.clear();
        self.guesses = [Guess::default(); 2];
        std::mem::take(&mut self.words)
    }
}

impl Short {
    /// Of the first `len` of these bytes.
    #[inline]
    fn at(ahead: &[u8; SHORT_BYTES], len: usize) -> Self {
        let [a, b, c] = masks(len);
        let at = |at| word(ahead, at).unwrap_or(0);
        Self { words: [at(0) & a, at(8) & b, at(16) & c], len }
    }

    #[inline]
    fn of(token: &[u8]) -> Self {
        let mut padded = [0; SHORT_BYTES];
        for (to, from) in padded.iter_mut().zip(token) {
            *to = *from;
        }
        let words = [0, 8, 16].map(|at| word(&padded, at).unwrap_or(0));
        Self { words, len: token.len() }
    }
}

/// Which bits of three words belong to a token of this length.
fn masks(len: usize) -> [u64; 3] {
    [0, 8, 16].map(|at| match len.saturating_sub(at) {
        0 => 0,
        n @ 1..=7 => (1 << (n * 8)) - 1,
        _ => u64::MAX,
    })
}
