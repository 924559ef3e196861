//! How AWS delivers: objects by account, region and five minutes, late, a little out of order, in
//! several files, and some records twice.
//!
//! Records are handed in at or after *now*, which only grows; what is due is packed and handed on.
//! It holds what ten minutes bring, whatever the length of the story.

use std::collections::BTreeMap;
use std::error::Error;

use libdeflater::{CompressionLvl, Compressor};

use crate::aws::call::Record;
use crate::aws::delivery::{STAMP_STEP_S, key};
use crate::clock::round_up;
use crate::organisation::{Organisation, part};
use crate::rng::Rng;

/// Takes objects.
pub trait Sink {
    /// An object, under its key.
    fn object(&mut self, key: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>>;
}

impl Sink for crate::Archive {
    fn object(&mut self, key: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
        self.insert(key.to_owned(), bytes.to_vec());
        Ok(())
    }
}

/// Most records come in the first object after their time, and are this late at least and at most.
/// Unit: seconds.
const PROMPT_S: (i64, i64) = (5, 55);
/// The others. The stamp adds up to one step. Unit: seconds.
const SLOW_S: (i64, i64) = (60, 305);
/// How many are slow, of 100.
const SLOW_OF_100: u64 = 28;
/// An object holds no more. Unit: records.
const OBJECT_RECORDS_MAX: usize = 600;

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Objects.
    pub objects: u64,
    /// CloudTrail records, copies included.
    pub records: u64,
    /// Flow log rows.
    pub flows: u64,
    /// Inflated.
    pub bytes: u64,
    /// As stored.
    pub stored_bytes: u64,
}

impl Written {
    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            objects: self.objects + other.objects,
            records: self.records + other.records,
            flows: self.flows + other.flows,
            bytes: self.bytes + other.bytes,
            stored_bytes: self.stored_bytes + other.stored_bytes,
        }
    }
}

/// One trail's objects of one region and five minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    stamp_s: i64,
    account: usize,
    region: &'static str,
    is_second_trail: bool,
}

struct Waiting {
    time_s: i64,
    /// Drawn for the record: decides its file and its place among records of one second.
    lot: u64,
    text: String,
}

/// Records and flows on their way.
pub struct Post<'a> {
    organisation: &'a Organisation,
    slots: BTreeMap<Slot, Vec<Waiting>>,
    packer: Packer,
    /// Objects of the organisation's trail that went out with the last stamp, by account.
    delivered: Vec<u32>,
    written: Written,
}

impl<'a> Post<'a> {
    /// Nothing is on its way yet.
    pub fn new(organisation: &'a Organisation) -> Self {
        Self {
            organisation,
            slots: BTreeMap::new(),
            packer: Packer::new(),
            delivered: vec![0; organisation.accounts.len()],
            written: Written::default(),
        }
    }

    /// What was written so far.
    pub fn written(&self) -> Written {
        self.written
    }

    /// How many objects of `account` went out last: CloudTrail makes calls of its own for each.
    pub fn delivered(&self, account: usize) -> u32 {
        self.delivered.get(account).copied().unwrap_or(0)
    }

    /// Takes a record of `account`.
    pub fn record(&mut self, account: usize, record: Record) {
        let mut rng = Rng::new(fold(record.id.as_bytes()));
        let Record { time_s, region, text, .. } = record;
        let slot = |stamp_s, is_second_trail| Slot { stamp_s, account, region, is_second_trail };
        let doubled = self
            .organisation
            .accounts
            .get(account)
            .is_some_and(|account| account.has_second_trail && account.home == region);
        if doubled {
            let waiting = Waiting { time_s, lot: rng.bits(), text: text.clone() };
            let stamp_s = stamp_of(time_s, &mut rng);
            self.slots.entry(slot(stamp_s, true)).or_default().push(waiting);
        }
        let stamp_s = stamp_of(time_s, &mut rng);
        let waiting = Waiting { time_s, lot: rng.bits(), text };
        self.slots.entry(slot(stamp_s, false)).or_default().push(waiting);
    }

    /// Packs and hands on what is stamped before `until_s`.
    pub fn flush(&mut self, until_s: i64, sink: &mut dyn Sink) -> Result<(), Box<dyn Error>> {
        while let Some(entry) = self.slots.first_entry() {
            if entry.key().stamp_s >= until_s {
                break;
            }
            let (slot, records) = entry.remove_entry();
            self.pack(slot, records, sink)?;
        }
        Ok(())
    }

    fn pack(
        &mut self,
        slot: Slot,
        mut records: Vec<Waiting>,
        sink: &mut dyn Sink,
    ) -> Result<(), Box<dyn Error>> {
        let Organisation { seed, id, accounts, .. } = self.organisation;
        let Some(account) = accounts.get(slot.account) else { return Ok(()) };
        let stamp = u64::try_from(slot.stamp_s).unwrap_or(0);
        let region = fold(slot.region.as_bytes());
        let lane = (slot.account as u64) << 1 | u64::from(slot.is_second_trail);
        let mut rng = Rng::for_part(*seed, &[part::DELIVERY, stamp, lane, region]);
        records.sort_unstable_by_key(|record| (record.time_s, record.lot));
        let files = deal(records, &mut rng);
        if let Some(delivered) = self.delivered.get_mut(slot.account) {
            *delivered = u32::try_from(files.len()).unwrap_or(u32::MAX);
        }
        let is_own = slot.is_second_trail || id.is_empty();
        let folder = if is_own { None } else { Some(id.as_str()) };
        for mut file in files {
            for late in 1..file.len() {
                if rng.one_in(7) {
                    file.swap(late - 1, late);
                }
            }
            let text = self.packer.begin();
            text.extend_from_slice(b"{\"Records\":[");
            for (number, record) in file.iter().enumerate() {
                if number > 0 {
                    text.push(b',');
                }
                text.extend_from_slice(record.text.as_bytes());
            }
            text.extend_from_slice(b"]}");
            let name = key(folder, &account.id, slot.region, (slot.stamp_s, &rng.suffix(16)));
            let (stored, bytes) = self.packer.pack()?;
            sink.object(&name, stored)?;
            self.written.objects += 1;
            self.written.records += file.len() as u64;
            self.written.bytes += bytes as u64;
            self.written.stored_bytes += stored.len() as u64;
        }
        Ok(())
    }
}

/// Deals the records of one slot to several files, as if several machines had written them: about
/// n^0.45 files, some much larger than others.
fn deal(records: Vec<Waiting>, rng: &mut Rng) -> Vec<Vec<Waiting>> {
    let n = records.len();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the square root of a count, at least 1"
    )]
    let n_files = (libm::pow(n as f64, 0.45) * (0.6 + 0.6 * rng.unit())).max(1.0) as usize;
    let n_files = n_files.max(n.div_ceil(OBJECT_RECORDS_MAX));
    let mut files: Vec<Vec<Waiting>> = Vec::new();
    files.resize_with(n_files, Vec::new);
    let shares: Vec<f64> = (0..n_files).map(|_| rng.exponential(1.0) + 0.05).collect();
    let total: f64 = shares.iter().sum();
    for record in records {
        let mut left = Rng::new(record.lot).unit() * total;
        let mut chosen = 0;
        for (index, share) in shares.iter().enumerate() {
            chosen = index;
            left -= share;
            if left <= 0.0 {
                break;
            }
        }
        let full = |file: &Vec<Waiting>| file.len() >= OBJECT_RECORDS_MAX;
        if files.get(chosen).is_none_or(full) {
            chosen = files.iter().position(|file| !full(file)).unwrap_or(chosen);
        }
        if let Some(file) = files.get_mut(chosen) {
            file.push(record);
        }
    }
    files.retain(|file| !file.is_empty());
    files
}

/// The stamp of the object that a record comes in.
fn stamp_of(time_s: i64, rng: &mut Rng) -> i64 {
    let (least_s, most_s) = if rng.below(100) < SLOW_OF_100 { SLOW_S } else { PROMPT_S };
    round_up(time_s + rng.between(least_s, most_s), STAMP_STEP_S)
}

/// FNV-1a.
fn fold(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Compresses with buffers that are kept.
pub(crate) struct Packer {
    compressor: Compressor,
    text: Vec<u8>,
    stored: Vec<u8>,
}

impl Packer {
    fn new() -> Self {
        // Level 1 packs CloudTrail within 6 % of what AWS stores, and twice as fast as the next.
        let level = CompressionLvl::fastest();
        Self { compressor: Compressor::new(level), text: Vec::new(), stored: Vec::new() }
    }

    fn begin(&mut self) -> &mut Vec<u8> {
        self.text.clear();
        &mut self.text
    }

    /// The gzip member of the text, and how long the text is.
    fn pack(&mut self) -> Result<(&[u8], usize), Box<dyn Error>> {
        let bound = self.compressor.gzip_compress_bound(self.text.len());
        if self.stored.len() < bound {
            self.stored.resize(bound, 0);
        }
        let length = self.compressor.gzip_compress(&self.text, &mut self.stored)?;
        Ok((self.stored.get(..length).unwrap_or_default(), self.text.len()))
    }
}
