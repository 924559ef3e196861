//! Folders and buckets that fill in AWS's layout: which of their objects are whole, and still to be read.

use super::{Event, retry::Retries};
use crate::{
    aws::{Aws, BucketPath},
    clock,
    epoch::left_out,
    replay::Plan,
    run::log::{Level, Log},
};
use alerts::StateFile;
use anyhow::{Result, bail};
use baseline::{Day, stable_hash, time::DAY_MS};
use ingest::source::{self, Filter, Listing, Object, Place, Skip, SourceError, s3::ListError};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::Metadata,
    os::unix::fs::MetadataExt as _,
    path::PathBuf,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// After so long without a change a file counts as whole. Unit: milliseconds (10 s).
const SETTLED_MS: i64 = 10_000;
/// Between the beginnings of two looks, at least.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The same of buckets, where no queue tells of new objects.
const LOOK_INTO_BUCKETS_EVERY: Duration = Duration::from_mins(1);
/// Before a day closes it is looked again if the last look was so long ago.
const LOOK_BEFORE_CLOSING: Duration = Duration::from_mins(1);
/// A look takes at most this share of the time: folders with many files are looked at more seldom.
const LOOK_SHARE: u32 = 20;

/// What was seen of a file that may still be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    size_bytes: u64,
    modified_ms: i64,
    /// When it was first seen so. Unit: milliseconds since the Unix epoch, by our clock.
    since_ms: i64,
}

/// Why to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// It is time by the clock.
    Due,
    /// Everything that may have come while nobody looked.
    CatchUp,
    /// Days before this one are about to close.
    Closing(Day),
}

/// A look that was begun.
pub(super) struct Looking {
    begun: Instant,
    thread: JoinHandle<Found>,
}

impl Looking {
    /// Whether it has come to its end.
    pub(super) fn is_done(&self) -> bool {
        self.thread.is_finished()
    }
}

/// What a look has found of what it looked into, and after how long.
struct Found {
    folders: Option<(Result<Listing, SourceError>, Duration)>,
    buckets: Option<(Vec<Result<Listing, ListError>>, Duration)>,
}

/// What is known of the folders and buckets.
pub(super) struct Watched<'a> {
    plan: &'a Plan,
    /// Whether queues tell of what comes into buckets.
    has_queues: bool,
    /// Of what was listed last, and read since, what need not be looked at again; by [`id_of`].
    known: BTreeSet<u128>,
    /// Files that may still be written.
    unsettled: BTreeMap<PathBuf, Seen>,
    next: Instant,
    next_of_buckets: Instant,
    /// When it was looked last.
    looked: Instant,
    /// Unit: milliseconds since the Unix epoch.
    begun_ms: i64,
}

impl<'a> Watched<'a> {
    pub(super) fn new(plan: &'a Plan, has_queues: bool) -> Self {
        let now = Instant::now();
        Self {
            plan,
            has_queues,
            known: BTreeSet::new(),
            unsettled: BTreeMap::new(),
            next: now,
            next_of_buckets: now,
            looked: now,
            begun_ms: clock::now_ms(),
        }
    }

    /// These were read.
    pub(super) fn know<'o>(&mut self, objects: impl Iterator<Item = &'o Object>) {
        self.known.extend(objects.map(id_of));
    }

    /// Whether it was looked so long ago that something may have come before a day closes.
    pub(super) fn looked_long_ago(&self) -> bool {
        self.looked.elapsed() >= LOOK_BEFORE_CLOSING
    }

    /// When to look again.
    pub(super) fn next(&self) -> Instant {
        let looks_into_buckets = !self.plan.buckets.is_empty() && !self.has_queues;
        if looks_into_buckets { self.next.min(self.next_of_buckets) } else { self.next }
    }

    /// Begins to look, on a thread of its own: there may be very much. `inbox` hears of its end.
    pub(super) fn begin(&self, why: Look, file: &StateFile, inbox: mpsc::Sender<Event>) -> Looking {
        let Plan { paths, filter, buckets, aws, .. } = self.plan;
        let begun = Instant::now();
        let into_folders = begun >= self.next || why != Look::Due;
        let into_buckets = why != Look::Due || !self.has_queues && begun >= self.next_of_buckets;
        let two_days_before = |day: Day| day.start_ms().saturating_sub(2 * DAY_MS);
        let from_ms = match why {
            Look::CatchUp => file.known_from().map(Day::start_ms),
            Look::Closing(day) => Some(two_days_before(day)),
            Look::Due => file.last_day().map(two_days_before),
        };
        let folders = into_folders.then(|| (paths.clone(), filter.clone()));
        let of_bucket = Filter { from_ms: filter.from_ms.max(from_ms), ..filter.clone() };
        let buckets = into_buckets.then(|| (buckets.clone(), aws.clone(), of_bucket));
        let thread = thread::spawn(move || {
            let list = |(paths, filter): (Vec<_>, _)| source::list(&paths, &filter);
            let folders = folders.map(|what| (list(what), begun.elapsed()));
            let list = |(buckets, aws, filter): (Vec<BucketPath>, Option<Aws>, _)| {
                let each = buckets.iter().zip(aws.iter().cycle());
                each.map(|(bucket, aws)| aws.list(bucket, &filter)).collect()
            };
            let buckets = buckets.map(|what| (list(what), begun.elapsed()));
            drop(inbox.try_send(Event::Looked));
            Found { folders, buckets }
        });
        Looking { begun, thread }
    }

    /// What is to be read now of what a look has found, and whether all was seen that was looked for.
    pub(super) fn finish(
        &mut self,
        looking: Looking,
        (file, retries): (&StateFile, &Retries),
        log: &Log,
    ) -> Result<(Vec<Object>, bool)> {
        let Looking { begun, thread } = looking;
        let Ok(Found { folders, buckets }) = thread.join() else {
            bail!("a look at what there is came to no end")
        };
        let mut listing = Listing::default();
        let mut is_whole = true;
        let unseen =
            |error: anyhow::Error| log.say(Level::Warn, "unseen", &format!("{error:#}"), &[]);
        let next = |every: Duration, took: Duration| begun + every.max(took * LOOK_SHARE);
        if let Some((folders, took)) = folders {
            match folders {
                Ok(found) => listing.merge(found),
                // A folder that is not there yet.
                Err(error) => {
                    is_whole = false;
                    unseen(error.into());
                }
            }
            self.next = next(LOOK_EVERY, took);
        }
        if let Some((buckets, took)) = buckets {
            for bucket in buckets {
                match bucket {
                    Ok(found) => listing.merge(found),
                    Err(error) => {
                        // What is not there yet may come.
                        is_whole &= matches!(error, ListError::Nothing { .. });
                        unseen(error.into());
                    }
                }
            }
            self.next_of_buckets = next(LOOK_INTO_BUCKETS_EVERY, took);
        }
        if is_whole {
            self.looked = begun;
        }
        let found = file.looking(|file| self.unread(listing, (file, retries), log))??;
        // What was written before the beginning, and may not be whole yet, is still to come.
        let awaits = self.unsettled.values().any(|seen| seen.modified_ms < self.begun_ms);
        Ok((found, is_whole && !awaits))
    }

    /// What of a listing is to be read now.
    fn unread(
        &mut self,
        listing: Listing,
        (file, retries): (&StateFile, &Retries),
        log: &Log,
    ) -> Result<Vec<Object>> {
        let mut found = Vec::new();
        let mut unsettled = BTreeMap::new();
        let before = std::mem::take(&mut self.known);
        for object in listing.objects {
            let id = id_of(&object);
            if before.contains(&id) {
                self.known.insert(id);
                continue;
            }
            if !retries.is_due(&object) {
                continue;
            }
            if object.stamp_ms.is_none() {
                self.known.insert(id);
                refuse(&object, log);
                continue;
            }
            match left_out(file, &object)? {
                // Its time comes.
                Some(Skip::ToCome) => {}
                Some(_) => drop(self.known.insert(id)),
                None => match self.settle(object) {
                    Ok(whole) => found.push(whole),
                    Err((path, seen)) => drop(unsettled.insert(path, seen)),
                },
            }
        }
        self.unsettled = unsettled;
        Ok(found)
    }

    /// The object, if it is whole, else what was seen of a file that may still be written.
    fn settle(&self, object: Object) -> Result<Object, (PathBuf, Seen)> {
        let Place::File(path) = &object.place else { return Ok(object) };
        // What is gone will be told by whoever reads it.
        let Ok(metadata) = path.metadata() else { return Ok(object) };
        let now_ms = clock::now_ms();
        let modified_ms = modified_ms(&metadata);
        let seen = Seen { size_bytes: metadata.len(), modified_ms, since_ms: now_ms };
        let is_same = |before: &&Seen| Seen { since_ms: now_ms, ..**before } == seen;
        let seen = self.unsettled.get(path).filter(is_same).copied().unwrap_or(seen);
        if is_settled(&metadata, seen, now_ms) { Ok(object) } else { Err((path.clone(), seen)) }
    }
}

/// A hash of an object's key, and of what tells its versions apart.
pub(super) fn id_of(object: &Object) -> u128 {
    let version = object.version().unwrap_or_default();
    stable_hash(&[object.key().as_bytes(), &object.size_bytes.to_le_bytes(), version.as_bytes()])
}

fn refuse(object: &Object, log: &Log) {
    let what = format!(
        "{}: `run` goes by the names that AWS gives (expected such as 111122223333_CloudTrail_us-east-1_\
         20250314T1005Z_...json.gz)",
        object.key()
    );
    log.say(Level::Warn, "object-unnamed", &what, &[("object", json!(object.key()))]);
}

fn modified_ms(metadata: &Metadata) -> i64 {
    metadata.mtime().saturating_mul(1_000).saturating_add(metadata.mtime_nsec() / 1_000_000)
}

/// Whether nobody writes the file any more: it was renamed after the last writing, or has not changed for long
/// enough, by its own clock or by ours.
fn is_settled(metadata: &Metadata, seen: Seen, now_ms: i64) -> bool {
    let changed = (metadata.ctime(), metadata.ctime_nsec());
    let is_renamed = changed > (metadata.mtime(), metadata.mtime_nsec());
    let is_old = |since_ms: i64| now_ms.saturating_sub(since_ms) >= SETTLED_MS;
    is_renamed || is_old(seen.modified_ms) || is_old(seen.since_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_counts_when_it_was_renamed_or_has_long_been_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (part, whole) = (folder.path().join(".part"), folder.path().join("a.json"));
        fs::write(&part, "{").unwrap();
        let metadata = part.metadata().unwrap();
        let modified_ms = modified_ms(&metadata);
        let seen = |since_ms| Seen { size_bytes: 1, modified_ms, since_ms };
        assert!(!is_settled(&metadata, seen(modified_ms), modified_ms + SETTLED_MS - 1));
        assert!(is_settled(&metadata, seen(modified_ms), modified_ms + SETTLED_MS));
        // A clock of the file's that is ahead of ours.
        let ours_ms = modified_ms - 3_600_000;
        assert!(!is_settled(&metadata, seen(ours_ms), ours_ms + SETTLED_MS - 1));
        assert!(is_settled(&metadata, seen(ours_ms), ours_ms + SETTLED_MS));
        // Clocks of files tick in some milliseconds: until the renaming falls into another tick.
        let is_renamed = std::iter::repeat_with(|| {
            fs::rename(&part, &whole).unwrap();
            let metadata = whole.metadata().unwrap();
            fs::rename(&whole, &part).unwrap();
            is_settled(&metadata, seen(modified_ms), modified_ms)
        });
        assert!(is_renamed.take(100_000).any(|is_settled| is_settled));
    }
}
