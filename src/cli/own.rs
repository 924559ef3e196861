//! What sentrail itself lives on, as the command line says it. In: arguments. Out: patterns on ARNs.

use crate::{aws::BucketPath, config::own};
use clap::Args;
use detect::Own;
use std::path::PathBuf;

#[derive(Debug, Clone, Args)]
pub(super) struct OwnArgs {
    /// What sentrail itself lives on, besides what the configuration names: its trail, key, task, role ..., by ARN, in which
    /// `*` is anything; may be repeated
    #[arg(long, value_name = "ARN", value_parser = arn)]
    own: Vec<String>,
}

fn arn(text: &str) -> Result<String, String> {
    Own::refused(text).map_or_else(|| Ok(text.to_owned()), Err)
}

impl OwnArgs {
    /// With the buckets that logs are read from.
    pub(super) fn reading<'a>(&'a self, paths: &'a [PathBuf]) -> impl Iterator<Item = String> + 'a {
        let buckets = paths.iter().filter_map(|path| path.to_str().and_then(BucketPath::parse));
        self.own.iter().cloned().chain(buckets.map(|bucket| own::bucket(&bucket)))
    }

    /// The arguments that the result depends on, by name.
    pub(super) fn command(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.own.iter().map(|own| ("own", own.clone()))
    }
}
