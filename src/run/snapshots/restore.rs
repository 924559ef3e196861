//! A snapshot put into the place of a state that is gone, damaged or older. In: a vault. Out: the state as it was when
//! the newest snapshot that is whole was made; what was there is kept beside it.

use super::vault::{PIECES, Vault, in_parallel, name_of};
use crate::run::{
    Level, Log,
    copies::{set_aside, with},
};
use alerts::{KeptError, Manifest, PIECE_BYTES, SnapshotError, SnapshotId, StateFile};
use anyhow::{Context as _, Result, anyhow};
use ingest::source::s3::S3Error;
use serde_json::json;
use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
    path::Path,
    time::Instant,
};

/// Snapshots that may take the place of a state.
pub(crate) struct Restoring<'a> {
    vault: &'a Vault,
    /// Those that were not tried yet, the newest last.
    left: Vec<SnapshotId>,
    log: &'a Log,
}

/// What lies where the state should be.
enum Local {
    None,
    /// Nothing can be read of it.
    Damaged(KeptError),
    At(SnapshotId),
}

/// Why a snapshot is not restored.
enum Unfit {
    /// It is not what was written: an older one may be.
    Bad(String),
    /// It helps to mend or wait.
    Other(anyhow::Error),
}

impl Unfit {
    fn of_s3(error: S3Error) -> Self {
        match error {
            S3Error::Gone { .. } | S3Error::TooLarge { .. } => Self::Bad(error.to_string()),
            _ => Self::Other(error.into()),
        }
    }
}

impl From<SnapshotError> for Unfit {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Damaged { .. } => Self::Bad(error.to_string()),
            SnapshotError::Newer { .. } => Self::Other(error.into()),
        }
    }
}

impl<'a> Restoring<'a> {
    /// Looks which snapshots there are. Where that is not known, nothing is begun.
    pub(crate) fn new(vault: &'a Vault, log: &'a Log) -> Result<Self> {
        let left = vault.snapshots().context("cannot list the snapshots")?;
        Ok(Self { vault, left, log })
    }

    /// Puts a snapshot into the place of a state that is older, or not there, or that cannot be read; `restored` hears of
    /// damage.
    pub(crate) fn prepare(&mut self, state: &Path, restored: &mut Vec<String>) -> Result<()> {
        let newest = self.left.last().copied();
        let local = local(state)?;
        let name = state.display();
        let (what, ending) = match (local, newest) {
            (Local::None, None) => {
                let what =
                    format!("no snapshot lies at {}, and no state at {name}", self.vault.url(""));
                self.log.say(Level::Info, "begins-anew", &what, &[]);
                return Ok(());
            }
            // Whoever opens it refuses what is damaged.
            (Local::Damaged(_) | Local::At(_), None) => return Ok(()),
            (Local::At(own), Some(newest)) if own >= newest => return Ok(()),
            (Local::At(own), Some(_)) => (format!("{name} is of snapshot {own}"), "stale"),
            (Local::None, Some(_)) => (format!("no state at {name}"), "stale"),
            (Local::Damaged(error), Some(_)) => (error.to_string(), "damaged"),
        };
        let taken = self.restore(state, ending, restored)?;
        let what = format!("{what}; {taken}");
        if ending == "damaged" {
            restored.push(what);
        } else {
            self.log.say(Level::Info, "snapshot-restored", &what, &[]);
        }
        Ok(())
    }

    /// Puts the newest that is whole of those that were not tried into the place of the state, which is kept under a
    /// name that ends so; answers in words what took which place.
    pub(crate) fn restore(
        &mut self,
        state: &Path,
        ending: &str,
        restored: &mut Vec<String>,
    ) -> Result<String> {
        let mut why = "there is none".to_owned();
        while let Some(id) = self.left.pop() {
            let part = with(state, ".part");
            let begun = Instant::now();
            let url = self.vault.url(&name_of(id));
            match self.fetch(id, &part) {
                Ok(manifest) => {
                    let kept = set_aside(state, ending)?;
                    fs::rename(&part, state)
                        .with_context(|| format!("cannot rename {}", part.display()))?;
                    let fields = [
                        ("bytes", json!(manifest.bytes)),
                        ("seconds", json!(begun.elapsed().as_secs_f64())),
                    ];
                    self.log.say(Level::Info, "snapshot-fetched", &url, &fields);
                    let kept = kept.map(|kept| format!(", and it is kept as {}", kept.display()));
                    return Ok(format!("{url} takes its place{}", kept.unwrap_or_default()));
                }
                Err(Unfit::Bad(what)) => {
                    restored.push(format!("the snapshot {url} is of no use: {what}"));
                    why = what;
                }
                Err(Unfit::Other(error)) => {
                    return Err(error.context(format!("cannot restore {url}")));
                }
            }
        }
        // Never with nothing, in silence.
        Err(anyhow!(
            "no snapshot at {} can take the place of the state: {why} (to begin anew, take the snapshots away, and the states of all machines that had them)",
            self.vault.url("")
        ))
    }

    /// Puts a snapshot together.
    fn fetch(&self, id: SnapshotId, part: &Path) -> Result<Manifest, Unfit> {
        let other = |error: std::io::Error| {
            let what = format!("cannot write {}", part.display());
            Unfit::Other(anyhow::Error::from(error).context(what))
        };
        let name = name_of(id);
        let bytes = self.vault.manifest(id).map_err(Unfit::of_s3)?;
        let bytes = bytes.ok_or_else(|| Unfit::Bad("it is gone".to_owned()))?;
        let manifest = Manifest::of_bytes(&bytes, &self.vault.url(&name))?;
        if manifest.id != id {
            return Err(Unfit::Bad(format!("it calls itself {}", manifest.id)));
        }
        let file = File::create(part).map_err(other)?;
        file.set_len(manifest.bytes).map_err(other)?;
        in_parallel(manifest.pieces.len(), |n| {
            let Some(id) = manifest.pieces.get(n) else { return Ok(()) };
            let name = format!("{PIECES}{id}");
            let url = self.vault.url(&name);
            // Bytes that cannot be compressed become a little more.
            let sent =
                self.vault.wait(self.vault.get(&name, manifest.piece_bytes.max(PIECE_BYTES) * 2));
            let (sent, _) =
                sent.map_err(Unfit::of_s3)?.ok_or_else(|| Unfit::Bad(format!("{url} is gone")))?;
            let piece = manifest.unpack(n, &sent, &url)?;
            let at = (n as u64).saturating_mul(manifest.piece_bytes as u64);
            file.write_all_at(&piece, at).map_err(other)
        })?;
        file.sync_all().map_err(other)?;
        Ok(manifest)
    }
}

/// What lies there.
fn local(state: &Path) -> Result<Local> {
    if state.metadata().map_or(true, |metadata| metadata.len() == 0) {
        return Ok(Local::None);
    }
    match StateFile::snapshot_of(state) {
        Ok(id) => Ok(Local::At(id.unwrap_or_default())),
        Err(error) if error.is_of_a_broken_state() => Ok(Local::Damaged(error)),
        Err(error) => Err(error.into()),
    }
}
