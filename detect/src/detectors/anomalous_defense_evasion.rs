//! # Unusual switching off of defences
//!
//! ## Fires when
//! an identity stops, deletes or narrows logs, alarms or detectors: the calls of one hour carry more bits
//! of surprise than its kind does on ordinary days. What is new or rare (APIs, targets, place,
//! tool, errors) and how many calls there are add up; summary and parts say which. High if it is half as
//! much again.
//!
//! ## Quiet when
//! the identity, or while it is young its peers, do so on other days; or neither has five days of history.
//! Many new things at once count once, as a number. AWS services are not judged.
//!
//! ## Misses
//! a change of filters by the pipeline that always changes them.
//!
//! ## Triage
//! Switch on again what was switched off, then read the time in which it was off as unwatched.

use crate::anomaly::{self, Watched};
pub(super) use crate::anomaly::{Settings, contribute};
use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};

pub(super) static META: Meta = Meta {
    id: "anomalous-defense-evasion",
    severity: Severity::Medium,
    impact: Impact::Evasion,
    techniques: &[Technique("T1562.008"), Technique("T1562.001")],
    guardduty: Some("DefenseEvasion:IAMUser/AnomalousBehavior"),
    interest: Interest::Unusual(&WATCHED),
    source: include_str!("anomalous_defense_evasion.rs"),
    settings_source: anomaly::SOURCE,
};

pub(super) static WATCHED: Watched = Watched {
    impacts: &[Impact::Evasion],
    is_s3: false,
    what: "stop or narrow what watches",
    tells_context: false,
};

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    anomaly::judge(&WATCHED, settings, case)
}

#[cfg(test)]
mod tests;
