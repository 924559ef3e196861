//! An epoch: what one transaction of a state holds. In: objects that were applied, and what was found. Out:
//! both, durable. What the file knows of is left out of what is listed.

use crate::{clock, fault, run::operations};
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
#[derive(Debug)]
pub(crate) struct Epoch {
    /// Findings of days that closed.
    closed: Vec<Finding>,
    /// Findings about the watch itself, which no day's closing confirms.
    operations: Vec<Finding>,
    /// Size as stored and stamp, by key.
    objects: BTreeMap<Box<str>, (u64, i64)>,
    /// The first day that was open at the last commit.
    open_from: Day,
}

/// What hears of each finding within the transaction that keeps it.
pub(crate) type Tell<'a> = &'a mut dyn FnMut(&StateFile, &Finding) -> Result<()>;

impl Epoch {
    /// The first of an engine that has taken back its state.
    pub(crate) fn of(engine: &Engine) -> Self {
        Self {
            closed: Vec::new(),
            operations: Vec::new(),
            objects: BTreeMap::new(),
            open_from: engine.oldest_open(),
        }
    }

    /// Findings of days that closed.
    pub(crate) fn closed(&mut self, findings: &[Finding]) {
        self.closed.extend_from_slice(findings);
    }

    /// A finding about the watch itself.
    pub(crate) fn operation(&mut self, finding: Finding) {
        self.operations.push(finding);
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
        self.closed.is_empty() && self.operations.is_empty() && self.objects.is_empty()
    }

    /// Makes durable what was done, and answers what is new of what was found, or more severe than it was. What
    /// was told of days on the way, and their closing does not confirm, is taken out.
    pub(crate) fn commit(
        &mut self,
        file: &mut StateFile,
        engine: &mut Engine,
        tell: Tell<'_>,
    ) -> Result<Vec<Finding>> {
        let on_the_way = engine.judge_open();
        let Self { closed, operations, objects, open_from } =
            std::mem::replace(self, Self::of(engine));
        let mut news = Vec::new();
        file.epoch(|file| -> Result<()> {
            file.take_out((open_from, engine.oldest_open()), &operations::IDS)?;
            for finding in closed.into_iter().chain(on_the_way).chain(operations) {
                fault::point("mid-transaction");
                tell(file, &finding)?;
                if file.finding(&finding)? {
                    news.push(finding);
                }
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
        Ok(news)
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
