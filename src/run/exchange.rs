//! Another configuration takes the place of the one in force, between two epochs: all of it, or nothing. In: what was
//! offered. Out: a daemon that goes on as one that was started with it, and what changed, in the log.

use super::{
    Daemon, Level, Log, PARTING_MAX,
    reload::{Next, Offer},
    sinks::exchange::Ready,
};
use crate::{config::changes, pipeline::Workers};
use anyhow::Result;
use serde_json::json;
use std::{sync::Arc, time::Instant};

/// What became of a configuration: the label `result`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reloaded {
    /// It is in force.
    Applied,
    /// It says what was in force.
    Unchanged,
    /// It cannot be used.
    Refused,
}

impl Reloaded {
    /// Every result.
    pub(super) const ALL: &[Self] = &[Self::Applied, Self::Unchanged, Self::Refused];

    /// As metrics name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
        }
    }
}

/// Says what is watched as its own, so that a replay can be told the same.
pub(crate) fn tell_own(own: &[String], log: &Log) {
    let what = if own.is_empty() {
        "nothing says what sentrail lives on: name it in `own`"
    } else {
        "whoever touches these is told of: `sentrail-tampered-with`"
    };
    log.say(Level::Info, "own", what, &[("arns", json!(own))]);
}

impl Daemon<'_> {
    /// Keeps what is offered until the epoch ends, or says why it cannot be used.
    pub(super) fn consider(&mut self, offer: Offer) {
        match offer {
            Ok(next) => self.offered = Some(next),
            Err(why) => {
                // What was offered before it lies on the disk no more.
                self.offered = None;
                self.refuse(&why);
            }
        }
    }

    fn refuse(&self, why: &str) {
        let what = format!("the configuration before it stays in force: {why}");
        self.metrics.reloaded(Reloaded::Refused, true);
        self.desk.log.say(Level::Error, "config-refused", &what, &[("reason", json!(why))]);
    }

    /// Goes on with what was offered last, if anything was.
    pub(super) fn exchange(&mut self) -> Result<()> {
        let Some(next) = self.offered.take() else { return Ok(()) };
        let in_force = self.in_force.get();
        let Next { config, sinks, enrich, waiting } = *next;
        let lines = changes((&in_force, self.sinks.all()), (&config, &sinks));
        let with = (self.runtime, &self.to_inbox);
        let ready = self.sinks.ready(sinks, with, self.beside());
        let ready = match ready {
            Ok(ready) => ready,
            Err(error) => {
                self.refuse(&format!("{error:#}"));
                return Ok(());
            }
        };
        let log = Arc::clone(&self.desk.log);
        for warning in config.warnings() {
            log.say(Level::Warn, "config-warning", warning, &[]);
        }
        let is_unapplied = !waiting.is_empty();
        if is_unapplied {
            let what = format!("needs a restart: {}", waiting.join("; "));
            log.say(Level::Warn, "config-waits", &what, &[]);
        }
        if lines.is_empty() {
            self.metrics.reloaded(Reloaded::Unchanged, is_unapplied);
            log.say(Level::Info, "config-unchanged", "nothing changed in what is in force", &[]);
            return Ok(());
        }
        // What was read is judged by what it was read under.
        self.commit()?;
        self.part_from(&ready)?;
        self.engine.reconfigure(config.options(), enrich)?;
        self.workers = Workers::of(self.plan, self.engine.rules().flow_fields());
        let accounts = Arc::new(config.accounts().beside(&self.others));
        self.inputs = config.inputs(self.engine.tables()).of(accounts);
        self.file.go_on(&self.inputs, &config.options().detectors)?;
        self.suppressed.go_on(Arc::clone(config.suppressions()));
        self.metrics.know(config.suppressions());
        self.sinks.exchange(ready);
        let hash = config.hash();
        self.in_force.set(config);
        for line in &lines {
            log.say(Level::Info, "config-changed", line, &[]);
        }
        let what = format!("another configuration is in force, of hash {hash}");
        let fields = [("hash", json!(hash)), ("hash_before", json!(in_force.hash()))];
        if self.in_force.get().own() != in_force.own() {
            tell_own(self.in_force.get().own(), &log);
        }
        self.metrics.reloaded(Reloaded::Applied, is_unapplied);
        log.say(Level::Info, "config-applied", &what, &fields);
        Ok(())
    }

    /// Waits for what is on the way to sinks that are no more what they were, as at the end.
    fn part_from(&mut self, ready: &Ready) -> Result<()> {
        let until = Instant::now() + PARTING_MAX;
        while self.sinks.n_on_way_of_leaving(ready) > 0 && Instant::now() < until {
            self.take_in(until)?;
        }
        Ok(())
    }
}
