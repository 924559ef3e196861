//! Unusual behaviour: when the surprise of an hour of calls of one track stands above the threshold of
//! its kind, and how that is told. One detector for each tactic calls it.

use crate::detector::{Case, Impact, Severity, Verdict};
use baseline::{Bits, Dimension, Kind, Part, Term, Track};
use std::cmp::Reverse;

/// What a detector of unusual behaviour judges.
#[derive(Debug)]
pub(crate) struct Watched {
    /// The impacts of the calls.
    pub(crate) impacts: &'static [Impact],
    /// Whether they are calls of S3, or all others.
    pub(crate) is_s3: bool,
    /// What such calls do, in a summary: "made 3 calls that ...".
    pub(crate) what: &'static str,
}

/// Weight of an impact, in halves: what gives rights, opens or destroys says half as much again about an
/// intruder as what reads or makes (the model's prototype).
fn halves(impact: Impact) -> u32 {
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

/// The verdict on the track of `watched` that stands highest above the threshold.
pub(crate) fn judge(watched: &Watched, case: &Case<'_>, threshold_times: f64) -> Option<Verdict> {
    let threshold = threshold(case.entity.kind, case.usual.is_young())? * threshold_times;
    if !case.usual.can_surprise() {
        return None;
    }
    let tracks = watched.impacts.iter().map(|&impact| Track { impact, is_s3: watched.is_s3 });
    let judged = tracks.filter_map(|track| {
        case.span.slots_of(Dimension::calls(track)).next()?;
        let terms = weighed(case.usual.surprise(&case.span, track), track.impact);
        let bits: Bits = terms.iter().map(|term| term.part.bits).sum();
        (bits.as_f64() >= threshold).then_some((bits, track, terms))
    });
    let (bits, track, terms) =
        judged.reduce(|most, next| if next.0 > most.0 { next } else { most })?;
    Some(verdict(case, watched, (track, terms, bits.as_f64() / threshold)))
}

fn weighed(mut terms: Vec<Term>, impact: Impact) -> Vec<Term> {
    for term in &mut terms {
        term.part.bits = term.part.bits.halves(halves(impact));
    }
    terms.retain(|term| term.part.bits > Bits::ZERO);
    terms.sort_by_key(|term| Reverse(term.part.bits));
    terms
}

fn verdict(
    case: &Case<'_>,
    watched: &Watched,
    (track, terms, height): (Track, Vec<Term>, f64),
) -> Verdict {
    const HIGH_ABOVE: f64 = 1.5;
    let calls = Dimension::calls(track);
    let slots: Vec<_> = case.span.slots_of(calls).collect();
    let n: u64 = slots.iter().map(|(_, n)| n).sum();
    let reasons = terms
        .iter()
        .take(3)
        .map(|term| format!("{} {}", term.part.dimension.name(), term.part.observed));
    let reasons = reasons.collect::<Vec<_>>().join("; ");
    let calls_made = if n == 1 { "a call".to_owned() } else { format!("{n} calls") };
    let summary =
        format!("made {calls_made} that {}, which is unusual for it: {reasons}", watched.what);
    let mut records: Vec<_> = terms.iter().flat_map(|term| &term.records).cloned().collect();
    if let Some(window) = case.span.window(calls) {
        records.extend(window.counted.records.iter().cloned());
    }
    records.sort();
    records.dedup();
    let severity = match track.impact {
        Impact::Read if track.is_s3 => Severity::Medium,
        Impact::Read | Impact::Discovery => Severity::Low,
        _ if height >= HIGH_ABOVE => Severity::High,
        _ => Severity::Medium,
    };
    let mut targets: Vec<String> = Vec::new();
    let of_target = terms.iter().filter(|term| term.part.dimension == Dimension::Target);
    targets.extend(of_target.flat_map(|term| term.values.clone()).take(Verdict::TARGETS_MAX));
    let parts: Vec<Part> = terms.into_iter().map(|term| term.part).collect();
    Verdict { parts, severity, summary, slots, records, last_ms: None, targets, flow: None }
}

#[cfg(test)]
pub(crate) mod testkit;
