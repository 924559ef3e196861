//! # Activity that grows day by day
//!
//! ## Fires when
//! an identity has come to make far more calls of one kind a day than in the last three months, in steps
//! too small to stand out: the mean of the last seven active days is 1.75 times that of the last ninety or
//! more, and the difference is more than its days differ from each other. Reading and looking around is
//! low, S3 objects excepted.
//!
//! ## Quiet when
//! the identity has fewer than 21 days of history, makes fewer than 20 such calls a day lately, or its days
//! have always differed so much. After alerts on four days it is told again once an hour holds half as much
//! again as these did; what is low, for as long as the mean of three months takes to follow.
//!
//! ## Misses
//! growth of less than two percent a day, which the mean of three months follows; and what moves from one
//! kind of call to another.
//!
//! ## Triage
//! Ask the owner what grows: a job with more customers, or a copy that is kept small on purpose. Look at
//! what was read or written lately and where it went; an intruder who stays below every threshold of an
//! hour takes weeks.

use crate::anomaly;
use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::record::{Counts, Record};
use baseline::{Dimension, Drift, Part, Track};

pub(super) static META: Meta = Meta {
    id: "activity-drift",
    severity: Severity::Medium,
    impact: Impact::Exfiltration,
    techniques: &[Technique("T1030"), Technique("T1029")],
    guardduty: None,
    interest: Interest::Nothing,
    source: include_str!("activity_drift.rs"),
    settings_source: include_str!("activity_drift.rs"),
};

/// Table `[detectors.activity-drift]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// So many times as much as in the last three months. Growth of 3 % a day comes to 1.75 in five weeks,
    /// before it has trebled.
    pub times: f64,
    /// Surprise at the difference; ours, as in the other detectors of rates. Unit: bits.
    pub bits_min: f64,
    /// Below, a day lately is too little to speak of; ours. Unit: calls.
    pub calls_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { times: 1.75, bits_min: 10.0, calls_min: 20.0 }
    }
}

/// Every profile remembers how many calls there are.
pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    if !case.entity.kind.has_habits() {
        return None;
    }
    let grown = Track::all().filter_map(|track| {
        let calls = Dimension::calls(track);
        case.span.slots_of(calls).next()?;
        let drift = case.usual.drift(calls, case.span.largest(calls))?;
        let is_told = drift.bits.as_f64() >= settings.bits_min
            && drift.recent >= settings.calls_min
            && drift.recent >= drift.usual * settings.times;
        let severity = if anomaly::only_looks(track) { Severity::Low } else { Severity::Medium };
        is_told.then_some((severity, drift, calls))
    });
    let rank = |(severity, drift, _): &(Severity, Drift, Dimension)| (*severity, drift.bits);
    let loudest = grown.reduce(|most, next| if rank(&next) > rank(&most) { next } else { most })?;
    Some(verdict(case, loudest))
}

fn verdict(case: &Case<'_>, (severity, drift, calls): (Severity, Drift, Dimension)) -> Verdict {
    let window = case.span.window(calls).unwrap_or_default();
    let (recent, usual) = (drift.recent, drift.usual);
    let summary = format!(
        "has come to make {recent:.0} {} a day in its last seven active days, {:.1} times the \
         {usual:.0} of the last three months",
        calls.name(),
        recent / usual,
    );
    let part = Part {
        dimension: calls,
        bits: drift.bits,
        observed: format!("{recent:.0} a day in the last seven active days"),
        usual: format!("{usual:.0} a day in the last ninety"),
    };
    Verdict::on(&window, severity, vec![part], summary)
}

#[cfg(test)]
mod tests;
