//! The command line: what may be asked, and how the program ends.

use crate::{clock, decode, replay};
use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};
use detect::{Engine, Finding, Severity};
use ingest::{
    flowlog::FlowFormat,
    instant::parse_instant,
    source::{Filter, PathArg},
};
use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
    time::Instant,
};

/// Streaming anomaly detector for AWS CloudTrail and VPC Flow Logs
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
    /// Print records, flows or notifications, normalised
    Decode(Decode),
}

#[derive(Debug, Args)]
struct Replay {
    /// Files, folders or patterns; `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// First moment to look at, for example 2025-03-14 or 2025-03-14T10:00:00Z
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<i64>,
    /// First moment to look at no longer
    #[arg(long, value_name = "TIME", value_parser = instant)]
    until: Option<i64>,
    /// Only this account; may be repeated
    #[arg(long, value_name = "ID")]
    account: Vec<String>,
    /// Only this region; may be repeated
    #[arg(long, value_name = "REGION")]
    region: Vec<String>,
    /// Settings, in TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Fields of flow logs without a header line, for example "version account-id ..."
    #[arg(long, value_name = "FIELDS", value_parser = flow_format)]
    flow_format: Option<FlowFormat>,
    /// Form of the findings [default: table on a terminal, else jsonl]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Exit with 3 if a finding is at least this severe
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<Level>,
    /// Threads that read and judge [default: as many as cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// No progress bar and no summary
    #[arg(long, short)]
    quiet: bool,
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

/// Forms of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
    Jsonl,
    Csv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Level {
    Low,
    Medium,
    High,
    Critical,
}

impl From<Level> for Severity {
    fn from(level: Level) -> Self {
        match level {
            Level::Low => Self::Low,
            Level::Medium => Self::Medium,
            Level::High => Self::High,
            Level::Critical => Self::Critical,
        }
    }
}

fn instant(text: &str) -> Result<i64, String> {
    parse_instant(text).map_err(|error| error.to_string())
}

fn flow_format(text: &str) -> Result<FlowFormat, String> {
    FlowFormat::parse(text).map_err(|error| error.to_string())
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
        Command::Decode(arguments) => arguments.run(),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            let is_usage = error.downcast_ref::<ingest::source::SourceError>().is_some();
            ExitCode::from(if is_usage { USAGE } else { FAILURE })
        }
    }
}

/// Whoever read the output has read enough.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    io.into_iter().any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn complain(what: &str) {
    // Nobody is left to tell if standard error is gone.
    drop(writeln!(io::stderr(), "sentrail: {}", alerts::escape(what)));
}

struct Watcher<'a> {
    writer: &'a mut dyn Write,
    worst: Option<Severity>,
    quiet: bool,
}

impl replay::Watch for Watcher<'_> {
    fn begin(&mut self, _n_objects: u64, _bytes: u64) {}
    fn read(&mut self, _n_objects: u64, _bytes: u64) {}

    fn findings(&mut self, findings: Vec<Finding>) -> Result<()> {
        for f in findings {
            self.worst = self.worst.max(Some(f.severity));
            let line = serde_json::json!({
                "id": f.id.to_string(), "detector": f.meta.id,
                "severity": {"score": f.severity.score(f.bits()), "label": f.severity.label()},
                "account": &*f.entity.account, "entity": {"kind": f.entity.kind.name(), "key": &*f.entity.key},
                "first_seen": ingest::time::format_ms(f.times_ms.0), "last_seen": ingest::time::format_ms(f.times_ms.1),
                "count": f.count, "bits": f.bits().as_f64(), "summary": f.summary,
                "event_ids": f.records.iter().map(|r| r.id.to_string()).collect::<Vec<_>>(),
                "flow": f.flow.as_ref().map(|w| serde_json::json!({"interface": w.interface, "peers": w.peers, "ports": w.ports})),
            });
            writeln!(self.writer, "{line}")?;
        }
        Ok(())
    }

    fn trouble(&mut self, object: &str, what: &str) {
        complain(&format!("{object}: {what}"));
    }
}

impl Replay {
    fn run(self) -> Result<u8> {
        let start = Instant::now();
        if let Some(n) = self.threads {
            rayon::ThreadPoolBuilder::new().num_threads(n.into()).build_global()?;
        }
        let plan = replay::Plan {
            paths: self.paths.into_iter().map(PathArg::new).collect(),
            filter: Filter {
                from_ms: self.from,
                until_ms: self.until,
                accounts: self.account,
                regions: self.region,
                ..Filter::default()
            },
            limits: ingest::decode::Limits::default(),
            flow_format: self.flow_format,
        };
        let mut engine =
            Engine::new(detect::Options::default(), ingest::enrich::Enrich::built_in());
        let mut out = io::BufWriter::new(io::stdout().lock());
        let mut watcher = Watcher { writer: &mut out, worst: None, quiet: self.quiet };
        let summary = replay::run(&plan, &mut engine, &mut watcher)?;
        let worst = watcher.worst;
        out.flush()?;
        if !self.quiet {
            summary.write(clock::seconds_since(start), &mut io::stderr().lock())?;
        }
        let failed = self.fail_on.is_some_and(|level| worst >= Some(level.into()));
        Ok(if summary.is_incomplete() {
            INCOMPLETE
        } else if failed {
            FINDINGS
        } else {
            0
        })
    }
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
