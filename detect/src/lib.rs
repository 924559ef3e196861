//! Judges spans of hours against frozen generations. In: records. Out: findings, in bits. It reads
//! no clock, does no I/O, and what it says does not depend on the order of the records.

mod chunk;
mod contents;
mod detector;
mod detectors;
mod engine;
mod finding;
mod fingerprints;
mod intern;
#[cfg(test)]
mod invariants;
mod reader;
mod record;
#[expect(dead_code, reason = "the engine does not ask rules yet")]
pub mod rules;
mod shard;
mod suggest;
#[cfg(test)]
mod testkit;

pub use chunk::Chunk;
pub use detector::{Case, Detector, Impact, Interest, Meta, Severity, Technique, Verdict};
pub use detectors::{DETECTORS, DetectorId, Settings};
pub use engine::{Counts as EngineCounts, Engine, Options};
pub use finding::{Finding, FindingId, FlowSeen};
pub use reader::{Call, Connection, Reader};
pub use record::{Counts, Record};
pub use suggest::suggest;
