//! An epoch: what one transaction of a state holds. In: objects that were applied, and what was found. Out:
//! both, durable. What the file knows of is left out of what is listed.

use crate::{
    clock, fault,
    pipeline::Whole,
    run::operations::{self, Operation},
};
use alerts::{Grounds, StateFile, Suppressions, Version};
use anyhow::Result;
use baseline::Day;
use detect::{Change, Engine, Finding, FindingId, Heard, Mark, Part, ShelfError};
use ingest::{
    source::{Listing, Object, Skip},
    time::format_ms,
};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// What a mark that was heard teaches, in words.
pub(crate) fn heard_in_words(Heard { id, mark: Mark { nature, day }, on }: &Heard) -> String {
    let late = if on == day { String::new() } else { format!(", said of it on {day}") };
    format!("finding {id} is {}{late}: that counts among what {on} teaches", nature.name())
}

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
    objects: BTreeMap<Box<str>, Applied>,
    /// What was read of objects that are being looked at again.
    met: BTreeMap<Box<str>, Version>,
    /// In which version such objects lie there now.
    now: BTreeMap<Box<str>, Version>,
    /// What was learned from marks.
    heard: Vec<Heard>,
    /// The first day that was open at the last commit.
    open_from: Day,
}

/// What an object turned out to hold of which a version was read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// The same.
    Same,
    /// Something else: a log is written once.
    Changed,
}

/// An object whose records are applied.
#[derive(Debug)]
pub(crate) struct Applied {
    version: Version,
    /// When it was written. Unit: milliseconds since the Unix epoch.
    pub(crate) stamp_ms: i64,
    /// When its newest record happened. Unit: milliseconds since the Unix epoch.
    pub(crate) newest_ms: Option<i64>,
}

impl Applied {
    /// Unit: bytes as stored.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.version.size_bytes
    }
}

/// What a commit kept.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    /// What is new of what was found, or more severe than it was.
    pub(crate) news: Vec<Finding>,
    /// The same of what is not told, with on whose word.
    pub(crate) suppressed: Vec<(FindingId, Grounds)>,
    /// What open days took to be judged.
    pub(crate) judged: Duration,
    /// What was written of the engine. Unit: bytes of values.
    pub(crate) value_bytes: u64,
    /// By key.
    pub(crate) objects: BTreeMap<Box<str>, Applied>,
    /// What was learned from marks.
    pub(crate) heard: Vec<Heard>,
}

/// What hears of each finding that is told, within the transaction that keeps it.
pub(crate) type Tell<'a> = &'a mut dyn FnMut(&StateFile, &Finding) -> Result<()>;

impl Epoch {
    /// The first of an engine that has taken back its state.
    pub(crate) fn of(engine: &Engine) -> Self {
        Self {
            closed: Vec::new(),
            operations: Vec::new(),
            objects: BTreeMap::new(),
            met: BTreeMap::new(),
            now: BTreeMap::new(),
            heard: Vec::new(),
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
    pub(crate) fn applied(&mut self, &Whole { object, content, newest_ms, .. }: &Whole<'_>) {
        let stamp_ms = object.stamp_ms.unwrap_or(i64::MIN);
        let applied = Applied { version: version_of(object, content), stamp_ms, newest_ms };
        self.objects.insert(object.key().into(), applied);
    }

    /// Whether this object was applied in it, or looked at again.
    pub(crate) fn holds(&self, object: &Object) -> bool {
        let applied = self.objects.get(object.key()).map(|applied| &applied.version);
        let version = self.now.get(object.key()).or(applied);
        version.is_some_and(|version| is_of(version, object))
    }

    /// Whether a version of the object was read before: then it is only to be looked at.
    pub(crate) fn meets(&mut self, file: &StateFile, object: &Object) -> Result<bool> {
        let version = match self.objects.get(object.key()) {
            Some(applied) => Some(applied.version.clone()),
            None => file.version(object.key())?,
        };
        let is_again = version.is_some();
        self.met.extend(version.map(|version| (object.key().into(), version)));
        Ok(is_again)
    }

    /// Whether [`Self::meets`] said so of it.
    pub(crate) fn has_met(&self, object: &Object) -> bool {
        self.met.contains_key(object.key())
    }

    /// An object that it has met, with the hash of what it holds now. It need not be looked at again; nothing of
    /// it is applied.
    pub(crate) fn again(&mut self, object: &Object, content: u128) -> Again {
        let Some(before) = self.met.remove(object.key()) else { return Again::Same };
        let now = version_of(object, content);
        let is_same = before.holds(object.size_bytes, content);
        if !is_same {
            self.operations.push(changed(object, &before, &now));
        }
        self.now.insert(object.key().into(), now);
        if is_same { Again::Same } else { Again::Changed }
    }

    /// Has the engine learn from what people have said of findings since this was called last.
    pub(crate) fn hear(&mut self, file: &mut StateFile, engine: &mut Engine) -> Result<()> {
        self.heard.extend(engine.take_heard());
        for marked in file.unheard()? {
            // Until it is durable the file does not know of it.
            if self.heard.iter().any(|one| one.id == marked.id && one.mark == marked.mark) {
                continue;
            }
            let mut look = |key| file.value(Part::Withheld, key).map_err(ShelfError::new);
            engine.hear(&marked, &mut look)?;
        }
        self.heard.extend(engine.take_heard());
        Ok(())
    }

    /// Whether there is nothing to commit.
    pub(crate) fn is_empty(&self) -> bool {
        let is_unchanged = self.objects.is_empty() && self.now.is_empty() && self.heard.is_empty();
        self.closed.is_empty() && self.operations.is_empty() && is_unchanged
    }

    /// Makes durable what was done. What was told of days on the way, and their closing does not confirm, is taken out.
    pub(crate) fn commit(
        &mut self,
        file: &mut StateFile,
        engine: &mut Engine,
        (suppressions, tell): (&Suppressions, Tell<'_>),
    ) -> Result<Committed> {
        let begun = Instant::now();
        self.hear(file, engine)?;
        let on_the_way = engine.judge_open()?;
        let mut kept = Committed { judged: begun.elapsed(), ..Committed::default() };
        let Self { closed, operations, objects, now, heard, open_from, .. } =
            std::mem::replace(self, Self::of(engine));
        file.epoch(|file| -> Result<()> {
            file.take_out((open_from, engine.oldest_open()), &operations::IDS)?;
            for finding in closed.into_iter().chain(on_the_way).chain(operations) {
                fault::point("mid-transaction");
                let grounds = suppressions.of(&finding);
                if grounds.is_none() {
                    tell(file, &finding)?;
                }
                if file.finding(&finding, grounds)? {
                    match grounds {
                        None => kept.news.push(finding),
                        Some(grounds) => kept.suppressed.push((finding.id, grounds.clone())),
                    }
                }
            }
            engine.changed(&mut |change| {
                fault::point("mid-transaction");
                if let Change::Put(blob) = &change {
                    kept.value_bytes += blob.bytes.len() as u64;
                }
                file.change(change)
            })?;
            for (key, Applied { version, stamp_ms, .. }) in &objects {
                fault::point("mid-transaction");
                file.object(key, version, Day::of(*stamp_ms))?;
            }
            for (key, version) in now {
                file.object_is_now(&key, &version)?;
            }
            for heard in &heard {
                file.heard(heard)?;
            }
            Ok(())
        })?;
        engine.kept()?;
        fault::point("after-commit");
        Ok(Committed { objects, heard, ..kept })
    }
}

/// The version in which an object is read now.
fn version_of(object: &Object, content: u128) -> Version {
    Version {
        size_bytes: object.size_bytes,
        etag: object.version().map(Into::into),
        content: Some(content),
        read_ms: Some(clock::now_ms()),
    }
}

fn is_of(version: &Version, object: &Object) -> bool {
    version.is_of(Some(object.size_bytes), object.version().as_deref())
}

/// That an object holds something else than what was read of it.
fn changed(object: &Object, before: &Version, now: &Version) -> Finding {
    let now_ms = clock::now_ms();
    let in_words = |version: &Version| {
        let content = version.content.map_or("unknown".to_owned(), |hash| format!("{hash:032x}"));
        let etag = version.etag.as_deref().unwrap_or("unknown");
        format!("{} bytes, hash {content}, version {etag}", version.size_bytes)
    };
    let first =
        before.read_ms.map_or("earlier".to_owned(), |at_ms| format!("at {}", format_ms(at_ms)));
    let summary = format!(
        "holds something else than what was read of it {first}: {} in place of {}; nothing of it was applied",
        in_words(now),
        in_words(before)
    );
    let account = object.info().account.unwrap_or("-");
    // The day of its stamp: one finding, however often the object is changed.
    let stamp_ms = object.stamp_ms.unwrap_or(now_ms);
    Operation::LogObjectChanged.finding((account, object.key()), (stamp_ms, now_ms), summary)
}

/// Why an object is not to be read by whoever goes on with `file`, if it is not. Objects without a stamp are
/// the caller's to refuse.
pub(crate) fn left_out(file: &StateFile, object: &Object) -> Result<Option<Skip>> {
    let Some(stamp_ms) = object.stamp_ms else { return Ok(None) };
    if file.known_from().is_some_and(|first| Day::of(stamp_ms) < first) {
        return Ok(Some(Skip::LongAgo));
    }
    if stamp_ms > clock::now_ms().saturating_add(AHEAD_MS_MAX) {
        return Ok(Some(Skip::ToCome));
    }
    let version = file.version(object.key())?;
    Ok(version.is_some_and(|version| is_of(&version, object)).then_some(Skip::ReadBefore))
}

/// Leaves of a listing what is still to be read.
pub(crate) fn leave_unread(file: &StateFile, listing: &mut Listing) -> Result<()> {
    let mut left = Vec::with_capacity(listing.objects.len());
    for object in std::mem::take(&mut listing.objects) {
        // Of two ways to one object the second is looked at by the next run: there may be another version.
        let is_twice = left.last().is_some_and(|last: &Object| last.key() == object.key());
        match left_out(file, &object)? {
            None if is_twice => listing.skipped.add(Skip::Duplicate),
            Some(skip) => listing.skipped.add(skip),
            None => left.push(object),
        }
    }
    listing.objects = left;
    Ok(())
}
