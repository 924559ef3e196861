//! What a consumer counts. In: events of its own. Out: numbers for metrics.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use super::super::Skips;

/// Why a message was left in its queue, to come again later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Retry {
    /// Its shape or what it says is not known.
    UnknownEnvelope,
    /// An object of it may not be read.
    Denied,
    /// An object of it does not exist.
    Gone,
    /// An object of it was written again while it was read.
    Changed,
    /// S3 did not answer, was busy, or hung up.
    Unavailable,
    /// An object of it is larger than [`super::super::s3::OBJECT_BYTES_MAX`].
    TooLarge,
    /// An object of it cannot be decoded, as its reader said.
    Undecodable,
    /// An object of it was handed over, and nobody said what became of it.
    Unanswered,
    /// All else.
    Other,
}

impl Retry {
    /// The reason as a label of metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::UnknownEnvelope => "unknown_envelope",
            Self::Denied => "denied",
            Self::Gone => "gone",
            Self::Changed => "changed",
            Self::Unavailable => "unavailable",
            Self::TooLarge => "too_large",
            Self::Undecodable => "undecodable",
            Self::Unanswered => "unanswered",
            Self::Other => "other",
        }
    }
}

/// Everything counted since a consumer began. Unit of all: as named, a number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages received, each time that they were.
    pub messages_received: u64,
    /// Messages deleted.
    pub messages_deleted: u64,
    /// Messages whose deletion was given up; they come again, and the ledger knows them.
    pub deletions_failed: u64,
    /// Messages that tell of no object to read: tests, validations, subscriptions.
    pub messages_without_objects: u64,
    /// Messages put back at once, since the consumer was stopped.
    pub messages_released: u64,
    /// Times that the visibility timeout of a message was extended.
    pub extensions_ok: u64,
    /// Times that it could not be.
    pub extensions_failed: u64,
    /// Messages that became visible to others while they were worked on.
    pub receipts_lost: u64,
    /// Receives that failed.
    pub receives_failed: u64,
    /// Since when every receive fails.
    pub failing_since: Option<Instant>,
    /// Objects that were read and handed over.
    pub objects_handed: u64,
    /// Of these, objects whose epoch was committed.
    pub objects_durable: u64,
    /// Objects that the ledger knew.
    pub objects_known: u64,
    /// Objects that could not be read or decoded, each time.
    pub objects_failed: u64,
    /// Notifications of something else than a new object.
    pub objects_not_created: u64,
    /// Objects that are not read, by reason.
    pub objects_skipped: Skips,
    /// Bytes of objects read, as stored.
    pub bytes_read: u64,
    /// Messages left to come again, by the first reason.
    pub retries: BTreeMap<Retry, u64>,
}

/// The counts of one consumer, which anyone may look at while it runs.
#[derive(Debug, Default)]
pub struct Counters(Mutex<Counts>);

impl Counters {
    /// What was counted so far.
    pub fn snapshot(&self) -> Counts {
        self.0.lock().map(|counts| counts.clone()).unwrap_or_default()
    }

    /// Counts.
    pub(crate) fn count(&self, change: impl FnOnce(&mut Counts)) {
        if let Ok(mut counts) = self.0.lock() {
            change(&mut counts);
        }
    }
}
