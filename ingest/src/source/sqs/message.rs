//! A message in hand. In: its body, the filter, the ledger. Out: which objects are to be read for it,
//! and what is to be done with it once it is known what became of each.

use std::collections::BTreeSet;

use super::super::s3::{S3Error, S3Object, unwanted};
use super::super::{Filter, Object};
use super::counters::{Counters, Retry};
use super::lease::Lease;
use super::{Ledger, RETRY_DOUBLINGS_MAX};
use crate::notification::{self, Action, NotificationError};

/// A message as it was received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) body: String,
    pub(crate) handle: String,
    /// Times that it was received, this one included.
    pub(crate) receive_count: u32,
}

/// What became of an object of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// To be read.
    Waiting,
    /// Being read.
    Fetching,
    /// Read, to be handed over.
    Ready,
    /// Handed over, not answered.
    Handed,
    /// Durable, or known by the ledger.
    Done,
    /// Failed.
    Failed(Retry),
    /// Given up before it was handed over.
    Dropped,
}

/// An object of a message that is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) object: Object,
    pub(crate) at: S3Object,
    /// Entity tag that the message gives it.
    pub(crate) etag: Option<Box<str>>,
    /// Its size if it is known. Unit: bytes.
    pub(crate) size_bytes: Option<u64>,
    pub(crate) state: State,
    /// What is set aside for it of the bytes that may be held. Unit: bytes.
    pub(crate) held_bytes: u64,
}

/// What is to be done with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing yet.
    Open,
    /// All of it is durable or known.
    Delete,
    /// Others may have it already: it is left.
    Leave,
    /// It shall come again later.
    Delay(Retry),
    /// It shall come again at once: the consumer was stopped.
    Release,
}

/// A message in hand.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) handle: String,
    pub(crate) receive_count: u32,
    pub(crate) lease: Lease,
    pub(crate) parts: Vec<Part>,
}

impl Message {
    /// What to do with it. A lost lease forbids to delete, whatever became of its objects: the handle
    /// is stale, and the ledger will answer whoever gets the message.
    pub(crate) fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::Delete;
        for part in &self.parts {
            match (&part.state, verdict) {
                (State::Waiting | State::Fetching | State::Ready | State::Handed, _) => {
                    return Verdict::Open;
                }
                (State::Done, _) | (_, Verdict::Delay(_)) => {}
                (State::Failed(retry), _) => verdict = Verdict::Delay(*retry),
                (State::Dropped, _) => verdict = Verdict::Release,
            }
        }
        if self.lease.is_lost() { Verdict::Leave } else { verdict }
    }
}

/// The objects of a message that are to be read. Those that are not count as done.
pub(crate) fn parts(
    body: &str,
    filter: &Filter,
    ledger: &dyn Ledger,
    counters: &Counters,
) -> Result<Vec<Part>, NotificationError> {
    let notification = notification::parse(body.as_bytes())?;
    if notification.objects.is_empty() {
        counters.count(|counts| counts.messages_without_objects += 1);
    }
    let mut met = BTreeSet::new();
    let mut parts = Vec::new();
    for named in notification.objects {
        let name = (named.bucket.clone(), named.key.clone(), named.version_id.clone());
        if !met.insert(name) {
            continue;
        }
        if named.action != Action::Created {
            counters.count(|counts| counts.objects_not_created += 1);
            continue;
        }
        let at = S3Object {
            bucket: named.bucket.into(),
            key: named.key.into(),
            version_id: named.version_id.map(Into::into),
            // What is there now is read: a message about what was there before finds it in the ledger.
            etag: None,
        };
        let object = at.clone().object(named.size_bytes.unwrap_or_default());
        if let Some(skip) = unwanted(object.key(), &object.info(), named.size_bytes, filter) {
            counters.count(|counts| counts.objects_skipped.add(skip));
            continue;
        }
        if ledger.has_read(object.key(), named.size_bytes, named.etag.as_deref()) {
            counters.count(|counts| counts.objects_known += 1);
            continue;
        }
        let (size_bytes, etag) = (named.size_bytes, named.etag.map(Into::into));
        parts.push(Part { object, at, etag, size_bytes, state: State::Waiting, held_bytes: 0 });
    }
    Ok(parts)
}

/// Why a message comes again, by the error of one of its objects.
pub(crate) fn retry_of(error: &S3Error) -> Retry {
    match error {
        S3Error::Gone { .. } => Retry::Gone,
        S3Error::Denied { .. } => Retry::Denied,
        S3Error::Changed { .. } => Retry::Changed,
        S3Error::Unavailable { .. } => Retry::Unavailable,
        S3Error::TooLarge { .. } => Retry::TooLarge,
        S3Error::Other { .. } => Retry::Other,
    }
}

/// How long a message that failed stays invisible: doubled with each time that it was received. Unit:
/// seconds.
pub(crate) fn delay_s(retry_s: u32, receive_count: u32) -> u32 {
    let doublings = receive_count.saturating_sub(1).min(RETRY_DOUBLINGS_MAX);
    retry_s.saturating_mul(1 << doublings)
}
