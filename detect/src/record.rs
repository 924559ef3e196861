//! One record as a detector sees it, and what it may count of it.

use baseline::{Dimension, Principal};
use ingest::{
    Event,
    enrich::{Caller, Origin},
};

/// One record, with what is known of its caller.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The record.
    pub event: &'a Event<'a>,
    /// Its API, for example `s3:PutObject`, without the versions of some names.
    pub api: &'a str,
    /// Who called.
    pub principal: &'a Principal,
    /// From where.
    pub caller: Caller,
    /// What is known of that address.
    pub origin: Origin,
    /// The account that received the call.
    pub account: &'a str,
}

/// One thing to count of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) dimension: Dimension,
    pub(crate) value: Option<String>,
    pub(crate) amount: u64,
}

/// What is counted of one record.
#[derive(Debug, Default)]
pub struct Counts(pub(crate) Vec<Count>);

impl Counts {
    /// Things counted of one record. More are one `value` too many for a single call. Unit: things.
    pub const MAX: usize = 1_024;

    /// Counts `amount` of `dimension`.
    pub fn add(&mut self, dimension: Dimension, amount: u64) {
        self.push(Count { dimension, value: None, amount });
    }

    /// Counts one of `dimension`, with its value.
    pub fn value(&mut self, dimension: Dimension, value: impl Into<String>) {
        self.push(Count { dimension, value: Some(value.into()), amount: 1 });
    }

    fn push(&mut self, count: Count) {
        if self.0.len() < Self::MAX {
            self.0.push(count);
        }
    }
}
