//! `learn`: its arguments, and what a person sees of it.

use super::{
    FAILURE, INCOMPLETE, complain,
    logs::{Logs, Reading},
    progress::Progress,
    replay::engine,
};
use crate::{
    config::{Config, n_of},
    replay,
};
use alerts::{LearnedWriter, Learning};
use anyhow::Result;
use baseline::{Day, Hour};
use clap::Args;
use detect::{Engine, Lessons, ShelfError};
use ingest::time::format_ms;
use std::{
    io::{self, Write},
    path::PathBuf,
    time::Instant,
};

#[derive(Debug, Args)]
pub(super) struct Learn {
    #[command(flatten)]
    logs: Logs,
    /// Keep what was learned in this file, for `sentrail replay --baseline`; what it held of an earlier
    /// `learn` goes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Learn {
    pub(super) fn run(self) -> Result<u8> {
        let start = Instant::now();
        self.logs.reading.start_threads()?;
        let config = self.logs.configured(self.logs.reading.config.as_deref())?;
        let (mut engine, _) = engine(Some(&config), Lessons::default())?;
        engine.say_nothing_before(Hour(i32::MAX));
        let writer = LearnedWriter::begin(&self.out)?;
        let plan = self.logs.plan(&config, self.logs.from)?;
        let mut progress = Progress::new(self.logs.quiet, true);
        let (summary, end_ms) = replay::read(&plan, &mut engine, &mut progress)?;
        let times_ms = summary.intake.times_ms;
        close(&mut engine, (self.logs.until, times_ms.map(|(_, last_ms)| last_ms)), end_ms)?;
        // Days before the first record would count as learned, and never were.
        let is_of = |through: &Day| times_ms.is_some_and(|(first, _)| *through >= Day::of(first));
        let kept = match engine.learned_through().filter(is_of) {
            Some(through) => Some(self.keep(&engine, (&config, through), writer)?),
            None => None,
        };
        drop(progress);
        if !self.logs.quiet {
            summary.write(start.elapsed().as_secs_f64(), &mut io::stderr().lock())?;
            if let Some(kept) = &kept {
                writeln!(io::stderr(), "learned   {kept}")?;
            }
        }
        if kept.is_none() {
            complain(
                "nothing was learned: of no day it is sure that all of its records were there \
                 (expected logs that go on for the lateness after it, or --until)",
            );
            return Ok(FAILURE);
        }
        Ok(if summary.is_incomplete() { INCOMPLETE } else { 0 })
    }

    /// Writes the file, and says what it holds.
    fn keep(
        &self,
        engine: &Engine,
        (config, through): (&Config, Day),
        mut writer: LearnedWriter,
    ) -> Result<String> {
        let Reading { account, region, .. } = &self.logs.reading;
        let learning =
            Learning::new(&config.options(), (account, region), (self.logs.from, through));
        engine.learned(&mut |blob| writer.blob(blob))?;
        let n_profiles = writer.n_profiles();
        writer.finish(&learning.by(self.logs.command("learn", Vec::new())))?;
        let profiles = n_of(usize::try_from(n_profiles)?, "profile");
        let day: String = format_ms(through.start_ms()).chars().take(10).collect();
        let file = self.out.display().to_string();
        let file = alerts::escape(&file);
        Ok(format!("{profiles} by the end of {day}, in {file}; later days still have to be read"))
    }
}

/// Closes the days of which all records were there: by the user's word those before `until`, as far as
/// there are any; else those whose lateness has passed at the end. Unit: milliseconds since the Unix
/// epoch.
fn close(
    engine: &mut Engine,
    (until, last_ms): (Option<i64>, Option<i64>),
    end_ms: i64,
) -> Result<(), ShelfError> {
    match until.zip(last_ms) {
        Some((until, last_ms)) => {
            let after_last = Day(Day::of(last_ms).0.saturating_add(1));
            engine.close_before(Day::of(until).min(after_last))
        }
        None => engine.advance(end_ms),
    }
}
