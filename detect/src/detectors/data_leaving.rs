//! # A host that sends far more outside than it ever does
//!
//! ## Fires when
//! what an interface sends within 60 minutes to services outside that it called is at least `mebibytes-min` and
//! improbable (`bits-min` bits) against what it, or others of its account, sends in an hour.
//!
//! ## Quiet when
//! it is less; or nobody has history yet: without it nobody can tell a backup from a theft. What a server answers
//! to those who call it is not counted.
//!
//! ## Misses
//! what leaves slowly enough to become usual; through services that the host does not call itself.
//!
//! ## Triage
//! To whom (the heaviest peers are named), by which process, and which data? Compare with the bytes that S3 and
//! other services logged for the same time.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict, usual_of};
use crate::finding::FlowSeen;
use crate::record::{Counts, Record};
use baseline::Dimension;

pub(super) static META: Meta = Meta {
    id: "data-leaving",
    severity: Severity::Medium,
    impact: Impact::Exfiltration,
    techniques: &[Technique("T1048"), Technique("T1041")],
    guardduty: Some("Behavior:EC2/TrafficVolumeUnusual"),
    interest: Interest::Nothing,
    source: include_str!("data_leaving.rs"),
    settings_source: include_str!("data_leaving.rs"),
};

/// Table `[detectors.data-leaving]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Less is never reported. Unit: MiB in 60 minutes.
    pub mebibytes_min: u64,
    /// What it must carry. Unit: bits.
    pub bits_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { mebibytes_min: 500, bits_min: 12.0 }
    }
}

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let dimension = Dimension::BytesOut;
    if !case.usual.can_judge(dimension) {
        return None;
    }
    let window = case.span.window(dimension)?;
    let n = window.statistic;
    let parts = case.improbable(dimension, n, (settings.mebibytes_min, settings.bits_min))?;
    let values = window.counted.values.heaviest();
    let (first, kibibytes) = values.first().copied()?;
    let summary = format!(
        "sent {n} MiB outside within 60 minutes, {} MiB of them to {first}; usual, in MiB: {}",
        kibibytes >> 10,
        usual_of(&parts)
    );
    let flow = FlowSeen::of(&case.entity.key, values.iter().copied());
    let mut verdict = Verdict::on(&window, Severity::Medium, parts, summary);
    verdict.flow = Some(flow);
    Some(verdict)
}

#[cfg(test)]
mod tests;
