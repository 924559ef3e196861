//! Snapshots of the state in a bucket, made while the daemon goes on. In: a state that changes. Out: pieces that are
//! not there yet, then the manifest that names all of them; of older snapshots three are kept.

mod lease;
mod restore;
pub(super) mod vault;

pub(crate) use lease::{Deadline, Held, LEASE_S, LEASE_S_DEFAULT, wait};
pub(crate) use restore::Restoring;
pub(crate) use vault::Vault;

use super::{Level, Log, copies::with, metrics::Metrics};
use alerts::{Manifest, PieceId, SnapshotId, StateFile};
use anyhow::{Context as _, Result, bail};
use ingest::source::s3::{On, Unwritten};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use vault::{PIECES, in_parallel, name_of};

/// How many are kept. Unit: snapshots.
pub(super) const SNAPSHOTS_MAX: usize = 3;
/// How often one may be made. Unit: seconds.
pub(crate) const EVERY_S: std::ops::RangeInclusive<u64> = 10..=86_400;
/// How often one is made if nothing else is said. Unit: seconds.
pub(crate) const EVERY_S_DEFAULT: u64 = 300;
/// How often it is looked whether the last one is done, at the end.
const LOOKED_EVERY: Duration = Duration::from_millis(20);

/// What one took.
#[derive(Debug, Clone, Copy)]
struct Sent {
    id: SnapshotId,
    /// Pieces that were not there yet, and their bytes as sent.
    n_pieces: usize,
    bytes: u64,
    /// Of the state. Unit: bytes.
    state_bytes: u64,
    took: Duration,
}

/// Makes snapshots, beside whoever changes the state.
pub(crate) struct Snapshots {
    vault: Vault,
    /// The last that was begun.
    id: SnapshotId,
    every: Duration,
    next: Instant,
    /// Whether the state is another one than the last snapshot, as far as is known.
    is_changed: bool,
    at_work: Option<JoinHandle<Result<Sent>>>,
    /// Whether the last one was not made.
    has_failed: bool,
    metrics: Arc<Metrics>,
}

impl Snapshots {
    /// Begins, under a lease of this fence: from now on the state is newer than all snapshots before. None of them may
    /// hold all of it, so one is made in any case.
    pub(super) fn begin(
        (vault, every): (Vault, Duration),
        fence: u64,
        file: &mut StateFile,
        metrics: Arc<Metrics>,
    ) -> Result<Self> {
        let id = SnapshotId { fence, sequence: 0 };
        file.begin_snapshot(id)?;
        metrics.snapshots_begin();
        let next = Instant::now() + every;
        let (is_changed, has_failed) = (true, false);
        Ok(Self { vault, id, every, next, is_changed, at_work: None, has_failed, metrics })
    }

    /// The state has changed.
    pub(super) fn changed(&mut self) {
        self.is_changed = true;
    }

    /// Begins one if it is due, and tells of the last.
    pub(super) fn tick(&mut self, file: &mut StateFile, log: &Log) -> Result<()> {
        self.hear(log);
        if self.at_work.is_some() || Instant::now() < self.next {
            return Ok(());
        }
        self.next = Instant::now() + self.every;
        if self.is_changed {
            return self.make(file);
        }
        self.metrics.snapshot_is_current();
        Ok(())
    }

    /// Begins the last one, unless one is under way.
    pub(super) fn begin_last(&mut self, file: &mut StateFile, log: &Log) -> Result<()> {
        self.hear(log);
        if self.is_changed && self.at_work.is_none() { self.make(file) } else { Ok(()) }
    }

    /// Waits for the last one, and makes it if need be; says so if there is no time for it.
    pub(super) fn finish(mut self, file: &mut StateFile, until: Instant, log: &Log) -> Result<()> {
        loop {
            let was_at_work = self.at_work.is_some();
            self.hear(log);
            // What failed now fails again.
            let is_over = was_at_work && self.at_work.is_none() && self.has_failed;
            if !is_over {
                self.begin_last(file, log)?;
            }
            if self.at_work.is_none() {
                return Ok(());
            }
            if Instant::now() >= until {
                let what = "no time for a last snapshot: what came after the one before is looked up again by \
                            whoever goes on";
                log.say(Level::Warn, "snapshot-unfinished", what, &[]);
                return Ok(());
            }
            std::thread::sleep(LOOKED_EVERY);
        }
    }

    fn make(&mut self, file: &mut StateFile) -> Result<()> {
        self.id.sequence += 1;
        file.begin_snapshot(self.id)?;
        self.is_changed = false;
        let (vault, id, path) = (self.vault.clone(), self.id, file.path().to_owned());
        self.at_work = Some(std::thread::spawn(move || send(&vault, id, &path)));
        Ok(())
    }

    /// Tells of the one that is done, if one is.
    fn hear(&mut self, log: &Log) {
        let Some(done) = self.at_work.take_if(|thread| thread.is_finished()) else { return };
        self.has_failed = false;
        let done = done.join().unwrap_or_else(|_| Err(anyhow::anyhow!("it came to no end")));
        match done {
            Ok(Sent { id, n_pieces, bytes, state_bytes, took }) => {
                self.metrics.snapshot_sent(bytes);
                let fields = [
                    ("snapshot", json!(id.to_string())),
                    ("pieces_sent", json!(n_pieces)),
                    ("bytes_sent", json!(bytes)),
                    ("state_bytes", json!(state_bytes)),
                    ("seconds", json!(took.as_secs_f64())),
                ];
                let what = format!("{n_pieces} pieces that were not there yet, {bytes} bytes");
                log.say(Level::Info, "snapshot-kept", &what, &fields);
            }
            Err(error) => {
                // What it would have held is not kept elsewhere.
                (self.is_changed, self.has_failed) = (true, true);
                let what = format!("no snapshot of the state: {error:#}");
                log.say(Level::Error, "snapshot-failed", &what, &[]);
            }
        }
    }
}

/// A file that is removed when it goes out of scope.
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

/// Sends one, and lets the oldest go.
fn send(vault: &Vault, id: SnapshotId, path: &Path) -> Result<Sent> {
    let begun = Instant::now();
    let copy = Passing(with(path, ".snapshot"));
    drop(fs::remove_file(&copy.0));
    let manifest = Manifest::of_state(path, &copy.0)?;
    if manifest.id != id {
        bail!("the state tells of snapshot {} (expected {id})", manifest.id);
    }
    let there: BTreeSet<String> = vault.names(PIECES)?.into_iter().collect();
    // Of pieces that hold the same one is sent.
    let own: BTreeMap<String, usize> =
        (0..).zip(&manifest.pieces).map(|(n, piece)| (piece.to_string(), n)).collect();
    let missing: Vec<_> = own.iter().filter(|(name, _)| !there.contains(*name)).collect();
    let bytes = AtomicU64::new(0);
    let file = File::open(&copy.0)?;
    in_parallel(missing.len(), |at| {
        let Some((name, n)) = missing.get(at) else { return Ok(()) };
        let piece = manifest.pack(&file, **n)?;
        bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
        vault.wait(vault.put(On::Anything, &format!("{PIECES}{name}"), piece))?;
        anyhow::Ok(())
    })?;
    let list = manifest.to_bytes();
    bytes.fetch_add(list.len() as u64, Ordering::Relaxed);
    match vault.wait(vault.put(On::Nothing, &name_of(id), list.clone())) {
        // An answer was lost, and the call sent again.
        Err(Unwritten::Taken(_)) if vault.manifest(id)? == Some(list) => {}
        sent => drop(sent?),
    }
    let took = begun.elapsed();
    let n_pieces = missing.len();
    tidy(vault, &manifest, there).context("it is kept, but older ones cannot be removed")?;
    let bytes = bytes.into_inner();
    Ok(Sent { id, n_pieces, bytes, state_bytes: manifest.bytes, took })
}

/// Removes all but the newest, and of the pieces that were there what none of these names. A snapshot that nobody
/// has finished names no piece that is removed here: only who holds the lease makes one, and none but this.
fn tidy(vault: &Vault, newest: &Manifest, there: BTreeSet<String>) -> Result<()> {
    let mut ids = vault.snapshots()?;
    let kept = ids.split_off(ids.len().saturating_sub(SNAPSHOTS_MAX));
    for id in ids {
        vault.remove(&name_of(id))?;
    }
    let mut named: BTreeSet<PieceId> = newest.pieces.iter().copied().collect();
    for id in kept.into_iter().filter(|id| *id != newest.id) {
        let bytes = vault.manifest(id)?;
        // One that is damaged, or that a newer program wrote, keeps all pieces until it is the oldest.
        let Some(bytes) = bytes else { continue };
        let Ok(manifest) = Manifest::of_bytes(&bytes, &name_of(id)) else { return Ok(()) };
        named.extend(manifest.pieces);
    }
    let named: BTreeSet<String> = named.iter().map(PieceId::to_string).collect();
    let unnamed: Vec<_> = there.into_iter().filter(|name| !named.contains(name)).collect();
    in_parallel(unnamed.len(), |at| {
        unnamed.get(at).map_or(Ok(()), |name| vault.remove(&format!("{PIECES}{name}")))
    })?;
    Ok(())
}
