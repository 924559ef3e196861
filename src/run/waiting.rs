//! Objects that are to be read, in the order of their stamps, with what is known of them already: their bytes,
//! and who waits to hear what became of them.

use crate::pipeline::Got;
use baseline::Day;
use ingest::source::{Object, sqs::Receipt};
use std::{borrow::Cow, cmp::Ordering, collections::BTreeSet};

/// One object.
#[derive(Debug)]
struct One {
    object: Object,
    /// Where a queue told of it; boxed, since what comes by folder waits by the million.
    delivered: Option<Box<Delivered>>,
}

/// What came with a message.
#[derive(Debug)]
struct Delivered {
    got: Option<Got>,
    receipts: Vec<Receipt>,
}

impl One {
    /// Stamp, key and version. Unit: milliseconds since the Unix epoch.
    fn order(&self) -> (i64, &str, Cow<'_, str>) {
        let version = self.object.version().unwrap_or_default();
        (self.object.stamp_ms.unwrap_or_default(), self.object.key(), version)
    }
}

impl Ord for One {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl PartialOrd for One {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for One {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for One {}

/// Objects by stamp, key and version.
#[derive(Debug, Default)]
pub(super) struct Waiting(BTreeSet<One>);

impl Waiting {
    /// An object that is to be read, with its bytes and a receipt if a queue told of it.
    pub(super) fn add(&mut self, object: Object, delivered: Option<(Got, Receipt)>) {
        let of_queue =
            |(got, receipt)| Box::new(Delivered { got: Some(got), receipts: vec![receipt] });
        let mut one = One { object, delivered: delivered.map(of_queue) };
        if let Some(known) = self.0.take(&one) {
            one.delivered = match (known.delivered, one.delivered) {
                (Some(mut known), Some(new)) => {
                    known.receipts.extend(new.receipts);
                    Some(known)
                }
                (known, new) => known.or(new),
            };
        }
        self.0.insert(one);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first stamp. Unit: milliseconds since the Unix epoch.
    pub(super) fn first_ms(&self) -> Option<i64> {
        self.0.first().map(|one| one.order().0)
    }

    /// The first of them, of so many bytes as stored, as long as the oldest open day stays the same; never two
    /// versions of an object, since the second is to be compared with the first.
    pub(super) fn take(&mut self, bytes_max: u64, oldest_open_at: impl Fn(i64) -> Day) -> Batch {
        let mut batch: Vec<One> = Vec::new();
        let mut batch_bytes = 0;
        let mut first = None;
        while let Some(one) = self.0.first() {
            let (stamp_ms, key, _) = one.order();
            let oldest_open = oldest_open_at(stamp_ms);
            let is_version = batch.last().is_some_and(|last| last.object.key() == key);
            let is_later = first.is_some_and(|first| first != oldest_open);
            if batch_bytes >= bytes_max || is_later || is_version {
                break;
            }
            first = Some(oldest_open);
            batch_bytes += one.object.size_bytes;
            batch.extend(self.0.pop_first());
        }
        Batch(batch)
    }
}

/// Objects that are applied together.
#[derive(Debug)]
pub(super) struct Batch(Vec<One>);

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn objects(&self) -> impl Iterator<Item = &Object> {
        self.0.iter().map(|one| &one.object)
    }

    /// The bytes of each, as far as they were read already.
    pub(super) fn take_contents(&mut self) -> Vec<Option<Got>> {
        self.0.iter_mut().map(|one| one.delivered.as_mut()?.got.take()).collect()
    }

    /// Who waits for each.
    pub(super) fn into_receipts(self) -> impl Iterator<Item = (Object, Vec<Receipt>)> {
        self.0.into_iter().map(|one| {
            (one.object, one.delivered.map(|delivered| delivered.receipts).unwrap_or_default())
        })
    }
}
