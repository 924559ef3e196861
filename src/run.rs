//! `run`: the daemon. Objects come as they are written, and an epoch at a time of what they say is made
//! durable; only then is it told. One thread owns the engine and the state; what waits for others runs beside.

mod backups;
pub(crate) mod copies;
mod desk;
mod exchange;
mod feeds;
mod front;
mod heartbeat;
mod http;
mod log;
mod metrics;
pub(crate) mod names;
pub(crate) mod operations;
mod pace;
mod process;
mod queues;
pub(crate) mod reload;
mod retry;
mod signals;
pub(crate) mod sinks;
pub(crate) mod snapshots;
mod traces;
mod waiting;
mod watched;

pub(crate) use backups::Elsewhere;
pub(crate) use exchange::tell_own;
pub(crate) use front::Front;
pub(crate) use log::{Level, Log};
pub(crate) use traces::Traces;

use crate::{
    clock,
    config::Config,
    epoch::{Committed, Epoch, heard_in_words, left_out},
    fault,
    pipeline::{self, Got, Unit, Work, Workers},
    replay::Plan,
    steps::Steps,
    summary::Summary,
    suppressed::Suppressed,
};
use alerts::{
    Accounts, Inputs, StateFile,
    sinks::{Gate, Sink},
};
use anyhow::Result;
use backups::Backups;
use baseline::Day;
use desk::Desk;
use detect::{Engine, Finding, Heard};
use feeds::Feeds;
use ingest::{
    source::{
        KeyInfo, Object, Skip,
        sqs::{Delivery, Outcome, Receipt},
    },
    time::{Stretch, format_ms},
};
use metrics::Metrics;
use operations::Operation;
use pace::Pace;
use queues::Queues;
use reload::{InForce, Next, Offer, Reload};
use serde_json::json;
use signals::Stop;
use sinks::{Beside, Sent, Sinks, renewal::Renew};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, sync::mpsc, time::timeout};
use waiting::{Batch, Waiting};
use watched::{Look, Watched};

/// Days of which it is looked up how feeds came. Unit: days.
const FEEDS_D: i32 = 8;
/// How often it is looked whether feeds have stopped.
const LISTEN_EVERY: Duration = Duration::from_secs(30);
/// How often it is seen after whether a look has come to its end, should the inbox be full.
const LOOKED_EVERY: Duration = Duration::from_millis(50);
/// How long the end waits for sinks.
const PARTING_MAX: Duration = Duration::from_secs(5);
/// Events that wait to be looked at. Unit: events.
const INBOX_MAX: usize = 1_024;

/// What may happen while the daemon waits.
#[derive(Debug)]
enum Event {
    /// It is to end.
    Stop,
    /// A look has come to its end.
    Looked,
    /// A message was sent, or could not be.
    Sent(Sent),
    /// A queue told of an object, and it was read.
    Delivered(Box<Delivery>),
    /// AWS Organizations calls accounts so.
    Named(Accounts),
    /// The configuration is another, or cannot be used.
    Offered(Offer),
}

impl From<Sent> for Event {
    fn from(sent: Sent) -> Self {
        Self::Sent(sent)
    }
}

/// What the daemon is made of.
pub(crate) struct Parts<'a> {
    pub(crate) plan: &'a Plan,
    /// Queues that tell of new objects, by URL.
    pub(crate) queues: &'a [String],
    pub(crate) engine: Engine,
    pub(crate) file: StateFile,
    pub(crate) inputs: Inputs,
    pub(crate) sinks: Vec<Sink>,
    /// The configuration that the others come from, and its files.
    pub(crate) config: (Config, Reload),
    /// What AWS Organizations calls accounts.
    pub(crate) others: Accounts,
    /// What was damaged of it, and what took its place.
    pub(crate) restored: Vec<String>,
    pub(crate) log: Arc<Log>,
    pub(crate) traces: Traces,
    pub(crate) front: Front,
    /// Where snapshots are made, if they are.
    pub(crate) elsewhere: Option<Elsewhere>,
    /// What is sent goes through it.
    pub(crate) gate: Gate,
    /// What waits for others runs on it.
    pub(crate) runtime: &'a Handle,
}

/// Who hears of findings that are durable, and what stands with them.
pub(crate) type Hear<'a> = &'a mut dyn FnMut(&[Finding], &Inputs);

/// Runs until it is told to end; answers what was read, and what was told of it.
pub(crate) fn run(parts: Parts<'_>, hear: Hear<'_>) -> Result<(Summary, Suppressed)> {
    let Parts {
        plan,
        queues,
        engine,
        mut file,
        inputs,
        sinks,
        config: (config, reload),
        others,
        restored,
        log,
        traces,
        front: Front { to_inbox, inbox, stop, reloads, metrics },
        elsewhere,
        gate,
        runtime,
    } = parts;
    let suppressed = Suppressed::by(Arc::clone(config.suppressions()));
    names::ask_daily(config.organization(), runtime, (&to_inbox, &log));
    let in_force = InForce::new(config);
    let renew = in_force.renew();
    let beside = Beside { renew: Some(&renew), gate: &gate, traces: &traces, log: &log };
    let sinks = Sinks::start(sinks, runtime, &to_inbox, beside)?;
    reload.watch(in_force.get(), runtime, (reloads, to_inbox.clone()));
    let feeds = feeds_of(&file)?;
    let epoch = Epoch::of(&engine);
    let workers = Workers::of(plan, engine.rules().flow_fields());
    let mut daemon = Daemon {
        backups: Backups::begin(elsewhere, &mut file, &metrics)?,
        workers,
        engine,
        file,
        desk: Desk::of(epoch, feeds, &metrics, traces, &log),
        since_ms: clock::now_ms(),
        listened: Instant::now(),
        summary: Summary::default(),
        plan,
        watched: Watched::new(plan, !queues.is_empty()),
        urls: queues,
        queues: None,
        to_inbox,
        waiting: Waiting::default(),
        has_looked: false,
        looked_before: Day(i32::MIN),
        pace: Pace::new(Instant::now()),
        runtime,
        inbox,
        receipts: Vec::new(),
        inputs,
        in_force,
        offered: None,
        others,
        sinks,
        renew,
        gate,
        suppressed,
        metrics,
        is_caught_up: false,
        hear,
    };
    daemon.started(restored);
    daemon.work(&stop)?;
    daemon.backups.begin_last(&mut daemon.file, &daemon.desk.log)?;
    daemon.part()?;
    daemon.end(stop.at())
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

struct Daemon<'a> {
    workers: Workers<'a>,
    engine: Engine,
    file: StateFile,
    desk: Desk,
    summary: Summary,
    plan: &'a Plan,
    watched: Watched<'a>,
    /// Queues to be served, and those that are: first comes what may have come before.
    urls: &'a [String],
    queues: Option<Queues>,
    to_inbox: mpsc::Sender<Event>,
    waiting: Waiting,
    /// What had come before was seen.
    has_looked: bool,
    /// What had come was looked up once more before the days before this one were closed.
    looked_before: Day,
    /// When it started. Unit: milliseconds since the Unix epoch.
    since_ms: i64,
    /// When it was last looked whether feeds have stopped.
    listened: Instant,
    pace: Pace,
    runtime: &'a Handle,
    inbox: mpsc::Receiver<Event>,
    /// Of objects whose epoch is open.
    receipts: Vec<Receipt>,
    inputs: Inputs,
    in_force: InForce,
    /// What takes its place when the epoch ends.
    offered: Option<Box<Next>>,
    /// What AWS Organizations calls accounts.
    others: Accounts,
    sinks: Sinks,
    renew: Renew,
    gate: Gate,
    suppressed: Suppressed,
    metrics: Arc<Metrics>,
    backups: Backups,
    is_caught_up: bool,
    hear: Hear<'a>,
}

impl Daemon<'_> {
    /// Says from where on it goes on, and tells that the state is an older one, if it is.
    fn started(&mut self, told: Vec<String>) {
        self.metrics.standby(false);
        let through = self.engine.learned_through();
        let from = through.map_or_else(|| "new".to_owned(), |day| day.to_string());
        let what = "reads what is there, and what comes";
        let fields = [("learned_through", json!(from))];
        self.desk.log.say(Level::Info, "started", what, &fields);
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
            self.backups.check()?;
            self.exchange()?;
            self.hear_marks()?;
            if let Some(why) = self.why_to_look() {
                self.look(why, stop)?;
                continue;
            }
            let batch = self.next_batch();
            if batch.is_empty() {
                self.idle()?;
            } else {
                self.is_caught_up = false;
                self.apply(batch)?;
                self.beat()?;
                self.attend(Instant::now())?;
            }
            if self.pace.is_due(Instant::now(), self.waiting.is_empty()) {
                self.commit()?;
            }
        }
        if let Some(queues) = &mut self.queues {
            queues.stop();
        }
        self.commit()
    }

    /// Whether it is time by the clock, or a day is about to close: what came late for it must be there.
    fn why_to_look(&mut self) -> Option<Look> {
        let Some(stamp_ms) = self.waiting.first_ms() else {
            let why = if self.has_looked { Look::Due } else { Look::CatchUp };
            return (Instant::now() >= self.watched.next()).then_some(why);
        };
        let oldest_open = self.engine.oldest_open_at(stamp_ms);
        let closes = oldest_open > self.engine.oldest_open().max(self.looked_before);
        self.looked_before = self.looked_before.max(oldest_open);
        (closes && self.watched.looked_long_ago()).then_some(Look::Closing(oldest_open))
    }

    /// Looks, and deals with what happens meanwhile.
    fn look(&mut self, why: Look, stop: &Stop) -> Result<()> {
        let looking = self.watched.begin(why, &self.file, self.to_inbox.clone());
        while !looking.is_done() {
            if stop.is_asked() {
                return Ok(());
            }
            self.metrics.alive();
            self.attend(Instant::now() + LOOKED_EVERY)?;
        }
        let Self { watched, file, desk, .. } = self;
        let (found, is_whole) = watched.finish(looking, (file, &desk.retries), &desk.log)?;
        self.has_looked |= is_whole;
        for object in found {
            if !desk.epoch.holds(&object) {
                self.waiting.add(object, None);
            }
        }
        Ok(())
    }

    /// A queue told of an object, and it was read.
    fn take(&mut self, delivery: Delivery) -> Result<()> {
        let Delivery { object, bytes, waited, got, receipt } = delivery;
        if self.desk.epoch.holds(&object) {
            self.receipts.push(receipt);
        } else if object.stamp_ms.is_none() {
            let reason = format!(
                "{}: no name that AWS gives, which tells when it was written",
                object.key()
            );
            receipt.answer(Outcome::Failed { reason });
        } else {
            match left_out(&self.file, &object)? {
                None => {
                    let (waited, got) = (Some(waited), Some(got));
                    let got = Got { bytes, steps: Steps { waited, got, ..Steps::default() } };
                    self.waiting.add(object, Some((got, receipt)));
                }
                Some(Skip::ReadBefore) => receipt.answer(Outcome::Durable),
                Some(skip) => {
                    let reason = format!("{}: {}", object.key(), skip.sentence());
                    receipt.answer(Outcome::Failed { reason });
                }
            }
        }
        Ok(())
    }

    /// What is applied together: no more than a batch, and nothing that closes a day but at its beginning.
    fn next_batch(&mut self) -> Batch {
        let engine = &self.engine;
        self.waiting.take(self.plan.batch_bytes, |stamp_ms| engine.oldest_open_at(stamp_ms))
    }

    fn apply(&mut self, mut batch: Batch) -> Result<()> {
        let contents = batch.take_contents();
        let units = batch.objects().zip(contents).map(|(object, got)| {
            let now_ms = object.stamp_ms.unwrap_or_default();
            let work = got.map_or(Work::Object, |got| Work::Fetched(Ok(got)));
            Ok(Unit { now_ms, object, work })
        });
        let Self { engine, workers, summary, desk, file, .. } = self;
        for object in batch.objects() {
            desk.epoch.meets(file, object)?;
        }
        let before = summary.inflated_bytes();
        pipeline::apply(units, (engine, workers), summary, desk)?;
        self.pace.took(summary.inflated_bytes() - before);
        let mut unread = std::mem::take(&mut self.desk.unread);
        let is_read = |object: &&Object| !unread.contains_key(object.key());
        self.watched.know(batch.objects().filter(is_read));
        for (object, receipts) in batch.into_receipts() {
            match unread.remove(object.key()) {
                None => self.receipts.extend(receipts),
                Some(why) => self.desk.could_not_read(&object, &why, receipts),
            }
        }
        Ok(())
    }

    /// Makes durable what was read, and tells what was found.
    fn commit(&mut self) -> Result<()> {
        let begun = Instant::now();
        self.backups.check()?;
        if !self.desk.epoch.is_empty() {
            let kept = self.keep()?;
            self.backups.changed();
            self.sinks.end_series(&mut self.file, self.engine.oldest_open(), &self.desk.log)?;
            self.metrics.committed(begun.elapsed(), &kept);
            self.backups.check()?;
            (self.hear)(&kept.news, &self.inputs);
            self.metrics.told(&kept.news);
            self.withheld(&kept);
            self.heard(&kept.heard);
            self.metrics.read(&self.summary, &self.engine);
            self.metrics.wait_for_sinks(&self.file.outbox().counts()?);
        }
        let committed = Stretch::since(begun);
        for receipt in self.receipts.drain(..) {
            receipt.answer(Outcome::Durable);
        }
        let answered = Stretch::since(committed.to);
        for way in self.desk.ways.drain(..) {
            self.desk.traces.object(&way, committed, answered);
        }
        fault::point("after-answer");
        self.metrics.durable();
        self.backups.tick(&mut self.file, &self.desk.log)?;
        self.pace.committed(begun, Instant::now());
        Ok(())
    }

    /// Learns from what people have said of findings.
    fn hear_marks(&mut self) -> Result<()> {
        let Self { desk, file, engine, .. } = self;
        desk.epoch.hear(file, engine)
    }

    /// Counts what was told and what was not, and says so.
    fn withheld(&mut self, kept: &Committed) {
        kept.news.iter().for_each(|_| self.suppressed.count(None));
        for (id, grounds) in &kept.suppressed {
            self.suppressed.count(Some(grounds));
            let fields = [("finding", json!(id.to_string())), ("rule", json!(grounds.name))];
            let what = format!("finding {id}: {grounds}");
            self.desk.log.say(Level::Info, "finding-suppressed", &what, &fields);
        }
        self.metrics.suppressed(kept.suppressed.iter().map(|(_, grounds)| grounds));
    }

    /// Says what was learned from marks.
    fn heard(&self, all: &[Heard]) {
        for heard in all {
            let Heard { id, mark, on } = heard;
            let fields = [
                ("finding", json!(id.to_string())),
                ("nature", json!(mark.nature.name())),
                ("on", json!(on.to_string())),
            ];
            self.desk.log.say(Level::Info, "mark-heard", &heard_in_words(heard), &fields);
        }
    }

    /// Commits the epoch.
    fn keep(&mut self) -> Result<Committed> {
        let Self { desk, file, engine, inputs, sinks, suppressed, .. } = self;
        let Desk { epoch, log, .. } = desk;
        let now_ms = clock::now_ms();
        let mut tell = |file: &StateFile, finding: &Finding| {
            let dropped = file.outbox().tell((finding, inputs), sinks.all(), now_ms)?;
            sinks::tell_dropped(&dropped, log);
            Ok(())
        };
        epoch.commit(file, engine, (suppressed.suppressions(), &mut tell))
    }

    /// What is beside sinks.
    fn beside(&self) -> Beside<'_> {
        let Self { renew, gate, desk: Desk { traces, log, .. }, .. } = self;
        Beside { renew: Some(renew), gate, traces, log }
    }

    /// Waits for what may happen until then, deals with all that has, and hands out what is due.
    fn attend(&mut self, until: Instant) -> Result<()> {
        self.take_in(until)?;
        self.sinks.gather(&mut self.file)?;
        self.sinks.hand_out(&self.file.outbox(), &self.desk.log)
    }

    /// Waits for what may happen until then, and deals with all that has.
    fn take_in(&mut self, until: Instant) -> Result<()> {
        let wait = until.saturating_duration_since(Instant::now());
        let first = self.runtime.block_on(async { timeout(wait, self.inbox.recv()).await });
        let mut sent = Vec::new();
        let mut next = first.ok().flatten();
        while let Some(event) = next {
            match event {
                Event::Stop | Event::Looked => {}
                Event::Sent(one) => sent.push(one),
                Event::Delivered(delivery) => self.take(*delivery)?,
                Event::Named(accounts) => self.name(accounts),
                Event::Offered(offer) => self.consider(offer),
            }
            next = self.inbox.try_recv().ok();
        }
        if !sent.is_empty() {
            let named = sent.iter().filter_map(|one| Some((self.sinks.name(one)?, &one.outcome)));
            self.metrics.sent(named);
            self.sinks.settle(&mut self.file, &sent, &self.desk.log)?;
            self.backups.changed();
            self.metrics.wait_for_sinks(&self.file.outbox().counts()?);
        }
        Ok(())
    }

    /// Closes the state; answers what was read, and what was told of it.
    fn end(self, asked: Option<Instant>) -> Result<(Summary, Suppressed)> {
        let Self { engine, mut file, mut summary, suppressed, backups, desk, .. } = self;
        backups.finish(&mut file, asked, &desk.log)?;
        desk.traces.end();
        desk.log.say(Level::Info, "stopped", "all that was read is kept", &[]);
        summary.intake = engine.intake();
        // The shelf reads the file, which is one whole when nobody does.
        drop(engine);
        file.close();
        Ok((summary, suppressed))
    }

    /// Waits for what is on the way to sinks; what is not settled by then is sent again after the next start.
    fn part(&mut self) -> Result<()> {
        let until = Instant::now() + PARTING_MAX;
        // What was delivered is let go: nobody applies it.
        self.waiting = Waiting::default();
        while self.sinks.n_on_way() > 0 && Instant::now() < until {
            self.attend(until)?;
            self.waiting = Waiting::default();
        }
        if let (Some(queues), Some(aws)) = (self.queues.take(), &self.plan.aws) {
            self.inbox.close();
            // Consumers wait for the receipts of what they have handed over.
            while self.inbox.try_recv().is_ok() {}
            queues.join(aws);
        }
        Ok(())
    }

    /// Nothing is to be read: waits until there may be.
    fn idle(&mut self) -> Result<()> {
        if self.desk.epoch.is_empty() && self.has_looked && !self.is_caught_up {
            self.is_caught_up = true;
            let until = self.engine.intake().times_ms.map(|(_, last_ms)| format_ms(last_ms));
            let open = self.engine.learned_through().map(|Day(last)| Day(last + 1).to_string());
            let fields = [
                ("objects", json!(self.summary.n_read())),
                ("last_record", json!(until)),
                ("open_from", json!(open)),
            ];
            self.desk.log.say(Level::Info, "caught-up", "all that is there was read", &fields);
            self.serve_queues()?;
        }
        if self.is_caught_up && self.listened.elapsed() >= LISTEN_EVERY {
            self.listen();
        }
        let mut until = self.watched.next();
        if !self.desk.epoch.is_empty() {
            until = until.min(self.pace.next());
        }
        if let Some(next) = self.sinks.next() {
            until = until.min(next);
        }
        self.beat()?;
        self.attend(until)
    }

    /// Begins to read queues, after what may have come while nobody did.
    fn serve_queues(&mut self) -> Result<()> {
        if self.queues.is_some() || self.urls.is_empty() {
            return Ok(());
        }
        let Plan { aws, filter, .. } = self.plan;
        if let Some(aws) = aws {
            let (of, log) = ((aws, filter, self.file.path()), &self.desk.log);
            let queues = Queues::start(self.urls, of, &self.to_inbox, log)?;
            self.metrics.serve(queues.counters().to_vec());
            self.queues = Some(queues);
        }
        Ok(())
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

#[cfg(test)]
mod tests;
