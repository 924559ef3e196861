//! `replay --compare`: the same logs under two configurations, read once for each, since rules and lists
//! decide what is read of a record.

use super::{Replay, engine, gap_after, lessons};
use crate::{
    cli::{FINDINGS, INCOMPLETE, Wrong, complain, or_default},
    config::Config,
    pipeline::Observer,
    replay,
    summary::Summary,
    suppressed::Suppressed,
    terminal,
};
use alerts::{ById, Format, Judged, differences};
use anyhow::{Result, anyhow};
use baseline::stable_hash;
use detect::{Finding, Marked};
use indicatif::ProgressBar;
use std::{
    collections::BTreeSet,
    io::{self, BufWriter, Write},
    mem::ManuallyDrop,
    path::Path,
    sync::Arc,
    time::Instant,
};

/// The findings of one reading, without their records.
struct Collector {
    findings: ById,
    suppressed: Suppressed,
    bar: ProgressBar,
    quiet: bool,
    /// Hashes of what could not be read: it is told once.
    told: BTreeSet<u128>,
}

impl Observer for Collector {
    fn begin(&mut self, bytes: u64) {
        self.bar = terminal::progress(bytes, !self.quiet);
    }

    fn read(&mut self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn findings(&mut self, findings: &[Finding]) -> Result<()> {
        for finding in findings {
            let suppressed = self.suppressed.judge(finding);
            let finding = Finding { records: Vec::new(), ..finding.clone() };
            self.findings.insert(finding.id, Judged { finding, suppressed });
        }
        Ok(())
    }

    fn trouble(&mut self, object: &str, what: &str) {
        let what = format!("{}: {}", alerts::escape(object), alerts::escape(what));
        if self.told.insert(stable_hash(&[what.as_bytes()])) {
            self.bar.suspend(|| complain(&what));
        }
    }
}

impl Replay {
    /// What the configuration at `other` would tell instead.
    pub(super) fn compare(&self, config: &Config, other: &Path) -> Result<u8> {
        let start = Instant::now();
        let other = self.logs.configured(Some(other))?;
        let format = or_default(self.format);
        if !matches!(format, Format::Table | Format::JsonLines) {
            return Err(Wrong::usage(anyhow!(
                "--compare has no such --format (expected table, jsonl)"
            )));
        }
        if self.logs.paths.iter().any(|path| path.as_os_str() == "-") {
            return Err(Wrong::usage(anyhow!(
                "--compare reads twice, which standard input cannot be (expected a file or a folder)"
            )));
        }
        let marked = self.marked()?;
        let (before, read_before, told) = self.collect(config, &marked, BTreeSet::new())?;
        let (after, summary, _) = self.collect(&other, &marked, told)?;
        let differences = differences(&before, &after);
        let out = (format, terminal::style());
        alerts::write_differences(
            &mut BufWriter::new(io::stdout()),
            (&differences, other.accounts()),
            out,
        )?;
        if !self.logs.quiet {
            summary.write(start.elapsed().as_secs_f64(), &mut io::stderr().lock())?;
            let n = |change| differences.iter().filter(|one| one.change() == change).count();
            let (n_new, n_gone, n_changed) = (n("appears"), n("vanishes"), n("changes"));
            let n_told = before.values().filter(|judged| judged.is_told()).count();
            let n_same = n_told - n_gone - n_changed;
            let told =
                format!("{n_new} appear, {n_gone} vanish, {n_changed} change, {n_same} stay");
            writeln!(io::stderr(), "compared  {told}")?;
        }
        if summary.is_empty() {
            complain("no records were read, so there was nothing to compare");
        }
        let risen = differences.iter().filter_map(alerts::Difference::risen).max();
        let is_failure = self.fail_on.is_some_and(|level| risen >= Some(level));
        let is_incomplete = read_before.is_incomplete() || summary.is_incomplete();
        Ok(match (is_incomplete, is_failure) {
            (true, _) => INCOMPLETE,
            (false, true) => FINDINGS,
            (false, false) => 0,
        })
    }

    /// The findings, what was read, and what of it was told to be unreadable, after `told`.
    fn collect(
        &self,
        config: &Config,
        marked: &[Marked],
        told: BTreeSet<u128>,
    ) -> Result<(ById, Summary, BTreeSet<u128>)> {
        let (engine, _) = engine(Some(config), lessons(config, marked))?;
        // Giving back profile by profile costs 1 % of a long replay.
        let mut engine = ManuallyDrop::new(engine);
        self.prepare(&mut engine, config)?;
        let learned_through = engine.learned_through();
        let (findings, bar) = (ById::new(), ProgressBar::hidden());
        let suppressed = Suppressed::by(Arc::clone(config.suppressions()));
        let mut collector = Collector { findings, suppressed, bar, quiet: self.logs.quiet, told };
        let plan = self.logs.plan(config, self.reads_from())?;
        let summary = replay::run(&plan, &mut engine, &mut collector)?;
        collector.bar.finish_and_clear();
        let gap = learned_through.and_then(|through| gap_after(through, &summary));
        if let Some(gap) = gap.filter(|gap| collector.told.insert(stable_hash(&[gap.as_bytes()]))) {
            complain(&gap);
        }
        Ok((collector.findings, summary, collector.told))
    }
}
