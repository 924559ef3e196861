//! # Flows that were not logged
//!
//! ## Fires when
//! the day closes, and lines that say SKIPDATA (flows were lost; each stands for any number) cover at least
//! `share-min` of the day of an interface.
//!
//! ## Quiet when
//! it is less; or nothing was sent, which NODATA says and is no gap.
//!
//! ## Misses
//! logs that were never written: `run` tells of feeds that are silent. Whether somebody caused the loss.
//!
//! ## Triage
//! Nothing was seen of these flows, so what detectors say of the interface on that day may be too little. AWS skips
//! data under internal limits or errors; a host that opens very many connections at once causes it: look at what it
//! did before and after.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::finding::FlowSeen;
use crate::record::{Counts, Record};
use baseline::{Bits, Dimension, Part};

pub(super) static META: Meta = Meta {
    id: "coverage-gap",
    severity: Severity::Low,
    impact: Impact::Evasion,
    techniques: &[Technique("T1562.008")],
    guardduty: None,
    interest: Interest::Closed,
    source: include_str!("coverage_gap.rs"),
    settings_source: include_str!("coverage_gap.rs"),
};

/// Table `[detectors.coverage-gap]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Less is never reported: a quarter of an hour. Unit: share of the day, from 0 to 1.
    pub share_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { share_min: 0.01 }
    }
}

/// Unit: seconds.
const DAY_S: f64 = 86_400.0;

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let window = case.span.of_day(Dimension::Skipped)?;
    let share = (window.counted.amount as f64 / DAY_S).min(1.0);
    if share < settings.share_min {
        return None;
    }
    let percent = share * 100.0;
    let n_lines = window.counted.n_records;
    let part = Part {
        dimension: Dimension::Skipped,
        bits: Bits::ZERO,
        observed: format!("{percent:.1} % of the day"),
        usual: "none".to_owned(),
    };
    let summary = format!(
        "has flows that were not logged: SKIPDATA covers {percent:.1} % of the day, by {n_lines} lines"
    );
    let mut verdict = Verdict::on(&window, Severity::Low, vec![part], summary);
    verdict.flow = Some(FlowSeen::of(&case.entity.key, []));
    Some(verdict)
}

#[cfg(test)]
mod tests;
