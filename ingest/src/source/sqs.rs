//! New objects as a queue tells of them. In: messages of one SQS queue. Out: objects read whole, each
//! with a receipt; a message is deleted when all that it names is durable. It decodes nothing.
//!
//! ```text
//! receive ──▶ desk ──▶ read from S3 ──▶ deliveries ──▶ whoever reads on
//!              ▲ │                                            │
//!              │ └──▶ extend, delay, delete                   │
//!              └────────── receipts: durable, failed ◀────────┘
//! ```
//!
//! `desk.rs` decides and does nothing itself; `run.rs` does and decides nothing.

mod counters;
mod deletions;
mod desk;
mod lease;
mod message;
mod run;
mod wire;

use std::sync::Arc;

use tokio::sync::mpsc;

use super::s3::{Buckets, OBJECT_BYTES_MAX};
use super::session::Session;
use super::{Filter, Object};
use crate::time::Stretch;
use desk::{PartId, QueueRules};
use wire::Queue;

pub use counters::{Counters, Counts, Retry};

/// Objects read at a time. Unit: objects.
pub(crate) const FETCHES_MAX: usize = 16;

/// Objects handed over and not answered. Unit: objects.
pub(crate) const RECEIPTS_MAX: usize = 4_096;

/// What is set aside for an object of unknown size; CloudTrail's own notifications tell none. A larger
/// one is asked for twice. Unit: bytes.
pub(crate) const UNKNOWN_BYTES: u64 = 8 << 20;

/// How long a receive waits for messages. SQS allows 20; a stop waits for the end of the last receive,
/// since what SQS hands to a connection that is closed stays invisible. Unit: seconds.
pub(crate) const POLL_S: i32 = 4;

/// How long a stop may take; what was not answered by then is left to come again. Unit: seconds.
pub(crate) const STOP_S_MAX: u64 = 15;

/// Longest pause after receives that failed; the first is 1 s, and each doubles it. Unit: seconds.
pub(crate) const PAUSE_S_MAX: u64 = 32;

/// Delay of a message that failed for the first time, if nothing else is set. Unit: seconds.
pub(crate) const RETRY_S_DEFAULT: u32 = 30;

/// Times that the delay is doubled: with 30 s up to 8 minutes. Unit: times.
pub(crate) const RETRY_DOUBLINGS_MAX: u32 = 4;

/// What to read, and how much of it at a time.
#[derive(Debug, Clone)]
pub struct Settings {
    /// URL of the queue.
    pub queue_url: String,
    /// Accounts, regions and times asked for; objects that it excludes count as done.
    pub filter: Filter,
    /// Bytes of objects, as stored, that are read and not answered at a time; an object larger than this
    /// is not read. Unit: bytes.
    pub bytes_max: u64,
    /// How long a message that failed for the first time stays invisible; doubled each time, up to 16
    /// times this. Unit: seconds.
    pub retry_s: u32,
}

impl Settings {
    /// Everything that a queue tells of, within the usual bounds.
    pub fn of(queue_url: impl Into<String>) -> Self {
        Self {
            queue_url: queue_url.into(),
            filter: Filter::default(),
            bytes_max: OBJECT_BYTES_MAX,
            retry_s: RETRY_S_DEFAULT,
        }
    }
}

/// What was read and is durable.
pub trait Ledger: Send + Sync {
    /// Whether an object is known. The key is that of [`Object::key`]; size and entity tag (without
    /// quotes) are `None` where a notification does not tell them. Unit of the size: bytes.
    fn has_read(&self, key: &str, size_bytes: Option<u64>, etag: Option<&str>) -> bool;
}

/// An object read whole.
#[derive(Debug)]
pub struct Delivery {
    /// What it is; its place has the entity tag that was read.
    pub object: Object,
    /// Its bytes as stored.
    pub bytes: Vec<u8>,
    /// From when its message was received until it was asked for.
    pub waited: Stretch,
    /// When it was got.
    pub got: Stretch,
    /// To be answered once it is known what became of it.
    pub receipt: Receipt,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The epoch that holds it is committed.
    Durable,
    /// It could not be decoded; its message comes again, and ends among the dead letters.
    Failed {
        /// Why, in words.
        reason: String,
    },
}

/// The duty to say what became of a delivery. Dropped unanswered, its message comes again.
#[derive(Debug)]
pub struct Receipt {
    part: PartId,
    /// `None` once it was answered.
    answers: Option<mpsc::Sender<Answer>>,
}

type Answer = (PartId, Option<Outcome>);

impl Receipt {
    /// Says what became of the delivery. It never waits: there is room for every receipt that is out.
    pub fn answer(mut self, outcome: Outcome) {
        self.send(Some(outcome));
    }

    fn send(&mut self, outcome: Option<Outcome>) {
        if let Some(answers) = self.answers.take() {
            // A consumer that is gone has left its messages to come again.
            drop(answers.try_send((self.part, outcome)));
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        self.send(None);
    }
}

/// How much a sentence matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Worth knowing.
    Warn,
    /// Somebody has to do something.
    Error,
}

/// Something to be logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// How much it matters.
    pub level: Level,
    /// What happened.
    pub sentence: String,
}

/// Takes events. Called from the consumer's task; it must not wait.
pub type Tell = Arc<dyn Fn(Event) + Send + Sync>;

/// Why a queue cannot be consumed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqsError {
    /// It does not answer what it is.
    #[error(
        "queue {queue} cannot be used (expected to be allowed sqs:GetQueueAttributes, sqs:ReceiveMessage, sqs:ChangeMessageVisibility and sqs:DeleteMessage): {reason}"
    )]
    Queue {
        /// URL of the queue.
        queue: String,
        /// What SQS said.
        reason: String,
    },
    /// Whatever is received from it can be received by others at once.
    #[error(
        "queue {queue} has a visibility timeout of 0 s (expected at least 1 s, better 5 minutes)"
    )]
    NoTimeout {
        /// URL of the queue.
        queue: String,
    },
}

/// The region of `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`; `None` where another server has the queue, which may be
/// anywhere.
///
/// ```
/// let url = "https://sqs.eu-west-1.amazonaws.com/111122223333/logs";
/// assert_eq!(ingest::source::sqs::region_of(url), Some("eu-west-1"));
/// assert_eq!(ingest::source::sqs::region_of("http://127.0.0.1:5000/111122223333/logs"), None);
/// ```
pub fn region_of(queue_url: &str) -> Option<&str> {
    let host = queue_url.split_once("://")?.1.split('/').next()?;
    let named = host.strip_prefix("sqs.").or_else(|| host.strip_prefix("sqs-fips."))?;
    named.split_once(".amazonaws.com").map(|(region, _)| region)
}

/// Reads one queue.
pub struct Consumer {
    queue: Queue,
    rules: QueueRules,
    buckets: Buckets,
    settings: Settings,
    ledger: Arc<dyn Ledger>,
    tell: Tell,
    counters: Arc<Counters>,
}

impl Consumer {
    /// Asks the queue for its rules. Objects are read by `buckets`, which may go by another role.
    pub async fn open(
        session: &Session,
        buckets: Buckets,
        settings: Settings,
        ledger: Arc<dyn Ledger>,
        tell: Tell,
    ) -> Result<Self, SqsError> {
        let queue = Queue::new(session, settings.queue_url.clone());
        let rules = queue.rules().await?;
        let counters = Arc::default();
        Ok(Self { queue, rules, buckets, settings, ledger, tell, counters })
    }

    /// What it counts; may be kept after [`Consumer::run`] took it.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{s3, session};
    use super::*;

    const LIMITS: &str = include_str!("../../../docs/limits.md");

    #[test]
    fn the_page_of_limits_gives_the_bounds_in_force() {
        for (name, bound) in [
            ("s3::OBJECT_BYTES_MAX", format!("{OBJECT_BYTES_MAX} bytes")),
            ("s3::RESUMES_MAX", format!("{} requests", s3::RESUMES_MAX)),
            ("folders::DAYS_APART_MAX", format!("{} days", s3::folders::DAYS_APART_MAX)),
            ("folders::DEPTH_MAX", format!("{} folders", s3::folders::DEPTH_MAX)),
            ("folders::SIBLINGS_MAX", format!("{} folders", s3::folders::SIBLINGS_MAX)),
            ("listing::LISTINGS_MAX", format!("{} requests", s3::listing::LISTINGS_MAX)),
            ("session::CALL_ATTEMPTS_MAX", format!("{} calls", session::CALL_ATTEMPTS_MAX)),
            ("session::ANSWER_S_MAX", format!("{} seconds", session::ANSWER_S_MAX)),
            ("sqs::FETCHES_MAX", format!("{FETCHES_MAX} objects")),
            ("sqs::RECEIPTS_MAX", format!("{RECEIPTS_MAX} objects")),
            ("sqs::UNKNOWN_BYTES", format!("{UNKNOWN_BYTES} bytes")),
            ("sqs::POLL_S", format!("{POLL_S} seconds")),
            ("sqs::STOP_S_MAX", format!("{STOP_S_MAX} seconds")),
            ("sqs::PAUSE_S_MAX", format!("{PAUSE_S_MAX} seconds")),
            ("sqs::RETRY_S_DEFAULT", format!("{RETRY_S_DEFAULT} seconds")),
            ("sqs::RETRY_DOUBLINGS_MAX", format!("{RETRY_DOUBLINGS_MAX} times")),
            ("lease::INVISIBLE_S_MAX", format!("{} seconds", lease::INVISIBLE_S_MAX)),
            ("deletions::BATCH_MAX", format!("{} messages", deletions::BATCH_MAX)),
            ("deletions::DELETE_ATTEMPTS_MAX", format!("{} times", deletions::DELETE_ATTEMPTS_MAX)),
            ("deletions::DELETE_RETRY_S", format!("{} second", deletions::DELETE_RETRY_S)),
        ] {
            let row = format!("\n| `{name}` | {bound}");
            assert!(LIMITS.contains(&row), "mend docs/limits.md: {row}");
        }
    }
}
