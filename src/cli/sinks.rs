//! `alerts test` and `resend`: whether sinks get what they are told; what they would not take, sent once more.

use super::{Wrong, complain, configured};
use crate::{aws, clock, config::n_of};
use alerts::{
    Inputs,
    sinks::{Caller, JsonLines, Message, Outcome, Sink, Syslog, To, Webhook},
};
use anyhow::{Context as _, Result, anyhow};
use clap::Subcommand;
use std::path::PathBuf;
use tokio::runtime::Runtime;

#[derive(Debug, Subcommand)]
pub(super) enum Alerts {
    /// Tell every sink a finding that calls itself a sample, and say what came of it
    Test {
        /// Settings, in TOML, with tables [sinks.NAME]
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Only this sink, by its name in the configuration
        #[arg(long, value_name = "NAME")]
        sink: Option<String>,
    },
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
        match self {
            Self::Test { config, sink } => test(&config, sink.as_deref()),
            Self::Resend { file, sink } => resend(&file, sink.as_deref()),
        }
    }
}

fn test(path: &std::path::Path, name: Option<&str>) -> Result<u8> {
    let config = configured(Some(path))?;
    let mut sinks = config.sinks()?;
    sinks.retain(|sink| name.is_none_or(|name| sink.name == name));
    if sinks.is_empty() {
        let which = name.map_or("no sink".to_owned(), |name| format!("no sink {name}"));
        let file = path.display();
        return Err(Wrong::usage(anyhow!("{which} in {file} (expected a table [sinks.NAME])")));
    }
    let (_, inputs) = super::replay::engine(Some(&config), detect::Lessons::default())?;
    let runtime = aws::runtime()?;
    let mut is_failure = false;
    for sink in &sinks {
        let outcome = send(sink, &inputs, &runtime)?;
        let told = match &outcome {
            Outcome::Delivered => "delivered",
            Outcome::Retry { error, .. }
            | Outcome::Later { error }
            | Outcome::Refused { error }
            | Outcome::Gone { error } => error,
        };
        is_failure |= outcome != Outcome::Delivered;
        complain(&format!("{}: {told}", sink.name));
    }
    Ok(u8::from(is_failure))
}

fn send(sink: &Sink, inputs: &Inputs, runtime: &Runtime) -> Result<Outcome> {
    let now_ms = clock::now_ms();
    let message = Message::sample(sink, inputs, now_ms);
    Ok(match sink.to.clone() {
        To::Webhook(settings) => {
            let webhook = Webhook::new(settings)?;
            runtime.block_on(webhook.send(&message, now_ms, None))
        }
        To::JsonLines(settings) => JsonLines::new(settings).write(&[message]),
        To::Syslog(settings) => {
            let syslog = Syslog::new(settings)?;
            runtime.block_on(syslog.send(&[message]))
        }
        To::Service(service) => {
            let mut caller = runtime.block_on(Caller::reach(service))?;
            let sent = runtime.block_on(caller.send(vec![message], clock::now_ms));
            // Of one message there is one outcome.
            sent.into_iter().next().context("the message got lost")?.1
        }
    })
}

fn resend(file: &std::path::Path, sink: Option<&str>) -> Result<u8> {
    let all = alerts::resend(file, sink, clock::now_ms())?;
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
