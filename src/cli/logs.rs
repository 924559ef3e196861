//! Which logs to read, and how: what `replay`, `learn` and `run` ask for.

use super::{configured, flow_format, own::OwnArgs};
use crate::{
    aws::{self, Aws, BucketPath},
    config::Config,
    replay::Plan,
};
use anyhow::Result;
use clap::Args;
use ingest::{
    decode::Limits,
    flowlog::FlowFormat,
    instant::parse_instant,
    source::{Filter, PathArg},
    time::format_ms,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::runtime::Runtime;

/// How logs are read, wherever they come from.
#[derive(Debug, Clone, Args)]
pub(super) struct Reading {
    /// Only this account; may be repeated
    #[arg(long, value_name = "ID")]
    pub(super) account: Vec<String>,
    /// Only this region; may be repeated
    #[arg(long, value_name = "REGION")]
    pub(super) region: Vec<String>,
    /// Settings, in TOML
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Fields of flow logs without a header line, for example "version account-id ..."
    #[arg(long, value_name = "FIELDS", value_parser = given_format)]
    flow_format: Option<GivenFormat>,
    /// Threads that read and judge [default: as many as cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

#[derive(Debug, Clone, Args)]
pub(super) struct Logs {
    /// Files, folders or patterns, or `s3://BUCKET/PREFIX`; `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Read nothing older, for example 2025-03-14 or 2025-03-14T10:00:00Z; nor learn from it
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(super) from: Option<i64>,
    /// Stop before this moment
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(super) until: Option<i64>,
    #[command(flatten)]
    pub(super) reading: Reading,
    #[command(flatten)]
    pub(super) own: OwnArgs,
    /// No progress bar and no summary
    #[arg(long, short)]
    pub(super) quiet: bool,
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

pub(super) fn instant(text: &str) -> Result<i64, String> {
    parse_instant(text).map_err(|error| error.to_string())
}

impl Reading {
    /// Makes the threads that were asked for.
    pub(super) fn start_threads(&self) -> Result<()> {
        let Some(n) = self.threads else { return Ok(()) };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n.into());
        // One thread needs no other.
        let pool = if n == 1 { pool.use_current_thread() } else { pool };
        Ok(pool.build_global()?)
    }

    /// Fields of flow logs without a header line.
    pub(super) fn flow_format(&self) -> Option<FlowFormat> {
        self.flow_format.as_ref().map(|given| given.format.clone())
    }

    /// The arguments that the result depends on, by name.
    pub(super) fn command(&self) -> impl Iterator<Item = (&'static str, String)> {
        let accounts = self.account.iter().map(|account| ("account", account.clone()));
        let regions = self.region.iter().map(|region| ("region", region.clone()));
        let config = self.config.iter().map(|file| ("config", file.display().to_string()));
        let format = self.flow_format.iter().map(|given| ("flow-format", given.text.clone()));
        accounts.chain(regions).chain(config).chain(format)
    }

    /// What to read of `paths`, from and until these times. What of them lies in buckets waits on `runtime`,
    /// or one of its own.
    pub(super) fn plan(
        &self,
        config: &Config,
        (from_ms, until_ms): (Option<i64>, Option<i64>),
        paths: &[PathBuf],
        runtime: Option<&Arc<Runtime>>,
    ) -> Result<Plan> {
        let of = |path: &PathBuf| path.to_str().and_then(BucketPath::parse);
        let buckets: Vec<_> = paths.iter().filter_map(of).collect();
        let paths = paths.iter().filter(|path| of(path).is_none()).map(PathArg::new).collect();
        let aws = match (buckets.is_empty(), runtime) {
            (true, None) => None,
            (_, Some(runtime)) => Some(Aws::reach(Arc::clone(runtime), &config.access())?),
            (false, None) => Some(Aws::reach(aws::runtime()?, &config.access())?),
        };
        Ok(Plan {
            paths,
            buckets,
            aws,
            filter: Filter {
                from_ms,
                until_ms,
                accounts: self.account.clone(),
                regions: self.region.clone(),
                lateness_ms: config.options().lateness.ms(),
            },
            limits: Limits { inflated_bytes_max: config.inflated_bytes_max(), ..Limits::default() },
            flow_format: self.flow_format(),
            batch_bytes: config.batch_bytes_max(),
        })
    }
}

/// An option as it is written.
pub(super) fn option((name, value): (&str, String)) -> [String; 2] {
    [format!("--{name}"), value]
}

impl Logs {
    /// The arguments that the result depends on; `more` of the command itself.
    pub(super) fn command(&self, name: &str, more: Vec<(&str, String)>) -> Vec<String> {
        let times = [("from", self.from), ("until", self.until)];
        let times = times.into_iter().filter_map(|(name, at)| Some((name, format_ms(at?))));
        let own = times.chain(self.reading.command()).chain(self.own.command());
        let options = own.flat_map(option).chain(more.into_iter().flat_map(option));
        let paths = self.paths.iter().map(|path| path.display().to_string());
        std::iter::once(name.to_owned()).chain(options).chain(paths).collect()
    }

    /// The configuration of a file, in which the buckets that are read are sentrail's own.
    pub(super) fn configured(&self, path: Option<&Path>) -> Result<Config> {
        Ok(configured(path)?.with_own(self.own.reading(&self.paths))?)
    }

    /// What to read, from `from_ms` on.
    pub(super) fn plan(&self, config: &Config, from_ms: Option<i64>) -> Result<Plan> {
        self.reading.plan(config, (from_ms, self.until), &self.paths, None)
    }
}
