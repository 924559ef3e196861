//! One kept finding for a person who wants to know why: the arithmetic, what it rests on, what would
//! have kept it quiet, and how to make it again.

mod again;

use super::{
    Style,
    table::{INDENT, Table, lines},
};
use crate::{
    confidence::Confidence,
    kept::{Kept, KeptMark},
    report::Report,
    suppression::{suppression_snippet, toml_text},
};
use baseline::{Bits, Call, Day, Evidence, Part};
use detect::{Bound, DETECTORS, Finding, Threshold};
use ingest::time::format_ms;
use serde_json::Value;
use std::io::{self, Write};

/// Records that the explanation names. Unit: records.
const RECORDS_MAX: usize = 5;

/// Writes everything that is known of a finding: as `replay` shows it, with every record.
pub fn show(kept: &Kept, style: Style, out: &mut impl Write) -> io::Result<()> {
    let Kept { finding, mark, .. } = kept;
    let report = Report::of(kept);
    Table::new(style).write(out, finding, &report)?;
    let guardduty = report.guardduty.unwrap_or("none of this kind");
    let known = [
        format!("confidence {}: {}", report.confidence.level, report.confidence.note),
        format!("cannot tell: {}", report.cannot_tell),
        format!("MITRE ATT&CK: {}, GuardDuty: {guardduty}", report.techniques.join(", ")),
        format!("entity {}", finding.entity.key),
    ];
    known.iter().try_for_each(|text| lines(out, text, style))?;
    mark.iter().try_for_each(|mark| lines(out, &marked(mark), style))?;
    records(finding, (usize::MAX, style), out)
}

/// Writes why a finding was told, to somebody who reads it `today`.
pub fn explain(kept: &Kept, today: Day, style: Style, out: &mut impl Write) -> io::Result<()> {
    let Kept { finding, run, mark, .. } = kept;
    let report = Report::of(kept);
    let head = format!("finding {}: {}", report.id, report.title);
    writeln!(out, "{}", crate::escape(&head))?;
    let who = format!("{}, {}, {}", report.day, report.severity.label, report.who());
    lines(out, &who, style)?;
    lines(out, &report.summary, style)?;
    let suppressed = report.suppressed.iter().map(ToString::to_string);
    let said = suppressed.chain(mark.as_ref().map(marked)).collect::<Vec<_>>();
    said.iter().try_for_each(|text| lines(out, text, style))?;
    heading("Where the bits come from", out)?;
    for part in &finding.parts {
        let [sum, usual] = term(part);
        lines(out, &sum, style)?;
        lines(out, &usual, style)?;
    }
    lines(out, &in_all(&report), style)?;
    heading("How much is known", out)?;
    let Confidence { level, note, .. } = &report.confidence;
    lines(out, &format!("{note}; confidence {level}"), style)?;
    heading("What would have kept it quiet", out)?;
    thresholds(kept).iter().try_for_each(|text| lines(out, text, style))?;
    records(finding, (RECORDS_MAX, style), out)?;
    heading("To hear less of it, one of these in the configuration", out)?;
    writeln!(out, "{}", snippets(kept).join("\n\n"))?;
    heading("To be told nothing of the like, in the file of suppressions", out)?;
    for line in suppression_snippet(finding, today) {
        // Not wrapped: it is for a file.
        writeln!(out, "{INDENT}{line}")?;
    }
    heading("To make it again", out)?;
    let again::Again { arguments, note } = again::again(&run.command);
    let arguments: Vec<_> = arguments.iter().map(|argument| quoted(argument)).collect();
    let command = format!("sentrail {} | grep {}", arguments.join(" "), report.id);
    // Not wrapped: it is for the shell.
    writeln!(out, "{INDENT}{}", crate::escape(&command))?;
    note.iter().try_for_each(|note| lines(out, note, style))?;
    if report.suppressed.is_some() {
        lines(out, "While it is suppressed, only what `--out` or `--state` keeps has it.", style)?;
    }
    let inputs = &run.inputs;
    let made = format!(
        "It was made by sentrail {}, configuration {}.",
        inputs.program_version, inputs.config_hash
    );
    lines(out, &made, style)
}

/// One term of the score: what was seen, and what is usual.
pub(crate) fn term(part: &Part) -> [String; 2] {
    let Part { dimension, bits, observed, usual } = part;
    [
        format!("{:>6.2} bits  {}: {observed}", bits.as_f64(), dimension.name()),
        format!("             usual: {usual}"),
    ]
}

/// Their sum.
pub(crate) fn in_all(report: &Report<'_>) -> String {
    format!("{:>6.2} bits  in all", report.bits)
}

fn heading(text: &str, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\n{text}")
}

fn marked(KeptMark { mark, reason }: &KeptMark) -> String {
    let day: String = format_ms(mark.day.start_ms()).chars().take("2025-03-14".len()).collect();
    format!("marked {} on {day}: {reason}", mark.nature.name())
}

/// The first records, at most `n_max` of them.
fn records(
    finding: &Finding,
    (n_max, style): (usize, Style),
    out: &mut impl Write,
) -> io::Result<()> {
    let Finding { records, count, .. } = finding;
    if records.is_empty() {
        return Ok(());
    }
    heading(&format!("First records, {} of {count}", records.len().min(n_max)), out)?;
    records.iter().take(n_max).try_for_each(|record| lines(out, &line(record), style))
}

fn line(record: &Evidence) -> String {
    let Evidence { time_ms, id, call, amount: _ } = record;
    let Call { api, address, access_key, region, actor } = &**call;
    let told = [("from", address), ("key", access_key), ("in", region), ("as", actor)];
    let told = told.iter().filter_map(|(what, value)| value.as_ref().map(|value| (what, value)));
    let told: Vec<_> = told.map(|(what, value)| format!(", {what} {value}")).collect();
    format!("{} {api}{}, event {id}", format_ms(*time_ms), told.concat())
}

/// How many there were in the heaviest 60 minutes, if the parts say so.
fn observed(finding: &Finding) -> Option<u64> {
    let numbers = finding.parts.iter().filter_map(|part| {
        part.observed.strip_suffix(" in 60 minutes").and_then(|number| number.parse().ok())
    });
    numbers.max()
}

/// The settings that are floors of what the parts counted: whole numbers of one thing. Where a detector
/// has floors of several things, a part does not say which one it counted.
fn floors(kept: &Kept) -> Vec<(&str, u64)> {
    let is_floor = |name: &str| name != "bits-min" && name.contains("-min");
    let floors = kept.settings.iter().filter(|(name, _)| is_floor(name));
    let floors: Vec<_> =
        floors.filter_map(|(name, value)| Some((name.as_str(), value.as_u64()?))).collect();
    let thing = |name: &str| name.split('-').next().map(str::to_owned);
    let first = floors.first().and_then(|(name, _)| thing(name));
    if floors.iter().all(|(name, _)| thing(name) == first) { floors } else { Vec::new() }
}

/// Which settings decided, what they were, and how far above them this is.
fn thresholds(kept: &Kept) -> Vec<String> {
    let Kept { finding, settings, .. } = kept;
    let about = &finding.about;
    let quiet = about.section("Quiet when");
    let quiet = (!quiet.is_empty()).then(|| format!("It is quiet when {}", uncapital(&quiet)));
    let detector = DETECTORS.iter().find(|detector| detector.meta.id == about.id);
    let texts = detector.map(|detector| detector.meta.settings()).unwrap_or_default();
    let threshold = finding.threshold.map(|Threshold { bits, bound }| {
        let why = match bound {
            Bound::Kind => "where it is unusual for its kind",
            Bound::Budget => "which keeps within the alert budget, setting alerts-per-day",
        };
        let more = finding.bits().as_f64() - bits;
        format!("threshold {bits} bits, {why}. Here: {}, {more:.2} more.", finding.bits())
    });
    let told = settings.iter().map(|(name, value)| {
        let text = texts.iter().find(|(known, _)| known == name);
        let text = text.map_or_else(String::new, |(_, text)| format!(": {text}"));
        format!("{name} = {value}{text}{}", above(kept, name, value))
    });
    quiet.into_iter().chain(threshold).chain(told).collect()
}

/// How far a finding is above one setting, as a sentence with a space in front.
fn above(kept: &Kept, name: &str, value: &Value) -> String {
    let bits = kept.finding.bits();
    if name == "bits-min" {
        let Some(least) = value.as_f64() else { return String::new() };
        return if bits < Bits::of(least) {
            // Where history is too short nothing is asked but the floors.
            format!(" Here: {bits}, which is less, and did not keep it quiet.")
        } else {
            format!(" Here: {bits}, {:.2} more.", bits.as_f64() - least)
        };
    }
    let is_floor = floors(kept).iter().any(|(floor, _)| *floor == name);
    let counted = observed(&kept.finding).zip(value.as_u64()).filter(|_| is_floor);
    match counted.and_then(|(n, least)| Some((n, n.checked_sub(least)?))) {
        Some((n, more)) => format!(" Here: {n}, {more} more."),
        None => String::new(),
    }
}

/// Pieces of configuration, each of which works alone.
fn snippets(kept: &Kept) -> Vec<String> {
    let id = toml_key(&kept.finding.about.id);
    let id_text = toml_text(&kept.finding.about.id);
    let mut snippets = vec![
        format!("  # nothing of this kind any more\n  [detectors]\n  disable = [{id_text}]"),
        format!("  # told, but low\n  [detectors]\n  severity = {{ {id} = \"low\" }}"),
    ];
    let floors = floors(kept);
    if let Some(n) = observed(&kept.finding).filter(|_| !floors.is_empty()) {
        let more = n.saturating_add(1);
        let floors = floors.iter().map(|(name, _)| format!("\n  {name} = {more}"));
        let floors = floors.collect::<Vec<_>>().concat();
        snippets.push(format!("  # only more than this\n  [detectors.{id}]{floors}"));
    }
    snippets
}

/// A key of TOML: bare where it may be, else a basic string.
fn toml_key(text: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !text.is_empty() && text.chars().all(is_bare) {
        return text.to_owned();
    }
    toml_text(text)
}

/// An argument as a POSIX shell reads it.
fn quoted(argument: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(is_plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', "'\\''"))
}

fn uncapital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests;
