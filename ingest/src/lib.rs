//! Turns bytes into records. In: objects of CloudTrail and VPC Flow Logs. Out: events and flow
//! batches. What readers keep from one object to the next (buffers, guesses, tables) changes no answer,
//! and nothing reads a clock but the timers of a queue (`source::sqs`, with the feature `aws`).

pub mod agent;
pub mod cloudtrail;
pub mod decode;
pub mod enrich;
pub mod event;
pub mod flow;
pub mod flowlog;
pub mod instant;
mod json;
pub mod notification;
pub mod parquet;
pub mod source;
pub mod target;
#[cfg(any(test, feature = "testkit"))]
pub mod testkit;
pub mod time;

pub use event::{Event, Identity, Raw, Text};
