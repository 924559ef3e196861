//! `doctor`: the arguments of `run`, and what is at fault with what they name.

use super::{
    FAILURE, Wrong,
    logs::{Reading, instant},
    own::OwnArgs,
    run::{bucket, queue},
};
use crate::{
    aws::BucketPath,
    doctor::{self, Asked},
};
use anyhow::{Result, anyhow};
use clap::{Args, ValueEnum};
use std::{io, net::SocketAddr, path::PathBuf};

#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// As of `run`
    #[arg(long, value_name = "DIR")]
    folder: Vec<PathBuf>,
    /// As of `run`
    #[arg(long, value_name = "URL", value_parser = queue)]
    queue: Vec<String>,
    /// As of `run`
    #[arg(long, value_name = "S3-URL", value_parser = bucket)]
    bucket: Vec<PathBuf>,
    /// As of `run`
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// As of `run`
    #[arg(long, value_name = "S3-URL", value_parser = bucket)]
    snapshots: Option<PathBuf>,
    /// As of `run`, and not looked at
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<i64>,
    /// As of `run`, and not looked at
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// As of `run`, and not looked at
    #[arg(long, value_name = "TIME")]
    snapshot_every: Option<String>,
    /// As of `run`, and not looked at
    #[arg(long, value_name = "TIME")]
    lease: Option<String>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    own: OwnArgs,
    /// Form of the report
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A line for each check
    Text,
    /// One object, with the policy that is missing
    Json,
}

impl Doctor {
    pub(super) fn run(&self) -> Result<u8> {
        let Self { folder, queue, bucket, state, snapshots, reading, own, format, .. } = self;
        if folder.is_empty() && queue.is_empty() && bucket.is_empty() {
            let what = "nothing to look at (expected --folder, --queue or --bucket, as of run)";
            return Err(Wrong::usage(anyhow!(what)));
        }
        let path = |path: &PathBuf| path.to_str().and_then(BucketPath::parse);
        let asked = Asked {
            config: reading.config.as_deref(),
            folders: folder,
            queues: queue,
            buckets: bucket.iter().filter_map(path).collect(),
            snapshots: snapshots.as_ref().and_then(path),
            state: state.as_deref(),
            flow_format: reading.flow_format(),
            own: own.reading(bucket).collect(),
        };
        let report = doctor::examine(&asked)?;
        let out = &mut io::stdout().lock();
        match format {
            Form::Text => report.write_lines(out)?,
            Form::Json => report.write_json(out)?,
        }
        Ok(if report.n_faults() > 0 { FAILURE } else { 0 })
    }
}
