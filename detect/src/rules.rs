//! Rules: known-bad knowledge that people read, share and add without Rust. Sigma documents in,
//! predicates and correlations out, judged in event time like everything else.

mod bonds;
mod changes;
mod compile;
mod decoys;
mod derived;
mod fields;
pub(crate) mod index;
mod known;
mod library;
mod lists;
pub(crate) mod matcher;
mod names;
pub(crate) mod policy;
mod ports;
mod predicate;
pub(crate) mod rule;
pub(crate) mod samples;
pub(crate) mod set;
pub(crate) mod sieve;
pub(crate) mod sigma;
#[cfg(test)]
mod testkit;
pub(crate) mod view;
pub(crate) mod walk;
mod words;
mod yaml;

pub use changes::RuleChanges;
pub use compile::DOCUMENTS_MAX;
pub use decoys::Decoys;
pub use fields::derived;
pub use index::{Left, OfApi, Open};
pub use library::{RuleCounts, RuleFile, Rules};
pub use lists::{BYTES_MAX, ENTRIES_MAX, List, ListError, Lists};
pub use names::Names;
pub use rule::RuleNo;
pub use samples::{SampleCounts, test_rules};
pub use set::RuleSet;
pub use sieve::{Candidates, Numbers, Sieve};
pub use sigma::{RuleError, Whose, Why};
use std::sync::Arc;

impl RuleSet {
    /// The rules of files, and what is wrong with the others. A file is the name that messages and ids
    /// have of it, and its text.
    pub fn read<'f>(
        files: impl IntoIterator<Item = (&'f str, &'f str)>,
        names: Names,
    ) -> (Self, Vec<RuleError>) {
        let (mut documents, mut errors) = (Vec::new(), Vec::new());
        for (file, text) in files {
            let (sound, faults) = sigma::read(&Arc::from(file), text, Whose::Own);
            documents.extend(sound);
            errors.extend(faults);
        }
        let (rules, faults) = Self::compile(documents, names);
        errors.extend(faults);
        errors.sort();
        (rules, errors)
    }
}

/// What is wrong with the rules in a file. `file` is its name in messages.
pub fn check(file: &str, text: &str) -> Vec<RuleError> {
    let (_, errors) = sigma::read(&Arc::from(file), text, Whose::Own);
    errors
}
