//! Unusual behaviour: when the surprise of an hour stands above the threshold of its kind, and how that is
//! told. One detector for each tactic calls it: what calls of its tracks do counts for it alone, from where
//! and with what anything was called counts for all.

use crate::{
    budget::{Bound, Threshold},
    detector::{Case, Impact, Severity, Verdict},
    record::{Counts, Record},
};
use baseline::{Bits, Dimension, Generation, Kind, Part, Piece, Slot, Term, Track, lacks};
use std::{cmp::Reverse, collections::BTreeMap};

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
#[derive(Debug, PartialEq, Eq)]
pub struct Watched {
    /// The impacts of the calls.
    pub(crate) impacts: &'static [Impact],
    /// Whether they are calls of S3, or all others.
    pub(crate) is_s3: bool,
    /// What such calls are for, in a summary: "made 3 calls to ...".
    pub(crate) what: &'static str,
    /// Whether it tells a strange context by itself, whatever was called.
    pub(crate) tells_context: bool,
}

impl Watched {
    /// Whether calls of `track`, or the context alone, are judged by this detector.
    pub(crate) fn watches(&self, track: Option<Track>) -> bool {
        track.map_or(self.tells_context, |track| {
            self.is_s3 == track.is_s3 && self.impacts.contains(&track.impact)
        })
    }
}

/// Weight of an impact, in halves: what gives rights, opens or destroys says half as much again about an
/// intruder as what reads or makes (the model's prototype).
pub(crate) fn halves(impact: Impact) -> u32 {
    match impact {
        Impact::Read | Impact::Discovery | Impact::Write => 2,
        _ if lacks(Piece::Weights) => 2,
        _ => 3,
    }
}

/// The bits that an hour must carry; nothing for kinds that are not judged. Pipelines do what people write.
/// AWS services act for many, and what they do follows from what was set up, by calls that are judged.
fn threshold(kind: Kind, is_young: bool) -> Option<f64> {
    match kind {
        Kind::Human | Kind::Root | Kind::External | Kind::Ci => Some(40.0),
        Kind::Workload | Kind::Agent => {
            Some(if is_young || lacks(Piece::Kinds) { 40.0 } else { 25.0 })
        }
        Kind::Service | Kind::Interface | Kind::Source | Kind::Account => None,
    }
}

/// No setting makes fewer bits than these a finding.
const BITS_MIN: f64 = 5.0;

/// What the deeds of a tactic must carry by themselves, as a share of the threshold, before a strange
/// context makes them a finding of their own: else one new network would be told under every tactic.
const DEEDS_SHARE: f64 = 0.25;
/// So deeds that carry a bit do for a threshold of so many. Unit: halves of a bit.
const DEEDS_REACH_HALVES: u32 = 8;

/// What calls of an hour say.
struct Judged {
    /// What the calls are, for a summary.
    what: String,
    /// What is counted: the calls of a track, or of all tracks of the hour.
    calls: Vec<Dimension>,
    terms: Vec<Term>,
    bits: Bits,
    severity: Severity,
}

/// The bits that an hour of somebody of this kind must carry; nothing where there is not enough history.
pub(crate) fn needed(
    settings: &Settings,
    (kind, usual): (Kind, &Generation<'_>),
    asked: Option<Bits>,
) -> Option<Threshold> {
    let of_kind = threshold(kind, usual.is_young()).filter(|_| usual.can_surprise())?;
    Some(Threshold::of((of_kind * settings.threshold_times).max(BITS_MIN), asked))
}

/// The same by default, without a budget: what decides how much a day teaches.
pub(crate) fn needed_by_default(whose: (Kind, &Generation<'_>)) -> Option<Threshold> {
    needed(&Settings::default(), whose, None)
}

/// The largest threshold under which calls that `watched` watches would still be an alert: medium or above.
pub(crate) fn reach(watched: &Watched, case: &Case<'_>) -> Bits {
    let alerts = |track: &Track| !only_looks(*track);
    let of_tracks = tracks(watched, case).into_iter().filter(alerts).map(|track| {
        let halves = halves(track.impact);
        let deeds = weighed_sum(&case.usual.deeds(&case.span, track), halves);
        if deeds == Bits::ZERO {
            return deeds;
        }
        let all: Bits = [deeds, weighed_sum(case.context(), halves)].into_iter().sum();
        all.min(deeds.halves(DEEDS_REACH_HALVES))
    });
    let of_tracks = of_tracks.max().unwrap_or(Bits::ZERO);
    let all: Vec<Track> = Track::all().filter(|track| has_calls(*track, case)).collect();
    if !watched.tells_context || !all.iter().any(alerts) {
        return of_tracks;
    }
    let halves = all.iter().map(|track| halves(track.impact)).max().unwrap_or(0);
    of_tracks.max(weighed_sum(case.context(), halves))
}

fn has_calls(track: Track, case: &Case<'_>) -> bool {
    case.span.slots_of(Dimension::calls(track)).next().is_some()
}

/// The tracks that `watched` watches and that have calls in the hour.
fn tracks(watched: &Watched, case: &Case<'_>) -> Vec<Track> {
    let track = |&impact: &Impact| Track { impact, is_s3: watched.is_s3 };
    watched.impacts.iter().map(track).filter(|track| has_calls(*track, case)).collect()
}

/// The loudest verdict on a track of `watched` that stands above the threshold.
pub(crate) fn judge(watched: &Watched, settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let threshold = needed(settings, (case.entity.kind, case.usual), case.asked)?;
    let tracks = tracks(watched, case);
    if tracks.is_empty() && !watched.tells_context {
        return None;
    }
    let mut judged = Vec::new();
    for track in tracks {
        judged.extend(of_track((track, watched.what), threshold.bits, case));
    }
    if watched.tells_context && !lacks(Piece::Context) {
        let all = Track::all().filter(|track| has_calls(*track, case)).collect();
        judged.extend(of_context(all, case.context().to_vec(), threshold.bits));
    }
    // More records raise bits and severity of each, so they only ever make the loudest louder.
    let rank = |judged: &Judged| (judged.severity, judged.bits);
    let judged = judged.into_iter().filter(|judged| judged.bits.as_f64() >= threshold.bits);
    let loudest =
        judged.reduce(|most, next| if rank(&next) > rank(&most) { next } else { most })?;
    Some(verdict(case, loudest, threshold))
}

/// The deeds of a track, with the context of the hour.
fn of_track((track, what): (Track, &str), threshold: f64, case: &Case<'_>) -> Option<Judged> {
    let deeds = weighed(case.usual.deeds(&case.span, track), halves(track.impact));
    if !is_deed(&deeds, threshold) {
        return None;
    }
    let mut terms = weighed(case.context().to_vec(), halves(track.impact));
    terms.extend(deeds);
    let bits = sum(&terms);
    let severity = severity(track, bits.as_f64() / threshold);
    let (what, calls) = (format!("to {what}"), vec![Dimension::calls(track)]);
    Some(Judged { what, calls, terms, bits, severity })
}

/// Whether deeds carry their share of the threshold.
pub(crate) fn is_deed(deeds: &[Term], threshold: f64) -> bool {
    sum(deeds).as_f64() >= threshold * DEEDS_SHARE || lacks(Piece::DeedsShare)
}

/// The context alone, which weighs what the heaviest calls of the hour weigh.
fn of_context(tracks: Vec<Track>, context: Vec<Term>, threshold: f64) -> Option<Judged> {
    let halves = tracks.iter().map(|track| halves(track.impact)).max()?;
    let terms = weighed(context, halves);
    let bits = sum(&terms);
    let height = bits.as_f64() / threshold;
    let severity = tracks.iter().map(|track| severity(*track, height)).max()?;
    let calls = tracks.into_iter().map(Dimension::calls).collect();
    let what = "from where or with what it usually makes none".to_owned();
    Some(Judged { what, calls, terms, bits, severity })
}

pub(crate) fn sum(terms: &[Term]) -> Bits {
    terms.iter().map(|term| term.part.bits).sum()
}

fn weighed_sum(terms: &[Term], halves: u32) -> Bits {
    terms.iter().map(|term| term.part.bits.halves(halves)).sum()
}

/// Whether calls of a track only look: they change nothing, and take no object out of S3.
pub(crate) fn only_looks(track: Track) -> bool {
    let takes_objects = track.is_s3 && track.impact == Impact::Read;
    matches!(track.impact, Impact::Read | Impact::Discovery) && !takes_objects
}

fn severity(track: Track, height: f64) -> Severity {
    const HIGH_ABOVE: f64 = 1.5;
    if only_looks(track) {
        Severity::Low
    } else if height >= HIGH_ABOVE {
        Severity::High
    } else {
        Severity::Medium
    }
}

pub(crate) fn weighed(mut terms: Vec<Term>, halves: u32) -> Vec<Term> {
    for term in &mut terms {
        term.part.bits = term.part.bits.halves(halves);
    }
    terms.retain(|term| term.part.bits > Bits::ZERO);
    terms
}

fn verdict(case: &Case<'_>, judged: Judged, threshold: Threshold) -> Verdict {
    const REASONS: usize = 3;
    let Judged { what, calls, mut terms, bits, severity } = judged;
    terms.sort_by_key(|term| Reverse(term.part.bits));
    let mut slots: BTreeMap<Slot, u64> = BTreeMap::new();
    for (slot, n) in calls.iter().flat_map(|calls| case.span.slots_of(*calls)) {
        *slots.entry(slot).or_default() += n;
    }
    let reasons = terms.iter().take(REASONS);
    let reasons =
        reasons.map(|term| format!("{} {}", term.part.dimension.name(), term.part.observed));
    let calls_made = match calls.iter().map(|calls| case.span.largest(*calls)).sum() {
        1 => "1 call".to_owned(),
        n => format!("{n} calls in 60 minutes"),
    };
    let asked = match threshold.bound {
        Bound::Kind => format!("where {:.0} are unusual for its kind", threshold.bits),
        Bound::Budget => format!("where {:.1} keep within the alert budget", threshold.bits),
    };
    let summary = format!(
        "made {calls_made} {what}: {}; {:.1} bits, {asked}",
        reasons.collect::<Vec<_>>().join("; "),
        bits.as_f64(),
    );
    let mut records: Vec<_> = terms.iter().flat_map(|term| &term.records).cloned().collect();
    // Where their number says little, most of the calls may be the owner's.
    let heaviest = terms.first().map_or(Bits::ZERO, |term| term.part.bits);
    let is_heavy = |term: &Term| term.part.bits.as_f64() * 2.0 >= heaviest.as_f64();
    for term in terms.iter().filter(|term| calls.contains(&term.part.dimension) && is_heavy(term)) {
        let window = case.span.window(term.part.dimension).unwrap_or_default();
        records.extend(window.counted.records.iter().cloned());
    }
    records.sort();
    records.dedup();
    let of_target = terms.iter().filter(|term| term.part.dimension == Dimension::Target);
    let targets = of_target.flat_map(|term| term.values.clone()).take(Verdict::TARGETS_MAX);
    let targets = targets.collect();
    let parts: Vec<Part> = terms.into_iter().map(|term| term.part).collect();
    let slots = slots.into_iter().collect();
    let threshold = Some(threshold);
    Verdict {
        parts,
        severity,
        summary,
        slots,
        records,
        last_ms: None,
        targets,
        flow: None,
        threshold,
    }
}

#[cfg(test)]
pub(crate) mod testkit;
#[cfg(test)]
mod tests;
