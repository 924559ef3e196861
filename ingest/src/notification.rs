//! Reads what tells of new log objects. In: the body of an SQS message or a notification as JSON.
//! Out: the objects it names. The shape is told from the content, never from the configuration;
//! nothing is fetched.
//!
//! | shape | looks like | keys |
//! |---|---|---|
//! | S3 event | `Records[]` with `eventSource` `aws:s3` | form-urlencoded |
//! | S3 test | `Event` `s3:TestEvent` | none |
//! | SNS envelope | `Type` `Notification`, the rest in `Message` | as inside |
//! | CloudTrail's own | `s3Bucket`, `s3ObjectKey[]` | plain |
//! | CloudTrail's validation | the text `CloudTrail validation message.` | none |
//! | `EventBridge` | `source` `aws.s3`, `detail-type` `Object ...` | plain |
//! | Security Lake | `EventBridge`, buckets `aws-security-data-lake-*` | plain |
//!
//! Wrappers around these (`Records[].body` of SQS, `Records[].Sns.Message` of SNS, as Lambda
//! hands them on) are taken off.

mod read;

use std::borrow::Cow;

pub use read::parse;

/// Longest body read: twice what SQS carries (1 MiB), since Lambda's wrapper escapes a body once
/// more. Unit: bytes.
pub const BODY_BYTES_MAX: usize = 2 << 20;

/// Envelopes taken off one another: SQS wrapper, SNS envelope, message, and one to spare. Unit:
/// envelopes.
pub(crate) const ENVELOPES_MAX: usize = 4;

/// Opening braces a body may have. A JSON object takes about 670 bytes of memory however short it
/// is; events of S3 have at most one in 75 bytes. Unit: braces.
pub(crate) const BRACES_MAX: usize = 1 << 16;

/// What kind of message a body is, envelopes taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shape {
    /// An event that S3 sent itself.
    S3,
    /// The message by which S3 tries out a new configuration.
    S3Test,
    /// CloudTrail's notification of log files.
    CloudTrail,
    /// The message by which CloudTrail tries out a topic.
    CloudTrailValidation,
    /// An S3 event by way of `EventBridge`.
    EventBridge,
    /// `EventBridge`'s shape for a subscriber of Security Lake.
    SecurityLake,
    /// SNS asking to confirm a subscription, or telling of its end.
    SnsSubscription,
}

/// What happened to the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It was written; the only action after which there is something new to read.
    Created,
    /// It was deleted or expired.
    Removed,
    /// It was brought back from an archive; what it holds was announced when it was written.
    Restored,
    /// Tags, access lists, replication and the like.
    Other,
}

/// An object that a notification names.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ObjectRef {
    /// Bucket name.
    pub bucket: String,
    /// Key, decoded.
    pub key: String,
    /// What happened to it.
    pub action: Action,
    /// Version, in a bucket that keeps versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// Entity tag, without quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Size. Unit: bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// Order among the events of one key: hexadecimal, of different lengths, the shorter padded with zeros
    /// on its right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequencer: Option<String>,
    /// When it happened. Unit: milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_ms: Option<i64>,
}

/// A message understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// What it is; of a wrapper with several messages, the first one's shape.
    pub shape: Shape,
    /// Every object it names, in its order, whatever happened to them.
    pub objects: Vec<ObjectRef>,
}

/// Why a message was not understood. Such a message stays in its queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotificationError {
    /// Larger than any queue delivers.
    #[error("notification of {bytes} bytes is larger than the {BODY_BYTES_MAX} byte limit")]
    TooLarge {
        /// Unit: bytes.
        bytes: usize,
    },
    /// Made to take memory.
    #[error("notification has more than {BRACES_MAX} opening braces")]
    TooManyBraces,
    /// Neither JSON nor one of the texts that services send.
    #[error("notification is not JSON: {reason}")]
    NotJson {
        /// What the parser said, with line and column.
        reason: String,
    },
    /// JSON, but nothing that tells of objects.
    #[error(
        "unknown notification shape: {found} (expected an event of S3, EventBridge or CloudTrail, plain or in an SNS envelope)"
    )]
    UnknownShape {
        /// What it has instead.
        found: String,
    },
    /// Envelope in envelope in envelope.
    #[error("notification has more than {ENVELOPES_MAX} envelopes around it")]
    TooDeep,
    /// A shape that is known lacks what it must have.
    #[error("{shape:?} notification has no {field} (record {record})")]
    MissingField {
        /// The shape.
        shape: Shape,
        /// Where the field would be.
        field: &'static str,
        /// Which of its records, from 0.
        record: usize,
    },
    /// An S3 event of a version that may mean something else by the same names.
    #[error("S3 event version {version} is not known (expected 2.x)")]
    UnknownVersion {
        /// What `eventVersion` says, shortened.
        version: String,
    },
    /// A key that is not UTF-8 when decoded; S3 keys are.
    #[error("key of record {record} is not UTF-8 when decoded")]
    BadKey {
        /// Which of its records, from 0.
        record: usize,
    },
}

/// The text that a form-urlencoded text stands for: `+` is a space, `%XX` a byte. A `%` that no
/// two hexadecimal digits follow stands for itself. `None` if the bytes are not UTF-8.
pub fn decode_key(encoded: &str) -> Option<Cow<'_, str>> {
    if !encoded.contains(['+', '%']) {
        return Some(Cow::Borrowed(encoded));
    }
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let (decoded, after) = match (byte, after) {
            (b'+', _) => (b' ', after),
            (b'%', [high, low, behind @ ..]) => match hex_byte(*high, *low) {
                Some(decoded) => (decoded, behind),
                None => (byte, after),
            },
            _ => (byte, after),
        };
        bytes.push(decoded);
        rest = after;
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

#[cfg(test)]
mod tests;
