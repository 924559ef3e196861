//! Rules: known-bad knowledge that people read, share and add without Rust. Sigma documents in,
//! predicates and correlations out, judged in event time like everything else.

mod sigma;
mod yaml;
