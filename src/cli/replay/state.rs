//! `replay --state`: goes on where the last one ended. Each epoch is one transaction: what changed, which
//! objects were read, what was found; findings are told once it is durable.

use super::{Replay, Told, Watcher, alert, engine, lessons};
use crate::{
    cli::{Wrong, complain, or_default},
    config::{Config, n_of},
    epoch::{self, Again, Epoch},
    pipeline::{Observer, Whole},
    replay,
    summary::Summary,
};
use alerts::{Learning, Run, StateFile, escape};
use anyhow::{Result, anyhow};
use baseline::{Day, form::Texts};
use detect::{Engine, Finding};
use ingest::source::{Listing, Object};
use std::path::Path;

/// Keeps what a replay does, epoch by epoch.
struct Epochs {
    watcher: Watcher,
    file: StateFile,
    epoch: Epoch,
}

impl Observer for Epochs {
    fn begin(&mut self, bytes: u64) {
        self.watcher.begin(bytes);
    }

    fn listed(&mut self, listing: &mut Listing) -> Result<()> {
        if let Some(object) = listing.objects.iter().find(|one| one.stamp_ms.is_none()) {
            return Err(Wrong::usage(anyhow!(
                "{}: --state goes by the names that AWS gives (expected such as 111122223333_CloudTrail_us-\
                 east-1_20250314T1005Z_...json.gz)",
                escape(object.key())
            )));
        }
        epoch::leave_unread(&self.file, listing)
    }

    fn read(&mut self, bytes: u64) {
        self.watcher.read(bytes);
    }

    fn findings(&mut self, findings: &[Finding]) -> Result<()> {
        self.epoch.closed(findings);
        Ok(())
    }

    fn is_again(&mut self, object: &Object) -> Result<bool> {
        self.epoch.meets(&self.file, object)
    }

    fn again(&mut self, object: &Object, content: u128) -> Again {
        self.epoch.again(object, content)
    }

    fn applied(&mut self, engine: &mut Engine, objects: &[Whole<'_>]) -> Result<()> {
        for object in objects {
            self.epoch.applied(object);
        }
        let Watcher { suppressed, inputs, sinks, .. } = &self.watcher;
        let mut tell = |file: &StateFile, finding: &Finding| {
            alert::queue(&file.outbox(), (finding, inputs), sinks)
        };
        let suppressions = suppressed.suppressions();
        let kept = self.epoch.commit(&mut self.file, engine, (suppressions, &mut tell))?;
        for heard in &kept.heard {
            self.watcher.bar.suspend(|| complain(&epoch::heard_in_words(heard)));
        }
        for (_, grounds) in &kept.suppressed {
            self.watcher.suppressed.count(Some(grounds));
        }
        self.watcher.findings(&kept.news)?;
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
    ) -> Result<(Summary, Told, Option<String>)> {
        let sinks = self.sinks(config)?;
        let (mut engine, inputs) = engine(Some(config), lessons(config, &[]))?;
        let (account, region) = (&self.logs.reading.account, &self.logs.reading.region);
        let asked =
            Learning::new(&config.options(), (account, region), (self.logs.from, Day(i32::MIN)));
        let name = path.display().to_string();
        let command = self.logs.command("replay", vec![("state", name.clone())]);
        let run = Run { inputs: inputs.clone(), command: command.clone() };
        let settings = &config.options().detectors;
        let file = StateFile::open(path, (&run, settings), asked.by(command))?;
        let bytes_max = config.profiles_bytes_max();
        engine.hold(bytes_max, Box::new(file.shelf(bytes_max)?));
        engine.note_changes();
        let mut texts = Texts::default();
        let mut file = file.resume(&mut |blob| engine.resume(blob, &mut texts))?;
        let watcher = Watcher::new(or_default(self.format), inputs, self.logs.quiet)
            .but(config.suppressions())
            .telling(sinks.clone())
            .going_on();
        let mut epoch = Epoch::of(&engine);
        epoch.hear(&mut file, &mut engine)?;
        let mut epochs = Epochs { watcher, file, epoch };
        let plan = self.logs.plan(config, self.logs.from)?;
        let (summary, _) = replay::read(&plan, &mut engine, &mut epochs)?;
        let n_found = n_of(usize::try_from(epochs.watcher.suppressed.n_told())?, "finding");
        let told = engine.learned_through().map(|through| {
            let open = Day(through.0.saturating_add(1));
            let file = escape(&name);
            format!(
                "{n_found} told, and kept in {file}; days from {open} on are open: their logs may still come"
            )
        });
        // The shelf reads the file, which is one whole when nobody does.
        let open_from = engine.oldest_open();
        drop(engine);
        let Epochs { watcher, mut file, .. } = epochs;
        let mut ended = watcher.finish()?;
        if self.alert {
            ended.alerted = Some(alert::deliver(&mut file, sinks, Some(open_from))?);
        }
        file.close();
        Ok((summary, ended, told))
    }
}
