//! Judges spans of hours against frozen generations. In: records. Out: findings, in bits. It reads
//! no clock, does no I/O, and what it says does not depend on the order of the records.

mod about;
mod anomaly;
mod budget;
mod chunk;
mod contents;
#[cfg(test)]
mod coverage;
mod detector;
mod detectors;
mod engine;
mod facts;
mod finding;
mod fingerprints;
mod flows;
mod hear;
mod hindsight;
mod impact;
mod intake;
mod interests;
mod intern;
#[cfg(test)]
mod invariants;
mod kinds;
mod learned;

mod marks;
mod own;
mod pattern;
mod pieces;
mod priors;
mod probe;
mod reader;
mod reconfigure;
mod record;
mod resolvers;
pub mod rules;
mod shard;
mod shelf;
pub mod stage;
mod state;
mod suggest;
mod sums;
#[cfg(test)]
mod testkit;
mod touched;
mod trail;
mod watch;

pub use about::{About, Catalogue};
pub use budget::{Bound, Threshold};
pub use chunk::{Chunk, FlowMatch};
pub use detector::{Case, Detector, Impact, Interest, Meta, Severity, Technique, Verdict};
pub use detectors::{DETECTORS, Settings};
pub use engine::{Engine, Options};
pub use finding::{Finding, FindingId, FlowSeen};
pub use hear::{Heard, withheld_of, withheld_since};
pub use intake::Intake;
pub use kinds::Kinds;
pub use learned::{Blob, Part};
pub use marks::{Lessons, Mark, Marked, Marks, Nature};
pub use own::{Own, TAMPERED};
pub(crate) use pattern::beginning;
pub use pattern::{fits, fits_any, literal};
pub use probe::{JudgedDay, JudgedSpan, Look, Probe};
pub use reader::{FlowRows, Reader};
pub use record::{Acting, Counts, Record};
pub use rules::{RuleFile, Rules};
pub use shelf::{Away, Shelf, ShelfError};
pub use state::{Change, ResumeError, entity_of};
pub use suggest::{slip_of, suggest};
