//! The way of objects through detection: read in batches on all threads, applied in their order. Of a replay
//! and of the daemon alike.

use crate::{
    aws::{Aws, Fetching},
    epoch::Again,
    fault,
    replay::Plan,
    steps::Steps,
    summary::Summary,
    worker::{ObjectRead, Worker},
};
use anyhow::{Context, Result};
use baseline::time::DAY_MS;
use detect::{Chunk, Engine, Finding, FlowMatch, Look, Reader};
use ingest::{
    flow::{Call, Field},
    flowlog::Gap,
    source::{Kind, Listing, Object, Place},
    time::Stretch,
};
use rayon::prelude::*;
use std::{
    collections::BTreeSet,
    io::Read as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// Who hears how far a reading is, and what was found.
pub(crate) trait Observer {
    /// What was listed, of which some may be left out.
    fn listed(&mut self, _: &mut Listing) -> Result<()> {
        Ok(())
    }
    /// What will be read. Unit: bytes as stored.
    fn begin(&mut self, bytes: u64);
    /// An object that was read. Unit: bytes as stored.
    fn read(&mut self, bytes: u64);
    /// Findings of days that closed.
    fn findings(&mut self, _: &[Finding]) -> Result<()> {
        Ok(())
    }
    /// What was looked into of days that closed, if anybody asked.
    fn looks(&mut self, _: Vec<Look>) -> Result<()> {
        Ok(())
    }
    /// Whether a version of this object was read before, so that it is only looked at.
    fn is_again(&mut self, _: &Object) -> Result<bool> {
        Ok(false)
    }
    /// The hash of what such an object holds now.
    fn again(&mut self, _: &Object, _: u128) -> Again {
        Again::Same
    }
    /// Whole objects that were read, and are applied.
    fn applied(&mut self, _: &mut Engine, _: &[Whole<'_>]) -> Result<()> {
        Ok(())
    }
    /// An object of which nothing is applied, since it could not be read.
    fn unread(&mut self, object: &Object, why: &str) {
        self.trouble(&name_of(object), why);
    }
    /// Something that could not be read: an object, or a record of it.
    fn trouble(&mut self, object: &str, what: &str);
}

/// A whole object that was read.
#[derive(Debug)]
pub(crate) struct Whole<'a> {
    pub(crate) object: &'a Object,
    /// Hash of its bytes as stored.
    pub(crate) content: u128,
    /// When its newest record happened. Unit: milliseconds since the Unix epoch.
    pub(crate) newest_ms: Option<i64>,
    /// Records of it that were read, and that could not be.
    pub(crate) n_records: u64,
    pub(crate) n_bad: u64,
    /// How it came here.
    pub(crate) steps: Steps,
}

/// Objects that are applied together are read into memory as rows: about 100 bytes a record. Less are where `memory` is
/// less than 4 GiB. Unit: compressed bytes.
pub(crate) const BATCH_BYTES_MAX: u64 = 16 << 20;
/// What chunks keep of callers for the next ones, and what of all else, of what is read at once.
const KEPT_SHARE: u64 = 4;
/// More than one, so that a thread that is done early takes over from another.
const TASKS_PER_THREAD: u64 = 2;
/// The least that is worth a task of its own. Unit: compressed bytes.
const CHUNK_BYTES_MIN: u64 = 128 << 10;
/// What opening a file costs, in compressed bytes that could be read instead.
const OBJECT_COST_BYTES: u64 = 2 << 10;

/// What is read of standard input, all of which is held, compressed or not. Unit: bytes.
const STDIN_BYTES_MAX: u64 = 4 << 30;

/// Something to read, and *now* when it is read.
pub(crate) struct Unit<'a> {
    pub(crate) now_ms: i64,
    pub(crate) object: &'a Object,
    pub(crate) work: Work,
}

/// What a unit holds.
pub(crate) enum Work {
    /// A whole object, still to be read.
    Object,
    /// A whole object that was got, or why it could not be.
    Fetched(Result<Got, String>),
    /// CloudTrail records of one day of an object without a stamp.
    Records(Vec<u8>),
    /// Flows of one day of an object without a stamp.
    Flows(DayOfFlows),
}

/// The bytes of an object, with the steps that they took.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) bytes: Vec<u8>,
    pub(crate) steps: Steps,
}

/// What interfaces called on one day, by one object.
#[derive(Default)]
pub(crate) struct DayOfFlows {
    pub(crate) content: u128,
    /// The account of the interfaces.
    pub(crate) account: Arc<str>,
    pub(crate) n_flows: u64,
    pub(crate) calls: Vec<Call>,
    /// When flows were lost.
    pub(crate) gaps: Vec<Gap>,
    /// What rules matched.
    pub(crate) matches: Vec<FlowMatch>,
}

impl Unit<'_> {
    /// When it was written; a day of what has no stamp, at its end. Unit: milliseconds since the Unix epoch.
    pub(crate) fn end_ms(&self) -> i64 {
        match self.work {
            Work::Object | Work::Fetched(_) => self.now_ms,
            Work::Records(_) | Work::Flows(_) => self.now_ms.saturating_add(DAY_MS),
        }
    }

    /// Its size as far as it is still to be read. Unit: bytes.
    pub(crate) fn bytes(&self) -> u64 {
        match &self.work {
            Work::Object | Work::Fetched(_) => self.object.size_bytes,
            // Inflated already: logs deflate to about a tenth.
            Work::Records(records) => records.len() as u64 / 10,
            Work::Flows(flows) => (flows.calls.len() + flows.matches.len()) as u64,
        }
    }
}

/// Workers that are not at work, with their buffers.
pub(crate) struct Workers<'a> {
    plan: &'a Plan,
    /// Of flow logs, that rules ask for.
    fields: BTreeSet<Field>,
    idle: Mutex<Vec<Worker<'a>>>,
    /// Chunks that were applied.
    emptied: Mutex<Vec<Chunk>>,
}

impl<'a> Workers<'a> {
    pub(crate) fn of(plan: &'a Plan, fields: BTreeSet<Field>) -> Self {
        Self { plan, fields, idle: Mutex::default(), emptied: Mutex::default() }
    }

    /// How buckets are reached, if there are any.
    pub(crate) fn aws(&self) -> Option<&'a Aws> {
        self.plan.aws.as_ref()
    }

    /// Begins to fetch what of a batch is not at hand.
    fn begin<'u>(&self, batch: Vec<Unit<'u>>) -> Batch<'u> {
        match &self.plan.aws {
            Some(aws) => Batch::Fetching(aws.begin(batch)),
            None => Batch::Here(batch),
        }
    }

    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Worker<'a>) -> T) -> T {
        let Plan { filter, limits, flow_format, .. } = self.plan;
        let worker = held(&self.idle).pop();
        let new = || Worker::new(filter, *limits, flow_format.clone()).with_fields(&self.fields);
        let mut worker = worker.unwrap_or_else(new);
        let done = work(&mut worker);
        held(&self.idle).push(worker);
        done
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads and applies units in their order, in batches none of which reaches over the closing of a day;
/// answers by when all was written. Unit: milliseconds since the Unix epoch.
pub(crate) fn apply<'a>(
    units: impl Iterator<Item = Result<Unit<'a>>>,
    (engine, workers): (&mut Engine, &Workers<'_>),
    summary: &mut Summary,
    observer: &mut dyn Observer,
) -> Result<i64> {
    let mut batch: Vec<Unit<'_>> = Vec::new();
    let mut batch_bytes = 0;
    let mut end_ms = i64::MIN;
    // The next batch is fetched while one is applied.
    let mut fetching: Option<Batch<'_>> = None;
    for unit in units {
        let unit = unit?;
        let first = batch.first().map_or(unit.now_ms, |first| first.now_ms);
        let is_same_day = engine.oldest_open_at(first) == engine.oldest_open_at(unit.now_ms);
        if batch_bytes >= workers.plan.batch_bytes || !is_same_day {
            let next = workers.begin(std::mem::take(&mut batch));
            if let Some(ready) = fetching.replace(next) {
                apply_batch(ready.finish(), engine, workers, summary, observer)?;
            }
            batch_bytes = 0;
        }
        batch_bytes += unit.bytes();
        end_ms = end_ms.max(unit.end_ms());
        batch.push(unit);
    }
    let last = workers.begin(batch);
    for ready in fetching.into_iter().chain([last]) {
        apply_batch(ready.finish(), engine, workers, summary, observer)?;
    }
    Ok(end_ms)
}

/// Units that are applied together.
enum Batch<'a> {
    /// All of it is at hand.
    Here(Vec<Unit<'a>>),
    /// Some of it is fetched.
    Fetching(Fetching<'a>),
}

impl<'a> Batch<'a> {
    fn finish(self) -> Vec<Unit<'a>> {
        match self {
            Self::Here(batch) => batch,
            Self::Fetching(fetching) => fetching.finish(),
        }
    }
}

/// Reads the units of one batch on all threads and applies them.
fn apply_batch(
    batch: Vec<Unit<'_>>,
    engine: &mut Engine,
    workers: &Workers<'_>,
    summary: &mut Summary,
    observer: &mut dyn Observer,
) -> Result<()> {
    let Some(first) = batch.first() else { return Ok(()) };
    engine.advance(first.now_ms)?;
    observer.findings(&engine.take_findings())?;
    observer.looks(engine.take_looks())?;
    let mut again = BTreeSet::new();
    for object in batch.iter().map(|unit| unit.object) {
        if observer.is_again(object)? {
            again.insert(object.key());
        }
    }
    let reading = &*engine;
    let read = |units| read_units(units, &again, reading, workers);
    let read: Vec<(Chunk, Vec<UnitRead<'_>>)> = pieces(batch).into_par_iter().map(read).collect();
    let mut chunks = Vec::with_capacity(read.len());
    let mut whole = Vec::new();
    let mut large = Vec::new();
    for (chunk, outcomes) in read {
        chunks.push(chunk);
        for UnitRead { object, bytes, is_whole, outcome, stored } in outcomes {
            if outcome.failure.is_none() && again.contains(object.key()) {
                observer.read(bytes);
                summary.add_again(observer.again(object, outcome.content));
                continue;
            }
            report(object, &outcome, observer);
            if is_whole {
                observer.read(bytes);
                summary.add(&outcome);
                let ObjectRead { content, newest_ms, n_records, n_bad, steps, .. } = outcome;
                let (failure, inflated_bytes) = (outcome.failure, outcome.inflated_bytes);
                if failure.is_none() {
                    large.extend(stored.map(|stored| (whole.len(), stored, inflated_bytes)));
                    whole.push(Whole { object, content, newest_ms, n_records, n_bad, steps });
                }
            } else {
                summary.add_day(&outcome);
            }
        }
    }
    let began = Instant::now();
    engine.apply(&chunks)?;
    for (place, stored, inflated_bytes) in large {
        let Some(Whole { object, newest_ms, .. }) = whole.get_mut(place) else { continue };
        let apply = |worker: &mut Worker<'_>| {
            worker.take(stored);
            worker.apply(inflated_bytes, object.stamp_ms, engine)
        };
        *newest_ms = workers.with(apply).with_context(|| name_of(object))?;
    }
    let scored = Stretch::since(began);
    for whole in &mut whole {
        whole.steps.scored = Some(scored);
    }
    fault::point("mid-apply");
    let kept_max = usize::try_from(workers.plan.batch_bytes / KEPT_SHARE).unwrap_or(usize::MAX);
    let emptied = chunks.into_iter().map(|chunk| chunk.emptied(kept_max));
    held(&workers.emptied).extend(emptied);
    observer.applied(engine, &whole)
}

/// Runs of units that are large enough to be worth a task, and enough of them for all threads.
fn pieces(batch: Vec<Unit<'_>>) -> Vec<Vec<Unit<'_>>> {
    let cost = |unit: &Unit<'_>| unit.bytes() + OBJECT_COST_BYTES;
    // One thread has nobody to wait for, and works out least in one piece.
    let n_tasks = match rayon::current_num_threads() as u64 {
        1 => 1,
        n_threads => TASKS_PER_THREAD * n_threads,
    };
    let share = (batch.iter().map(cost).sum::<u64>() / n_tasks).max(CHUNK_BYTES_MIN);
    let mut pieces = vec![Vec::new()];
    let mut piece_cost = 0;
    for unit in batch {
        if piece_cost >= share {
            pieces.push(Vec::new());
            piece_cost = 0;
        }
        piece_cost += cost(&unit);
        if let Some(piece) = pieces.last_mut() {
            piece.push(unit);
        }
    }
    pieces
}

/// What became of one unit.
struct UnitRead<'a> {
    object: &'a Object,
    bytes: u64,
    /// Whether it is a whole object, not a day of one.
    is_whole: bool,
    outcome: ObjectRead,
    /// Its bytes as stored, where it was only checked.
    stored: Option<Vec<u8>>,
}

/// Reads units; of those whose keys are in `again` only what they hold is looked at.
fn read_units<'a>(
    units: Vec<Unit<'a>>,
    again: &BTreeSet<&str>,
    engine: &Engine,
    workers: &Workers<'_>,
) -> (Chunk, Vec<UnitRead<'a>>) {
    workers.with(|worker| {
        let chunk = held(&workers.emptied).pop();
        let mut reader = engine.reader_after(chunk.unwrap_or_default());
        let read = units.into_iter().map(|unit| {
            let (object, bytes) = (unit.object, unit.bytes());
            let is_whole = matches!(unit.work, Work::Object | Work::Fetched(_));
            let mut read = |worker: &mut Worker<'_>, steps: Steps| {
                if again.contains(object.key()) {
                    return ObjectRead { content: worker.content(), ..ObjectRead::default() };
                }
                read_whole(object, worker, &mut reader, steps)
            };
            let began = Instant::now();
            let outcome = match unit.work {
                Work::Object => match load(object, workers.aws(), worker) {
                    Ok(()) => {
                        let got = Some(Stretch::since(began));
                        read(worker, Steps { got, ..Steps::default() })
                    }
                    Err(error) => failed(&error),
                },
                Work::Fetched(Ok(Got { bytes, steps })) => {
                    worker.take(bytes);
                    read(worker, steps)
                }
                Work::Fetched(Err(why)) => {
                    ObjectRead { failure: Some(why), ..ObjectRead::default() }
                }
                Work::Records(records) => {
                    worker.take(records);
                    reader.begin(worker.content(), None);
                    whole(worker.read(Kind::CloudTrail, None, &mut reader), &mut reader)
                }
                Work::Flows(flows) => {
                    reader.begin(flows.content, None);
                    reader.flows(&flows.account, flows.n_flows, &flows.calls);
                    reader.gaps(&flows.account, &flows.gaps);
                    flows.matches.into_iter().for_each(|one| reader.flow_match(one));
                    ObjectRead::default()
                }
            };
            let is_whole_here = outcome.failure.is_none() && outcome.is_only_checked;
            let stored = is_whole_here.then(|| worker.give());
            UnitRead { object, bytes, is_whole, outcome, stored }
        });
        let read = read.collect();
        (reader.finish(), read)
    })
}

/// Reads what the worker holds of an object that took these steps.
fn read_whole(
    object: &Object,
    worker: &mut Worker<'_>,
    reader: &mut Reader<'_>,
    mut steps: Steps,
) -> ObjectRead {
    fault::point("mid-decode");
    let began = Instant::now();
    let content = worker.content();
    reader.begin(content, object.stamp_ms);
    let info = object.info();
    reader.of_flow_log(info.flow_log_id);
    let outcome = worker.read(object.kind, info.account, reader);
    let newest_ms = reader.newest_ms();
    steps.inflated = outcome.steps.inflated;
    steps.parsed = Some(Stretch::since(steps.inflated.map_or(began, |inflated| inflated.to)));
    whole(ObjectRead { content, newest_ms, steps, ..outcome }, reader)
}

/// Takes back what was read of the object that began last, if it turned out to be damaged.
fn whole(outcome: ObjectRead, reader: &mut Reader<'_>) -> ObjectRead {
    if outcome.failure.is_some() {
        reader.abandon();
    }
    outcome
}

/// Tells what of an object could not be read.
pub(crate) fn report(object: &Object, outcome: &ObjectRead, observer: &mut dyn Observer) {
    if let Some(why) = &outcome.failure {
        observer.unread(object, why);
    }
    for what in &outcome.bad {
        observer.trouble(&name_of(object), what);
    }
}

pub(crate) fn failed(error: &anyhow::Error) -> ObjectRead {
    ObjectRead { failure: Some(format!("{error:#}")), ..ObjectRead::default() }
}

/// Brings the bytes of an object into the worker's buffer.
pub(crate) fn load(object: &Object, aws: Option<&Aws>, worker: &mut Worker<'_>) -> Result<()> {
    match &object.place {
        Place::File(path) => worker.load(path, object.size_bytes),
        Place::S3(object) => {
            let aws = aws.with_context(|| format!("{object} is out of reach"))?;
            worker.take(aws.get(object)?);
            Ok(())
        }
        Place::Stdin => {
            worker.take(read_within(std::io::stdin().lock(), STDIN_BYTES_MAX)?);
            Ok(())
        }
    }
}

/// Reads to the end.
fn read_within(from: impl std::io::Read, bytes_max: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).context("cannot be read")?;
    let is_within = bytes.len() as u64 <= bytes_max;
    anyhow::ensure!(is_within, "is longer than {bytes_max} bytes; expected a file by its name");
    Ok(bytes)
}

fn name_of(object: &Object) -> String {
    match &object.place {
        Place::File(path) => path.display().to_string(),
        Place::S3(object) => object.to_string(),
        Place::Stdin => "standard input".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ingest::{
        decode::Limits,
        source::{self, Filter, PathArg},
    };

    #[test]
    fn an_object_that_is_gone_takes_nothing_of_the_others_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let name = |n: u8| {
            let name = "111122223333_CloudTrail_us-east-1_20250314T1000Z_";
            folder.path().join(format!("{name}aaaaaaaaaaaaaaa{n}.json"))
        };
        let record = r#"{"Records":[{"eventTime":"2025-03-14T09:55:00Z","eventName":"ListBuckets",
            "eventSource":"s3.amazonaws.com","eventID":"e-1"}]}"#;
        std::fs::write(name(1), record).unwrap();
        std::fs::write(name(2), record.replace("e-1", "e-2")).unwrap();
        let paths = vec![PathArg::new(folder.path())];
        let (filter, limits) = (Filter::default(), Limits::default());
        let plan = Plan {
            paths,
            filter,
            limits,
            flow_format: None,
            batch_bytes: BATCH_BYTES_MAX,
            buckets: Vec::new(),
            aws: None,
        };
        let listing = source::list(&plan.paths, &plan.filter).unwrap();
        std::fs::remove_file(name(2)).unwrap();
        let workers = Workers::of(&plan, BTreeSet::new());
        let enrich = ingest::enrich::Enrich::built_in();
        let mut engine = Engine::new(detect::Options::default(), enrich);
        let units = listing.objects.iter().map(|object| Unit {
            now_ms: object.stamp_ms.unwrap(),
            object,
            work: Work::Object,
        });
        let (chunk, read) = read_units(units.collect(), &BTreeSet::new(), &engine, &workers);
        let failed: Vec<_> = read.iter().map(|read| read.outcome.failure.is_some()).collect();
        assert_eq!(failed, [false, true]);
        engine.apply(&[chunk]).unwrap();
        assert_eq!(engine.intake().n_records, 1);
    }

    #[test]
    fn what_is_longer_than_the_bound_is_refused() {
        assert_eq!(read_within(&b"12345"[..], 5).unwrap(), b"12345");
        let error = read_within(&b"123456"[..], 5).unwrap_err().to_string();
        assert_eq!(error, "is longer than 5 bytes; expected a file by its name");
    }
}
