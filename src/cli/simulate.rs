//! `simulate`: a made-up organisation's logs, as AWS would have written them.

use crate::terminal;
use anyhow::{Result, anyhow};
use clap::Args;
use ingest::instant::parse_instant;
use std::{io::Write, path::PathBuf, time::Instant};
use testdata::{
    clock::DAY_S,
    folder::Folder,
    organisation::Size,
    post::Written,
    simulate::{self, Plan},
    story::{self, Story},
};

#[derive(Debug, Args)]
pub(super) struct Simulate {
    /// Folder to write to, new or empty
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    organisation: Organisation,
}

/// Who there is, and how long they are watched.
#[derive(Debug, Args)]
struct Organisation {
    /// The same seed gives the same bytes
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// The first day
    #[arg(long, value_name = "DATE", default_value = "2026-03-02", value_parser = midnight_s)]
    start: i64,
    /// How many days
    #[arg(long, value_name = "N", default_value_t = 14, value_parser = clap::value_parser!(i64).range(1..=3_660))]
    days: i64,
    /// AWS accounts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    accounts: u32,
    /// People who sign in
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    people: u32,
    /// Fleets, functions and services, each with a role of its own
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    machines: u32,
    /// CI pipelines, which deploy; the first and every third after it have a long-lived key
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pipelines: u32,
    /// AI agents in runtimes of Bedrock's AgentCore
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    agents: u32,
    /// VPCs, in which stories about flows happen
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    vpcs: u32,
    /// The trail's digests too, one for each account, region and hour
    #[arg(long)]
    digests: bool,
    /// A story to tell among what is usual; may be repeated; `all` for every one
    #[arg(long, value_name = "NAME", value_parser = stories)]
    story: Vec<Told>,
}

/// The stories of one `--story`.
#[derive(Debug, Clone)]
struct Told(Vec<&'static Story>);

fn stories(name: &str) -> Result<Told, String> {
    if name == "all" {
        return Ok(Told(story::STORIES.to_vec()));
    }
    let names = || story::STORIES.map(|story| story.name).join(", ");
    let found = story::named(name);
    let found = found.ok_or_else(|| format!("no such story (expected all, {})", names()))?;
    Ok(Told(vec![found]))
}

/// Midnight UTC of a typed date. Unit: seconds since the Unix epoch.
fn midnight_s(text: &str) -> Result<i64, String> {
    let ms = parse_instant(text).map_err(|error| error.to_string())?;
    Ok((ms / 1_000).div_euclid(DAY_S) * DAY_S)
}

impl Organisation {
    fn plan(&self) -> Plan {
        let Self { accounts, people, machines, pipelines, agents, vpcs, .. } = *self;
        let size = Size { accounts, people, machines, pipelines, agents, vpcs };
        let Self { seed, start, days, digests, .. } = *self;
        let stories = self.story.iter().flat_map(|told| told.0.iter().copied()).collect();
        Plan { seed, size, start_s: start, days, has_digests: digests, stories }
    }
}

impl Simulate {
    pub(super) fn run(self, out: &mut dyn Write) -> Result<u8> {
        let begun = Instant::now();
        let plan = self.organisation.plan();
        let mut folder = Folder::create(&self.to).map_err(|error| anyhow!("{error}"))?;
        let bar = terminal::days(plan.days);
        let told = simulate::run(&plan, &mut folder, &mut |_| bar.inc(1))
            .map_err(|error| anyhow!("{error}"))?;
        bar.finish_and_clear();
        tell(&told.written, begun.elapsed().as_secs_f64(), out)?;
        Ok(0)
    }
}

fn tell(written: &Written, seconds: f64, out: &mut dyn Write) -> Result<()> {
    let Written { objects, records, flows, bytes, stored_bytes } = *written;
    let mb = |bytes: u64| bytes as f64 / 1e6;
    writeln!(
        out,
        "{objects} objects: {records} CloudTrail records, {flows} flow log rows; {:.0} MB, {:.0} MB \
         inflated, in {seconds:.1} s",
        mb(stored_bytes),
        mb(bytes)
    )?;
    Ok(())
}
