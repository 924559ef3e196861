//! One record as a detector sees it, and what it may count of it.

use crate::{facts::Topic, own::Own};
use baseline::{Dimension, Principal};
use ingest::{
    Event, Identity,
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
    /// What else of its caller was worked out once.
    pub acting: Acting,
    /// From where.
    pub caller: Caller,
    /// What is known of that address.
    pub origin: Origin,
    /// The account that received the call.
    pub account: &'a str,
    /// What sentrail lives on.
    pub own: &'a Own,
}

/// Whether AWS acts, by what the record says of its caller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Acting {
    /// An AWS service acts, by itself or for somebody.
    pub(crate) for_service: bool,
    /// The record names somebody, or says that AWS acts.
    pub(crate) is_named: bool,
}

impl Acting {
    /// Of this caller.
    pub fn of(identity: &Identity<'_>) -> Self {
        let is_invoked = identity.invoked_by.is_some_and(|by| !by.is_empty());
        let for_service = is_invoked || identity.kind.is_some_and(|kind| kind.is("AWSService"));
        let Identity { arn, principal_id, user_name, on_behalf_of, .. } = *identity;
        let mut names = [arn, principal_id, user_name, on_behalf_of].into_iter().flatten();
        Self { for_service, is_named: for_service || names.any(|name| !name.is_empty()) }
    }
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
pub struct Counts {
    /// What the profile of the caller counts.
    pub(crate) all: Vec<Count>,
    /// What the account remembers.
    pub(crate) facts: Vec<(Topic, String, u64)>,
}

impl Counts {
    /// Things counted of one record. More are one `value` too many for a single call. Unit: things.
    pub(crate) const MAX: usize = 1_024;

    /// Counts `amount` of `dimension`.
    pub(crate) fn add(&mut self, dimension: Dimension, amount: u64) {
        self.push(Count { dimension, value: None, amount });
    }

    /// Counts one of `dimension`, with its value.
    pub(crate) fn value(&mut self, dimension: Dimension, value: impl Into<String>) {
        self.push(Count { dimension, value: Some(value.into()), amount: 1 });
    }

    /// Says something of the account, whoever called.
    pub(crate) fn fact(&mut self, topic: Topic, words: String) {
        self.fact_of(topic, words, 0);
    }

    /// Says something of so much. Unit: that of the topic.
    pub(crate) fn fact_of(&mut self, topic: Topic, words: String, amount: u64) {
        if self.facts.len() < Self::MAX {
            self.facts.push((topic, words, amount));
        }
    }

    fn push(&mut self, count: Count) {
        if self.all.len() < Self::MAX {
            self.all.push(count);
        }
    }
}
