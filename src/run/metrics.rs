//! What the daemon counts of itself, for `/metrics`, in the text form of `OpenMetrics`. No label names an
//! identity, an address or an ARN.

use super::{
    exchange::Reloaded,
    feeds::{FeedId, name_of},
    process,
};
use crate::{clock, epoch::Committed, summary::Summary};
use alerts::{Grounds, MessageCounts, Suppressions, sinks::Outcome};
use baseline::Day;
use detect::{Engine, Finding};
use ingest::source::{
    Kind, Object,
    session::Gate,
    sqs::{self, Counts},
};
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
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

type Labels<const N: usize> = [(&'static str, String); N];
type Counters<const N: usize> = Family<Labels<N>, Counter>;
type Gauges<const N: usize> = Family<Labels<N>, Gauge>;

/// Where records come from: the label `source`.
const SOURCES: [&str; 3] = ["cloudtrail", "flow", "unknown"];
/// What becomes of objects: the label `result`.
const RESULTS: [&str; 4] = ["read", "unread", "same", "changed"];

/// All of them.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    objects: Counters<2>,
    object_bytes: Counters<1>,
    records: Counters<1>,
    records_duplicate: Counter,
    records_late: Counter,
    records_bad: Counters<1>,
    findings: Counters<2>,
    suppressed: Counters<1>,
    sent: Counters<2>,
    spooled: Gauges<2>,
    messages_received: Counter,
    messages_deleted: Counter,
    receipts_lost: Counter,
    extensions: Counters<1>,
    identities: Gauge,
    identities_away: Gauge,
    baseline_memory: Gauge,
    now: Gauge,
    days_open: Gauge,
    event_lag: Histogram,
    score: Histogram,
    commit: Histogram,
    epoch_bytes: Histogram,
    epoch_age: Gauge,
    log_gap: Gauges<3>,
    config_reloads: Counters<1>,
    config_unapplied: Gauge,
    snapshot_age: Gauges<0>,
    snapshot_bytes: Counters<0>,
    lease_held: Gauges<0>,
    memory: Gauge,
    open_files: Gauge,
    /// Whether it waits for another to end.
    is_standby: AtomicBool,
    /// When the newest snapshot was made, or the state was seen to be that of it; 0: none are made. Unit: milliseconds.
    snapshot_ms: AtomicI64,
    /// What is open while the lease is ours, where there is one.
    lease: OnceLock<Gate>,
    /// What consumers of queues count, once there are any.
    queues: OnceLock<Vec<Arc<sqs::Counters>>>,
    /// When the last epoch was durable, or there was nothing to commit. Unit: milliseconds.
    committed_ms: AtomicI64,
    /// When the loop last came by. Unit: milliseconds.
    alive_ms: AtomicI64,
}

fn gauged(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A text of the user's as the value of a label, which the library writes as it is.
fn label(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n")
}

/// One of [`SOURCES`].
fn source_of(object: &Object) -> String {
    let [cloudtrail, flow, unknown] = SOURCES;
    let source = match object.kind {
        Kind::CloudTrail => cloudtrail,
        Kind::FlowLog => flow,
        _ => unknown,
    };
    source.to_owned()
}

/// Brings a counter to a total that never falls.
fn raise(counter: &Counter, total: u64) {
    counter.inc_by(total.saturating_sub(counter.get()));
}

impl Metrics {
    /// Those of a process that knows of these entries.
    pub(crate) fn new(suppressions: &Suppressions) -> Self {
        let mut own = Self {
            registry: Registry::default(),
            objects: Family::default(),
            object_bytes: Family::default(),
            records: Family::default(),
            records_duplicate: Counter::default(),
            records_late: Counter::default(),
            records_bad: Family::default(),
            findings: Family::default(),
            suppressed: Family::default(),
            sent: Family::default(),
            spooled: Family::default(),
            messages_received: Counter::default(),
            messages_deleted: Counter::default(),
            receipts_lost: Counter::default(),
            extensions: Family::default(),
            identities: Gauge::default(),
            identities_away: Gauge::default(),
            baseline_memory: Gauge::default(),
            now: Gauge::default(),
            days_open: Gauge::default(),
            // From a minute to 30 days, which is how late AWS may be.
            event_lag: Histogram::new(exponential_buckets(60.0, 2.0, 16)),
            // From 1 ms to the longest epoch and beyond.
            score: Histogram::new(exponential_buckets(0.001, 2.0, 16)),
            commit: Histogram::new(exponential_buckets(0.004, 2.0, 14)),
            // From 4 KiB to 4 GiB.
            epoch_bytes: Histogram::new(exponential_buckets(4_096.0, 4.0, 11)),
            epoch_age: Gauge::default(),
            log_gap: Family::default(),
            config_reloads: Family::default(),
            config_unapplied: Gauge::default(),
            snapshot_age: Family::default(),
            snapshot_bytes: Family::default(),
            lease_held: Family::default(),
            memory: Gauge::default(),
            open_files: Gauge::default(),
            is_standby: AtomicBool::new(false),
            snapshot_ms: AtomicI64::new(0),
            lease: OnceLock::new(),
            queues: OnceLock::new(),
            committed_ms: AtomicI64::new(clock::now_ms()),
            alive_ms: AtomicI64::new(clock::now_ms()),
        };
        // What has not been yet is none, not unknown.
        for source in SOURCES.map(str::to_owned) {
            drop(own.records_bad.get_or_create(&[("source", source.clone())]));
            for result in RESULTS.map(str::to_owned) {
                let labels = [("source", source.clone()), ("result", result)];
                drop(own.objects.get_or_create(&labels));
            }
        }
        for result in Reloaded::ALL {
            drop(own.config_reloads.get_or_create(&[("result", result.name().to_owned())]));
        }
        own.know(suppressions);
        own.register_process();
        own.register_config();
        own.register();
        own.register_times();
        own.register_snapshots();
        own
    }

    /// What every process tells, by its usual names.
    fn register_process(&mut self) {
        let (memory, open_files) = (self.memory.clone(), self.open_files.clone());
        if process::resident_bytes().is_some() {
            let registry = self.registry.sub_registry_with_prefix("process");
            let help = "What is resident in memory";
            registry.register_with_unit("resident_memory", help, Unit::Bytes, memory);
            registry.register("open_fds", "Files and sockets that are open", open_files);
        }
    }

    fn register(&mut self) {
        let registry = self.registry.sub_registry_with_prefix("sentrail");
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
        registry.register("parse_errors", "Records that could not be read, by log", bad);
        registry.register("findings", "Findings that were told", self.findings.clone());
        let help = "Findings that were not told, by the entry that says so";
        registry.register("findings_suppressed", help, self.suppressed.clone());
        let sent = self.sent.clone();
        registry.register("alerts_sent", "Messages to sinks, by what became of them", sent);
        let help = "Messages to sinks that wait, or are dead";
        registry.register("alert_spool_entries", help, self.spooled.clone());
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
        let away = self.identities_away.clone();
        let what = "Of these, those whose profiles memory has no room for";
        registry.register("identities_away", what, away);
        let memory = self.baseline_memory.clone();
        let what = "Memory that profiles and what rules matched on open days take, about";
        registry.register_with_unit("baseline_memory", what, Unit::Bytes, memory);
        let days = self.days_open.clone();
        let help = "Days from the oldest that is open to that of the greatest stamp";
        registry.register("days_open", help, days);
    }

    fn register_config(&mut self) {
        let registry = self.registry.sub_registry_with_prefix("sentrail");
        let reloads = self.config_reloads.clone();
        let help = "Configurations that were read while the daemon ran, by what became of them";
        registry.register("config_reloads", help, reloads);
        let help = "Whether the configuration on disk is another than the one in force";
        registry.register("config_unapplied", help, self.config_unapplied.clone());
    }

    /// What has not been yet of these entries is none, not unknown.
    pub(crate) fn know(&self, suppressions: &Suppressions) {
        for grounds in suppressions.grounds() {
            drop(self.suppressed.get_or_create(&[("rule", label(&grounds.name))]));
        }
    }

    /// A configuration was read, and something of what is on disk is not in force now, or all is.
    pub(super) fn reloaded(&self, result: Reloaded, is_unapplied: bool) {
        self.config_reloads.get_or_create(&[("result", result.name().to_owned())]).inc();
        self.config_unapplied.set(is_unapplied.into());
    }

    fn register_times(&mut self) {
        let registry = self.registry.sub_registry_with_prefix("sentrail");
        let now = self.now.clone();
        let help = "The greatest stamp of an object: the logs' own time, since 1970";
        registry.register_with_unit("now_timestamp", help, Unit::Seconds, now);
        let lag = self.event_lag.clone();
        let help =
            "From the newest record of an object to when it was durable; an observation an object";
        registry.register_with_unit("event_lag", help, Unit::Seconds, lag);
        let score = self.score.clone();
        let help = "What open days took to be judged, in each epoch";
        registry.register_with_unit("score", help, Unit::Seconds, score);
        let bytes = self.epoch_bytes.clone();
        let help = "Values that an epoch wrote: profiles, open days, what was read";
        registry.register_with_unit("epoch", help, Unit::Bytes, bytes);
        let commit = self.commit.clone();
        registry.register_with_unit("epoch_commit", "Commits of epochs", Unit::Seconds, commit);
        let age = self.epoch_age.clone();
        let help = "Since all that was read was durable";
        registry.register_with_unit("epoch_age", help, Unit::Seconds, age);
        let gap = self.log_gap.clone();
        let help = "Since the stamp of the last object of a feed";
        registry.register_with_unit("log_gap", help, Unit::Seconds, gap);
    }

    /// Those that are told only where there are snapshots.
    fn register_snapshots(&mut self) {
        let registry = self.registry.sub_registry_with_prefix("sentrail");
        let (age, bytes) = (self.snapshot_age.clone(), self.snapshot_bytes.clone());
        let help = "Since the state was that of the newest snapshot";
        registry.register_with_unit("snapshot_age", help, Unit::Seconds, age);
        let help = "What was sent of snapshots: pieces that were not there yet, and manifests";
        registry.register_with_unit("snapshot_sent", help, Unit::Bytes, bytes);
        registry.register("lease_held", "Whether this process may write", self.lease_held.clone());
    }

    /// Whether it waits for another to end, or has not begun since.
    pub(crate) fn standby(&self, is_so: bool) {
        self.is_standby.store(is_so, Ordering::Relaxed);
    }

    /// What is open while the lease is ours.
    pub(crate) fn lease(&self, gate: Gate) {
        self.lease.get_or_init(|| gate);
    }

    /// Whether it waits.
    pub(crate) fn is_standby(&self) -> bool {
        self.is_standby.load(Ordering::Relaxed)
    }

    /// From now on snapshots are made: until the first is there, its age is that of the process.
    pub(crate) fn snapshots_begin(&self) {
        self.snapshot_is_current();
    }

    /// The state is that of the newest snapshot.
    pub(crate) fn snapshot_is_current(&self) {
        self.snapshot_ms.store(clock::now_ms(), Ordering::Relaxed);
    }

    /// A snapshot was made, for which so much was sent. Unit: bytes.
    pub(crate) fn snapshot_sent(&self, bytes: u64) {
        self.snapshot_bytes.get_or_create(&[]).inc_by(bytes);
        self.snapshot_is_current();
    }

    fn snapshots(&self) {
        if let Some(lease) = self.lease.get() {
            let is_held = lease.is_open() && !self.is_standby();
            self.lease_held.get_or_create(&[]).set(is_held.into());
        }
        let made_ms = self.snapshot_ms.load(Ordering::Relaxed);
        if made_ms > 0 {
            let age_ms = clock::now_ms().saturating_sub(made_ms).max(0);
            self.snapshot_age.get_or_create(&[]).set(age_ms / 1_000);
        }
    }

    /// The loop came by.
    pub(crate) fn alive(&self) {
        self.alive_ms.store(clock::now_ms(), Ordering::Relaxed);
    }

    /// All that was read is durable.
    pub(crate) fn durable(&self) {
        self.committed_ms.store(clock::now_ms(), Ordering::Relaxed);
    }

    /// An object was processed: one of [`RESULTS`].
    pub(crate) fn object(&self, object: &Object, result: &str) {
        let labels = [("source", source_of(object)), ("result", result.to_owned())];
        self.objects.get_or_create(&labels).inc();
    }

    /// Records of an object could not be read.
    pub(crate) fn bad_records(&self, object: &Object, n: u64) {
        self.records_bad.get_or_create(&[("source", source_of(object))]).inc_by(n);
    }

    /// An epoch was committed.
    pub(crate) fn committed(&self, took: Duration, kept: &Committed) {
        self.commit.observe(took.as_secs_f64());
        self.score.observe(kept.judged.as_secs_f64());
        self.epoch_bytes.observe(kept.value_bytes as f64);
        let now_ms = clock::now_ms();
        let mut last_ms = self.now.get().saturating_mul(1_000);
        let compressed = self.object_bytes.get_or_create(&[("stage", "compressed".to_owned())]);
        for object in kept.objects.values() {
            compressed.inc_by(object.size_bytes());
            if let Some(newest_ms) = object.newest_ms {
                self.event_lag.observe(now_ms.saturating_sub(newest_ms).max(0) as f64 / 1_000.0);
            }
            last_ms = last_ms.max(object.stamp_ms);
        }
        self.now.set(last_ms / 1_000);
    }

    /// Findings were told.
    pub(crate) fn told(&self, findings: &[Finding]) {
        for finding in findings {
            let detector = ("detector", label(&finding.about.id));
            let severity = ("severity", finding.severity.label().to_owned());
            self.findings.get_or_create(&[detector, severity]).inc();
        }
    }

    /// Findings were not told.
    pub(super) fn suppressed<'a>(&self, grounds: impl Iterator<Item = &'a Grounds>) {
        for grounds in grounds {
            self.suppressed.get_or_create(&[("rule", label(&grounds.name))]).inc();
        }
    }

    /// Messages went to sinks.
    pub(super) fn sent<'a>(&self, sent: impl Iterator<Item = (&'a str, &'a Outcome)>) {
        for (sink, outcome) in sent {
            let result = match outcome {
                Outcome::Delivered => "delivered",
                Outcome::Retry { .. } | Outcome::Later { .. } => "retry",
                Outcome::Refused { .. } => "refused",
                Outcome::Gone { .. } => "gone",
            };
            let labels = [("sink", sink.to_owned()), ("result", result.to_owned())];
            self.sent.get_or_create(&labels).inc();
        }
    }

    /// So many messages wait for sinks.
    pub(crate) fn wait_for_sinks(&self, counts: &[MessageCounts]) {
        for MessageCounts { sink, n_pending, n_dead, .. } in counts {
            for (state, n) in [("pending", n_pending), ("dead", n_dead)] {
                let labels = [("sink", sink.clone()), ("state", state.to_owned())];
                self.spooled.get_or_create(&labels).set(gauged(*n));
            }
        }
    }

    /// Queues are served: what their consumers count.
    pub(crate) fn serve(&self, counters: Vec<Arc<sqs::Counters>>) {
        self.queues.get_or_init(|| counters);
    }

    fn counts(&self) -> Vec<Counts> {
        self.queues.get().into_iter().flatten().map(|counters| counters.snapshot()).collect()
    }

    /// For how long a queue has been out of reach, if one is: every receive fails.
    pub(crate) fn out_of_reach(&self) -> Option<Duration> {
        self.counts().iter().filter_map(|counts| counts.failing_since).map(|at| at.elapsed()).max()
    }

    /// What was read up to now.
    pub(crate) fn read(&self, summary: &Summary, engine: &Engine) {
        let intake = engine.intake();
        let by = |family: &Counters<1>, (name, value): (&'static str, &str), total: u64| {
            raise(&family.get_or_create(&[(name, value.to_owned())]), total);
        };
        by(&self.object_bytes, ("stage", "inflated"), summary.inflated_bytes());
        by(&self.records, ("source", "cloudtrail"), intake.n_records);
        by(&self.records, ("source", "flow"), intake.n_flows);
        raise(&self.records_duplicate, intake.n_duplicates);
        raise(&self.records_late, intake.n_late);
        self.identities.set(gauged(intake.n_entities));
        self.identities_away.set(gauged(intake.n_away));
        self.baseline_memory.set(gauged(engine.held_bytes()));
        let Day(last) = Day::of(self.now.get().saturating_mul(1_000));
        let Day(oldest) = engine.oldest_open();
        self.days_open.set(i64::from(last) - i64::from(oldest) + 1);
    }

    /// What consumers of queues counted, all of them.
    fn queues(&self) {
        let counts = self.counts();
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
        self.queues();
        self.snapshots();
        if let Some(bytes) = process::resident_bytes() {
            self.memory.set(gauged(bytes));
        }
        if let Some(n) = process::open_fds() {
            self.open_files.set(gauged(n));
        }
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            // Memory takes whatever is written.
            Err(fmt::Error) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_the_users_stays_within_its_label() {
        let metrics = Metrics::new(&Suppressions::default());
        let grounds = Grounds {
            name: "a\nb\"c\\".to_owned(),
            reason: String::new(),
            owner: String::new(),
            expires: Day(0),
        };
        metrics.suppressed(std::iter::once(&grounds));
        let line = r#"findings_suppressed_total{rule="a\nb\"c\\"} 1"#;
        assert!(metrics.text().contains(line), "{}", metrics.text());
    }
}
