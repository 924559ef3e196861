//! `replay --hindsight`: the first of two readings, which learns all days.

use super::Replay;
use crate::{
    cli::{Wrong, progress::Progress},
    replay::{self, Plan},
};
use anyhow::{Result, anyhow};
use detect::Engine;

impl Replay {
    /// An engine that judges each day by what the others in these logs teach.
    pub(super) fn learn_all(&self, mut engine: Engine, plan: &Plan) -> Result<Engine> {
        if self.logs.paths.iter().any(|path| path.as_os_str() == "-") {
            let what = "--hindsight reads twice, which standard input cannot be";
            return Err(Wrong::usage(anyhow!("{what} (expected a file or a folder)")));
        }
        engine.learn_for_hindsight();
        replay::run(plan, &mut engine, &mut Progress::new(self.logs.quiet, false))?;
        Ok(engine.in_hindsight())
    }
}
