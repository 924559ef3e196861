//! `replay`: its arguments, and what a person sees of it.

use super::{FINDINGS, Format, INCOMPLETE, complain, flow_format};
use crate::{
    config::Config,
    replay::{self, Plan, Watch},
    summary::Summary,
    terminal,
};
use alerts::{Keeper, Run, Scope, Tally};
use anyhow::Result;
use baseline::Day;
use clap::{Args, ValueEnum};
use detect::{Engine, Finding, Severity};
use indicatif::ProgressBar;
use ingest::{
    decode::Limits,
    flowlog::FlowFormat,
    instant::parse_instant,
    source::{Filter, PathArg},
    time::format_ms,
};
use std::{
    io::{self, BufWriter, Stdout, Write},
    mem::ManuallyDrop,
    path::PathBuf,
    time::Instant,
};

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// Files, folders or patterns; `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Read nothing older, for example 2025-03-14 or 2025-03-14T10:00:00Z; nor learn from it
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<i64>,
    /// Stop before this moment
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
    #[arg(long, value_name = "FIELDS", value_parser = given_format)]
    flow_format: Option<GivenFormat>,
    /// Form of the findings [default: table on a terminal, else jsonl]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Keep the findings with their evidence in this file, for `sentrail findings`; what it has of the same
    /// accounts and days, and is not found again, goes
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
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

/// Fields of flow logs, as they were given and as they are meant.
#[derive(Debug, Clone)]
struct GivenFormat {
    text: String,
    format: FlowFormat,
}

fn given_format(text: &str) -> Result<GivenFormat, String> {
    Ok(GivenFormat { text: text.to_owned(), format: flow_format(text)? })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Level {
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

pub(super) fn instant(text: &str) -> Result<i64, String> {
    parse_instant(text).map_err(|error| error.to_string())
}

/// Writes findings as they come, under a progress bar.
pub(super) struct Watcher {
    writer: alerts::Writer<BufWriter<Stdout>>,
    inputs: alerts::Inputs,
    bar: ProgressBar,
    keeper: Option<Keeper>,
    quiet: bool,
    /// Whoever read standard output has read enough, but the findings are still to be kept.
    is_unread: bool,
    n_findings: u64,
    worst: Option<Severity>,
}

impl Watch for Watcher {
    fn begin(&mut self, bytes: u64) {
        self.bar = terminal::progress(bytes, !self.quiet);
    }

    fn read(&mut self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn findings(&mut self, findings: &[Finding]) -> Result<()> {
        for finding in findings {
            self.n_findings += 1;
            self.worst = self.worst.max(Some(finding.severity));
            if let Some(keeper) = &mut self.keeper {
                keeper.finding(finding)?;
            }
            if !self.is_unread {
                let written = self.bar.suspend(|| self.writer.finding(finding, &self.inputs));
                self.is_unread = is_unread(written, self.keeper.is_some())?;
            }
        }
        self.bar.set_message(format!("{} findings", self.n_findings));
        Ok(())
    }

    fn trouble(&mut self, object: &str, what: &str) {
        let what = format!("{}: {}", alerts::escape(object), alerts::escape(what));
        self.bar.suspend(|| complain(&what));
    }
}

impl Watcher {
    pub(super) fn new(format: alerts::Format, inputs: alerts::Inputs, quiet: bool) -> Self {
        let out = BufWriter::new(io::stdout());
        Self {
            writer: alerts::Writer::new(format, out, terminal::style()),
            inputs,
            bar: ProgressBar::hidden(),
            keeper: None,
            quiet,
            is_unread: false,
            n_findings: 0,
            worst: None,
        }
    }

    /// Keeps what is found, too.
    fn keeping(self, keeper: Option<Keeper>) -> Self {
        Self { keeper, ..self }
    }

    /// Makes durable what was kept, and says what that is.
    fn keep(&mut self, summary: &Summary) -> Result<Option<String>> {
        let Some(keeper) = self.keeper.take() else { return Ok(None) };
        let file = keeper.path().display().to_string();
        let counts = &summary.counts;
        let days = counts.times_ms.map(|(first_ms, last_ms)| (Day::of(first_ms), Day::of(last_ms)));
        let scope = days.map(|days| Scope { days, accounts: &counts.accounts });
        // What could not be read may be what they rest on.
        let scope = scope.filter(|_| !summary.is_incomplete());
        let Tally { n_new, n_again, n_gone } = keeper.finish(scope)?;
        let told = format!("{n_new} new, {n_again} as before or changed, {n_gone} taken out");
        Ok(Some(format!("{} findings in {}: {told}", n_new + n_again, alerts::escape(&file))))
    }

    /// Ends the output and answers how severe the worst finding was.
    pub(super) fn finish(self) -> Result<Option<Severity>> {
        self.bar.finish_and_clear();
        if !self.is_unread {
            self.writer.finish()?;
        }
        Ok(self.worst)
    }
}

/// Whether nobody reads standard output any more; an error, unless there is more to do.
fn is_unread(written: io::Result<()>, is_kept: bool) -> io::Result<bool> {
    match written {
        Err(error) if is_kept && error.kind() == io::ErrorKind::BrokenPipe => Ok(true),
        other => other.map(|()| false),
    }
}

/// The engine that the configuration asks for, and what it knows.
pub(super) fn engine(config: Option<&Config>) -> Result<(Engine, alerts::Inputs)> {
    let defaults = Config::load(None)?;
    let config = config.unwrap_or(&defaults);
    let enrich = config.enrich()?;
    let inputs = config.inputs(&enrich);
    Ok((Engine::new(config.options(), enrich), inputs))
}

impl Replay {
    /// Keeps the findings, if that is asked for.
    fn keeper(&self, config: &Config, inputs: &alerts::Inputs) -> Result<Option<Keeper>> {
        let Some(path) = &self.out else { return Ok(None) };
        let run = Run { inputs: inputs.clone(), command: self.command() };
        Ok(Some(Keeper::begin(path, &run, &config.options().detectors)?))
    }

    /// The arguments that the findings depend on.
    fn command(&self) -> Vec<String> {
        let option = |name: &str, value: String| [format!("--{name}"), value];
        let path = |path: &PathBuf| path.display().to_string();
        let times = [("from", self.from), ("until", self.until)];
        let times = times.into_iter().filter_map(|(name, at)| Some((name, format_ms(at?))));
        let accounts = self.account.iter().map(|account| ("account", account.clone()));
        let regions = self.region.iter().map(|region| ("region", region.clone()));
        let config = self.config.iter().map(|file| ("config", path(file)));
        let format = self.flow_format.iter().map(|given| ("flow-format", given.text.clone()));
        let options = times.chain(accounts).chain(regions).chain(config).chain(format);
        let options = options.flat_map(|(name, value)| option(name, value));
        let paths = self.paths.iter().map(path);
        std::iter::once("replay".to_owned()).chain(options).chain(paths).collect()
    }

    pub(super) fn run(self) -> Result<u8> {
        let start = Instant::now();
        if let Some(n) = self.threads {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n.into());
            // One thread needs no other.
            let pool = if n == 1 { pool.use_current_thread() } else { pool };
            pool.build_global()?;
        }
        let config = Config::load(self.config.as_deref())?;
        let (engine, inputs) = engine(Some(&config))?;
        let keeper = self.keeper(&config, &inputs)?;
        // The process ends after this: giving back profile by profile costs 1 % of a long replay.
        let mut engine = ManuallyDrop::new(engine);
        let plan = Plan {
            paths: self.paths.into_iter().map(PathArg::new).collect(),
            filter: Filter {
                from_ms: self.from,
                until_ms: self.until,
                accounts: self.account,
                regions: self.region,
                lateness_ms: config.options().lateness.ms(),
            },
            limits: Limits { inflated_bytes_max: config.inflated_bytes_max(), ..Limits::default() },
            flow_format: self.flow_format.map(|given| given.format),
        };
        let format = Format::or_default(self.format);
        let mut watcher = Watcher::new(format, inputs, self.quiet).keeping(keeper);
        let summary = replay::run(&plan, &mut engine, &mut watcher)?;
        let kept = watcher.keep(&summary)?;
        let worst = watcher.finish()?;
        if !self.quiet {
            let seconds = start.elapsed().as_secs_f64();
            if let Some(tally) = config.tally() {
                writeln!(io::stderr(), "rules     {tally}")?;
            }
            summary.write(seconds, &mut io::stderr().lock())?;
            if let Some(kept) = kept {
                writeln!(io::stderr(), "kept      {kept}")?;
            }
        }
        if summary.is_empty() {
            complain("no records were read, so there was nothing to find");
        }
        let is_failure = self.fail_on.is_some_and(|level| worst >= Some(level.into()));
        Ok(match (summary.is_incomplete(), is_failure) {
            (true, _) => INCOMPLETE,
            (false, true) => FINDINGS,
            (false, false) => 0,
        })
    }
}
