//! What the daemon counts of itself, for `/metrics`, in the text form of `OpenMetrics`. No label names an
//! identity, an address or an ARN.

use super::feeds::{FeedId, name_of};
use crate::{clock, summary::Summary};
use alerts::sinks::Outcome;
use detect::{Engine, Finding};
use ingest::source::sqs::Counts;
use prometheus_client::{
    encoding::text::encode,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::{Registry, Unit},
};
use std::{
    fmt,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

type Labels<const N: usize> = [(&'static str, String); N];
type Counters<const N: usize> = Family<Labels<N>, Counter>;

/// All of them.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    objects: Counters<1>,
    object_bytes: Counters<1>,
    records: Counters<1>,
    records_duplicate: Counter,
    records_late: Counter,
    records_bad: Counter,
    findings: Counters<2>,
    sent: Counters<2>,
    messages_received: Counter,
    messages_deleted: Counter,
    receipts_lost: Counter,
    extensions: Counters<1>,
    identities: Gauge,
    now: Gauge,
    object_lag: Histogram,
    commit: Histogram,
    epoch_age: Gauge,
    log_gap: Family<Labels<3>, Gauge>,
    /// When the last epoch was durable, or there was nothing to commit. Unit: milliseconds.
    committed_ms: AtomicI64,
    /// When the loop last came by. Unit: milliseconds.
    alive_ms: AtomicI64,
}

/// Brings a counter to a total that never falls.
fn raise(counter: &Counter, total: u64) {
    counter.inc_by(total.saturating_sub(counter.get()));
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut own = Self {
            registry: Registry::with_prefix("sentrail"),
            objects: Family::default(),
            object_bytes: Family::default(),
            records: Family::default(),
            records_duplicate: Counter::default(),
            records_late: Counter::default(),
            records_bad: Counter::default(),
            findings: Family::default(),
            sent: Family::default(),
            messages_received: Counter::default(),
            messages_deleted: Counter::default(),
            receipts_lost: Counter::default(),
            extensions: Family::default(),
            identities: Gauge::default(),
            now: Gauge::default(),
            // From a minute to 30 days, which is how late AWS may be.
            object_lag: Histogram::new(exponential_buckets(60.0, 2.0, 16)),
            // From 4 ms to the longest epoch and beyond.
            commit: Histogram::new(exponential_buckets(0.004, 2.0, 14)),
            epoch_age: Gauge::default(),
            log_gap: Family::default(),
            committed_ms: AtomicI64::new(clock::now_ms()),
            alive_ms: AtomicI64::new(clock::now_ms()),
        };
        own.register();
        own
    }

    fn register(&mut self) {
        let Self { registry, .. } = self;
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", version);
        let objects = self.objects.clone();
        registry.register("objects_processed", "Objects of logs, by what became of them", objects);
        let bytes = self.object_bytes.clone();
        registry.register_with_unit("object", "Content of objects", Unit::Bytes, bytes);
        registry.register("records", "Records that count, by log", self.records.clone());
        let duplicates = self.records_duplicate.clone();
        registry.register("records_duplicate", "Records delivered before", duplicates);
        let late = self.records_late.clone();
        registry.register("records_late", "Records later than the lateness allows", late);
        let bad = self.records_bad.clone();
        registry.register("parse_errors", "Records that could not be read", bad);
        registry.register("findings", "Findings that were told", self.findings.clone());
        let sent = self.sent.clone();
        registry.register("alerts_sent", "Messages to sinks, by what became of them", sent);
        let received = self.messages_received.clone();
        registry.register("sqs_messages_received", "Messages of queues, received", received);
        let deleted = self.messages_deleted.clone();
        registry.register("sqs_messages_deleted", "Messages of queues, done with", deleted);
        let lost = self.receipts_lost.clone();
        registry.register("sqs_receipts_lost", "Messages that others may have received", lost);
        let extensions = self.extensions.clone();
        let help = "Messages that were kept invisible for longer";
        registry.register("sqs_visibility_extensions", help, extensions);
        let identities = self.identities.clone();
        registry.register("identities_tracked", "Identities and interfaces known", identities);
        let now = self.now.clone();
        let help = "The greatest stamp of an object: the logs' own time, since 1970";
        registry.register_with_unit("now_timestamp", help, Unit::Seconds, now);
        let lag = self.object_lag.clone();
        let help = "From the stamp in an object's name to when it was durable";
        registry.register_with_unit("object_lag", help, Unit::Seconds, lag);
        let commit = self.commit.clone();
        registry.register_with_unit("epoch_commit", "Commits of epochs", Unit::Seconds, commit);
        let age = self.epoch_age.clone();
        let help = "Since all that was read was durable";
        registry.register_with_unit("epoch_age", help, Unit::Seconds, age);
        let gap = self.log_gap.clone();
        let help = "Since the stamp of the last object of a feed";
        registry.register_with_unit("log_gap", help, Unit::Seconds, gap);
    }

    /// The loop came by.
    pub(crate) fn alive(&self) {
        self.alive_ms.store(clock::now_ms(), Ordering::Relaxed);
    }

    /// All that was read is durable.
    pub(crate) fn durable(&self) {
        self.committed_ms.store(clock::now_ms(), Ordering::Relaxed);
    }

    /// An epoch was committed, of objects of these sizes and stamps. Unit: bytes as stored; milliseconds since
    /// the Unix epoch.
    pub(crate) fn committed(&self, took: Duration, objects: &[(u64, i64)]) {
        self.commit.observe(took.as_secs_f64());
        let now_ms = clock::now_ms();
        let mut last_ms = self.now.get().saturating_mul(1_000);
        let compressed = self.object_bytes.get_or_create(&[("stage", "compressed".to_owned())]);
        for (size_bytes, stamp_ms) in objects {
            compressed.inc_by(*size_bytes);
            self.object_lag.observe(now_ms.saturating_sub(*stamp_ms).max(0) as f64 / 1_000.0);
            last_ms = last_ms.max(*stamp_ms);
        }
        self.now.set(last_ms / 1_000);
    }

    /// Findings were told.
    pub(crate) fn told(&self, findings: &[Finding]) {
        for finding in findings {
            let detector = ("detector", finding.about.id.clone());
            let severity = ("severity", finding.severity.label().to_owned());
            self.findings.get_or_create(&[detector, severity]).inc();
        }
    }

    /// Messages went to sinks.
    pub(super) fn sent<'a>(&self, sent: impl Iterator<Item = (&'a str, &'a Outcome)>) {
        for (sink, outcome) in sent {
            let result = match outcome {
                Outcome::Delivered => "delivered",
                Outcome::Retry { .. } => "retry",
                Outcome::Refused { .. } => "refused",
                Outcome::Gone { .. } => "gone",
            };
            let labels = [("sink", sink.to_owned()), ("result", result.to_owned())];
            self.sent.get_or_create(&labels).inc();
        }
    }

    /// What was read up to now.
    pub(crate) fn read(&self, summary: &Summary, engine: &Engine) {
        let intake = engine.intake();
        let by = |family: &Counters<1>, (name, value): (&'static str, &str), total: u64| {
            raise(&family.get_or_create(&[(name, value.to_owned())]), total);
        };
        by(&self.objects, ("result", "read"), summary.n_read());
        by(&self.objects, ("result", "unread"), summary.n_failed());
        by(&self.object_bytes, ("stage", "inflated"), summary.inflated_bytes());
        by(&self.records, ("source", "cloudtrail"), intake.n_records);
        by(&self.records, ("source", "flow"), intake.n_flows);
        raise(&self.records_duplicate, intake.n_duplicates);
        raise(&self.records_late, intake.n_late);
        raise(&self.records_bad, summary.n_bad_records());
        self.identities.set(i64::try_from(intake.n_entities).unwrap_or(i64::MAX));
    }

    /// What consumers of queues counted, all of them.
    pub(super) fn queues(&self, counts: &[Counts]) {
        let sum = |of: fn(&Counts) -> u64| counts.iter().map(of).sum::<u64>();
        raise(&self.messages_received, sum(|counts| counts.messages_received));
        raise(&self.messages_deleted, sum(|counts| counts.messages_deleted));
        raise(&self.receipts_lost, sum(|counts| counts.receipts_lost));
        let of =
            |result: &str| self.extensions.get_or_create(&[("result", result.to_owned())]).clone();
        raise(&of("ok"), sum(|counts| counts.extensions_ok));
        raise(&of("failed"), sum(|counts| counts.extensions_failed));
    }

    /// How long feeds have been silent. Unit: milliseconds.
    pub(super) fn silences<'a>(&self, silences_ms: impl Iterator<Item = (&'a FeedId, i64)>) {
        for ((account, region, kind), silence_ms) in silences_ms {
            let names = [("account", account.to_string()), ("region", region.to_string())];
            let [account, region] = names;
            let labels = [account, region, ("source", name_of(*kind).to_owned())];
            self.log_gap.get_or_create(&labels).set(silence_ms / 1_000);
        }
    }

    /// Since the loop last came by, and since all that was read was durable. Unit: milliseconds.
    pub(crate) fn ages_ms(&self) -> (i64, i64) {
        let now_ms = clock::now_ms();
        let age = |at: &AtomicI64| now_ms.saturating_sub(at.load(Ordering::Relaxed)).max(0);
        (age(&self.alive_ms), age(&self.committed_ms))
    }

    /// All of them, as text.
    pub(crate) fn text(&self) -> String {
        self.epoch_age.set(self.ages_ms().1 / 1_000);
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            // Memory takes whatever is written.
            Err(fmt::Error) => String::new(),
        }
    }
}
