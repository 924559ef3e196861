//! `replay --state`: goes on where the last one ended. Each epoch is one transaction: what changed, which
//! objects were read, what was found; findings are told once it is durable.

use super::{Replay, Watcher, engine, lessons};
use crate::{
    cli::{Wrong, or_default},
    clock,
    config::{Config, n_of},
    pipeline::Observer,
    replay,
    summary::Summary,
};
use alerts::{Learning, Run, StateFile, escape};
use anyhow::{Result, anyhow};
use baseline::{Day, form::Texts};
use detect::{Engine, Finding, Severity};
use ingest::source::{Listing, Object, Skip};
use std::path::Path;

/// How far clocks may differ. A later time in a name would close all days before it for ever. Unit:
/// milliseconds (1 h).
const AHEAD_MS_MAX: i64 = 60 * 60 * 1_000;

/// Keeps what a replay does, epoch by epoch.
struct Epochs {
    watcher: Watcher,
    file: StateFile,
    /// Found since the last epoch.
    found: Vec<Finding>,
}

impl Observer for Epochs {
    fn begin(&mut self, bytes: u64) {
        self.watcher.begin(bytes);
    }

    fn listed(&mut self, listing: &mut Listing) -> Result<()> {
        let known_from = self.file.known_from();
        let last_ms = clock::now_ms().saturating_add(AHEAD_MS_MAX);
        let mut left = Vec::with_capacity(listing.objects.len());
        for object in std::mem::take(&mut listing.objects) {
            let Some(stamp_ms) = object.info.stamp_ms else {
                return Err(Wrong::usage(anyhow!(
                    "{}: --state goes by the names that AWS gives (expected such as 111122223333_CloudTrail_\
                     us-east-1_20250314T1005Z_...json.gz)",
                    escape(&object.key)
                )));
            };
            if known_from.is_some_and(|first| Day::of(stamp_ms) < first) {
                listing.skipped.add(Skip::LongAgo);
            } else if stamp_ms > last_ms {
                listing.skipped.add(Skip::ToCome);
            } else if self.file.has_read(&object.key, object.size_bytes)? {
                listing.skipped.add(Skip::ReadBefore);
            } else {
                left.push(object);
            }
        }
        listing.objects = left;
        Ok(())
    }

    fn read(&mut self, bytes: u64) {
        self.watcher.read(bytes);
    }

    fn findings(&mut self, findings: &[Finding]) -> Result<()> {
        for finding in findings {
            self.file.finding(finding)?;
        }
        self.found.extend_from_slice(findings);
        Ok(())
    }

    fn applied(&mut self, engine: &mut Engine, objects: &[&Object]) -> Result<()> {
        engine.changed(&mut |change| self.file.change(change))?;
        for object in objects {
            let day = object.info.stamp_ms.map_or(Day(i32::MIN), Day::of);
            self.file.object(&object.key, object.size_bytes, day)?;
        }
        self.file.commit()?;
        self.watcher.findings(&std::mem::take(&mut self.found))?;
        self.watcher.flush()
    }

    fn trouble(&mut self, object: &str, what: &str) {
        self.watcher.trouble(object, what);
    }
}

impl Replay {
    /// Reads what was not read before, and says how severe the worst finding was, and how it stands.
    pub(super) fn go_on(
        &self,
        path: &Path,
        config: &Config,
    ) -> Result<(Summary, Option<Severity>, Option<String>)> {
        let (mut engine, inputs) = engine(Some(config), lessons(config, &[]))?;
        let (account, region) = (&self.logs.account, &self.logs.region);
        let asked =
            Learning::new(&config.options(), (account, region), (self.logs.from, Day(i32::MIN)));
        let name = path.display().to_string();
        let command = self.logs.command("replay", vec![("state", name.clone())]);
        let run = Run { inputs: inputs.clone(), command: command.clone() };
        let settings = &config.options().detectors;
        let file = StateFile::open(path, (&run, settings), asked.by(command))?;
        engine.note_changes();
        let mut texts = Texts::default();
        file.each(&mut |blob| engine.resume(blob, &mut texts))?;
        let watcher = Watcher::new(or_default(self.format), inputs, self.logs.quiet).going_on();
        let mut epochs = Epochs { watcher, file, found: Vec::new() };
        let plan = self.logs.plan(config, self.logs.from);
        let (summary, _) = replay::read(&plan, &mut engine, &mut epochs)?;
        let n_found = n_of(usize::try_from(epochs.watcher.n_findings)?, "finding");
        let told = engine.learned_through().map(|through| {
            let open = Day(through.0.saturating_add(1));
            let file = escape(&name);
            format!(
                "{n_found} told, and kept in {file}; days from {open} on are open: their logs may still come"
            )
        });
        Ok((summary, epochs.watcher.finish()?, told))
    }
}
