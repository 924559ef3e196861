//! `run`: its arguments, and what a person sees of it.

use super::{
    Wrong, configured,
    logs::{Reading, instant, option},
    one_of, or_default,
    own::OwnArgs,
    replay::{engine, lessons},
};
use crate::{
    aws::{self, BucketPath},
    config::{Config, own},
    run::{
        self, Elsewhere, Front, Level, Log, Parts, Traces, copies, names,
        reload::Reload,
        snapshots::{
            self, Deadline, EVERY_S, EVERY_S_DEFAULT, LEASE_S, LEASE_S_DEFAULT, Restoring, Vault,
        },
        tell_own,
    },
    terminal,
};
use alerts::{Format, Inputs, KeptError, Learning, StateFile, Writer, sinks::Gate};
use anyhow::{Result, anyhow};
use baseline::{Day, form::Texts};
use clap::Args;
use detect::Engine;
use ingest::time::format_ms;
use std::{
    io::{self, BufWriter},
    net::SocketAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

#[derive(Debug, Args)]
pub(super) struct Run {
    /// Read what is in this folder, in AWS's layout, and what comes into it; may be repeated
    #[arg(long, value_name = "DIR")]
    folder: Vec<PathBuf>,
    /// Read what this SQS queue tells of; may be repeated. What came while nobody read it is looked up in the
    /// buckets first
    #[arg(long, value_name = "URL", value_parser = queue)]
    queue: Vec<String>,
    /// Read what is in this bucket, and what comes into it: `s3://BUCKET/PREFIX`; may be repeated
    #[arg(long, value_name = "S3-URL", value_parser = bucket)]
    bucket: Vec<PathBuf>,
    /// Read nothing older, for example 2025-03-14; nor learn from it
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<i64>,
    /// Keep findings, what was learned and the open days in this file, and go on from it
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Keep snapshots of the state in this folder of a bucket, `s3://BUCKET/PREFIX`, and go on from them where the
    /// state is gone, damaged or older; of several that are given the same, one works and the others wait
    #[arg(long, value_name = "S3-URL", value_parser = bucket)]
    snapshots: Option<PathBuf>,
    /// How often a snapshot is made, from 10s to 24h [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = every, requires = "snapshots")]
    snapshot_every: Option<u64>,
    /// After how long without a sign of it another takes over, from 3s to 1h [default: 20s]
    #[arg(long, value_name = "TIME", value_parser = lease, requires = "snapshots")]
    lease: Option<u64>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    own: OwnArgs,
    /// Answer /livez, /readyz and /metrics here, for example 127.0.0.1:9100
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Form of the findings on standard output [default: table on a terminal, else jsonl]
    #[arg(long, value_parser = one_of(Format::ALL, Format::name))]
    format: Option<Format>,
}

/// The name of a bucket.
pub(super) fn bucket(text: &str) -> Result<PathBuf, String> {
    let bucket = BucketPath::parse(text).filter(|path| !path.bucket.is_empty());
    bucket.map(|_| text.into()).ok_or_else(|| "expected s3://BUCKET/PREFIX".to_owned())
}

/// The URL of a queue.
pub(super) fn queue(text: &str) -> Result<String, String> {
    let rest = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let parts = rest.and_then(|rest| rest.split_once('/'));
    let is_one = parts.is_some_and(|(host, path)| !host.is_empty() && !path.is_empty());
    let expected =
        "expected a URL such as https://sqs.eu-central-1.amazonaws.com/111122223333/logs";
    if is_one { Ok(text.to_owned()) } else { Err(expected.to_owned()) }
}

/// Whether this process may write.
enum Turn {
    /// It may, and makes snapshots there, if it makes any.
    Ours(Option<Box<Elsewhere>>),
    /// It was asked to end before its turn came.
    Never,
}

/// How often snapshots are made. Unit: seconds.
fn every(text: &str) -> Result<u64, String> {
    seconds(text, EVERY_S, "10s to 24h, for example 5m")
}

/// How long a lease is. Unit: seconds.
fn lease(text: &str) -> Result<u64, String> {
    seconds(text, LEASE_S, "3s to 1h, for example 20s")
}

fn seconds(text: &str, within: RangeInclusive<u64>, expected: &str) -> Result<u64, String> {
    let units = [("s", 1), ("m", 60), ("h", 3_600)];
    let read = units.iter().find_map(|(unit, seconds)| {
        let digits = text.strip_suffix(unit)?;
        digits.parse::<u64>().ok()?.checked_mul(*seconds)
    });
    let read = read.filter(|seconds| within.contains(seconds));
    read.ok_or_else(|| format!("expected {expected}"))
}

impl Run {
    /// Whether these arguments can be meant.
    fn check(&self) -> Result<()> {
        if self.folder.is_empty() && self.queue.is_empty() && self.bucket.is_empty() {
            let what = "nothing to read (expected --folder, --queue or --bucket)";
            return Err(Wrong::usage(anyhow!(what)));
        }
        for folder in &self.folder {
            if !folder.is_dir() {
                let name = folder.display();
                return Err(Wrong::usage(anyhow!(
                    "{name} is no folder (expected one that logs come into)"
                )));
            }
        }
        if self.snapshots.is_some() && !self.queue.is_empty() && self.bucket.is_empty() {
            let what = "--snapshots with --queue needs --bucket: messages are deleted when they are durable here, so \
                        what came after the last snapshot can only be listed";
            return Err(Wrong::usage(anyhow!(what)));
        }
        Ok(())
    }

    pub(super) fn run(self) -> Result<u8> {
        let start = Instant::now();
        self.check()?;
        self.reading.start_threads()?;
        let (config, reload) = self.configured()?;
        let log = Arc::new(Log::new());
        let runtime = aws::runtime()?;
        let traces = Traces::of_environment(runtime.handle(), &log).map_err(Wrong::usage)?;
        let front = Front::open(runtime.handle(), self.listen, config.suppressions(), &log)?;
        let deadline = Deadline::none();
        let gate = if self.snapshots.is_some() { deadline.gate() } else { Gate::default() };
        let config = config.behind(gate.clone());
        let elsewhere = match self.elsewhere(&config, &runtime, (&front, &deadline), &log)? {
            Turn::Ours(elsewhere) => elsewhere.map(|elsewhere| *elsewhere),
            Turn::Never => return Ok(0),
        };
        let (config, reload) = if elsewhere.is_some() {
            self.configured_anew((config, reload), &gate, &log)
        } else {
            (config, reload)
        };
        front.metrics.know(config.suppressions());
        tell_own(config.own(), &log);
        let others = config.organization().and_then(|access| names::read(&access, &log));
        let others = others.unwrap_or_default();
        let paths = [&self.folder[..], &self.bucket].concat();
        let needs_aws = !self.queue.is_empty() || !self.bucket.is_empty();
        let of_aws = needs_aws.then_some(&runtime);
        let plan = self.reading.plan(&config, (self.from, None), &paths, of_aws)?;
        let sinks = config.sinks()?;
        let mut restored = Vec::new();
        let vault = elsewhere.as_ref().map(|elsewhere| &elsewhere.vault);
        let spare = vault.map(|vault| Restoring::new(vault, &log)).transpose()?;
        let (engine, inputs, file) =
            self.open(&config.clone().with_names(&others), spare, &mut restored)?;
        let out = BufWriter::new(io::stdout());
        let mut writer = Writer::new(or_default(self.format), out, terminal::style());
        let mut is_unread = false;
        let mut hear = |findings: &[detect::Finding], inputs: &Inputs| {
            for finding in findings {
                is_unread = is_unread || writer.finding(finding, inputs).is_err();
            }
            is_unread = is_unread || writer.flush().is_err();
        };
        let parts = Parts {
            plan: &plan,
            queues: &self.queue,
            engine,
            file,
            inputs,
            sinks,
            config: (config, reload),
            others,
            restored,
            log,
            traces,
            front,
            elsewhere,
            gate,
            runtime: runtime.handle(),
        };
        let (summary, suppressed) = run::run(parts, &mut hear)?;
        summary.write(start.elapsed().as_secs_f64(), &mut io::stderr().lock())?;
        suppressed.write(&mut io::stderr().lock())?;
        Ok(0)
    }

    /// The configuration, and what sees to it that it is read again.
    fn configured(&self) -> Result<(Config, Reload)> {
        let path = self.reading.config.as_deref();
        let reload = Reload::of(path);
        Ok((configured(path)?.with_own(self.lives_on())?, reload))
    }

    /// The same, of now: whoever has waited for a lease read it long ago. Where it cannot be understood it stays what it
    /// was, and is refused when it is looked at next.
    fn configured_anew(
        &self,
        before: (Config, Reload),
        gate: &Gate,
        log: &Log,
    ) -> (Config, Reload) {
        match self.configured() {
            Ok((config, reload)) => (config.behind(gate.clone()), reload),
            Err(error) => {
                let what = format!("the configuration before it stays in force: {error:#}");
                log.say(Level::Error, "config-refused", &what, &[]);
                before
            }
        }
    }

    /// What of its own the command line names.
    fn lives_on(&self) -> Vec<String> {
        let queues = self.queue.iter().filter_map(|url| own::queue(url));
        let snapshots =
            self.snapshots.as_deref().and_then(Path::to_str).and_then(BucketPath::parse);
        let kept = snapshots.map(|path| own::objects(&path));
        self.own.reading(&self.bucket).chain(queues).chain(kept).collect()
    }

    /// Waits until this process may write.
    fn elsewhere(
        &self,
        config: &Config,
        runtime: &Arc<Runtime>,
        (front, deadline): (&Front, &Deadline),
        log: &Arc<Log>,
    ) -> Result<Turn> {
        let at = self.snapshots.as_deref().and_then(Path::to_str).and_then(BucketPath::parse);
        let Some(at) = at else { return Ok(Turn::Ours(None)) };
        let vault = Vault::reach(runtime, config.access(), at)?;
        front.metrics.lease(deadline.gate());
        let every = Duration::from_secs(self.snapshot_every.unwrap_or(EVERY_S_DEFAULT));
        let seconds = self.lease.unwrap_or(LEASE_S_DEFAULT);
        let held = snapshots::wait(&vault, (deadline, seconds), front, log)?;
        let ours = |held| Turn::Ours(Some(Box::new(Elsewhere { vault, every, held })));
        Ok(held.map_or(Turn::Never, ours))
    }

    /// Goes on with the state; where it is damaged, with a copy of it, or with a snapshot where these are made.
    fn open(
        &self,
        config: &Config,
        mut spare: Option<Restoring<'_>>,
        restored: &mut Vec<String>,
    ) -> Result<(Engine, Inputs, StateFile)> {
        if let Some(spare) = &mut spare {
            spare.prepare(&self.state, restored)?;
        } else if copies::is_lost(&self.state) {
            let copy = copies::restore(&self.state)?.map(|(copy, _)| copy);
            let copy = copy.iter().map(|copy| copy.display().to_string()).collect::<String>();
            restored
                .push(format!("{} was not there; {copy} takes its place", self.state.display()));
        }
        if self.state.metadata().is_ok_and(|state| state.len() == 0) {
            // What was cut off must not be begun anew in silence.
            let name = self.state.display();
            return Err(anyhow!(
                "{name} is empty (expected a state, or no file where one is to begin)"
            ));
        }
        loop {
            let (mut engine, inputs) = engine(Some(config), lessons(config, &[]))?;
            let error = match self.begin(&mut engine, &inputs, config) {
                Ok(file) => return Ok((engine, inputs, file)),
                Err(error) if error.is_of_a_broken_state() => error,
                Err(error) => return Err(error.into()),
            };
            let taken = match &mut spare {
                Some(spare) => spare.restore(&self.state, "damaged", restored)?,
                None => match copies::restore(&self.state)? {
                    Some((copy, damaged)) => {
                        let damaged = damaged.unwrap_or_default();
                        let (copy, damaged) = (copy.display(), damaged.display());
                        format!("{copy} takes its place, and it is kept as {damaged}")
                    }
                    None => return Err(error.into()),
                },
            };
            restored.push(format!("{error}; {taken}"));
        }
    }

    fn begin(
        &self,
        engine: &mut Engine,
        inputs: &Inputs,
        config: &Config,
    ) -> Result<StateFile, KeptError> {
        let command = self.command();
        let Reading { account, region, .. } = &self.reading;
        let asked = Learning::new(&config.options(), (account, region), (self.from, Day(i32::MIN)));
        let by = alerts::Run { inputs: inputs.clone(), command: command.clone() };
        let settings = &config.options().detectors;
        let file = StateFile::open(&self.state, (&by, settings), asked.by(command))?;
        let bytes_max = config.profiles_bytes_max();
        engine.hold(bytes_max, Box::new(file.shelf(bytes_max)?));
        engine.note_changes();
        engine.note_touched();
        let mut texts = Texts::default();
        file.resume(&mut |blob| engine.resume(blob, &mut texts))
    }

    /// The arguments that the result depends on.
    fn command(&self) -> Vec<String> {
        let folders = self.folder.iter().map(|folder| ("folder", folder.display().to_string()));
        let queues = self.queue.iter().map(|queue| ("queue", queue.clone()));
        let buckets = self.bucket.iter().map(|bucket| ("bucket", bucket.display().to_string()));
        let from = self.from.map(|from| ("from", format_ms(from)));
        let state = std::iter::once(("state", self.state.display().to_string()));
        let options = folders
            .chain(queues)
            .chain(buckets)
            .chain(from)
            .chain(state)
            .chain(self.reading.command())
            .chain(self.own.command())
            .flat_map(option);
        std::iter::once("run".to_owned()).chain(options).collect()
    }
}
