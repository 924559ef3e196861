//! How AWS delivers: objects by account, region and five minutes, late, a little out of order, in
//! several files, and some records twice.
//!
//! Records are handed in at or after *now*, which only grows; what is due is packed and handed on.
//! It holds what ten minutes bring (of VPCs with windows of ten minutes, 25), whatever the length of
//! the story.

mod flows;
mod parquet;

use std::collections::BTreeMap;
use std::error::Error;

use libdeflater::{CompressionLvl, Compressor};

use crate::aws::call::Record;
use crate::aws::delivery::{STAMP_STEP_S, key};
use crate::aws::digest::{self, LogFile, Previous, Trail, sha256};
use crate::aws::flow::Flow;
use crate::clock::{HOUR_S, round_up};
use crate::organisation::{Account, Organisation, part};
use crate::places::{GLOBAL, REGIONS};
use crate::rng::Rng;
use crate::story::Silence;
use flows::Flows;

pub use parquet::AsParquet;

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
/// Level 1 of libdeflate packs CloudTrail within 6 % of what AWS stores, and twice as fast as the next.
const LEVEL: i32 = 1;
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

/// The digests of the organisation's trail: what they will list, and the last of each chain.
#[derive(Debug, Default)]
struct Digests {
    /// The end of the hour that is open. Unit: seconds since the Unix epoch.
    end_s: i64,
    files: BTreeMap<(usize, &'static str), Vec<LogFile>>,
    previous: BTreeMap<(usize, &'static str), Previous>,
}

/// Records and flows on their way.
pub struct Post<'a> {
    organisation: &'a Organisation,
    digests: Option<Digests>,
    slots: BTreeMap<Slot, Vec<Waiting>>,
    packer: Packer,
    /// By account: the last stamp of the organisation's trail, and the objects that have it.
    delivered: Vec<(i64, u32)>,
    flows: Flows<'a>,
    written: Written,
}

impl<'a> Post<'a> {
    /// Nothing is on its way yet. With `has_digests` every region of every account gets one each
    /// hour.
    pub fn new(organisation: &'a Organisation, has_digests: bool) -> Self {
        let end_s = organisation.start_s + HOUR_S;
        let digests = has_digests.then(|| Digests { end_s, ..Digests::default() });
        Self {
            organisation,
            digests,
            slots: BTreeMap::new(),
            packer: Packer::new(LEVEL),
            delivered: vec![(0, 0); organisation.accounts.len()],
            flows: Flows::new(organisation),
            written: Written::default(),
        }
    }

    /// How many objects of `account` went out last: CloudTrail makes calls of its own for each.
    pub fn delivered(&self, account: usize) -> u32 {
        self.delivered.get(account).map_or(0, |(_, n)| *n)
    }

    /// Takes a record of `account`.
    pub fn record(&mut self, account: usize, record: Record) {
        let mut rng = Rng::new(fold(record.id.as_bytes()));
        let Record { time_s, region, text, .. } = record;
        let slot = |stamp_s, is_second_trail| Slot { stamp_s, account, region, is_second_trail };
        // The second trail is for management events of one region.
        let is_seen_twice = |account: &Account| {
            account.has_second_trail
                && account.home == region
                && text.contains("\"managementEvent\":true")
        };
        if self.organisation.accounts.get(account).is_some_and(is_seen_twice) {
            let waiting = Waiting { time_s, lot: rng.bits(), text: text.clone() };
            let stamp_s = stamp_of(time_s, &mut rng);
            self.slots.entry(slot(stamp_s, true)).or_default().push(waiting);
        }
        let stamp_s = stamp_of(time_s, &mut rng);
        let waiting = Waiting { time_s, lot: rng.bits(), text };
        self.slots.entry(slot(stamp_s, false)).or_default().push(waiting);
    }

    /// Takes a flow of one of a VPC's hosts.
    pub fn flow(&mut self, vpc: usize, flow: Flow<u16>) {
        self.flows.flow(vpc, flow);
    }

    /// Takes a time in which flows of one of a VPC's hosts could not be logged: it has a row for each window of it.
    pub fn skipped(&mut self, vpc: usize, host: u16, span_s: (i64, i64)) {
        self.flows.skipped(vpc, host, span_s);
    }

    /// Takes note that the flow log of a VPC is gone for a while.
    pub fn fall_silent(&mut self, vpc: usize, silence: Silence) {
        self.flows.fall_silent(vpc, silence);
    }

    /// A window of a VPC begins: hosts without flows in it will be told of too.
    pub fn watch(&mut self, vpc: usize, start_s: i64) {
        self.flows.watch(vpc, start_s);
    }

    /// Packs and hands on what is due before `until_s`.
    pub fn flush(&mut self, until_s: i64, sink: &mut dyn Sink) -> Result<(), Box<dyn Error>> {
        while let Some(stamp_s) = self.slots.first_key_value().map(|(slot, _)| slot.stamp_s) {
            if stamp_s >= until_s {
                break;
            }
            while self.digests.as_ref().is_some_and(|digests| digests.end_s <= stamp_s) {
                self.digest(sink)?;
            }
            if let Some((slot, records)) = self.slots.pop_first() {
                self.pack(slot, records, sink)?;
            }
        }
        self.flows.flush(until_s, &mut self.written, sink)
    }

    /// Packs and hands on everything, at the end of the story.
    pub fn finish(&mut self, sink: &mut dyn Sink) -> Result<Written, Box<dyn Error>> {
        self.flush(i64::MAX, sink)?;
        if self.digests.is_some() {
            self.digest(sink)?;
        }
        Ok(self.written)
    }

    /// Hands on the digests of the hour that is open.
    fn digest(&mut self, sink: &mut dyn Sink) -> Result<(), Box<dyn Error>> {
        let Self { organisation, digests: Some(digests), packer, .. } = self else { return Ok(()) };
        let end_s = digests.end_s;
        digests.end_s += HOUR_S;
        let mut files = std::mem::take(&mut digests.files);
        let home = organisation.accounts.first().map_or(GLOBAL, |account| account.home);
        for (number, account) in organisation.accounts.iter().enumerate() {
            let trail = Trail {
                organisation: Some(&organisation.id),
                account: &account.id,
                name: "organisation",
                home,
                bucket: &organisation.trail_bucket(),
            };
            for region in REGIONS {
                let chain = (number, region);
                let listed = files.remove(&chain).unwrap_or_default();
                let previous = digests.previous.get(&chain);
                let (key, text, next) = digest::hourly(trail, region, end_s, &listed, previous);
                digests.previous.insert(chain, next);
                packer.begin().extend_from_slice(text.as_bytes());
                let (stored, bytes) = packer.pack()?;
                sink.object(&key, stored)?;
                self.written.objects += 1;
                self.written.bytes += bytes as u64;
                self.written.stored_bytes += stored.len() as u64;
            }
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
        if let Some((stamp_s, n)) = self.delivered.get_mut(slot.account) {
            *n = if *stamp_s == slot.stamp_s { *n } else { 0 };
            *n += u32::try_from(files.len()).unwrap_or(0);
            *stamp_s = slot.stamp_s;
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
            if let Some(digests) = self.digests.as_mut().filter(|_| !slot.is_second_trail) {
                let times = || file.iter().map(|record| record.time_s);
                let times_s = (times().min().unwrap_or(0), times().max().unwrap_or(0));
                let listed = LogFile { key: name.clone(), hash: sha256(text), times_s };
                digests.files.entry((slot.account, slot.region)).or_default().push(listed);
            }
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
    fn new(level: i32) -> Self {
        let level = CompressionLvl::new(level).unwrap_or_default();
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
