//! `run`: its arguments, and what a person sees of it.

use super::{
    Wrong, configured,
    logs::{Reading, instant, option},
    named_by_organization, one_of, or_default,
    replay::{engine, lessons},
};
use crate::{
    aws::{self, BucketPath},
    config::Config,
    run::{self, Log, Parts, copies},
    terminal,
};
use alerts::{Format, Inputs, KeptError, Learning, StateFile, Writer};
use anyhow::{Result, anyhow};
use baseline::{Day, form::Texts};
use clap::Args;
use detect::Engine;
use ingest::time::format_ms;
use std::{
    io::{self, BufWriter},
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::Instant,
};

#[derive(Debug, Args)]
pub(super) struct Run {
    /// Read what is in this folder, in AWS's layout, and what comes into it; may be repeated
    #[arg(long, value_name = "DIR")]
    folder: Vec<PathBuf>,
    /// Read what this SQS queue tells of; may be repeated. What came while nobody read it is looked up in the
    /// buckets first
    #[arg(long, value_name = "URL")]
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
    #[command(flatten)]
    reading: Reading,
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

impl Run {
    pub(super) fn run(self) -> Result<u8> {
        let start = Instant::now();
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
        self.reading.start_threads()?;
        let config = configured(self.reading.config.as_deref())?;
        let log = Arc::new(Log::new());
        let (named, organization) = (Arc::clone(config.accounts()), config.organization());
        let config = named_by_organization(config, &log);
        let runtime = aws::runtime()?;
        let paths = [&self.folder[..], &self.bucket].concat();
        let needs_aws = !self.queue.is_empty() || !self.bucket.is_empty();
        let of_aws = needs_aws.then_some(&runtime);
        let plan = self.reading.plan(&config, (self.from, None), &paths, of_aws)?;
        let sinks = config.sinks()?;
        let renewed = config.clone();
        let renew = move |name: &str| {
            let sink = renewed.sink(name).map_err(|error| error.to_string())?;
            sink.map(|sink| sink.to).ok_or_else(|| "is not there".to_owned())
        };
        let mut restored = Vec::new();
        let (engine, inputs, file) = self.open(&config, &mut restored)?;
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
            renew: Arc::new(renew),
            names: (named, organization),
            suppressions: Arc::clone(config.suppressions()),
            restored,
            log,
            listen: self.listen,
            runtime: runtime.handle(),
        };
        let (summary, suppressed) = run::run(parts, &mut hear)?;
        summary.write(start.elapsed().as_secs_f64(), &mut io::stderr().lock())?;
        suppressed.write(&mut io::stderr().lock())?;
        Ok(0)
    }

    /// Goes on with the state; where it is damaged, with a copy of it.
    fn open(
        &self,
        config: &Config,
        restored: &mut Vec<String>,
    ) -> Result<(Engine, Inputs, StateFile)> {
        if copies::is_lost(&self.state) {
            let copy = copies::restore(&self.state)?.map(|(copy, _)| copy);
            let copy = copy.iter().map(|copy| copy.display().to_string()).collect::<String>();
            restored
                .push(format!("{} was not there; {copy} takes its place", self.state.display()));
        } else if self.state.metadata().is_ok_and(|state| state.len() == 0) {
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
            let Some((copy, damaged)) = copies::restore(&self.state)? else {
                return Err(error.into());
            };
            let (copy, damaged) = (copy.display(), damaged.display());
            let what = format!("{error}; {copy} takes its place, and it is kept as {damaged}");
            restored.push(what);
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
        engine.hold(config.profiles_bytes_max(), Box::new(file.shelf()?));
        engine.note_changes();
        engine.note_touched();
        let mut texts = Texts::default();
        file.each(&mut |blob| engine.resume(blob, &mut texts))?;
        Ok(file)
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
            .flat_map(option);
        std::iter::once("run".to_owned()).chain(options).collect()
    }
}
