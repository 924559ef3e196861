//! Delivers findings. Text from logs is hostile: it is escaped here, at the door out.

mod accounts;
mod compared;
mod confidence;
mod day;
mod escape;
mod formats;
mod kept;
mod name;
mod report;
#[cfg(test)]
mod sample;
mod seen;
pub mod sinks;
mod suppression;

pub use accounts::{Account, Accounts};
pub use compared::{ById, Difference, Judged, differences, write_differences};
pub use day::parse_day;
pub use escape::escape;
pub use formats::{Format, Style, Writer, csv_cell, explain, show, write_json};
pub use kept::{
    Dropped, FindingsSpool, Keeper, Kept, KeptError, KeptFindings, KeptMark, KnownObjects,
    LearnedFile, LearnedWriter, Learning, MANIFEST_BYTES_MAX, Manifest, MessageCounts, Outbox,
    PIECE_BYTES, PieceId, ProfileShelf, Run, Scope, Settled, SnapshotError, SnapshotId, Spool,
    StateFacts, StateFile, Tally, UnreadState, Version, Wanted, export, forget, import, resend,
};
pub use name::readable;
pub use report::Inputs;
pub use suppression::{
    Criterion, Field, Grounds, OWNER_OPEN, PATTERN_BYTES_MAX, REASON_OPEN, Suppression,
    Suppressions, WrongValue, suppression_snippet,
};
