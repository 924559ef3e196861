//! The command line: what may be asked, and how the program ends.

mod asked;
mod config;
mod demo;
mod detectors;
mod doctor;
mod findings;
mod healthcheck;
mod identity;
mod learn;
mod logs;
mod manual;
mod own;
mod progress;
mod replay;
mod rules;
mod run;
mod simulate;
mod sinks;
mod state;
mod status;

use crate::{
    config::{Config, ConfigError},
    decode,
    into::Unusable,
    run::{Log, names as run_names},
    terminal,
};
use alerts::Format;
use anyhow::Result;
use clap::{
    Args, Parser, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use detectors::Kind;
use ingest::{
    enrich::EnrichError,
    flowlog::FlowFormat,
    source::{SourceError, s3::ListError, session::AccessError},
};
use replay::Replay;
use simulate::Simulate;
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Finds what does not fit in CloudTrail and VPC Flow Logs
#[derive(Debug, Parser)]
#[command(name = "sentrail", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read archived logs and tell what does not fit
    Replay(Replay),
    /// Read logs as they come, day and night, and tell what does not fit
    Run(run::Run),
    /// Say whether `run` would work with the same options, and which permissions are missing: exit code 0 if it would
    Doctor(doctor::Doctor),
    /// Ask a daemon on this machine whether it is ready: exit code 0 if it is
    Healthcheck(healthcheck::Healthcheck),
    /// How a daemon on this machine is doing: what it reads, found and tells, and what went wrong
    Status(status::Status),
    /// Read archived logs and keep what they teach, for `replay --baseline`
    Learn(learn::Learn),
    /// Find attacks in the logs of a made-up organisation, and compare with the truth
    Demo(demo::Demo),
    /// Write the logs of a made-up organisation, as AWS would, or an attack into a copy of your own
    Simulate(Simulate),
    /// Print records, flows or notifications, normalised
    Decode(Decode),
    /// List, show, explain or mark findings that were kept
    #[command(subcommand)]
    Findings(findings::Findings),
    /// Look into what judged an identity on a day: what is usual, and the bits of every span
    Identity(identity::Identity),
    /// List the detectors, or explain one
    #[command(subcommand)]
    Detectors(Detectors),
    /// Look into what `run` and `replay --state` keep, or forget an identity
    #[command(subcommand)]
    State(state::State),
    /// Try whether sinks get what they are told, or send once more what they would not take
    #[command(subcommand)]
    Alerts(sinks::Alerts),
    /// Check or test files of rules
    #[command(subcommand)]
    Rules(rules::Rules),
    /// Check or show the configuration
    #[command(subcommand)]
    Config(Settings),
    /// Print what completes commands and options in a shell
    Completions(manual::Completions),
    /// Write pages for `man`
    Man(manual::Man),
}

#[derive(Debug, Subcommand)]
enum Detectors {
    /// List the detectors and rules
    List {
        /// Form of the list [default: table on a terminal, else jsonl]
        #[arg(long, value_parser = one_of(Format::OF_ROWS, Format::name))]
        format: Option<Format>,
        /// Only detectors, which judge by what is usual, or only rules, which say what is bad
        #[arg(long, value_enum)]
        kind: Option<Kind>,
        /// Settings, in TOML, for the rules that they name
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print the page of one: when it fires, when not, what it misses, what to do; of a rule also its
    /// source
    Show {
        /// The id of a detector or rule, for example s3-mass-deletion
        id: String,
        /// Settings, in TOML, for the rules that they name
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
enum Settings {
    /// Say whether the configuration can be used
    Check {
        /// Settings, in TOML
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print what is in force, and where each value comes from
    Show {
        /// Settings, in TOML
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
struct Decode {
    /// A file; `-` for standard input
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// What it holds [default: told from the content]
    #[arg(long = "as", value_enum, value_name = "KIND")]
    kind: Option<decode::Kind>,
    /// Fields of flow logs without a header line, for example "version account-id ..."
    #[arg(long, value_name = "FIELDS", value_parser = flow_format)]
    flow_format: Option<FlowFormat>,
    /// Form of the records
    #[arg(long, value_enum, default_value = "jsonl")]
    format: decode::Format,
}

fn flow_format(text: &str) -> Result<FlowFormat, String> {
    FlowFormat::parse(text).map_err(|error| error.to_string())
}

/// Reads one of `all` by its name.
fn one_of<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(move |one| name(*one))).try_map(move |text| {
        let named = all.iter().find(|one| name(**one) == text);
        named.copied().ok_or("expected one of the possible values")
    })
}

/// What a person or a program wants who has not said.
fn or_default(asked: Option<Format>) -> Format {
    let default = || if terminal::is_for_a_person() { Format::Table } else { Format::JsonLines };
    asked.unwrap_or_else(default)
}

/// How the program ends; where several hold, the first that the manual names.
const FAILURE: u8 = 1;
const USAGE: u8 = 2;
const FINDINGS: u8 = 3;
const INCOMPLETE: u8 = 4;

/// Runs what the command line asks for.
pub(crate) fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Replay(arguments) => arguments.run(),
        Command::Run(arguments) => arguments.run(),
        Command::Doctor(arguments) => arguments.run(),
        Command::Healthcheck(arguments) => arguments.run(),
        Command::Status(arguments) => arguments.run(),
        Command::Completions(arguments) => arguments.run(),
        Command::Man(arguments) => arguments.run(),
        Command::Learn(arguments) => arguments.run(),
        Command::Demo(arguments) => arguments.run(),
        Command::Simulate(arguments) => arguments.run(&mut io::stderr()),
        Command::Decode(arguments) => arguments.run(),
        Command::Findings(command) => command.run(),
        Command::Identity(arguments) => arguments.run(),
        Command::State(command) => command.run(),
        Command::Alerts(command) => command.run(),
        Command::Detectors(command) => command.run().map(|()| 0),
        Command::Rules(command) => command.run(&mut io::stdout(), &mut io::stderr()),
        Command::Config(Settings::Check { config }) => {
            config::check(config.as_deref(), &mut io::stderr()).map(|()| 0)
        }
        Command::Config(Settings::Show { config }) => {
            config::show(config.as_deref(), &mut io::stdout()).map(|()| 0)
        }
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            match error.downcast_ref() {
                Some(ConfigError::Rules(troubles)) => troubles.iter().for_each(|one| complain(one)),
                _ => complain(&format!("{error:#}")),
            }
            ExitCode::from(if is_usage(&error) { USAGE } else { FAILURE })
        }
    }
}

impl Detectors {
    fn run(self) -> Result<()> {
        let out = &mut io::stdout();
        match self {
            Self::List { format, kind, config } => {
                let config = configured(config.as_deref())?;
                detectors::list(config.rules(), (kind, or_default(format)), out)
            }
            Self::Show { id, config } => {
                let config = configured(config.as_deref())?;
                detectors::show(config.rules(), &id, out).map_err(Wrong::usage)
            }
        }
    }
}

/// What the person at the keyboard can mend: arguments, paths and settings.
fn is_usage(error: &anyhow::Error) -> bool {
    error.is::<SourceError>()
        || error.is::<ConfigError>()
        || error.is::<EnrichError>()
        || error.is::<Unusable>()
        || error.is::<AccessError>()
        || error.downcast_ref().is_some_and(|error| !matches!(error, ListError::S3(_)))
        || error.is::<Wrong>()
        || error.downcast_ref().is_some_and(findings::is_usage)
}

/// An argument that clap cannot know to be wrong.
#[derive(Debug, thiserror::Error)]
#[error("{0:#}")]
struct Wrong(anyhow::Error);

impl Wrong {
    fn usage(error: anyhow::Error) -> anyhow::Error {
        if is_broken_pipe(&error) { error } else { Self(error).into() }
    }
}

/// Whoever read the output has read enough.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    io.into_iter().any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The configuration in force. What may be a slip in it is told.
fn configured(path: Option<&Path>) -> Result<Config> {
    let config = Config::load(path)?;
    for warning in config.warnings() {
        complain(&format!("warning: {warning}"));
    }
    Ok(config)
}

/// The same, where AWS Organizations has said what accounts are called, if it is to be asked. Who tells sinks asks it.
fn named_by_organization(config: Config, log: &Log) -> Config {
    let access = config.organization();
    match access.and_then(|access| run_names::read(&access, log)) {
        Some(others) => config.with_names(&others),
        None => config,
    }
}

fn complain(what: &str) {
    // Nobody is left to tell if standard error is gone.
    drop(writeln!(io::stderr(), "sentrail: {}", alerts::escape(what)));
}

impl Decode {
    fn run(self) -> Result<u8> {
        let Self { path, kind, flow_format, format } = self;
        let plan = decode::Plan { path, kind, flow_format, format };
        let mut out = io::BufWriter::new(io::stdout().lock());
        let ending = decode::run(plan, &mut out, &mut complain)?;
        Ok(match ending {
            decode::Ending::Whole => 0,
            decode::Ending::Incomplete => INCOMPLETE,
            decode::Ending::Nothing => FAILURE,
        })
    }
}
