//! Unusual behaviour: when the surprise of an hour of calls of one track stands above the threshold of
//! its kind, and how that is told. One detector for each tactic calls it.

use crate::{
    detector::{Case, Impact, Severity, Verdict},
    record::{Counts, Record},
};
use baseline::{Bits, Dimension, Generation, Kind, Part, Span, Term, Track};
use std::cmp::Reverse;

/// Where the settings of these detectors are written down.
pub(crate) const SOURCE: &str = include_str!("anomaly.rs");

/// Table of each detector of unusual behaviour, `[detectors.anomalous-...]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// What the kind of identity is asked for is multiplied by this: below 1 more is told, above 1 less;
    /// fewer than 5 bits are never told.
    pub threshold_times: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { threshold_times: 1.0 }
    }
}

/// Every profile remembers what these detectors judge.
pub(crate) fn contribute(_: &Record<'_>, _: &mut Counts) {}

/// What a detector of unusual behaviour judges.
#[derive(Debug)]
pub(crate) struct Watched {
    /// The impacts of the calls.
    pub(crate) impacts: &'static [Impact],
    /// Whether they are calls of S3, or all others.
    pub(crate) is_s3: bool,
    /// What such calls are for, in a summary: "made 3 calls to ...".
    pub(crate) what: &'static str,
}

impl Watched {
    /// Whether calls of `track` are judged by this detector.
    pub(crate) fn watches(&self, track: Track) -> bool {
        self.is_s3 == track.is_s3 && self.impacts.contains(&track.impact)
    }
}

/// Weight of an impact, in halves: what gives rights, opens or destroys says half as much again about an
/// intruder as what reads or makes (the model's prototype).
pub(crate) fn halves(impact: Impact) -> u32 {
    match impact {
        Impact::Read | Impact::Discovery | Impact::Write => 2,
        _ => 3,
    }
}

/// The bits that an hour must carry; nothing for kinds that are not judged. Pipelines do what people write.
/// AWS services act for many, and what they do follows from what was set up, by calls that are judged.
fn threshold(kind: Kind, is_young: bool) -> Option<f64> {
    match kind {
        Kind::Human | Kind::Root | Kind::External | Kind::Ci => Some(40.0),
        Kind::Workload | Kind::Agent => Some(if is_young { 40.0 } else { 25.0 }),
        Kind::Service | Kind::Interface | Kind::Source | Kind::Account => None,
    }
}

/// No setting makes fewer bits than these a finding.
const BITS_MIN: f64 = 5.0;

/// What a track of an hour says.
struct Judged {
    track: Track,
    terms: Vec<Term>,
    bits: Bits,
    severity: Severity,
}

/// The bits that an hour of somebody of this kind must carry; nothing where there is not enough history.
pub(crate) fn needed(settings: &Settings, kind: Kind, usual: &Generation<'_>) -> Option<f64> {
    let threshold = threshold(kind, usual.is_young())?;
    usual.can_surprise().then(|| (threshold * settings.threshold_times).max(BITS_MIN))
}

/// Where the bits of the calls of `track` come from, weighed, the heaviest first.
pub(crate) fn terms(span: &Span<'_>, usual: &Generation<'_>, track: Track) -> Vec<Term> {
    weighed(usual.surprise(span, track), track.impact)
}

/// The loudest verdict on a track of `watched` that stands above the threshold.
pub(crate) fn judge(watched: &Watched, settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let threshold = needed(settings, case.entity.kind, case.usual)?;
    let tracks = watched.impacts.iter().map(|&impact| Track { impact, is_s3: watched.is_s3 });
    let judged = tracks.filter_map(|track| {
        case.span.slots_of(Dimension::calls(track)).next()?;
        let terms = terms(&case.span, case.usual, track);
        let bits: Bits = terms.iter().map(|term| term.part.bits).sum();
        let severity = severity(track, bits.as_f64() / threshold);
        (bits.as_f64() >= threshold).then_some(Judged { track, terms, bits, severity })
    });
    // More records raise bits and severity of each track, so they only ever make the loudest louder.
    let rank = |judged: &Judged| (judged.severity, judged.bits);
    let loudest =
        judged.reduce(|most, next| if rank(&next) > rank(&most) { next } else { most })?;
    Some(verdict(case, watched, loudest, threshold))
}

fn severity(track: Track, height: f64) -> Severity {
    const HIGH_ABOVE: f64 = 1.5;
    match track.impact {
        Impact::Read | Impact::Discovery if !(track.is_s3 && track.impact == Impact::Read) => {
            Severity::Low
        }
        _ if height >= HIGH_ABOVE => Severity::High,
        _ => Severity::Medium,
    }
}

fn weighed(mut terms: Vec<Term>, impact: Impact) -> Vec<Term> {
    for term in &mut terms {
        term.part.bits = term.part.bits.halves(halves(impact));
    }
    terms.retain(|term| term.part.bits > Bits::ZERO);
    terms.sort_by_key(|term| Reverse(term.part.bits));
    terms
}

fn verdict(case: &Case<'_>, watched: &Watched, judged: Judged, threshold: f64) -> Verdict {
    const REASONS: usize = 3;
    let Judged { track, terms, bits, severity } = judged;
    let calls = Dimension::calls(track);
    let slots: Vec<_> = case.span.slots_of(calls).collect();
    let window = case.span.window(calls).unwrap_or_default();
    let reasons = terms.iter().take(REASONS);
    let reasons =
        reasons.map(|term| format!("{} {}", term.part.dimension.name(), term.part.observed));
    let calls_made = match window.statistic {
        1 => "1 call".to_owned(),
        n => format!("{n} calls in 60 minutes"),
    };
    let summary = format!(
        "made {calls_made} to {}: {}; {:.1} bits, where {threshold:.0} are unusual for its kind",
        watched.what,
        reasons.collect::<Vec<_>>().join("; "),
        bits.as_f64(),
    );
    let mut records: Vec<_> = terms.iter().flat_map(|term| &term.records).cloned().collect();
    // Where their number says little, most of the calls may be the owner's.
    let heaviest = terms.first().map_or(Bits::ZERO, |term| term.part.bits);
    let is_heavy = |term: &Term| term.part.bits.as_f64() * 2.0 >= heaviest.as_f64();
    if terms.iter().any(|term| term.part.dimension == calls && is_heavy(term)) {
        records.extend(window.counted.records.iter().cloned());
    }
    records.sort();
    records.dedup();
    let of_target = terms.iter().filter(|term| term.part.dimension == Dimension::Target);
    let targets = of_target.flat_map(|term| term.values.clone()).take(Verdict::TARGETS_MAX);
    let targets = targets.collect();
    let parts: Vec<Part> = terms.into_iter().map(|term| term.part).collect();
    Verdict { parts, severity, summary, slots, records, last_ms: None, targets, flow: None }
}

#[cfg(test)]
pub(crate) mod testkit;
