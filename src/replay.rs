//! Archived logs through the same steps as live ones: list, order, read, apply, close days.

mod order;

use crate::{
    aws::{Aws, BucketPath},
    pipeline::{self, Observer, Workers},
    summary::Summary,
};
use anyhow::Result;
use detect::Engine;
use ingest::{
    decode::Limits,
    flowlog::FlowFormat,
    source::{self, Filter, Listing, PathArg},
};
use order::Units;

/// What to replay, and how.
pub(crate) struct Plan {
    pub(crate) paths: Vec<PathArg>,
    /// What lies in buckets, besides.
    pub(crate) buckets: Vec<BucketPath>,
    /// How they are reached, if there are any.
    pub(crate) aws: Option<Aws>,
    pub(crate) filter: Filter,
    pub(crate) limits: Limits,
    pub(crate) flow_format: Option<FlowFormat>,
    /// What is read and applied at once. Unit: compressed bytes.
    pub(crate) batch_bytes: u64,
}

impl Plan {
    /// What is to be read, in its order.
    pub(crate) fn list(&self) -> Result<Listing> {
        let mut listing = source::list(&self.paths, &self.filter)?;
        for bucket in &self.buckets {
            if let Some(aws) = &self.aws {
                listing.merge(aws.list(bucket, &self.filter)?);
            }
        }
        Ok(listing)
    }
}

/// Replays everything and says what was read.
pub(crate) fn run(
    plan: &Plan,
    engine: &mut Engine,
    observer: &mut dyn Observer,
) -> Result<Summary> {
    let (mut summary, _) = read(plan, engine, observer)?;
    engine.finish()?;
    observer.findings(&engine.take_findings())?;
    observer.looks(engine.take_looks())?;
    summary.intake = engine.intake();
    Ok(summary)
}

/// Reads everything, and leaves open the days whose lateness has not passed by the end, which is
/// answered. Unit: milliseconds since the Unix epoch.
pub(crate) fn read(
    plan: &Plan,
    engine: &mut Engine,
    observer: &mut dyn Observer,
) -> Result<(Summary, i64)> {
    let mut listing = plan.list()?;
    observer.listed(&mut listing)?;
    let mut summary = Summary::of(&listing);
    let bytes = listing.objects.iter().map(|object| object.size_bytes).sum();
    observer.begin(bytes);
    let workers = Workers::of(plan, engine.rules().flow_fields());
    let units = Units::of(&listing.objects, (&*engine, &workers), &mut summary, observer)?;
    let end_ms = pipeline::apply(units, (engine, &workers), &mut summary, observer)?;
    summary.intake = engine.intake();
    Ok((summary, end_ms))
}
