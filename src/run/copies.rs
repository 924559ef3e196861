//! Copies of the state beside it: one an hour, the last three. In: the state's path. Out: files that take its
//! place where it is damaged.

use super::{Level, Log};
use crate::clock;
use alerts::StateFile;
use anyhow::{Context as _, Result};
use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    thread::JoinHandle,
    time::{Duration, Instant, SystemTime},
};

/// How often one is made.
const COPY_EVERY: Duration = Duration::from_hours(1);
/// How many are kept. Unit: files.
pub(super) const COPIES_MAX: u32 = 3;

/// A path with more behind its name.
pub(super) fn with(path: &Path, more: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(more);
    name.into()
}

/// The `n`th newest copy, from 1.
fn copy_of(path: &Path, n: u32) -> PathBuf {
    with(path, &format!(".{n}"))
}

/// Makes copies, beside whoever changes the state.
#[derive(Debug)]
pub(super) struct Copies {
    path: PathBuf,
    next: Instant,
    at_work: Option<JoinHandle<Result<()>>>,
}

impl Copies {
    /// The next is due an hour after the newest was made.
    pub(super) fn new(path: &Path) -> Self {
        let made = copy_of(path, 1).metadata().and_then(|newest| newest.modified());
        let age = made.ok().and_then(age_of);
        let wait = age.map_or(COPY_EVERY, |age| COPY_EVERY.saturating_sub(age));
        Self { path: path.to_owned(), next: Instant::now() + wait, at_work: None }
    }

    /// Begins one if it is due, and tells of the last if it failed.
    pub(super) fn tick(&mut self, log: &Log) {
        if self.at_work.as_ref().is_some_and(JoinHandle::is_finished) {
            let done = self.at_work.take().map(JoinHandle::join);
            if let Some(Ok(Err(error))) = done {
                let what = format!("no copy of the state: {error:#}");
                log.say(Level::Error, "copy-failed", &what, &[]);
            }
        }
        if self.at_work.is_none() && Instant::now() >= self.next {
            self.next = Instant::now() + COPY_EVERY;
            let path = self.path.clone();
            self.at_work = Some(std::thread::spawn(move || make(&path)));
        }
    }
}

fn age_of(made: SystemTime) -> Option<Duration> {
    let made = made.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let now = Duration::from_millis(u64::try_from(clock::now_ms()).unwrap_or(0));
    Some(now.saturating_sub(made))
}

/// Makes a copy, and lets the oldest go.
fn make(path: &Path) -> Result<()> {
    let part = with(path, ".part");
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("cannot remove {}", part.display()));
        }
        _ => {}
    }
    StateFile::copy(path, &part)?;
    fs::File::open(&part)?.sync_all()?;
    for n in (1..COPIES_MAX).rev() {
        let (from, to) = (copy_of(path, n), copy_of(path, n + 1));
        if from.exists() {
            fs::rename(&from, &to).with_context(|| format!("cannot rename {}", from.display()))?;
        }
    }
    let to = copy_of(path, 1);
    fs::rename(&part, &to).with_context(|| format!("cannot rename {}", part.display()))
}

/// Whether there is no state, but copies of one: it was lost, or its restoring was interrupted.
pub(crate) fn is_lost(path: &Path) -> bool {
    let is_empty = path.metadata().map_or(true, |state| state.len() == 0);
    is_empty && newest(path).is_some()
}

fn newest(path: &Path) -> Option<PathBuf> {
    (1..=COPIES_MAX).map(|n| copy_of(path, n)).find(|copy| copy.exists())
}

/// Puts the newest copy into the place of a damaged state, which is kept under another name; answers the copy's
/// name, and that of the damaged file, if there was one. `None` if there is no copy.
pub(crate) fn restore(path: &Path) -> Result<Option<(PathBuf, Option<PathBuf>)>> {
    let Some(copy) = newest(path) else { return Ok(None) };
    let damaged = set_aside(path, "damaged")?;
    fs::rename(&copy, path).with_context(|| format!("cannot rename {}", copy.display()))?;
    Ok(Some((copy, damaged)))
}

/// Keeps a state under another name, which ends so; answers that name, if there was anything.
pub(super) fn set_aside(path: &Path, ending: &str) -> Result<Option<PathBuf>> {
    let aside = with(path, &format!(".{ending}-{}", clock::now_ms()));
    let mut is_there = false;
    for part in ["-wal", "-shm", ""] {
        let own = with(path, part);
        if own.exists() {
            is_there = true;
            let to = with(&aside, part);
            fs::rename(&own, to).with_context(|| format!("cannot rename {}", own.display()))?;
        }
    }
    Ok(is_there.then_some(aside))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_three_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let open = |path: &Path| {
            let config = crate::config::Config::load(None).unwrap();
            let inputs = config.inputs(&config.enrich().unwrap());
            let run = alerts::Run { inputs, command: Vec::new() };
            let asked = (None, baseline::Day(i32::MIN));
            let asked = alerts::Learning::new(&config.options(), (&[], &[]), asked);
            StateFile::open(path, (&run, &config.options().detectors), asked)
                .unwrap()
                .resume(&mut |_| Ok(()))
                .unwrap()
        };
        let mut file = open(&path);
        for n in 1..=5 {
            let version =
                alerts::Version { size_bytes: n, etag: None, content: None, read_ms: None };
            let object = |file: &mut StateFile| {
                file.object(&format!("o-{n}"), &version, baseline::Day(20_000))
            };
            file.epoch(object).unwrap();
            make(&path).unwrap();
        }
        drop(file);
        let has = |path: &Path, n: u64| {
            let version = open(path).version(&format!("o-{n}")).unwrap();
            version.is_some_and(|version| version.size_bytes == n)
        };
        for (copy, last) in [(1, 5), (2, 4), (3, 3)] {
            assert!(has(&copy_of(&path, copy), last));
            assert!(!has(&copy_of(&path, copy), last + 1));
        }
        assert!(!copy_of(&path, 4).exists());
        // What holds values that nobody wrote is no copy.
        let mut file = open(&path);
        let bytes = b"no value".to_vec();
        let put = detect::Change::Put(detect::Blob { part: detect::Part::Entity, key: 1, bytes });
        file.epoch(|file| file.change(put)).unwrap();
        let error = make(&path).unwrap_err().to_string();
        assert!(error.contains("its bytes are not what was written"), "{error}");
        drop(file);
        assert!(has(&copy_of(&path, 1), 5));
        // The newest takes the place of a damaged one; what was there stays beside it.
        fs::write(&path, "no state").unwrap();
        let (_, damaged) = restore(&path).unwrap().unwrap();
        assert_eq!(fs::read(damaged.unwrap()).unwrap(), b"no state");
        assert!(has(&path, 5));
        restore(&path).unwrap().unwrap();
        // Whoever dies in between finds no state, and does not begin anew.
        fs::remove_file(&path).unwrap();
        assert!(is_lost(&path));
        restore(&path).unwrap().unwrap();
        assert!(!is_lost(&path));
        assert!(has(&path, 3));
        assert!(restore(&path).unwrap().is_none());
    }
}
