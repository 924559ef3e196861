//! `run`: its arguments, and what a person sees of it.

use super::{
    Wrong, configured,
    logs::{Reading, option},
    one_of, or_default,
    replay::{engine, lessons},
};
use crate::{
    config::Config,
    run::{self, Log, Parts, copies},
    terminal,
};
use alerts::{Format, Inputs, KeptError, Learning, StateFile, Writer};
use anyhow::{Context as _, Result, anyhow};
use baseline::{Day, form::Texts};
use clap::Args;
use detect::Engine;
use std::{
    io::{self, BufWriter},
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::Instant,
};

/// Threads that wait for signals and for others. Unit: threads.
const WAITING_THREADS: usize = 1;

#[derive(Debug, Args)]
pub(super) struct Run {
    /// Read what is in this folder, in AWS's layout, and what comes into it; may be repeated
    #[arg(long, value_name = "DIR", required = true)]
    folder: Vec<PathBuf>,
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

impl Run {
    pub(super) fn run(self) -> Result<u8> {
        let start = Instant::now();
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
        let mut restored = Vec::new();
        let (engine, inputs, file) = self.open(&config, &mut restored)?;
        let plan = self.reading.plan(&config, (None, None), &self.folder);
        let out = BufWriter::new(io::stdout());
        let mut writer = Writer::new(or_default(self.format), out, terminal::style());
        let mut is_unread = false;
        let mut tell = |findings: &[detect::Finding]| {
            for finding in findings {
                is_unread = is_unread || writer.finding(finding, &inputs).is_err();
            }
            is_unread = is_unread || writer.flush().is_err();
            Ok(())
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WAITING_THREADS)
            .enable_all()
            .build()
            .context("cannot start the threads that wait")?;
        let parts = Parts {
            plan: &plan,
            folders: &self.folder,
            engine,
            file,
            inputs: inputs.clone(),
            sinks: config.sinks()?,
            restored,
            log: Arc::new(Log::new()),
            listen: self.listen,
            runtime: runtime.handle(),
        };
        let summary = run::run(parts, &mut tell)?;
        summary.write(start.elapsed().as_secs_f64(), &mut io::stderr().lock())?;
        Ok(0)
    }

    /// Goes on with the state; where it is damaged, with a copy of it.
    fn open(
        &self,
        config: &Config,
        restored: &mut Vec<String>,
    ) -> Result<(Engine, Inputs, StateFile)> {
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
        let asked = Learning::new(&config.options(), (account, region), (None, Day(i32::MIN)));
        let by = alerts::Run { inputs: inputs.clone(), command: command.clone() };
        let settings = &config.options().detectors;
        let file = StateFile::open(&self.state, (&by, settings), asked.by(command))?;
        engine.note_changes();
        let mut texts = Texts::default();
        file.each(&mut |blob| engine.resume(blob, &mut texts))?;
        engine.note_touched();
        Ok(file)
    }

    /// The arguments that the result depends on.
    fn command(&self) -> Vec<String> {
        let folders = self.folder.iter().map(|folder| ("folder", folder.display().to_string()));
        let state = std::iter::once(("state", self.state.display().to_string()));
        let options = folders.chain(state).chain(self.reading.command()).flat_map(option);
        std::iter::once("run".to_owned()).chain(options).collect()
    }
}
