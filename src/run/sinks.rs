//! Sinks at work: a task each, that sends what the outbox hands out and says what became of it. No sink waits
//! for another, and reading logs waits for none.

pub(crate) mod exchange;
pub(crate) mod renewal;

use super::{Level, Log, Traces};
use crate::{clock, fault};
use alerts::{
    Dropped, Outbox, Spool,
    sinks::{
        Caller, Gate, Heartbeat, JsonLines, Lane, Message, Outcome, Sink, Syslog, To, Webhook,
    },
};
use anyhow::{Context as _, Result};
use baseline::Day;
use renewal::{Renew, Renewal};
use serde_json::json;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, sync::mpsc};

/// What became of a message.
#[derive(Debug)]
pub(crate) struct Sent {
    /// The way that it went, by its number.
    way: usize,
    message: Message,
    pub(crate) outcome: Outcome,
}

/// The way to one sink.
struct Way {
    /// Of no other way of this process.
    number: usize,
    lane: Lane,
    on_way_max: usize,
    /// What is due at once goes at once.
    to: mpsc::Sender<Vec<Message>>,
    /// When its heartbeat is due. Unit: milliseconds since the Unix epoch.
    beat_ms: i64,
}

/// All sinks.
#[derive(Default)]
pub(crate) struct Sinks {
    all: Vec<Sink>,
    ways: Vec<Way>,
    /// Numbers of ways that were given away.
    n_begun: usize,
    /// Series that had ended before this day were.
    ended_before: Day,
}

/// What is beside sinks.
#[derive(Clone, Copy)]
pub(crate) struct Beside<'a> {
    /// Has secrets read again, if anybody does.
    pub(crate) renew: Option<&'a Renew>,
    /// What is sent goes through it.
    pub(crate) gate: &'a Gate,
    pub(crate) traces: &'a Traces,
    pub(crate) log: &'a Arc<Log>,
}

impl Sinks {
    /// Starts a task for each, that puts into `inbox` what became of messages.
    pub(crate) fn start<E: From<Sent> + Send + 'static>(
        sinks: Vec<Sink>,
        runtime: &Handle,
        inbox: &mpsc::Sender<E>,
        beside: Beside<'_>,
    ) -> Result<Self> {
        let mut own = Self::default();
        let ready = own.ready(sinks, (runtime, inbox), beside)?;
        own.exchange(ready);
        Ok(own)
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[Sink] {
        &self.all
    }

    /// Where a message went; nothing where that is no sink any more.
    pub(crate) fn name(&self, sent: &Sent) -> Option<&str> {
        self.ways.iter().find(|way| way.number == sent.way).map(|way| way.lane.sink())
    }

    /// Hands out what is due.
    pub(crate) fn hand_out(&mut self, outbox: &Outbox<'_>, log: &Log) -> Result<()> {
        for Way { lane, on_way_max, to, .. } in &mut self.ways {
            let messages = outbox.due(lane, clock::now_ms(), *on_way_max)?;
            // There is room for all that may be on the way.
            if !messages.is_empty() && to.try_send(messages).is_err() {
                let what = format!("sink {} works no more: start again", lane.sink());
                log.say(Level::Error, "sink-ended", &what, &[("sink", json!(lane.sink()))]);
            }
        }
        Ok(())
    }

    /// Queues the heartbeats that are due; of one that was queued or delivered before a restart nothing comes of it.
    pub(super) fn beat(
        &mut self,
        spool: &mut dyn Spool,
        heartbeat: &Heartbeat,
        log: &Log,
    ) -> Result<()> {
        let now_ms = clock::now_ms();
        for (sink, way) in self.all.iter().zip(&mut self.ways) {
            let Some(every_ms) = sink.heartbeat_ms.filter(|_| way.beat_ms <= now_ms) else {
                continue;
            };
            let next_ms = (now_ms.div_euclid(every_ms) + 1).saturating_mul(every_ms);
            let heartbeat = Heartbeat { next_ms, ..*heartbeat };
            spool.change(&mut |outbox| {
                let dropped = outbox.beat(sink, (&heartbeat, every_ms), now_ms)?;
                tell_dropped(dropped.as_slice(), log);
                Ok(())
            })?;
            way.beat_ms = next_ms;
        }
        Ok(())
    }

    /// Has sinks close what they hold open for series that have ended, once for each first open day.
    pub(crate) fn end_series(
        &mut self,
        spool: &mut dyn Spool,
        open_from: Day,
        log: &Log,
    ) -> Result<()> {
        if open_from <= self.ended_before || self.all.is_empty() {
            return Ok(());
        }
        self.ended_before = open_from;
        let all = &self.all;
        Ok(spool.change(&mut |outbox| {
            let dropped = outbox.end_series(all, open_from, clock::now_ms())?;
            tell_dropped(&dropped, log);
            Ok(())
        })?)
    }

    /// Puts one message in place of many that are due to a chat at once.
    pub(crate) fn gather(&mut self, spool: &mut dyn Spool) -> Result<()> {
        let now_ms = clock::now_ms();
        for (sink, Way { lane, .. }) in self.all.iter().zip(&self.ways) {
            if spool.outbox().is_burst(sink, lane, now_ms)? {
                spool.change(&mut |outbox| outbox.gather(sink, lane, now_ms))?;
            }
        }
        Ok(())
    }

    /// When the first of those that were left alone, for the sake of their pace or in quiet hours, may get more, if
    /// any was.
    pub(super) fn next(&self) -> Option<Instant> {
        let now_ms = clock::now_ms();
        let wait_ms = |Way { lane, .. }: &Way| {
            let quiet_ms = lane.quiet_ends_ms(now_ms).map(|end_ms| end_ms.saturating_sub(now_ms));
            [lane.pause_ms(now_ms), quiet_ms].into_iter().flatten().min()
        };
        let wait_ms = self.ways.iter().filter_map(wait_ms).min()?;
        Some(Instant::now() + Duration::from_millis(wait_ms.unsigned_abs()))
    }

    /// Whether a message may be sent until then, as far as is known now. Unit of `until_ms`: milliseconds since the Unix
    /// epoch.
    pub(crate) fn is_due(&self, outbox: &Outbox<'_>, until_ms: i64) -> Result<bool> {
        for Way { lane, .. } in &self.ways {
            let due_ms = outbox.first_due_ms(lane.sink())?;
            if lane
                .opens_ms()
                .zip(due_ms)
                .is_some_and(|(at_ms, due_ms)| at_ms.max(due_ms) <= until_ms)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Messages of which it is not known what became of them.
    pub(crate) fn n_on_way(&self) -> usize {
        self.ways.iter().map(|way| way.lane.n_on_way()).sum()
    }

    /// Makes durable what became of messages.
    pub(crate) fn settle(&mut self, spool: &mut dyn Spool, sent: &[Sent], log: &Log) -> Result<()> {
        let ways = &mut self.ways;
        Ok(spool.change(&mut |outbox| {
            for Sent { way, message, outcome } in sent {
                let own = ways.iter_mut().find(|own| own.number == *way);
                let Some(Way { lane, .. }) = own else { continue };
                let settled = outbox.settle(lane, message, outcome, clock::now_ms())?;
                tell(lane, message, (outcome, settled), log);
            }
            Ok(())
        })?)
    }
}

impl Way {
    /// Starts the task of a sink.
    fn begin<E: From<Sent> + Send + 'static>(
        (number, sink): (usize, &Sink),
        (runtime, inbox): (&Handle, &mpsc::Sender<E>),
        Beside { renew, gate, traces, log }: Beside<'_>,
    ) -> Result<Self> {
        let on_way_max = sink.to.on_way_max();
        let (to, messages) = mpsc::channel(on_way_max);
        let inbox = inbox.clone();
        let told = || format!("sink {} cannot be used", sink.name);
        match sink.to.clone() {
            To::Webhook(settings) => {
                let webhook = Webhook::new(settings).with_context(told)?.behind(gate.clone());
                let renewal = Renewal::new(&sink.name, renew.cloned(), Arc::clone(log));
                let renewal = renewal.behind(gate.clone());
                let traced = (traces.clone(), sink.name.clone());
                runtime.spawn(send((webhook, renewal), traced, number, messages, inbox));
            }
            To::JsonLines(settings) => {
                let file = (JsonLines::new(settings), gate.clone());
                runtime.spawn(write(file, number, messages, inbox));
            }
            To::Syslog(settings) => {
                let syslog = Syslog::new(settings).with_context(told)?.behind(gate.clone());
                runtime.spawn(stream(syslog, number, messages, inbox));
            }
            To::Service(service) => {
                let caller = runtime.block_on(Caller::reach(service)).with_context(told)?;
                runtime.spawn(call((caller, gate.clone()), number, messages, inbox));
            }
        }
        let lane = Lane::new(&sink.name).paced(sink.to.gap_ms()).quiet(sink.quiet.clone());
        Ok(Self { number, lane, on_way_max, to, beat_ms: i64::MIN })
    }
}

/// Tells what did not go well.
fn tell(
    lane: &Lane,
    message: &Message,
    (outcome, settled): (&Outcome, alerts::Settled),
    log: &Log,
) {
    let (level, error, then) = match (outcome, settled) {
        (Outcome::Delivered, _) => return,
        (Outcome::Gone { error }, _) => {
            (Level::Error, error, "it is sent nothing until the next start".to_owned())
        }
        (
            Outcome::Retry { error, .. } | Outcome::Later { error },
            alerts::Settled::Again { due_ms },
        ) => {
            let wait_s = due_ms.saturating_sub(clock::now_ms()).max(0) / 1_000;
            (Level::Warn, error, format!("again in {wait_s} s"))
        }
        (
            Outcome::Retry { error, .. } | Outcome::Later { error } | Outcome::Refused { error },
            _,
        ) => (Level::Error, error, "kept, and not sent again".to_owned()),
    };
    let (id, n) = (message.finding.to_string(), message.n_findings);
    let fields = [
        ("sink", json!(lane.sink())),
        ("finding", json!((n == 1).then_some(&id))),
        ("findings", json!(n)),
        ("reason", json!(error)),
    ];
    let about = match n {
        0 => "a message about no finding".to_owned(),
        1 => format!("finding {id}"),
        n => format!("one message about {n} findings"),
    };
    let what = format!("sink {}: {about}: {error}; {then}", lane.sink());
    log.say(level, "finding-undelivered", &what, &fields);
}

/// Tells what there was no room for.
pub(crate) fn tell_dropped(dropped: &[Dropped], log: &Log) {
    for Dropped { sink, finding, severity } in dropped {
        let severity = severity.label();
        let what = format!(
            "sink {sink}: no room for finding {finding} ({severity}): too many wait to be delivered"
        );
        log.say(Level::Error, "finding-dropped", &what, &[("sink", json!(sink))]);
    }
}

async fn send<E: From<Sent>>(
    (mut webhook, mut renewal): (Webhook, Renewal),
    (traces, name): (Traces, impl AsRef<str>),
    way: usize,
    mut messages: mpsc::Receiver<Vec<Message>>,
    inbox: mpsc::Sender<E>,
) {
    while let Some(all) = messages.recv().await {
        for message in all {
            renewal.renew(&mut webhook).await;
            let sending = traces.sending(name.as_ref());
            let trace = sending.traceparent();
            let mut outcome = webhook.send(&message, clock::now_ms(), trace.as_deref()).await;
            if renewal.helps(&mut webhook, &outcome).await {
                outcome = webhook.send(&message, clock::now_ms(), trace.as_deref()).await;
            }
            sending.end(outcome.error());
            fault::point("mid-send");
            if inbox.send(Sent { way, message, outcome }.into()).await.is_err() {
                return;
            }
        }
    }
}

async fn stream<E: From<Sent>>(
    syslog: Syslog,
    way: usize,
    mut messages: mpsc::Receiver<Vec<Message>>,
    inbox: mpsc::Sender<E>,
) {
    while let Some(all) = messages.recv().await {
        let outcome = syslog.send(&all).await;
        fault::point("mid-send");
        for message in all {
            let sent = Sent { way, message, outcome: outcome.clone() };
            if inbox.send(sent.into()).await.is_err() {
                return;
            }
        }
    }
}

async fn call<E: From<Sent>>(
    (mut caller, gate): (Caller, Gate),
    way: usize,
    mut messages: mpsc::Receiver<Vec<Message>>,
    inbox: mpsc::Sender<E>,
) {
    while let Some(all) = messages.recv().await {
        // Calls are behind it; files of OCSF are not.
        if !gate.is_open() {
            return;
        }
        let sent = caller.send(all, clock::now_ms).await;
        fault::point("mid-send");
        for (message, outcome) in sent {
            if inbox.send(Sent { way, message, outcome }.into()).await.is_err() {
                return;
            }
        }
    }
}

async fn write<E: From<Sent>>(
    (file, gate): (JsonLines, Gate),
    way: usize,
    mut messages: mpsc::Receiver<Vec<Message>>,
    inbox: mpsc::Sender<E>,
) {
    while let Some(all) = messages.recv().await {
        let own = file.clone();
        if !gate.is_open() {
            return;
        }
        let written = tokio::task::spawn_blocking(move || (own.write(&all), all)).await;
        fault::point("mid-send");
        let Ok((outcome, all)) = written else { break };
        for message in all {
            let sent = Sent { way, message, outcome: outcome.clone() };
            if inbox.send(sent.into()).await.is_err() {
                return;
            }
        }
    }
}
