//! The way of the records through detection: chunks in, findings out, days closed in order.

use crate::{
    budget,
    chunk::Chunk,
    detectors::Settings,
    facts::{Fact, Facts},
    finding::{Finding, assemble},
    hear::Hearing,
    intake::{Admitted, Gate, Intake},
    interests::Interests,
    kinds::Kinds,
    marks::Lessons,
    own::Own,
    priors::{Group, Priors},
    probe::{Look, Probe},
    reader::Reader,
    rules::Rules,
    shard::{Closing, Known, Occurrence, Shard},
    shelf::{PROFILES_AT_ONCE, ShelfError, Shelved},
    stage::{Stage, timed},
    state::{Changes, OfDay},
    touched::Noted,
    watch::Sighting,
};
use baseline::{Aggregate, Day, Entity, Gathered, HashKey, HeightHistory, Hour, Lateness};
use ingest::enrich::Enrich;
use rayon::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    sync::Arc,
};

/// Slices of the entities: a fixed number, whatever the number of cores.
pub(crate) const SHARDS: usize = 64;

/// More records than these are summed in turns: where no two are alike, sums take twenty times what rows take, and
/// profiles grow by as much before any is put away. Unit: records.
const ROWS_AT_ONCE: usize = 65_536;

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
    /// What sentrail lives on.
    pub own: Arc<Own>,
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
            own: Arc::default(),
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
    /// Whether it is noted what changes.
    pub(crate) notes_changes: bool,
}

/// The state of detection.
#[derive(Debug)]
pub struct Engine {
    pub(crate) context: Context,
    pub(crate) shards: Vec<Shard>,
    pub(crate) priors: Priors,
    pub(crate) heights: HeightHistory,
    pub(crate) facts: Facts,
    pub(crate) gate: Gate,
    pub(crate) changes: Changes,
    pub(crate) shelved: Shelved,
    /// Bounds on what is worked on at once, which change nothing that is found. Unit: records, profiles.
    pub(crate) rows_at_once: usize,
    pub(crate) profiles_at_once: usize,
    pub(crate) oldest_open: Day,
    /// The last day that had taught all it had to teach when the engine began.
    pub(crate) learned_through: Day,
    /// What happens before is only learned.
    pub(crate) tells_from: Hour,
    pub(crate) touched: Noted,
    pub(crate) hearing: Hearing,
    findings: Vec<Finding>,
    looks: Vec<Look>,
}

impl Engine {
    /// An engine that knows nothing yet.
    pub fn new(options: Options, enrich: Enrich) -> Self {
        let gate = Gate::new(options.duplicates_budget_bytes);
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
                notes_changes: false,
            },
            shards,
            priors: Priors::default(),
            heights: HeightHistory::default(),
            facts: Facts::default(),
            gate,
            changes: Changes::default(),
            shelved: Shelved::default(),
            rows_at_once: ROWS_AT_ONCE,
            profiles_at_once: PROFILES_AT_ONCE,
            oldest_open: Day(i32::MIN),
            learned_through: Day(i32::MIN),
            tells_from: Hour(i32::MIN),
            touched: None,
            hearing: Hearing::default(),
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

    /// Everybody whose profile is held, in no order that means anything.
    pub fn entities(&self) -> impl Iterator<Item = &Entity> {
        self.shards.iter().flat_map(Shard::entities)
    }

    /// The rules in force.
    pub fn rules(&self) -> &Rules {
        &self.context.options.rules
    }

    /// The tables about addresses in use.
    pub fn tables(&self) -> &Enrich {
        &self.context.enrich
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

    /// The oldest day that has not closed; before the first has, it is before all days.
    pub fn oldest_open(&self) -> Day {
        self.oldest_open
    }

    /// Moves *now* on: closes the days whose lateness has passed.
    pub fn advance(&mut self, now_ms: i64) -> Result<(), ShelfError> {
        let oldest_open = self.oldest_open_at(now_ms);
        if oldest_open > self.oldest_open {
            self.close_before(oldest_open)?;
        }
        Ok(())
    }

    /// Closes all days: the input has ended.
    pub fn finish(&mut self) -> Result<(), ShelfError> {
        while let Some(day) = self.first_closing(Day(i32::MAX))? {
            self.close(day)?;
        }
        Ok(())
    }

    /// Applies what workers read, in the canonical order of the objects.
    pub fn apply(&mut self, chunks: &[Chunk]) -> Result<(), ShelfError> {
        let Self { gate, oldest_open, .. } = self;
        let admit = |chunk: &Chunk| gate.admit(chunk, *oldest_open);
        let fresh: Vec<Admitted> = timed(Stage::Duplicates, || chunks.iter().map(admit).collect());
        let n_rows: usize = chunks.iter().map(|chunk| chunk.rows.len()).sum();
        let n_turns = n_rows.div_ceil(self.rows_at_once);
        if n_turns <= 1 {
            return self.apply_admitted(chunks, &fresh);
        }
        for turn in 0..n_turns {
            let part = |(chunk, fresh): (&Chunk, &Admitted)| chunk.part(fresh, (turn, n_turns));
            let fresh: Vec<Admitted> = chunks.par_iter().zip(&fresh).map(part).collect();
            self.apply_admitted(chunks, &fresh)?;
        }
        Ok(())
    }

    /// Sums what is new of chunks, and counts it.
    fn apply_admitted(&mut self, chunks: &[Chunk], fresh: &[Admitted]) -> Result<(), ShelfError> {
        let (watches, hash_key) =
            (self.context.options.rules.watches(), &self.context.options.hash_key);
        let sums: Vec<(Vec<Aggregate>, Vec<Sighting<'_>>, Vec<Fact>)> = chunks
            .par_iter()
            .zip(fresh)
            .map(|(chunk, fresh)| {
                let Admitted { rows, objects } = fresh;
                let aggregates = timed(Stage::Sums, || chunk.aggregates(rows));
                let sightings = || chunk.sightings((rows, objects), watches);
                (aggregates, timed(Stage::Matches, sightings), chunk.facts(fresh, hash_key))
            })
            .collect();
        let mut by_shard: Vec<ForShard<'_>> = vec![Default::default(); SHARDS];
        for ((aggregates, sightings, _), (chunk, fresh)) in
            sums.iter().zip(chunks.iter().zip(fresh))
        {
            for aggregate in aggregates.iter().chain(chunk.flows(&fresh.objects)) {
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
        if self.context.notes_changes {
            self.changes.note(&by_shard);
        }
        for ((touched, _), of_shard) in self.touched.iter_mut().flatten().zip(&by_shard) {
            touched.note(of_shard);
        }
        self.learn_facts(sums.iter().flat_map(|(_, _, facts)| facts));
        if self.shelved.n_away > 0 {
            let all = by_shard.iter().flat_map(|(aggregates, _)| aggregates);
            self.bring(&all.map(|(aggregate, _)| aggregate.id).collect())?;
        }
        let (context, priors, oldest_open) = (&self.context, &self.priors, self.oldest_open);
        self.shards.par_iter_mut().zip(by_shard).for_each(|(shard, (aggregates, sightings))| {
            timed(Stage::Profiles, || {
                for aggregate in aggregates {
                    shard.apply(aggregate, oldest_open, (context, priors));
                }
            });
            timed(Stage::Matches, || shard.sight(&sightings));
        });
        self.make_room()
    }

    /// Findings of closed days that were not taken yet, in order of day, time and id.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }

    /// What came in so far.
    pub fn intake(&self) -> Intake {
        let n_held = self.shards.iter().map(Shard::n_entities).sum::<usize>() as u64;
        let n_matches_dropped = self.shards.iter().map(Shard::n_matches_dropped).sum();
        let mut intake = self.gate.intake();
        intake.n_matches_dropped = n_matches_dropped;
        intake.n_days_full_of_facts = self.facts.n_full();
        intake.n_days_let_go = self.hearing.n_let_go;
        intake.n_away = self.shelved.n_away;
        intake.n_entities = n_held + intake.n_away;
        intake
    }

    /// All that was learned and all that is still open.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> (&[Shard], &Priors, &HeightHistory, &Facts) {
        (&self.shards, &self.priors, &self.heights, &self.facts)
    }

    /// Days of which watches hold something.
    fn days_matched(&self) -> BTreeSet<OfDay> {
        let of = |(number, shard): (u32, &Shard)| {
            let days: Vec<_> = shard.matches.days().collect();
            days.into_iter().map(move |(watch, day)| (number, watch, day))
        };
        (0..).zip(&self.shards).flat_map(of).collect()
    }

    fn first_closing(&mut self, oldest_open: Day) -> Result<Option<Day>, ShelfError> {
        let away = self.shelved.ask(|shelf| shelf.first_open())?;
        let away = away.filter(|day| *day < oldest_open);
        let held = self.shards.iter().filter_map(|shard| shard.first_closing(oldest_open));
        Ok(held.chain(away).min())
    }

    /// Closes all days before `oldest_open`, whether their lateness has passed or not.
    pub fn close_before(&mut self, oldest_open: Day) -> Result<(), ShelfError> {
        let oldest_open = oldest_open.max(self.oldest_open);
        while let Some(day) = self.first_closing(oldest_open)? {
            self.close(day)?;
        }
        self.oldest_open = oldest_open;
        self.forget_marks();
        let lateness = self.context.options.lateness;
        let context = &self.context;
        let before = context.notes_changes.then(|| self.days_matched());
        self.shards.par_iter_mut().for_each(|shard| {
            timed(Stage::Teach, || shard.advance(oldest_open, context));
        });
        if let Some(before) = before {
            self.changes.forget(&before, &self.days_matched());
        }
        timed(Stage::Teach, || self.priors.advance(lateness.prior_through(oldest_open)));
        self.heights.merge(lateness.prior_through(oldest_open));
        self.forget_facts(oldest_open);
        self.gate.forget(oldest_open);
        Ok(())
    }

    fn close(&mut self, day: Day) -> Result<(), ShelfError> {
        let through = self.context.options.lateness.prior_through(day);
        timed(Stage::Teach, || self.priors.prepare(through));
        self.heights.prepare(through);
        let closings = self.closings(day)?;
        let mut occurrences = Vec::new();
        let mut taught: BTreeMap<Group, Gathered> = BTreeMap::new();
        let (mut looks, mut withheld) = (Vec::new(), Vec::new());
        for closing in closings {
            for (kind, height) in closing.heights {
                self.heights.add(day, kind, height);
            }
            occurrences.extend(closing.occurrences);
            timed(Stage::Teach, || {
                for (group, gathered) in closing.taught {
                    taught.entry(group).or_default().add(gathered.finish());
                }
            });
            looks.extend(closing.looks);
            withheld.extend(closing.withheld);
        }
        let groups = timed(Stage::Teach, || self.priors.learn(day, taught));
        if self.context.notes_changes {
            self.changes.groups.extend(groups);
            self.changes.heights = true;
        }
        looks.sort_by(|a, b| a.entity.cmp(&b.entity));
        self.looks.extend(looks);
        self.withhold(withheld);
        let found = self.found(day, occurrences);
        self.learn_at_close(day, &found)?;
        self.findings.extend(found);
        Ok(())
    }

    /// What shards say when a day closes: of whom matches are about, of those who are held, and of those who
    /// were put away, some at a time.
    fn closings(&mut self, day: Day) -> Result<Vec<Closing>, ShelfError> {
        let matched: Vec<_> = self.shards.iter().map(|shard| shard.matches.of_whom(day)).collect();
        let mut closings: Vec<Closing> = Vec::with_capacity(SHARDS);
        for turn in self.turns(&matched) {
            let ids = matched.get(turn.clone()).unwrap_or_default();
            self.bring(&ids.iter().flatten().copied().collect())?;
            self.inherit(day)?;
            let Self { shards, context, priors, heights, facts, .. } = &mut *self;
            let known = Known { priors, heights, facts };
            let shards = shards.get_mut(turn).unwrap_or_default().par_iter_mut();
            let begun = shards.map(|shard| shard.close_matches(day, context, known));
            closings.extend(begun.collect::<Vec<_>>());
            self.make_room()?;
        }
        loop {
            let Self { shards, context, priors, heights, facts, changes, .. } = &mut *self;
            let known = Known { priors, heights, facts };
            shards.par_iter_mut().zip(&mut closings).for_each(|(shard, closing)| {
                shard.close_profiles((day, closing), context, known);
            });
            changes.profiles.extend(closings.iter_mut().flat_map(|one| one.ids.drain(..)));
            self.make_room()?;
            let n_max = self.profiles_at_once;
            let away = self.shelved.ask(|shelf| shelf.open_on(day, n_max))?;
            if away.is_empty() {
                return Ok(closings);
            }
            self.bring(&away.into_iter().collect())?;
            self.inherit(day)?;
        }
    }

    /// Those of which `day`, which closes, is the first inherit, before anybody's closes.
    fn inherit(&mut self, day: Day) -> Result<(), ShelfError> {
        let heirs = self.shards.iter().flat_map(|shard| shard.profiles.heirs(day));
        let heirs: Vec<u128> = heirs.collect();
        self.bring_beside(&heirs)?;
        self.shards.par_iter_mut().for_each(|shard| shard.profiles.inherit(day));
        Ok(())
    }

    /// The findings of a day, as far as they are told.
    pub(crate) fn found(&self, day: Day, mut occurrences: Vec<Occurrence>) -> Vec<Finding> {
        occurrences.retain(|one| one.hour >= self.tells_from);
        let catalogue = self.context.options.rules.catalogue();
        timed(Stage::Findings, || assemble(day, occurrences, catalogue))
    }
}

/// What goes to one shard.
pub(crate) type ForShard<'a> = (Vec<(&'a Aggregate, &'a Chunk)>, Vec<&'a Sighting<'a>>);

/// Where an entity lives, by its id.
pub(crate) fn shard_of(entity: u128) -> usize {
    usize::try_from(entity % SHARDS as u128).unwrap_or(0)
}

#[cfg(test)]
mod generations;
#[cfg(test)]
mod tests;
