//! `demo`: a made-up organisation lives two weeks, some stories happen, and what is found is held
//! against the truth. No AWS, no network.

use super::{
    Wrong,
    replay::{Watcher, engine},
};
use crate::{
    pipeline::{BATCH_BYTES_MAX, Observer},
    replay::{self, Plan},
    terminal,
};
use alerts::Format;
use anyhow::{Result, anyhow};
use clap::Args;
use detect::{Finding, Severity};
use ingest::{
    decode::Limits,
    source::{Filter, PathArg},
    time::format_ms,
};
use std::{
    cmp::Reverse,
    collections::BTreeMap,
    io::{self, Write},
    path::{Path, PathBuf},
};
use testdata::{
    folder::Folder,
    organisation::Size,
    simulate,
    story::named,
    truth::{Account, TRUTH, Truth},
    verdict::{Claim, Judge},
};

/// What happens besides ordinary life.
const STORIES: [&str; 8] = [
    "codefinger",
    "stolen-session",
    "leaked-ci-key",
    "logging-off",
    "port-scan",
    "slow-exfiltration",
    "business-trip",
    "migration",
];
const SIZE: Size = Size { accounts: 3, people: 24, machines: 12, pipelines: 4, agents: 2, vpcs: 1 };
const DAYS: i64 = 14;
/// 2026-03-02, a Monday. Unit: seconds since the Unix epoch.
const START_S: i64 = 1_772_409_600;

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Another seed is another organisation, and other attacks
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Keep the logs and their truth in this folder, new or empty [default: thrown away]
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Shows findings as they come, and keeps them for the end.
struct Audience {
    watcher: Watcher,
    findings: Vec<Finding>,
}

impl Observer for Audience {
    fn begin(&mut self, bytes: u64) {
        self.watcher.begin(bytes);
    }

    fn read(&mut self, bytes: u64) {
        self.watcher.read(bytes);
    }

    fn findings(&mut self, findings: &[Finding]) -> Result<()> {
        self.findings.extend_from_slice(findings);
        self.watcher.findings(findings)
    }

    fn trouble(&mut self, object: &str, what: &str) {
        self.watcher.trouble(object, what);
    }
}

impl Demo {
    pub(super) fn run(self) -> Result<u8> {
        let scratch = tempfile::tempdir()?;
        let folder = self.keep.clone().unwrap_or_else(|| scratch.path().join("logs"));
        let truth = self.tell(&folder)?;
        let (mut engine, inputs) = engine(None, detect::Lessons::default())?;
        let plan = Plan {
            paths: vec![PathArg::new(folder.join("AWSLogs"))],
            filter: Filter::default(),
            limits: Limits::default(),
            flow_format: None,
            batch_bytes: BATCH_BYTES_MAX,
            buckets: Vec::new(),
            aws: None,
        };
        let watcher = Watcher::new(Format::Table, inputs, false);
        let mut audience = Audience { watcher, findings: Vec::new() };
        replay::run(&plan, &mut engine, &mut audience)?;
        let Audience { watcher, findings } = audience;
        watcher.finish()?;
        compare(&truth, &findings, &mut io::stdout())?;
        if self.keep.is_some() {
            let shown = folder.join(TRUTH);
            writeln!(io::stdout(), "The logs and their truth: {}", shown.display())?;
        }
        Ok(0)
    }

    /// Writes the logs and answers their truth.
    fn tell(&self, folder: &Path) -> Result<Truth> {
        let plan = simulate::Plan {
            seed: self.seed,
            size: SIZE,
            start_s: START_S,
            days: DAYS,
            has_digests: false,
            stories: STORIES.into_iter().filter_map(named).collect(),
        };
        let mut sink = Folder::create(folder).map_err(|error| Wrong::usage(anyhow!("{error}")))?;
        writeln!(
            io::stderr(),
            "{} people and {} machines in {} accounts live {DAYS} days from {} on; {} stories happen to them, \
             harmless ones too.",
            SIZE.people,
            SIZE.machines,
            SIZE.accounts,
            format_ms(START_S * 1_000).get(..10).unwrap_or_default(),
            plan.stories.len()
        )?;
        let bar = terminal::days(plan.days);
        let told = simulate::run(&plan, &mut sink, &mut |_| bar.inc(1));
        bar.finish_and_clear();
        let told = told.map_err(|error| anyhow!("{error}"))?;
        Ok(told.truth)
    }
}

/// What was found of each story.
fn compare(truth: &Truth, findings: &[Finding], out: &mut dyn Write) -> Result<()> {
    let judge = Judge::new(truth);
    let mut by_story: Vec<Vec<&Finding>> = vec![Vec::new(); truth.stories.len()];
    let mut others = Vec::new();
    for finding in findings.iter().filter(|finding| finding.severity > Severity::Low) {
        let of = story(&judge, finding).and_then(|number| by_story.get_mut(number));
        of.unwrap_or(&mut others).push(finding);
    }
    writeln!(out, "\nWhat happened, and what was found of it (medium severity and above):\n")?;
    for (story, found) in truth.stories.iter().zip(&by_story) {
        let verdict = match (story.is_harmless, found.is_empty()) {
            (false, false) => "found",
            (false, true) => "MISSED",
            (true, false) => "FALSE",
            (true, true) => "quiet",
        };
        writeln!(out, "  {verdict:<7} {:<18} {}", story.name, detectors(found))?;
        writeln!(out, "          {}", about(story))?;
        writeln!(out, "          {}, {}", story.entity, when(story))?;
    }
    tell_others(&others, out)?;
    writeln!(
        out,
        "\nfound: an attack that a finding tells of. MISSED: one that none tells of. quiet: harmless work that \
         nobody\nwas woken for. FALSE: a finding about harmless work. What a detector looks for, what it misses \
         and what to\ndo: sentrail detectors show NAME. Your own logs: sentrail replay PATH."
    )?;
    Ok(())
}

/// The detectors of `findings`, each with its highest severity, the most severe first.
fn detectors(findings: &[&Finding]) -> String {
    let mut loudest: BTreeMap<&str, Severity> = BTreeMap::new();
    for finding in findings {
        let severity = loudest.entry(&finding.about.id).or_insert(finding.severity);
        *severity = (*severity).max(finding.severity);
    }
    let mut ranked: Vec<(&str, Severity)> = loudest.into_iter().collect();
    ranked.sort_by_key(|(_, severity)| Reverse(*severity));
    let named = ranked.iter().map(|(id, severity)| format!("{id} ({})", severity.label()));
    named.collect::<Vec<_>>().join(", ")
}

/// Findings about no story, those of one detector and entity together.
fn tell_others(others: &[&Finding], out: &mut dyn Write) -> Result<()> {
    writeln!(out, "\n  {} findings about ordinary work", others.len())?;
    let mut together: BTreeMap<(&str, String), u32> = BTreeMap::new();
    for finding in others {
        let key = (&*finding.about.id, alerts::readable(&finding.entity));
        *together.entry(key).or_default() += 1;
    }
    for ((id, entity), n) in together {
        let days = if n == 1 { "1 day".to_owned() } else { format!("{n} days") };
        writeln!(out, "          {id} on {entity}, {days}")?;
    }
    Ok(())
}

fn story(judge: &Judge<'_>, finding: &Finding) -> Option<usize> {
    let (first, last) = (format_ms(finding.times_ms.0), format_ms(finding.times_ms.1));
    let ids: Vec<String> = finding.records.iter().map(|record| record.id.to_string()).collect();
    judge.story(&Claim {
        event_ids: ids.iter().map(String::as_str).collect(),
        interface: finding.flow.as_ref().map(|flow| flow.interface.as_str()),
        peers: finding.flow.iter().flat_map(|flow| &flow.peers).map(String::as_str).collect(),
        times: (&first, &last),
    })
}

fn about(story: &Account) -> &'static str {
    named(&story.name).map_or("", |story| story.about)
}

fn when(story: &Account) -> String {
    let minutes = |text: &str| text.get(..16).unwrap_or(text).replace('T', " ");
    format!("{} to {}", minutes(&story.first), minutes(&story.last))
}
