//! Rules: known-bad knowledge that people read, share and add without Rust. Sigma documents in,
//! predicates and correlations out, judged in event time like everything else.

mod compile;
mod decoys;
mod derived;
mod fields;
pub(crate) mod index;
mod library;
mod lists;
mod matcher;
mod names;
pub(crate) mod policy;
mod predicate;
pub(crate) mod rule;
mod samples;
pub(crate) mod set;
pub(crate) mod sigma;
pub(crate) mod view;
mod walk;
mod yaml;

pub use compile::DOCUMENTS_MAX;
pub use decoys::Decoys;
pub use library::{RuleFile, Rules};
pub use lists::{BYTES_MAX, ENTRIES_MAX, List, ListError, Lists};
pub use names::Names;
pub use samples::{SampleCounts, test_rules};
pub use set::RuleSet;
pub use sigma::RuleError;
use std::sync::Arc;

/// What is wrong with the rules in a file. `file` is its name in messages.
pub fn check(file: &str, text: &str) -> Vec<RuleError> {
    let (_, errors) = sigma::read(&Arc::from(file), text);
    errors
}
