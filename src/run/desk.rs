//! What was read since the last commit. In: objects as they are read, applied, met again, or cannot be read. Out: an
//! epoch of them, metrics, lines of the log, and answers to queues.

use super::{
    feeds::Feeds,
    log::{Level, Log},
    metrics::Metrics,
    retry::{FAILED_MAX, Retries},
    traces::{Traces, Way},
};
use crate::{
    epoch::{Again, Epoch},
    pipeline::{Observer, Whole},
};
use anyhow::Result;
use detect::{Engine, Finding};
use ingest::source::{
    Object,
    sqs::{Outcome, Receipt},
};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// What was read since the last commit, and what could not be.
pub(super) struct Desk {
    pub(super) epoch: Epoch,
    pub(super) retries: Retries,
    pub(super) feeds: Feeds,
    /// Objects of the batch that could not be read, and why.
    pub(super) unread: BTreeMap<Box<str>, String>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) traces: Traces,
    /// What of the epoch is to be traced when it is durable.
    pub(super) ways: Vec<Way>,
    pub(super) log: Arc<Log>,
}

impl Desk {
    pub(super) fn of(
        epoch: Epoch,
        feeds: Feeds,
        metrics: &Arc<Metrics>,
        traces: Traces,
        log: &Arc<Log>,
    ) -> Self {
        let (metrics, log) = (Arc::clone(metrics), Arc::clone(log));
        let (retries, unread, ways) = (Retries::default(), BTreeMap::new(), Vec::new());
        Self { epoch, retries, feeds, unread, metrics, traces, ways, log }
    }

    /// An object could not be read. What a queue told of comes again, and ends among its dead letters.
    pub(super) fn could_not_read(&mut self, object: &Object, why: &str, receipts: Vec<Receipt>) {
        self.metrics.object(object, "unread");
        let is_listed = receipts.is_empty();
        let n_forgotten = if is_listed { self.retries.make_room(object) } else { 0 };
        if n_forgotten > 0 {
            let what = format!(
                "over {FAILED_MAX} objects cannot be read: {n_forgotten} that were left are tried again"
            );
            self.log.say(Level::Error, "retries-full", &what, &[]);
        }
        let again = if is_listed { self.retries.failed(object) } else { Some(Duration::ZERO) };
        let (level, event, then) = match again {
            Some(Duration::ZERO) => (Level::Warn, "object-unread", "it comes again".to_owned()),
            Some(wait) => (Level::Warn, "object-unread", format!("again in {} s", wait.as_secs())),
            None => (Level::Error, "object-left", "left until it changes".to_owned()),
        };
        let fields = [("object", json!(object.key())), ("reason", json!(why))];
        self.log.say(level, event, &format!("{}: {why}; {then}", object.key()), &fields);
        for receipt in receipts {
            receipt.answer(Outcome::Failed { reason: why.to_owned() });
        }
    }
}

impl Observer for Desk {
    fn begin(&mut self, _: u64) {}

    fn read(&mut self, _: u64) {}

    fn findings(&mut self, findings: &[Finding]) -> Result<()> {
        self.epoch.closed(findings);
        Ok(())
    }

    fn is_again(&mut self, object: &Object) -> Result<bool> {
        Ok(self.epoch.has_met(object))
    }

    fn again(&mut self, object: &Object, content: u128) -> Again {
        self.retries.read(object);
        let again = self.epoch.again(object, content);
        self.metrics.object(object, if again == Again::Same { "same" } else { "changed" });
        if again == Again::Changed {
            let what = format!("{}: holds something else than what was read of it", object.key());
            let fields = [("object", json!(object.key()))];
            self.log.say(Level::Error, "log-object-changed", &what, &fields);
        }
        again
    }

    fn applied(&mut self, _: &mut Engine, objects: &[Whole<'_>]) -> Result<()> {
        for whole in objects {
            self.retries.read(whole.object);
            self.feeds.saw(&whole.object.info());
            self.metrics.object(whole.object, "read");
            self.metrics.bad_records(whole.object, whole.n_bad);
            self.epoch.applied(whole);
            if self.traces.are_on() {
                self.ways.push(Way::of(whole));
            }
        }
        Ok(())
    }

    fn unread(&mut self, object: &Object, why: &str) {
        self.unread.insert(object.key().into(), why.to_owned());
    }

    fn trouble(&mut self, object: &str, what: &str) {
        let fields = [("object", json!(object)), ("reason", json!(what))];
        self.log.say(Level::Warn, "record-unread", &format!("{object}: {what}"), &fields);
    }
}
