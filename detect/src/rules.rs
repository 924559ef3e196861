//! Rules: known-bad knowledge that people read, share and add without Rust. Sigma documents in,
//! predicates and correlations out, judged in event time like everything else.

mod sigma;
mod yaml;

pub use sigma::RuleError;
use std::sync::Arc;

/// What is wrong with the rules in a file. `file` is its name in messages.
pub fn check(file: &str, text: &str) -> Vec<RuleError> {
    let (_, errors) = sigma::read(&Arc::from(file), text);
    errors
}
