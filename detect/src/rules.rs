//! Rules: known-bad knowledge that people read, share and add without Rust. Sigma documents in,
//! predicates and correlations out, judged in event time like everything else.

mod compile;
mod decoys;
mod derived;
mod fields;
mod index;
mod lists;
mod matcher;
mod names;
pub(crate) mod policy;
mod predicate;
mod rule;
mod set;
mod sigma;
#[cfg(test)]
mod testkit;
mod view;
mod walk;
mod yaml;

pub use compile::DOCUMENTS_MAX;
pub use decoys::Decoys;
pub use lists::{BYTES_MAX, ENTRIES_MAX, List, ListError, Lists};
pub use names::Names;
pub use set::RuleSet;
pub use sigma::RuleError;
use std::sync::Arc;

/// What is wrong with the rules in a file. `file` is its name in messages.
pub fn check(file: &str, text: &str) -> Vec<RuleError> {
    let (_, errors) = sigma::read(&Arc::from(file), text);
    errors
}
