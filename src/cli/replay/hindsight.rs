//! `replay --hindsight`: the first of two readings, which learns all days.

use super::Replay;
use crate::{
    cli::Wrong,
    replay::{self, Plan, Watch},
    terminal,
};
use anyhow::{Result, anyhow};
use detect::{Engine, Finding};
use indicatif::ProgressBar;

/// Shows how far it is, and leaves it to the second reading to tell what cannot be read.
struct Progress {
    bar: ProgressBar,
    quiet: bool,
}

impl Watch for Progress {
    fn begin(&mut self, bytes: u64) {
        self.bar = terminal::progress(bytes, !self.quiet);
        self.bar.set_message("learning");
    }

    fn read(&mut self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn findings(&mut self, _: &[Finding]) -> Result<()> {
        Ok(())
    }

    fn trouble(&mut self, _: &str, _: &str) {}
}

impl Replay {
    /// An engine that judges each day by what the others in these logs teach.
    pub(super) fn learn_all(&self, mut engine: Engine, plan: &Plan) -> Result<Engine> {
        if self.logs.paths.iter().any(|path| path.as_os_str() == "-") {
            let what = "--hindsight reads twice, which standard input cannot be";
            return Err(Wrong::usage(anyhow!("{what} (expected a file or a folder)")));
        }
        engine.learn_for_hindsight();
        let mut progress = Progress { bar: ProgressBar::hidden(), quiet: self.logs.quiet };
        replay::run(plan, &mut engine, &mut progress)?;
        progress.bar.finish_and_clear();
        Ok(engine.in_hindsight())
    }
}
