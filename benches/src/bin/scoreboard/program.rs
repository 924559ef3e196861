//! What `sentrail replay` tells of an archive, held against the truth.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use serde::Deserialize;
use testdata::{
    story::STORIES,
    verdict::{Claim, Judge},
};

use crate::{LEARNED_MS, Result, archive::Archive};

/// What a person is alerted by. Findings of severity low are for looking around.
const ALERTING: [&str; 3] = ["medium", "high", "critical"];

/// Findings of severity medium and above.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// By story, the detectors that told of it.
    pub(crate) stories: BTreeMap<usize, BTreeSet<String>>,
    /// By detector, findings about no story after the learning days.
    pub(crate) others: BTreeMap<String, u64>,
    /// The same on the learning days.
    pub(crate) n_others_learning: u64,
    /// What is about no attack, learning days excepted: JSON lines as they were written.
    pub(crate) about_no_attack: Vec<u8>,
}

impl Told {
    pub(crate) fn is_found(&self, story: usize) -> bool {
        self.stories.contains_key(&story)
    }
}

#[derive(Deserialize)]
struct Finding {
    detector: String,
    severity: Severity,
    first_seen: String,
    last_seen: String,
    event_ids: Vec<String>,
    flow: Option<Flow>,
    entity: Entity,
    targets: Vec<String>,
}

#[derive(Deserialize)]
struct Entity {
    key: String,
}

#[derive(Deserialize)]
struct Severity {
    label: String,
}

#[derive(Deserialize)]
struct Flow {
    interface: String,
    peers: Vec<String>,
}

impl Finding {
    fn story(&self, judge: &Judge<'_>) -> Option<usize> {
        // Rules that count flows are about addresses, and name the others as targets.
        let (interface, peers) = match &self.flow {
            Some(flow) => (&flow.interface, &flow.peers),
            None => (&self.entity.key, &self.targets),
        };
        judge.story(&Claim {
            event_ids: self.event_ids.iter().map(String::as_str).collect(),
            interface: Some(interface),
            peers: peers.iter().map(String::as_str).collect(),
            times: (&self.first_seen, &self.last_seen),
        })
    }
}

/// Whether story number `story` is a harmless one.
fn is_harmless(story: usize) -> bool {
    STORIES.get(story).is_some_and(|story| story.is_harmless)
}

/// Runs `program` over the archive.
pub(crate) fn replay(program: &Path, archive: &Archive, judge: &Judge<'_>) -> Result<Told> {
    let ended = Command::new(program)
        .args(["replay", "--quiet", "--format", "jsonl", "--threads", "1"])
        .arg(&archive.root)
        .output()
        .map_err(|error| format!("cannot run {}: {error}", program.display()))?;
    if !ended.status.success() {
        return Err(format!("replay failed: {}", String::from_utf8_lossy(&ended.stderr)).into());
    }
    let mut told = Told::default();
    for line in ended.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let finding: Finding = serde_json::from_slice(line)?;
        if !ALERTING.contains(&&*finding.severity.label) {
            continue;
        }
        let first_ms = ingest::time::parse_ms(&finding.first_seen).ok_or("a time that is none")?;
        let story = finding.story(judge);
        if first_ms >= LEARNED_MS && story.is_none_or(is_harmless) {
            told.about_no_attack.extend_from_slice(line);
            told.about_no_attack.push(b'\n');
        }
        if let Some(story) = story {
            told.stories.entry(story).or_default().insert(finding.detector);
        } else if first_ms < LEARNED_MS {
            told.n_others_learning += 1;
        } else {
            *told.others.entry(finding.detector).or_default() += 1;
        }
    }
    Ok(told)
}
