//! What each part of the model is worth: the organisations of the scoreboard, judged without it.
//!
//! The logs are read once and applied to an engine for each part, before which that part is left out. Flow
//! logs are not read: no part of this model judges them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs, mem,
    path::Path,
};

use baseline::{Piece, ablation::leave_out};
use detect::{Chunk, Engine, Finding, Options, Severity};
use ingest::{
    cloudtrail::{self, Record},
    decode::gunzip,
    enrich::Enrich,
    source::{self, Filter, Kind, Object, PathArg, Place},
    time::format_ms,
};
use testdata::{
    story::STORIES,
    truth::{Account, Truth},
    verdict::{Claim, Judge},
};

use crate::{LEARNED_MS, ORDINARY, Result, page, renew, tell};

/// Unit: bytes.
const CONTENT_BYTES_MAX: usize = 1 << 30;
/// Objects that are applied together, if no day closes between them. Unit: objects.
const BATCH_MAX: usize = 2_000;
/// Detectors of unusual behaviour begin so.
const UNUSUAL: &str = "anomalous-";
const TABLE: &str = "| left out | instead | attacks by unusual behaviour | by anything | harmless so | harmless by anything | false so | false by anything |\n|---|---|---|---|---|---|---|---|\n";

/// What was told over all seeds, by detectors of unusual behaviour and by all of them.
#[derive(Debug, Clone, Default)]
struct Told {
    /// Stories with calls in them, by seed and number.
    stories: [BTreeSet<(u64, usize)>; 2],
    /// Findings about no story after the learning days.
    others: [u64; 2],
}

/// Writes the table.
pub(crate) fn measure(root: &Path) -> Result<()> {
    let models: Vec<Option<Piece>> =
        std::iter::once(None).chain(Piece::ALL.iter().copied().map(Some)).collect();
    let mut told = vec![Told::default(); models.len()];
    // By number of the story, in how many organisations it made calls.
    let mut asked: BTreeMap<usize, u64> = BTreeMap::new();
    for seed in 1..=ORDINARY.n_seeds {
        let scratch = tempfile::tempdir()?;
        let truth = tell(seed, ORDINARY, scratch.path())?;
        let engine = |_: &_| Engine::new(Options::default(), Enrich::built_in());
        let mut engines: Vec<Engine> = models.iter().map(engine).collect();
        replay(&scratch.path().join("AWSLogs"), &models, &mut engines)?;
        for (engine, told) in engines.iter_mut().zip(&mut told) {
            told.add(seed, &engine.take_findings(), &truth);
        }
        let has_calls = |story: &Account| story.steps.iter().any(|step| !step.event_ids.is_empty());
        for (number, _) in truth.stories.iter().enumerate().filter(|(_, story)| has_calls(story)) {
            *asked.entry(number).or_default() += 1;
        }
    }
    let table = table(&models, &told, &asked)?;
    renew(root, page::ABLATION, &table)
}

/// Reads the calls below `folder` as a replay does, once for all engines.
fn replay(folder: &Path, models: &[Option<Piece>], engines: &mut [Engine]) -> Result<()> {
    let listing = source::list(&[PathArg::new(folder)], &Filter::default())?;
    let calls = listing.objects.iter().filter(|object| object.kind == Kind::CloudTrail);
    let mut batch: Vec<&Object> = Vec::new();
    for object in calls {
        let closes = |engine: &Engine| {
            let open = |object: &Object| engine.oldest_open_at(object.stamp_ms.unwrap_or(0));
            batch.first().is_some_and(|first| open(first) != open(object))
        };
        if batch.len() >= BATCH_MAX || engines.first().is_some_and(closes) {
            apply(&mem::take(&mut batch), models, engines)?;
        }
        batch.push(object);
    }
    apply(&batch, models, engines)?;
    for (model, engine) in models.iter().zip(engines) {
        leave_out(*model);
        engine.finish()?;
    }
    Ok(())
}

fn apply(batch: &[&Object], models: &[Option<Piece>], engines: &mut [Engine]) -> Result<()> {
    let Some(now_ms) = batch.first().and_then(|first| first.stamp_ms) else { return Ok(()) };
    for (model, engine) in models.iter().zip(&mut *engines) {
        leave_out(*model);
        engine.advance(now_ms)?;
    }
    // Rows are the same, whatever is left out.
    let chunk = engines.first().map(|engine| read(batch, engine)).transpose()?.unwrap_or_default();
    let chunks = [chunk];
    for (model, engine) in models.iter().zip(engines) {
        leave_out(*model);
        engine.apply(&chunks)?;
    }
    Ok(())
}

fn read(batch: &[&Object], engine: &Engine) -> Result<Chunk> {
    let mut reader = engine.reader();
    for object in batch {
        let Place::File(path) = &object.place else { continue };
        let bytes = fs::read(path)?;
        reader.begin(baseline::stable_hash(&[&bytes]), object.stamp_ms);
        let text = String::from_utf8(gunzip(&bytes, CONTENT_BYTES_MAX)?)?;
        cloudtrail::read(&text, |_, record| {
            if let Ok(Record::Event(event)) = record {
                reader.record(&event);
            }
        })?;
    }
    Ok(reader.finish())
}

impl Told {
    fn add(&mut self, seed: u64, findings: &[Finding], truth: &Truth) {
        let judge = Judge::new(truth);
        for finding in findings.iter().filter(|finding| finding.severity >= Severity::Medium) {
            let story = story(finding, &judge);
            let is_unusual = finding.about.id.starts_with(UNUSUAL);
            let [by_unusual, by_all] = &mut self.stories;
            let [others_unusual, others_all] = &mut self.others;
            if let Some(number) = story {
                by_all.insert((seed, number));
                if is_unusual {
                    by_unusual.insert((seed, number));
                }
            } else if finding.times_ms.0 >= LEARNED_MS {
                *others_all += 1;
                *others_unusual += u64::from(is_unusual);
            }
        }
    }
}

fn story(finding: &Finding, judge: &Judge<'_>) -> Option<usize> {
    let ids: Vec<String> = finding.records.iter().map(|record| record.id.to_string()).collect();
    let (first, last) = finding.times_ms;
    let (first, last) = (format_ms(first), format_ms(last));
    let event_ids = ids.iter().map(String::as_str).collect();
    judge.story(&Claim { event_ids, times: (&first, &last), ..Claim::default() })
}

fn table(models: &[Option<Piece>], told: &[Told], asked: &BTreeMap<usize, u64>) -> Result<String> {
    let is_harmless = |number: usize| STORIES.get(number).is_some_and(|story| story.is_harmless);
    let n_asked = |harmless: bool| -> u64 {
        let asked = asked.iter().filter(|(number, _)| is_harmless(**number) == harmless);
        asked.map(|(_, n)| n).sum()
    };
    let (n_attacks, n_harmless) = (n_asked(false), n_asked(true));
    let mut out = TABLE.to_owned();
    let mut unchanged = Vec::new();
    let whole = told.first().ok_or("nothing was measured")?;
    for (model, told) in models.iter().zip(told) {
        let [part, instead] = model.map_or(["nothing", ""], Piece::words);
        if model.is_some() && told.stories == whole.stories && told.others == whole.others {
            unchanged.push(part);
            continue;
        }
        let [unusual, all] = &told.stories;
        let n = |stories: &BTreeSet<(u64, usize)>, harmless: bool| {
            stories.iter().filter(|(_, number)| is_harmless(*number) == harmless).count()
        };
        let [false_unusual, false_all] = told.others;
        writeln!(
            out,
            "| {part} | {instead} | {}/{n_attacks} | {}/{n_attacks} | {}/{n_harmless} | {}/{n_harmless} | \
             {false_unusual} | {false_all} |",
            n(unusual, false),
            n(all, false),
            n(unusual, true),
            n(all, true),
        )?;
    }
    writeln!(out, "\nWithout these the same was found and told: {}.", unchanged.join("; "))?;
    Ok(out)
}
