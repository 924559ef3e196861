//! What takes the place of the state should it be damaged or gone: copies beside it or, where a bucket is given,
//! snapshots there. In: a state that changes. Out: one or the other, and a last one at the end.

use super::{
    Log,
    copies::Copies,
    metrics::Metrics,
    snapshots::{Held, Snapshots, Vault},
};
use alerts::StateFile;
use anyhow::Result;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long the end may take, from the signal on: supervisors wait for 30 s, and a lease is given back after it.
pub(super) const ENDING_MAX: Duration = Duration::from_secs(17);

/// Snapshots to be made, and how often, under a lease.
pub(crate) struct Elsewhere {
    pub(crate) vault: Vault,
    pub(crate) every: Duration,
    pub(crate) held: Held,
}

/// One or the other.
pub(super) enum Backups {
    Beside(Copies),
    Elsewhere(Box<(Snapshots, Held)>),
}

impl Backups {
    pub(super) fn begin(
        elsewhere: Option<Elsewhere>,
        file: &mut StateFile,
        metrics: &Arc<Metrics>,
    ) -> Result<Self> {
        let Some(Elsewhere { vault, every, held }) = elsewhere else {
            return Ok(Self::Beside(Copies::new(file.path())));
        };
        let metrics = Arc::clone(metrics);
        let snapshots = Snapshots::begin((vault, every), held.fence, file, metrics)?;
        Ok(Self::Elsewhere(Box::new((snapshots, held))))
    }

    /// An error if nothing may be written any more.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Self::Beside(_) => Ok(()),
            Self::Elsewhere(both) => both.1.check(),
        }
    }

    /// The state has changed.
    pub(super) fn changed(&mut self) {
        if let Self::Elsewhere(both) = self {
            both.0.changed();
        }
    }

    /// Begins another if it is due.
    pub(super) fn tick(&mut self, file: &mut StateFile, log: &Log) -> Result<()> {
        match self {
            Self::Beside(copies) => copies.tick(log),
            Self::Elsewhere(both) => both.0.tick(file, log)?,
        }
        Ok(())
    }

    /// Begins the last one: nothing is read any more.
    pub(super) fn begin_last(&mut self, file: &mut StateFile, log: &Log) -> Result<()> {
        match self {
            // The next start finds the state itself.
            Self::Beside(_) => Ok(()),
            Self::Elsewhere(both) => both.0.begin_last(file, log),
        }
    }

    /// Waits for the last one, from when the end was asked for, and lets others go on.
    pub(super) fn finish(
        self,
        file: &mut StateFile,
        asked: Option<Instant>,
        log: &Log,
    ) -> Result<()> {
        let Self::Elsewhere(both) = self else { return Ok(()) };
        let (snapshots, held) = *both;
        let until = asked.unwrap_or_else(Instant::now) + ENDING_MAX;
        snapshots.finish(file, until, log)?;
        held.check()
    }
}
