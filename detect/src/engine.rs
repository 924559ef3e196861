//! The way of the records through detection: chunks in, findings out, days closed in order.

use crate::{
    budget,
    chunk::{Chunk, ChunkObject},
    contents::Contents,
    detector::Interest,
    detectors::{DETECTORS, Settings},
    finding::{Finding, assemble},
    fingerprints::Fingerprints,
    kinds::Kinds,
    marks::Lessons,
    priors::{Group, Priors},
    probe::{Look, Probe},
    reader::Reader,
    rules::Rules,
    shard::{Known, Shard},
    stage::{Stage, timed},
    watch::Sighting,
};
use baseline::{
    Aggregate, Day, Entity, Gathered, HashKey, HeightHistory, Hour, Kind, Lateness, Principal,
};
use ingest::enrich::Enrich;
use rayon::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    sync::Arc,
};

/// Slices of the entities: a fixed number, whatever the number of cores.
const SHARDS: usize = 64;

/// What changes how logs are read and judged.
#[derive(Debug, Clone)]
pub struct Options {
    /// How late records may come.
    pub lateness: Lateness,
    /// The key of the hashes that bounded memories are ordered by.
    pub hash_key: HashKey,
    /// Memory for the fingerprints of the records of open days. Unit: bytes.
    pub duplicates_budget_bytes: usize,
    /// What identities are by the user's word.
    pub kinds: Arc<Kinds>,
    /// The alert budget: identities whose unusual behaviour is an alert on one day, at most.
    pub alerts_per_day: NonZeroU32,
    /// Table `[detectors]`.
    pub detectors: Settings,
    /// The rules in force.
    pub rules: Arc<Rules>,
    /// What people's marks teach.
    pub lessons: Arc<Lessons>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lateness: Lateness::default(),
            hash_key: HashKey::DEFAULT,
            duplicates_budget_bytes: 256 << 20,
            kinds: Arc::default(),
            alerts_per_day: budget::ALERTS_PER_DAY,
            detectors: Settings::default(),
            rules: Rules::built_in(),
            lessons: Arc::default(),
        }
    }
}

/// What workers and shards read and nobody changes.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) options: Options,
    /// The default settings, where others are in force.
    pub(crate) default_detectors: Option<Settings>,
    pub(crate) enrich: Enrich,
    pub(crate) interests: Interests,
    /// Whose days are looked into; mostly nobody's.
    pub(crate) probe: Option<Probe>,
    /// Whether what each day taught is kept for itself.
    pub(crate) remembers_days: bool,
}

/// Which detectors want to see which records, as bits by their place in the registry.
#[derive(Debug)]
pub(crate) struct Interests {
    by_api: BTreeMap<&'static str, u32>,
    root: u32,
    compute: u32,
    pub(crate) denied: u32,
}

impl Interests {
    fn new() -> Self {
        let mut interests = Self { by_api: BTreeMap::new(), root: 0, compute: 0, denied: 0 };
        for (n, detector) in DETECTORS.iter().enumerate() {
            let bit = 1 << n;
            match detector.meta.interest {
                Interest::Apis(apis) => {
                    for api in apis {
                        *interests.by_api.entry(*api).or_default() |= bit;
                    }
                }
                Interest::Denied => interests.denied |= bit,
                Interest::Root => interests.root |= bit,
                Interest::Compute => interests.compute |= bit,
                Interest::Unusual(_) | Interest::Nothing => {}
            }
        }
        interests
    }

    pub(crate) fn of_api(&self, api: &str) -> u32 {
        self.by_api.get(api).copied().unwrap_or(0)
    }

    pub(crate) fn of_principal(&self, principal: &Principal) -> u32 {
        let root = if principal.entity.kind == Kind::Root { self.root } else { 0 };
        let is_machine = principal.on_compute || principal.entity.kind == Kind::Ci;
        root | if is_machine { self.compute } else { 0 }
    }

    pub(crate) fn of(bits: u32) -> impl Iterator<Item = &'static crate::Detector> {
        DETECTORS.iter().enumerate().filter(move |(n, _)| bits & (1 << n) != 0).map(|(_, d)| d)
    }
}

/// What came in. Nothing that was read is left out of these numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records counted.
    pub n_records: u64,
    /// Flow records counted.
    pub n_flows: u64,
    /// Records of both kinds, of days that had taught what they had to teach before the engine began.
    pub n_learned: u64,
    /// Records that had been there already.
    pub n_duplicates: u64,
    /// Objects whose content had been there already.
    pub n_duplicate_objects: u64,
    /// Records later than the lateness allows, counted in the oldest open day.
    pub n_late: u64,
    /// Records that correct others.
    pub n_corrections: u64,
    /// Event hours whose fingerprints were given up, because the budget was full.
    pub n_hours_unchecked: u64,
    /// Objects whose content was forgotten before its time, because there were too many.
    pub n_contents_dropped: u64,
    /// Matches of rules that were left out, because their day had too many groups.
    pub n_matches_dropped: u64,
    /// Entities with a profile.
    pub n_entities: u64,
    /// The first and the last event time. Unit: milliseconds since the Unix epoch.
    pub times_ms: Option<(i64, i64)>,
    /// Accounts that received calls or own interfaces.
    pub accounts: BTreeSet<Arc<str>>,
    /// `awsRegion` of the calls.
    pub regions: BTreeSet<Arc<str>>,
    hours: BTreeSet<Hour>,
    last_hour: Option<Hour>,
}

impl Counts {
    fn saw(&mut self, time_ms: i64) {
        let (first, last) = self.times_ms.unwrap_or((time_ms, time_ms));
        self.times_ms = Some((first.min(time_ms), last.max(time_ms)));
        if self.last_hour != Some(Hour::of(time_ms)) {
            self.last_hour = Some(Hour::of(time_ms));
            if self.hours.len() < HOURS_MAX {
                self.hours.insert(Hour::of(time_ms));
            }
        }
    }

    /// Hours between the first and the last record that hold none. Unit: hours.
    pub fn n_quiet_hours(&self) -> u64 {
        let Some((first, last)) = self.hours.first().zip(self.hours.last()) else { return 0 };
        let n_all = i64::from(last.0) - i64::from(first.0) + 1;
        n_all.unsigned_abs().saturating_sub(self.hours.len() as u64)
    }
}

/// The state of detection.
#[derive(Debug)]
pub struct Engine {
    pub(crate) context: Context,
    pub(crate) shards: Vec<Shard>,
    pub(crate) priors: Priors,
    pub(crate) heights: HeightHistory,
    fingerprints: Fingerprints,
    contents: Contents,
    pub(crate) oldest_open: Day,
    /// The last day that had taught all it had to teach when the engine began.
    pub(crate) learned_through: Day,
    /// What happens before is only learned.
    pub(crate) tells_from: Hour,
    counts: Counts,
    findings: Vec<Finding>,
    looks: Vec<Look>,
}

impl Engine {
    /// An engine that knows nothing yet.
    pub fn new(options: Options, enrich: Enrich) -> Self {
        let fingerprints = Fingerprints::new(options.duplicates_budget_bytes);
        let defaults = Settings::default();
        let default_detectors = (options.detectors != defaults).then_some(defaults);
        let interests = Interests::new();
        let shards = std::iter::repeat_with(|| Shard::new(&options)).take(SHARDS).collect();
        Self {
            context: Context {
                options,
                default_detectors,
                enrich,
                interests,
                probe: None,
                remembers_days: false,
            },
            shards,
            priors: Priors::default(),
            heights: HeightHistory::default(),
            fingerprints,
            contents: Contents::default(),
            oldest_open: Day(i32::MIN),
            learned_through: Day(i32::MIN),
            tells_from: Hour(i32::MIN),
            counts: Counts::default(),
            findings: Vec::new(),
            looks: Vec::new(),
        }
    }

    /// Looks into the days of those whom `probe` wants, from now on.
    pub fn look_into(&mut self, probe: Probe) {
        self.context.probe = Some(probe);
    }

    /// What was looked into and not taken yet, in order of day and entity.
    pub fn take_looks(&mut self) -> Vec<Look> {
        std::mem::take(&mut self.looks)
    }

    /// Everybody who has a profile, in no order that means anything.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.shards.iter().flat_map(Shard::entities)
    }

    /// The rules in force.
    pub fn rules(&self) -> &Rules {
        &self.context.options.rules
    }

    /// A reader for a worker. What it reads must be applied before *now* moves on.
    pub fn reader(&self) -> Reader<'_> {
        self.reader_after(Chunk::default())
    }

    /// The same, that goes on with what an [emptied](Chunk::emptied) chunk knows.
    pub fn reader_after(&self, chunk: Chunk) -> Reader<'_> {
        Reader::new(&self.context, (self.oldest_open, self.learned_through), chunk)
    }

    /// The oldest day that would still be open if *now* were `now_ms`: objects may be read together
    /// as long as this does not change.
    pub fn oldest_open_at(&self, now_ms: i64) -> Day {
        self.context.options.lateness.oldest_open(now_ms).max(self.oldest_open)
    }

    /// Moves *now* on: closes the days whose lateness has passed.
    pub fn advance(&mut self, now_ms: i64) {
        let oldest_open = self.oldest_open_at(now_ms);
        if oldest_open > self.oldest_open {
            self.close_before(oldest_open);
        }
    }

    /// Closes all days: the input has ended.
    pub fn finish(&mut self) {
        while let Some(day) = self.first_closing(Day(i32::MAX)) {
            self.close(day);
        }
    }

    /// Applies what workers read, in the canonical order of the objects.
    pub fn apply(&mut self, chunks: &[Chunk]) {
        let fresh: Vec<Fresh> =
            timed(Stage::Duplicates, || chunks.iter().map(|chunk| self.admit(chunk)).collect());
        let watches = self.context.options.rules.watches();
        let sums: Vec<(Vec<Aggregate>, Vec<Sighting<'_>>)> = chunks
            .par_iter()
            .zip(&fresh)
            .map(|(chunk, Fresh { rows, objects })| {
                let aggregates = timed(Stage::Sums, || chunk.aggregates(rows));
                let sightings = || chunk.sightings((rows, objects), watches);
                (aggregates, timed(Stage::Matches, sightings))
            })
            .collect();
        let mut by_shard: Vec<ForShard<'_>> = vec![Default::default(); SHARDS];
        for ((aggregates, sightings), (chunk, fresh)) in sums.iter().zip(chunks.iter().zip(&fresh))
        {
            for aggregate in aggregates.iter().chain(chunk.flows(&fresh.objects)) {
                self.counts.n_late += aggregate.n_late;
                if let Some((of_shard, _)) = by_shard.get_mut(shard_of(aggregate.id)) {
                    of_shard.push((aggregate, chunk));
                }
            }
            for sighting in sightings {
                if let Some((_, of_shard)) = by_shard.get_mut(shard_of(sighting.id)) {
                    of_shard.push(sighting);
                }
            }
        }
        let (context, priors, oldest_open) = (&self.context, &self.priors, self.oldest_open);
        self.shards.par_iter_mut().zip(by_shard).for_each(|(shard, (aggregates, sightings))| {
            timed(Stage::Profiles, || {
                for aggregate in aggregates {
                    shard.apply(aggregate, oldest_open, (context, priors));
                }
            });
            timed(Stage::Matches, || {
                for sighting in sightings {
                    shard.sight(sighting, context);
                }
            });
        });
    }

    /// Findings of closed days that were not taken yet, in order of day, time and id.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// What came in so far.
    pub fn counts(&self) -> Counts {
        let n_entities = self.shards.iter().map(Shard::n_entities).sum::<usize>() as u64;
        let n_hours_unchecked = self.fingerprints.n_hours_dropped;
        let n_contents_dropped = self.contents.n_dropped;
        let counts = self.counts.clone();
        let n_matches_dropped = self.shards.iter().map(Shard::n_matches_dropped).sum();
        Counts { n_hours_unchecked, n_contents_dropped, n_matches_dropped, n_entities, ..counts }
    }

    /// All that was learned and all that is still open.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> (&[Shard], &Priors, &HeightHistory) {
        (&self.shards, &self.priors, &self.heights)
    }

    /// Which rows of a chunk count: those that were not there before. The first in canonical order
    /// is the one that counts.
    fn admit(&mut self, chunk: &Chunk) -> Fresh {
        let mut fresh = vec![false; chunk.rows.len()];
        let mut objects = Vec::with_capacity(chunk.objects.len());
        self.counts.n_corrections += chunk.n_corrections;
        self.counts.n_learned += chunk.n_learned;
        let [n_principals, n_regions] = chunk.n_had;
        let regions = chunk.regions.iter().skip(n_regions);
        for region in regions.filter(|region| !region.text.is_empty()) {
            note(&mut self.counts.regions, &region.text);
        }
        for who in chunk.principals.iter().skip(n_principals) {
            note(&mut self.counts.accounts, &who.account);
        }
        let ends = chunk.objects.iter().skip(1).map(|object| object.rows_from);
        let ends = ends.chain([chunk.rows.len()]);
        for (object, rows_end) in chunk.objects.iter().zip(ends) {
            let range = object.rows_from..rows_end;
            // Objects of nothing are all alike, and nothing comes twice by them.
            let is_empty = range.is_empty() && object.n_flows == 0;
            let is_new = is_empty || self.contents.insert(self.oldest_open, object.content);
            objects.push(is_new);
            if !is_new {
                self.counts.n_duplicate_objects += 1;
                self.counts.n_duplicates += range.len() as u64;
                continue;
            }
            self.count_flows(object);
            let rows = chunk.rows.get(range.clone()).unwrap_or_default();
            for (row, fresh) in rows.iter().zip(fresh.get_mut(range).unwrap_or_default()) {
                // By event time, not by slot: that follows the stamp, which copies differ in.
                let hour = if row.is_late { row.slot.hour() } else { Hour::of(row.time_ms) };
                *fresh = self.fingerprints.insert(hour, row.fingerprint);
                self.counts.n_duplicates += u64::from(!*fresh);
                self.counts.n_records += u64::from(*fresh);
                self.counts.saw(row.time_ms);
            }
        }
        Fresh { rows: fresh, objects }
    }

    fn count_flows(&mut self, object: &ChunkObject) {
        // Of an object with nothing but calls that were learned, the answers were as well.
        let is_learned = object.n_learned_flows > 0 && object.flow_times_ms.is_none();
        let n_learned = if is_learned { object.n_flows } else { object.n_learned_flows };
        self.counts.n_learned += n_learned;
        self.counts.n_flows += object.n_flows.saturating_sub(n_learned);
        for aggregate in &object.flows {
            note(&mut self.counts.accounts, &aggregate.entity.account);
        }
        if let Some((first_ms, last_ms)) = object.flow_times_ms {
            self.counts.saw(first_ms);
            self.counts.saw(last_ms);
        }
    }

    fn first_closing(&self, oldest_open: Day) -> Option<Day> {
        self.shards.iter().filter_map(|shard| shard.first_closing(oldest_open)).min()
    }

    /// Closes all days before `oldest_open`, whether their lateness has passed or not.
    pub fn close_before(&mut self, oldest_open: Day) {
        let oldest_open = oldest_open.max(self.oldest_open);
        while let Some(day) = self.first_closing(oldest_open) {
            self.close(day);
        }
        self.oldest_open = oldest_open;
        let lateness = self.context.options.lateness;
        let context = &self.context;
        self.shards.par_iter_mut().for_each(|shard| {
            timed(Stage::Teach, || shard.advance(oldest_open, context));
        });
        timed(Stage::Teach, || self.priors.advance(lateness.prior_through(oldest_open)));
        self.heights.merge(lateness.prior_through(oldest_open));
        self.fingerprints.forget(oldest_open);
        self.contents.forget(oldest_open);
    }

    fn close(&mut self, day: Day) {
        let through = self.context.options.lateness.prior_through(day);
        timed(Stage::Teach, || self.priors.prepare(through));
        self.heights.prepare(through);
        let context = &self.context;
        let known = Known { priors: &self.priors, heights: self.heights.at(through) };
        let closings: Vec<_> =
            self.shards.par_iter_mut().map(|shard| shard.close(day, context, known)).collect();
        let mut occurrences = Vec::new();
        let mut taught: BTreeMap<Group, Gathered> = BTreeMap::new();
        let mut looks = Vec::new();
        for closing in closings {
            for (kind, height) in closing.heights {
                self.heights.add(day, kind, height);
            }
            let found = closing.occurrences.into_iter();
            occurrences.extend(found.filter(|one| one.hour >= self.tells_from));
            timed(Stage::Teach, || {
                for (group, gathered) in closing.taught {
                    taught.entry(group).or_default().add(gathered.finish());
                }
            });
            looks.extend(closing.looks);
        }
        timed(Stage::Teach, || self.priors.learn(day, taught));
        looks.sort_by(|a, b| a.entity.cmp(&b.entity));
        self.looks.extend(looks);
        let catalogue = self.context.options.rules.catalogue();
        self.findings.extend(timed(Stage::Findings, || assemble(day, occurrences, catalogue)));
    }
}

/// Hours with records that are remembered, to tell gaps: more than a century. Unit: hours.
const HOURS_MAX: usize = 1_000_000;
/// Accounts and regions that are counted. Unit: of each.
const NAMES_MAX: usize = 100_000;

fn note(names: &mut BTreeSet<Arc<str>>, name: &Arc<str>) {
    if names.len() < NAMES_MAX && !names.contains(name) {
        names.insert(Arc::clone(name));
    }
}

/// What of a chunk was not there before.
struct Fresh {
    rows: Vec<bool>,
    objects: Vec<bool>,
}

/// What goes to one shard.
type ForShard<'a> = (Vec<(&'a Aggregate, &'a Chunk)>, Vec<&'a Sighting<'a>>);

/// Where an entity lives, by its id.
pub(crate) fn shard_of(entity: u128) -> usize {
    usize::try_from(entity % SHARDS as u128).unwrap_or(0)
}

#[cfg(test)]
mod generations;
#[cfg(test)]
mod tests;
