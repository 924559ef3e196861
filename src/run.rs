//! `run`: the daemon. Objects come as they are written, and an epoch at a time of what they say is made
//! durable; only then is it told. One thread owns the engine and the state; what waits for others runs beside.

pub(crate) mod copies;
mod feeds;
mod folder;
mod http;
mod log;
mod metrics;
pub(crate) mod operations;
mod pace;
mod retry;
mod signals;
mod sinks;

pub(crate) use log::{Level, Log};

use crate::{
    clock,
    epoch::Epoch,
    pipeline::{self, BATCH_BYTES_MAX, Observer, Unit, Work, Workers},
    replay::Plan,
    summary::Summary,
};
use alerts::{Inputs, StateFile, sinks::Sink};
use anyhow::Result;
use baseline::Day;
use copies::Copies;
use detect::{Engine, Finding};
use feeds::Feeds;
use folder::Folders;
use ingest::{
    source::{KeyInfo, Object},
    time::format_ms,
};
use metrics::Metrics;
use operations::Operation;
use pace::Pace;
use retry::Retries;
use serde_json::json;
use signals::Stop;
use sinks::{Sent, Sinks};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, sync::mpsc, time::timeout};

/// Days of which it is looked up how feeds came. Unit: days.
const FEEDS_D: i32 = 8;
/// How often it is looked whether feeds have stopped.
const LISTEN_EVERY: Duration = Duration::from_secs(30);
/// How long the end waits for sinks.
const PARTING_MAX: Duration = Duration::from_secs(5);
/// Events that wait to be looked at. Unit: events.
const INBOX_MAX: usize = 1_024;

/// What may happen while the daemon waits.
#[derive(Debug)]
enum Event {
    /// It is to end.
    Stop,
    /// A message was sent, or could not be.
    Sent(Sent),
}

/// What the daemon is made of.
pub(crate) struct Parts<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) folders: &'a [PathBuf],
    pub(crate) engine: Engine,
    pub(crate) file: StateFile,
    pub(crate) inputs: Inputs,
    pub(crate) sinks: Vec<Sink>,
    /// What was damaged of it, and what took its place.
    pub(crate) restored: Vec<String>,
    pub(crate) log: Arc<Log>,
    /// Where health and metrics are asked for.
    pub(crate) listen: Option<SocketAddr>,
    /// What waits for others runs on it.
    pub(crate) runtime: &'a Handle,
}

/// Who hears of findings that are durable.
pub(crate) type Tell<'a> = &'a mut dyn FnMut(&[Finding]) -> Result<()>;

/// Runs until it is told to end.
pub(crate) fn run(parts: Parts<'_>, tell: Tell<'_>) -> Result<Summary> {
    let Parts { plan, folders, engine, file, inputs, sinks, restored, log, listen, runtime } =
        parts;
    let (to_inbox, inbox) = mpsc::channel(INBOX_MAX);
    let stop = signals::listen(runtime, to_inbox.clone(), Arc::clone(&log))?;
    let sinks = Sinks::start(sinks, runtime, &to_inbox)?;
    let metrics = Arc::new(Metrics::new());
    if let Some(address) = listen {
        http::serve(runtime, address, Arc::clone(&metrics), &log)?;
    }
    let feeds = feeds_of(&file)?;
    let copies = Copies::new(file.path());
    let epoch = Epoch::of(&engine);
    let workers = Workers::of(plan, engine.rules().flow_fields());
    let mut daemon = Daemon {
        workers,
        engine,
        file,
        desk: Desk { epoch, retries: Retries::default(), feeds, log: Arc::clone(&log) },
        listened: Instant::now(),
        summary: Summary::default(),
        folders: Folders::new(folders, &plan.filter),
        waiting: BTreeMap::new(),
        looked_before: Day(i32::MIN),
        pace: Pace::new(Instant::now()),
        runtime,
        inbox,
        inputs,
        sinks,
        metrics,
        copies,
        is_caught_up: false,
        tell,
    };
    let from =
        daemon.engine.learned_through().map_or_else(|| "new".to_owned(), |day| day.to_string());
    log.say(Level::Info, "started", "watching folders", &[("learned_through", json!(from))]);
    daemon.restored(restored);
    daemon.work(&stop)?;
    daemon.part()?;
    log.say(Level::Info, "stopped", "all that was read is kept", &[]);
    daemon.file.close();
    daemon.summary.intake = daemon.engine.intake();
    Ok(daemon.summary)
}

/// How feeds have come, as far as the state knows.
fn feeds_of(file: &StateFile) -> Result<Feeds> {
    let mut feeds = Feeds::default();
    if let Some(Day(last)) = file.last_day() {
        let first = Day(last.saturating_sub(FEEDS_D));
        file.objects_since(first, &mut |key| feeds.saw(&KeyInfo::of(key)))?;
    }
    Ok(feeds)
}

/// What was read since the last commit, and what could not be.
struct Desk {
    epoch: Epoch,
    retries: Retries,
    feeds: Feeds,
    log: Arc<Log>,
}

impl Observer for Desk {
    fn begin(&mut self, _: u64) {}

    fn read(&mut self, _: u64) {}

    fn findings(&mut self, findings: &[Finding]) -> Result<()> {
        self.epoch.closed(findings);
        Ok(())
    }

    fn applied(&mut self, _: &mut Engine, objects: &[&Object]) -> Result<()> {
        for object in objects {
            self.retries.read(object);
            self.feeds.saw(&object.info);
            self.epoch.applied(object);
        }
        Ok(())
    }

    fn unread(&mut self, object: &Object, why: &str) {
        let fields = [("object", json!(object.key)), ("reason", json!(why))];
        let (level, event, then) = match self.retries.failed(object) {
            Some(wait) => (Level::Warn, "object-unread", format!("again in {} s", wait.as_secs())),
            None => (Level::Error, "object-left", "left until it changes".to_owned()),
        };
        self.log.say(level, event, &format!("{}: {why}; {then}", object.key), &fields);
    }

    fn trouble(&mut self, object: &str, what: &str) {
        let fields = [("object", json!(object)), ("reason", json!(what))];
        self.log.say(Level::Warn, "record-unread", &format!("{object}: {what}"), &fields);
    }
}

struct Daemon<'a> {
    workers: Workers<'a>,
    engine: Engine,
    file: StateFile,
    desk: Desk,
    summary: Summary,
    folders: Folders,
    /// Objects that are to be read, by stamp and key.
    waiting: BTreeMap<(i64, Box<str>), Object>,
    /// Folders were looked at once more before the days before this one were closed.
    looked_before: Day,
    /// When it was last looked whether feeds have stopped.
    listened: Instant,
    pace: Pace,
    runtime: &'a Handle,
    inbox: mpsc::Receiver<Event>,
    inputs: Inputs,
    sinks: Sinks,
    metrics: Arc<Metrics>,
    copies: Copies,
    is_caught_up: bool,
    tell: Tell<'a>,
}

impl Daemon<'_> {
    /// Tells that the state is an older one.
    fn restored(&mut self, told: Vec<String>) {
        let now_ms = clock::now_ms();
        if let Some(what) = told.last() {
            let about = ("-", "sentrail");
            let what = format!("found its state damaged: {what}");
            let finding = Operation::StateRestored.finding(about, (now_ms, now_ms), what);
            self.desk.epoch.operation(finding);
        }
        for what in told {
            self.desk.log.say(Level::Error, "state-restored", &what, &[]);
        }
    }

    fn work(&mut self, stop: &Stop) -> Result<()> {
        while !stop.is_asked() {
            self.metrics.alive();
            if self.is_time_to_look() {
                self.look()?;
            }
            let batch = self.next_batch();
            if batch.is_empty() {
                self.idle()?;
            } else {
                self.is_caught_up = false;
                self.apply(&batch)?;
                self.attend(Instant::now())?;
            }
            if self.pace.is_due(Instant::now(), self.waiting.is_empty()) {
                self.commit()?;
            }
        }
        self.commit()
    }

    /// Whether it is time by the clock, or a day is about to close: what came late for it must be there.
    fn is_time_to_look(&mut self) -> bool {
        let Some(((stamp_ms, _), _)) = self.waiting.first_key_value() else {
            return Instant::now() >= self.folders.next();
        };
        let oldest_open = self.engine.oldest_open_at(*stamp_ms);
        let closes = oldest_open > self.engine.oldest_open_at(i64::MIN).max(self.looked_before);
        self.looked_before = self.looked_before.max(oldest_open);
        closes
    }

    fn look(&mut self) -> Result<()> {
        let Self { folders, file, desk, .. } = self;
        for object in folders.look(file, &desk.retries, &desk.log)? {
            let stamp_ms = object.info.stamp_ms.unwrap_or_default();
            if !desk.epoch.holds(&object) {
                self.waiting.insert((stamp_ms, object.key.clone()), object);
            }
        }
        Ok(())
    }

    /// What is applied together: no more than a batch, and nothing that closes a day but at its beginning.
    fn next_batch(&mut self) -> Vec<Object> {
        let mut batch = Vec::new();
        let mut batch_bytes = 0;
        let mut first = None;
        while let Some(entry) = self.waiting.first_entry() {
            let stamp_ms = entry.key().0;
            let oldest_open = self.engine.oldest_open_at(stamp_ms);
            if batch_bytes >= BATCH_BYTES_MAX || first.is_some_and(|first| first != oldest_open) {
                break;
            }
            first = Some(oldest_open);
            let object = entry.remove();
            batch_bytes += object.size_bytes;
            batch.push(object);
        }
        batch
    }

    fn apply(&mut self, batch: &[Object]) -> Result<()> {
        let units = batch.iter().map(|object| {
            let now_ms = object.info.stamp_ms.unwrap_or_default();
            Ok(Unit { now_ms, object, work: Work::Object })
        });
        let Self { engine, workers, summary, desk, .. } = self;
        let before = summary.inflated_bytes();
        pipeline::apply(units, (engine, workers), summary, desk)?;
        self.pace.took(summary.inflated_bytes() - before);
        Ok(())
    }

    /// Makes durable what was read, and tells what was found.
    fn commit(&mut self) -> Result<()> {
        let begun = Instant::now();
        if !self.desk.epoch.is_empty() {
            let objects: Vec<(u64, i64)> = self.desk.epoch.objects().collect();
            let found = self.keep()?;
            self.metrics.committed(begun.elapsed(), &objects);
            (self.tell)(&found)?;
            self.metrics.told(&found);
            self.metrics.read(&self.summary, &self.engine);
        }
        self.metrics.durable();
        self.copies.tick(&self.desk.log);
        self.pace.committed(begun, Instant::now());
        Ok(())
    }

    /// Commits the epoch; answers what is new, or more severe.
    fn keep(&mut self) -> Result<Vec<Finding>> {
        let Self { desk, file, engine, inputs, sinks, .. } = self;
        let Desk { epoch, log, .. } = desk;
        let now_ms = clock::now_ms();
        epoch.commit(file, engine, &mut |file, finding| {
            let dropped = file.outbox().tell((finding, inputs), sinks.all(), now_ms)?;
            sinks::tell_dropped(&dropped, log);
            Ok(())
        })
    }

    /// Waits for what may happen until then, and deals with all that has.
    fn attend(&mut self, until: Instant) -> Result<()> {
        let wait = until.saturating_duration_since(Instant::now());
        let first = self.runtime.block_on(async { timeout(wait, self.inbox.recv()).await });
        let mut sent = Vec::new();
        let mut next = first.ok().flatten();
        while let Some(event) = next {
            match event {
                Event::Stop => {}
                Event::Sent(one) => sent.push(one),
            }
            next = self.inbox.try_recv().ok();
        }
        if !sent.is_empty() {
            self.metrics.sent(sent.iter().map(|one| (self.sinks.name(one), &one.outcome)));
            self.sinks.settle(&mut self.file, sent, &self.desk.log)?;
        }
        self.sinks.hand_out(&self.file)
    }

    /// Waits for what is on the way to sinks; what is not settled by then is sent again after the next start.
    fn part(&mut self) -> Result<()> {
        let until = Instant::now() + PARTING_MAX;
        while self.sinks.n_on_way() > 0 && Instant::now() < until {
            self.attend(until)?;
        }
        Ok(())
    }

    /// Nothing is to be read: waits until there may be.
    fn idle(&mut self) -> Result<()> {
        if self.desk.epoch.is_empty() && !self.is_caught_up {
            self.is_caught_up = true;
            let until = self.engine.intake().times_ms.map(|(_, last_ms)| format_ms(last_ms));
            let open = self.engine.learned_through().map(|Day(last)| Day(last + 1).to_string());
            let fields = [
                ("objects", json!(self.summary.n_read())),
                ("last_record", json!(until)),
                ("open_from", json!(open)),
            ];
            self.desk.log.say(Level::Info, "caught-up", "all that is there was read", &fields);
        }
        if self.listened.elapsed() >= LISTEN_EVERY {
            self.listen();
        }
        let mut until = self.folders.next();
        if !self.desk.epoch.is_empty() {
            until = until.min(self.pace.next());
        }
        self.attend(until)
    }

    /// Looks whether feeds have stopped. Whoever has not caught up does not know.
    fn listen(&mut self) {
        self.listened = Instant::now();
        let now_ms = clock::now_ms();
        self.metrics.silences(self.desk.feeds.silences_ms(now_ms));
        for finding in self.desk.feeds.judge(now_ms) {
            let what = format!("{} {}", finding.entity.key, finding.summary);
            self.desk.log.say(Level::Error, "feed-silent", &what, &[]);
            self.desk.epoch.operation(finding);
        }
    }
}
