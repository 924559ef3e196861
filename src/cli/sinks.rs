//! `alerts resend`: what sinks would not take, sent once more.

use super::{Wrong, complain};
use crate::{clock, config::n_of};
use anyhow::{Result, anyhow};
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum Alerts {
    /// Send once more what a sink refused, or did not take in ten attempts; whoever runs with the state sends it
    Resend {
        /// A state, as `sentrail run` keeps it
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Only messages to this sink, by its name in the configuration
        #[arg(long, value_name = "NAME")]
        sink: Option<String>,
    },
}

impl Alerts {
    pub(super) fn run(self) -> Result<u8> {
        let Self::Resend { file, sink } = self;
        let all = alerts::resend(&file, sink.as_deref(), clock::now_ms())?;
        if let Some(name) = sink.filter(|_| all.is_empty()) {
            let file = file.display();
            let what = "expected the name of a sink that it has messages for, or had";
            return Err(Wrong::usage(anyhow!("no sink {name} in {file} ({what})")));
        }
        for (sink, n) in &all {
            let messages = n_of(usize::try_from(*n)?, "message");
            complain(&format!("{sink}: {messages} to be sent once more"));
        }
        if all.is_empty() {
            complain("no sink was told anything so far: nothing is to be sent once more");
        }
        Ok(0)
    }
}
