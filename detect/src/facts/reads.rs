//! Who read how much of S3, and where: records to the words of facts, and back.

use super::Topic;
use crate::record::{Counts, Record};
use ingest::{enrich::Caller, event::Outcome};

/// Smaller objects are not counted: whoever takes much by small ones makes many calls. Unit: bytes.
const OBJECT_BYTES_MIN: u64 = 1 << 20;

/// What stands for no instance.
const NONE: &str = "-";

/// What a record says of an object that was read.
pub(crate) fn contribute(record: &Record<'_>, counts: &mut Counts) {
    if record.api != "s3:GetObject" {
        return;
    }
    let sent = record.event.additional.and_then(|raw| raw.get("bytesTransferredOut"));
    let Some(bytes) = sent.and_then(|raw| raw.0.parse::<f64>().ok()) else { return };
    let (Caller::Public(ip) | Caller::Private(ip)) = record.caller else { return };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
    let bytes = bytes as u64;
    if bytes < OBJECT_BYTES_MIN || record.event.outcome() == Outcome::Failure {
        return;
    }
    let (principal, entity) = (record.principal, &record.principal.entity);
    let instance = principal.instance().unwrap_or(NONE);
    let (kind, key) = (entity.kind.name(), &entity.key);
    let words = format!("{} {instance} {kind} {key}", ip.to_canonical());
    counts.fact_of(Topic::Read, words, bytes >> 10);
}

/// What a fact says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReadFrom<'f> {
    /// From where the caller called.
    pub(crate) address: &'f str,
    /// Whose credentials they were, if an instance's.
    pub(crate) instance: Option<&'f str>,
    /// Key of the identity.
    pub(crate) key: &'f str,
}

impl<'f> ReadFrom<'f> {
    /// Of the words of a fact.
    pub(crate) fn of(text: &'f str) -> Option<Self> {
        let mut words = text.splitn(4, ' ');
        let (address, instance) = (words.next()?, words.next()?);
        let (_, key) = (words.next()?, words.next()?);
        Some(Self { address, instance: Some(instance).filter(|one| *one != NONE), key })
    }
}
