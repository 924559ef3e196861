//! Delivers findings. Text from logs is hostile: it is escaped here, at the door out.

mod compared;
mod confidence;
mod escape;
mod formats;
mod kept;
mod name;
mod report;
#[cfg(test)]
mod sample;
mod seen;
pub mod sinks;

pub use compared::{ById, Difference, differences, write_differences};
pub use escape::escape;
pub use formats::{Format, Style, Writer, csv_cell, explain, show, write_json};
pub use kept::{
    Dropped, Keeper, Kept, KeptError, KeptFindings, KeptMark, KnownObjects, LearnedFile,
    LearnedWriter, Learning, MessageCounts, Outbox, ProfileShelf, Run, Scope, Settled, StateFacts,
    StateFile, Tally, Version, Wanted, forget, resend,
};
pub use name::readable;
pub use report::Inputs;
