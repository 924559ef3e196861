//! `simulate`: a made-up organisation's logs, as AWS would have written them, or one attack in a copy
//! of the user's own.

use super::{INCOMPLETE, Wrong, complain};
use crate::{into, pipeline::Observer, terminal};
use anyhow::{Result, anyhow};
use clap::Args;
use indicatif::ProgressBar;
use ingest::instant::parse_instant;
use std::{io::Write, path::PathBuf, time::Instant};
use testdata::{
    clock::DAY_S,
    folder::Folder,
    organisation::Size,
    post::{AsParquet, Written},
    simulate::{self, Plan},
    story::{self, Story},
    truth::TRUTH,
};

#[derive(Debug, Args)]
pub(super) struct Simulate {
    /// Folder to write to, new or empty
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// The same seed gives the same bytes
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[arg(long, value_name = "NAME", value_parser = stories, help = story_help())]
    story: Vec<Told>,
    #[command(flatten)]
    own: Own,
    #[command(flatten, next_help_heading = "A made-up organisation")]
    organisation: Organisation,
}

/// The user's own logs, in place of a made-up organisation's.
#[derive(Debug, Args)]
#[command(next_help_heading = "Your own logs")]
struct Own {
    /// Tell one story in a copy of the logs in this folder, which stays as it is
    #[arg(long, value_name = "SOURCE", requires_all = ["identity", "story"], conflicts_with = "Organisation")]
    into: Option<PathBuf>,
    /// Whom it happens to: as findings name it, an ARN, an access key, or an interface
    #[arg(long, value_name = "KEY", requires = "into")]
    identity: Option<String>,
    /// When it begins [default: drawn, in the last third, at hours that suit]
    #[arg(long, value_name = "TIME", requires = "into", value_parser = instant_s)]
    at: Option<i64>,
}

/// Who there is, and how long they are watched.
#[derive(Debug, Args)]
struct Organisation {
    /// The first day
    #[arg(long, value_name = "DATE", default_value = "2026-03-02", value_parser = midnight_s)]
    start: i64,
    /// How many days
    #[arg(long, value_name = "N", default_value_t = 14, value_parser = clap::value_parser!(i64).range(1..=3_660))]
    days: i64,
    /// AWS accounts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    accounts: u32,
    /// People, who sign in, type commands and travel
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    people: u32,
    /// Fleets, functions and services, each with a role of its own
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    machines: u32,
    /// CI pipelines, which deploy; the first and every third after it have a long-lived key
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pipelines: u32,
    /// AI agents, each in a runtime of Bedrock
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    agents: u32,
    /// VPCs with flow logs, of 4 to 31 interfaces and some tens of rows a minute each
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    vpcs: u32,
    /// How flow logs are packed
    #[arg(long, value_name = "FORMAT", default_value = "plain-text")]
    flow_file_format: FileFormat,
    /// The trail's digests too, one for each account, region and hour
    #[arg(long)]
    digests: bool,
}

/// `FileFormat` of a flow log's `DestinationOptions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum FileFormat {
    /// Lines, in gzip
    PlainText,
    /// Apache Parquet, gzip inside
    Parquet,
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

fn story_help() -> String {
    let named = |is_harmless| {
        let stories = story::STORIES.into_iter().filter(move |one| one.is_harmless == is_harmless);
        stories.map(|story| story.name).collect::<Vec<_>>().join(", ")
    };
    format!(
        "A story to tell among what is usual; may be repeated; `all` for every one. Attacks: {}. Harmless: {}",
        named(false),
        named(true)
    )
}

/// Midnight UTC of a typed date. Unit: seconds since the Unix epoch.
fn midnight_s(text: &str) -> Result<i64, String> {
    Ok(instant_s(text)?.div_euclid(DAY_S) * DAY_S)
}

fn instant_s(text: &str) -> Result<i64, String> {
    let ms = parse_instant(text).map_err(|error| error.to_string())?;
    Ok(ms.div_euclid(1_000))
}

impl Organisation {
    fn plan(&self, seed: u64, stories: Vec<&'static Story>) -> Plan {
        let Self { accounts, people, machines, pipelines, agents, vpcs, .. } = *self;
        let size = Size { accounts, people, machines, pipelines, agents, vpcs };
        let Self { start, days, digests, .. } = *self;
        Plan { seed, size, start_s: start, days, has_digests: digests, stories }
    }
}

impl Simulate {
    pub(super) fn run(self, out: &mut dyn Write) -> Result<u8> {
        let begun = Instant::now();
        let stories: Vec<_> = self.story.iter().flat_map(|told| told.0.iter().copied()).collect();
        if let Own { into: Some(source), identity: Some(identity), at } = self.own {
            let story = one_of(&stories)?;
            let (to, seed) = (self.to, self.seed);
            let plan = into::Plan { source, to, story, identity, at_s: at, seed };
            return tell_into(&plan, out);
        }
        let plan = self.organisation.plan(self.seed, stories);
        let mut folder =
            Folder::create(&self.to).map_err(|error| Wrong::usage(anyhow!("{error}")))?;
        let bar = terminal::days(plan.days);
        let mut watch = |_| bar.inc(1);
        let told = match self.organisation.flow_file_format {
            FileFormat::PlainText => simulate::run(&plan, &mut folder, &mut watch),
            FileFormat::Parquet => simulate::run(&plan, &mut AsParquet(&mut folder), &mut watch),
        };
        let told = told.map_err(|error| anyhow!("{error}"))?;
        bar.finish_and_clear();
        let is_told = |story: &&Story| told.truth.stories.iter().any(|one| one.name == story.name);
        let left_out = plan.stories.iter().filter(|story| !is_told(story));
        let left_out: Vec<&str> = left_out.map(|story| story.name).collect();
        if !left_out.is_empty() {
            let names = left_out.join(", ");
            complain(&format!(
                "nobody was left to whom it could happen: {names}; larger ones have more, see --help"
            ));
        }
        tell(&told.written, begun.elapsed().as_secs_f64(), out)?;
        Ok(0)
    }
}

/// The only story; into one's own logs go no others, or nobody could say what was found of which.
fn one_of(stories: &[&'static Story]) -> Result<&'static Story> {
    match stories {
        [story] => Ok(story),
        _ => Err(Wrong::usage(anyhow!("expected one --story with --into, not {}", stories.len()))),
    }
}

/// Shows how far the reading is.
struct Watcher(ProgressBar);

impl Observer for Watcher {
    fn begin(&mut self, bytes: u64) {
        self.0 = terminal::progress(bytes, true);
    }

    fn read(&mut self, bytes: u64) {
        self.0.inc(bytes);
    }

    fn trouble(&mut self, object: &str, what: &str) {
        self.0.suspend(|| complain(&format!("{object}: {what}")));
    }
}

fn tell_into(plan: &into::Plan, out: &mut dyn Write) -> Result<u8> {
    let mut watcher = Watcher(ProgressBar::hidden());
    let done = into::run(plan, &mut watcher);
    watcher.0.finish_and_clear();
    let into::Made { truth, written, n_copied, n_unread } = done?;
    writeln!(
        out,
        "{} happens to {} from {} to {}: {} CloudTrail records, {} flow log rows in {} objects, in a copy \
         of {n_copied} files",
        truth.name,
        alerts::escape(&truth.entity),
        truth.first,
        truth.last,
        written.records,
        written.flows,
        written.objects
    )?;
    let to = plan.to.display();
    writeln!(
        out,
        "its records are named in {to}/{TRUTH}; to see whether they are found: sentrail replay {to}"
    )?;
    Ok(if n_unread > 0 { INCOMPLETE } else { 0 })
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
