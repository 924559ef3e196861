//! Queues that tell of new objects, consumed beside the loop. In: URLs. Out: objects read whole, in the inbox;
//! the loop answers each receipt once its epoch is durable.

use super::{Event, Level, Log};
use crate::aws::Aws;
use alerts::KnownObjects;
use anyhow::{Context as _, Result};
use ingest::source::{
    Filter,
    sqs::{self, Consumer, Counters, Delivery, Ledger, Settings},
};
use serde_json::json;
use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

/// Objects that were read and wait for the loop. Unit: objects.
pub(super) const DELIVERIES_MAX: usize = 64;
/// How long messages may take to be let go, from the stop on; a consumer takes 15 s at most.
const STOP_MAX: Duration = Duration::from_secs(16);

/// Objects that are durable, asked for by consumers.
struct Known {
    objects: Mutex<KnownObjects>,
    log: Arc<Log>,
}

impl Ledger for Known {
    fn has_read(&self, key: &str, size_bytes: Option<u64>, etag: Option<&str>) -> bool {
        let objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        let version = objects.version(key).unwrap_or_else(|error| {
            // The loop asks again.
            self.log.say(Level::Warn, "ledger-unread", &error.to_string(), &[]);
            None
        });
        version.is_some_and(|version| version.is_of(size_bytes, etag))
    }
}

/// Consumers at work.
pub(super) struct Queues {
    stop: watch::Sender<bool>,
    stopped: Option<Instant>,
    at_work: Vec<JoinHandle<()>>,
    counters: Vec<Arc<Counters>>,
}

impl Queues {
    /// Starts a consumer of each queue; what each reads goes into the inbox.
    pub(super) fn start(
        urls: &[String],
        (aws, filter, state): (&Aws, &Filter, &Path),
        inbox: &mpsc::Sender<Event>,
        log: &Arc<Log>,
    ) -> Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let mut queues = Self { stop, stopped: None, at_work: Vec::new(), counters: Vec::new() };
        for url in urls {
            let objects = Mutex::new(KnownObjects::open(state)?);
            let ledger = Arc::new(Known { objects, log: Arc::clone(log) });
            let told = Arc::clone(log);
            let tell: sqs::Tell = Arc::new(move |event| tell(&event, &told));
            let settings = Settings { filter: filter.clone(), ..Settings::of(url.clone()) };
            let opening = Consumer::open(&aws.session, aws.buckets.clone(), settings, ledger, tell);
            let runtime = aws.runtime();
            let consumer = runtime.block_on(opening).context("cannot read a queue")?;
            queues.counters.push(consumer.counters());
            let (to, deliveries) = mpsc::channel(DELIVERIES_MAX);
            queues.at_work.push(runtime.spawn(consumer.run(to, stopped.clone())));
            runtime.spawn(forward(deliveries, inbox.clone()));
            log.say(Level::Info, "queue-served", url, &[("queue", json!(url))]);
        }
        Ok(queues)
    }

    /// What consumers count.
    pub(super) fn counters(&self) -> &[Arc<Counters>] {
        &self.counters
    }

    /// Has consumers receive no more, and let go of what nobody works on.
    pub(super) fn stop(&mut self) {
        self.stop.send_replace(true);
        self.stopped = Some(Instant::now());
    }

    /// Waits for them, for a bounded time.
    pub(super) fn join(self, aws: &Aws) {
        let until = self.stopped.unwrap_or_else(Instant::now) + STOP_MAX;
        for task in self.at_work {
            let wait = until.saturating_duration_since(Instant::now());
            // What is not let go in time comes again when its visibility ends.
            drop(aws.runtime().block_on(async { tokio::time::timeout(wait, task).await }));
        }
    }
}

async fn forward(mut deliveries: mpsc::Receiver<Delivery>, inbox: mpsc::Sender<Event>) {
    while let Some(delivery) = deliveries.recv().await {
        if inbox.send(Event::Delivered(Box::new(delivery))).await.is_err() {
            break;
        }
    }
}

fn tell(event: &sqs::Event, log: &Log) {
    let (level, name) = match event.level {
        sqs::Level::Warn => (Level::Warn, "queue-trouble"),
        sqs::Level::Error => (Level::Error, "queue-error"),
    };
    log.say(level, name, &event.sentence, &[]);
}
