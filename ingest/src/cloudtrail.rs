//! CloudTrail objects to records. In: the inflated object. Out: borrowed records, one call each,
//! in the order of the object. It builds no tree of values and keeps nothing between objects.
//!
//! The shape is told by content: log files (`{"Records":[...]}`), JSON lines, one record, several
//! JSON values one after the other, arrays, `LookupEvents` output, `EventBridge` events,
//! `CloudWatch` Logs subscriptions, Insights and aggregated records; digests are recognised and give nothing.
//! Tables of Security Lake are read from Parquet (`ocsf`).

use std::borrow::Cow;

use thiserror::Error;

use crate::event::{Event, Raw, Text};

mod build;
mod document;
mod feed;
mod fields;
mod ocsf;
mod walk;

pub use feed::Feed;
pub use ocsf::{is_ocsf, read_ocsf};

use feed::VALUE_BYTES_MAX;

/// Largest record that is read; AWS stops at 256 KiB, CloudTrail Lake at 1 MB. Unit: bytes.
pub(crate) const RECORD_BYTES_MAX: usize = 16 << 20;

/// Most wrappers around one record, such as a subscription around an event bus around a record.
/// Unit: wrappers.
pub(crate) const WRAPPERS_MAX: u8 = 6;

/// One record, whatever its schema.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Record<'a> {
    /// An API call, sign-in or service event.
    Event(Event<'a>),
    /// CloudTrail's own remark on unusual volume.
    Insight(Insight<'a>),
    /// Counts of data events over a window.
    Aggregated(Aggregated<'a>),
}

/// A CloudTrail Insights record: the start or end of unusual activity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Insight<'a> {
    /// `eventTime`. Unit: milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// `eventID`.
    pub id: Option<Text<'a>>,
    /// `eventType`, `AwsCloudTrailInsight`.
    pub event_type: Option<Text<'a>>,
    /// `awsRegion`.
    pub region: Option<Text<'a>>,
    /// `recipientAccountId`.
    pub recipient_account: Option<Text<'a>>,
    /// `sharedEventID`, or `sharedEventId`: the same at start and end.
    pub shared_event_id: Option<Text<'a>>,
    /// `insightDetails.state`: `Start` or `End`.
    pub state: Text<'a>,
    /// `insightDetails.eventSource`.
    pub source: Option<Text<'a>>,
    /// `insightDetails.eventName`.
    pub name: Option<Text<'a>>,
    /// `insightDetails.errorCode`, of error rates.
    pub error_code: Option<Text<'a>>,
    /// `insightDetails.insightType`: `ApiCallRateInsight` or `ApiErrorRateInsight`.
    pub kind: Option<Text<'a>>,
    /// `insightDetails.insightContext`: statistics and attributions.
    pub context: Option<Raw<'a>>,
}

/// An aggregated record: counts of data events over a window, usually of five minutes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aggregated<'a> {
    /// `timeWindow.windowStart`. Unit: milliseconds since the Unix epoch.
    pub start_ms: i64,
    /// `timeWindow.windowEnd`. Unit: milliseconds since the Unix epoch.
    pub end_ms: i64,
    /// `eventId`.
    pub id: Option<Text<'a>>,
    /// `accountId`.
    pub account: Option<Text<'a>>,
    /// `awsRegion`.
    pub region: Option<Text<'a>>,
    /// `eventSource`.
    pub source: Option<Text<'a>>,
    /// `summary`: `primaryDimension` and `details`.
    pub summary: Raw<'a>,
}

/// What an object was: the shape of its first value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// White space, or nothing at all.
    Empty,
    /// A log file, `{"Records":[...]}`.
    Records,
    /// A record by itself.
    Record,
    /// Records as JSON lines or one after the other.
    Lines,
    /// An array of records.
    Array,
    /// `LookupEvents` output, or an item of it.
    LookupEvents,
    /// An `EventBridge` event.
    EventBridge,
    /// A `CloudWatch` Logs subscription; its control messages hold no records.
    LogsSubscription,
    /// A digest: integrity data, no records.
    Digest,
}

/// One record that could not be read; those around it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("record {index} at byte {offset}: expected {expected}")]
pub struct RecordError {
    /// Position among the records of the object, counted from 0.
    pub index: usize,
    /// Where the damage is, or where the record begins. Unit: bytes from the object's start; of a
    /// record inside a string, the start of what holds the string.
    pub offset: usize,
    /// What would have been right.
    pub expected: &'static str,
}

/// An object that could not be read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ObjectError {
    /// The first thing in it is no JSON object or array.
    #[error("expected a JSON object or array at byte {offset}")]
    NotCloudTrail {
        /// Unit: bytes from the object's start.
        offset: usize,
    },
    /// It is cut short, or damaged where no next record can be found.
    #[error("broken at byte {offset}: expected {expected}")]
    Broken {
        /// Unit: bytes from the object's start.
        offset: usize,
        /// What would have been right.
        expected: &'static str,
    },
    /// A value of an object that comes in blocks is longer than what is held of it.
    #[error(
        "value at byte {offset} is longer than {VALUE_BYTES_MAX} bytes; expected shorter ones in so large an object"
    )]
    TooLong {
        /// Where it begins. Unit: bytes from the object's start.
        offset: usize,
    },
    /// Wrappers inside wrappers without end.
    #[error("record at byte {offset} is wrapped more than {WRAPPERS_MAX} times")]
    TooManyWrappers {
        /// Unit: bytes from the object's start.
        offset: usize,
    },
}

/// Calls `visit` with the index and content of every record of `text`. A bad record costs that
/// record; an error means that what follows the last visited record is lost.
///
/// What decides where values begin and end is checked. Control characters and unknown escapes
/// inside strings, and the grammar inside nested values beyond brackets and quotes, are let
/// through; what `serde_json` accepts as well reads the same.
///
/// ```
/// use ingest::cloudtrail::{Record, Shape, read};
///
/// let object = r#"{"Records":[{"eventTime":"2025-03-14T10:00:00Z",
///     "eventSource":"s3.amazonaws.com","eventName":"PutObject"}]}"#;
/// let shape = read(object, |index, record| {
///     assert_eq!(index, 0);
///     assert!(matches!(record, Ok(Record::Event(event)) if event.name == "PutObject"));
/// });
/// assert_eq!(shape, Ok(Shape::Records));
/// ```
pub fn read<F>(text: &str, mut visit: F) -> Result<Shape, ObjectError>
where
    F: FnMut(usize, Result<Record<'_>, RecordError>),
{
    document::read(text, &mut visit)
}

/// An object's bytes as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// Borrowed where the bytes are UTF-8, else with U+FFFD for what is not.
    pub text: Cow<'a, str>,
    /// Whether some bytes were not UTF-8; to be marked on what is read from them.
    pub lossy: bool,
}

/// The text of an object, for [`read`]. Where it is lossy, byte offsets in errors count in the
/// text and not in `bytes`.
pub fn text(bytes: &[u8]) -> Decoded<'_> {
    // `from_utf8_lossy` alone looks at every byte and takes as long as inflating.
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => Decoded { text: Cow::Borrowed(text), lossy: false },
        Err(_) => Decoded { text: String::from_utf8_lossy(bytes), lossy: true },
    }
}

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;
