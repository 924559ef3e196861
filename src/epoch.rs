//! An epoch: what one transaction of a state holds. In: objects that were applied, and what was found. Out:
//! both, durable. What the file knows of is left out of what is listed.

use crate::{clock, fault};
use alerts::StateFile;
use anyhow::Result;
use baseline::Day;
use detect::{Engine, Finding};
use ingest::source::{Listing, Object, Skip};
use std::collections::BTreeMap;

/// How far clocks may differ. A later time in a name would close all days before it for ever. Unit:
/// milliseconds (1 h).
const AHEAD_MS_MAX: i64 = 60 * 60 * 1_000;

/// What was done since the last commit.
#[derive(Debug, Default)]
pub(crate) struct Epoch {
    found: Vec<Finding>,
    /// Size as stored and stamp, by key.
    objects: BTreeMap<Box<str>, (u64, i64)>,
}

impl Epoch {
    /// Findings that are to be kept.
    pub(crate) fn found(&mut self, findings: &[Finding]) {
        self.found.extend_from_slice(findings);
    }

    /// An object whose records are applied.
    pub(crate) fn applied(&mut self, object: &Object) {
        let stamp_ms = object.info.stamp_ms.unwrap_or(i64::MIN);
        self.objects.insert(object.key.clone(), (object.size_bytes, stamp_ms));
    }

    /// Whether this object was applied in it.
    pub(crate) fn holds(&self, object: &Object) -> bool {
        self.objects
            .get(&object.key)
            .is_some_and(|(size_bytes, _)| *size_bytes == object.size_bytes)
    }

    /// Sizes and stamps of its objects. Unit: bytes as stored; milliseconds since the Unix epoch.
    pub(crate) fn objects(&self) -> impl Iterator<Item = (u64, i64)> {
        self.objects.values().copied()
    }

    /// Whether there is nothing to commit.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty() && self.objects.is_empty()
    }

    /// Makes durable what was done, and answers what was found.
    pub(crate) fn commit(
        &mut self,
        file: &mut StateFile,
        engine: &mut Engine,
    ) -> Result<Vec<Finding>> {
        let Self { found, objects } = std::mem::take(self);
        file.epoch(|file| -> Result<()> {
            for finding in &found {
                fault::point("mid-transaction");
                file.finding(finding)?;
            }
            engine.changed(&mut |change| {
                fault::point("mid-transaction");
                file.change(change)
            })?;
            for (key, (size_bytes, stamp_ms)) in objects {
                fault::point("mid-transaction");
                file.object(&key, size_bytes, Day::of(stamp_ms))?;
            }
            Ok(())
        })?;
        fault::point("after-commit");
        Ok(found)
    }
}

/// Why an object is not to be read by whoever goes on with `file`, if it is not. Objects without a stamp are
/// the caller's to refuse.
pub(crate) fn left_out(file: &StateFile, object: &Object) -> Result<Option<Skip>> {
    let Some(stamp_ms) = object.info.stamp_ms else { return Ok(None) };
    if file.known_from().is_some_and(|first| Day::of(stamp_ms) < first) {
        return Ok(Some(Skip::LongAgo));
    }
    if stamp_ms > clock::now_ms().saturating_add(AHEAD_MS_MAX) {
        return Ok(Some(Skip::ToCome));
    }
    Ok(file.has_read(&object.key, object.size_bytes)?.then_some(Skip::ReadBefore))
}

/// Leaves of a listing what is still to be read.
pub(crate) fn leave_unread(file: &StateFile, listing: &mut Listing) -> Result<()> {
    let mut left = Vec::with_capacity(listing.objects.len());
    for object in std::mem::take(&mut listing.objects) {
        match left_out(file, &object)? {
            Some(skip) => listing.skipped.add(skip),
            None => left.push(object),
        }
    }
    listing.objects = left;
    Ok(())
}
