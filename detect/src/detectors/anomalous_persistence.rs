//! # Unusual persistence
//!
//! ## Fires when
//! an identity makes users, keys, code or settings by which somebody can come back: the calls of one hour
//! carry more bits of surprise than its kind does on ordinary days. What is new or rare (APIs,
//! targets, place, tool, errors) and how many calls there are add up; summary and parts say which. High if
//! it is half as much again.
//!
//! ## Quiet when
//! the identity, or while it is young its peers, do so on other days; or neither has five days of history.
//! Many new things at once count once, as a number. AWS services are not judged.
//!
//! ## Misses
//! what is made by the same pipeline, from the same place, with the same tool.
//!
//! ## Triage
//! Disable what was made before anything else: it outlives the credentials that made it. Then ask the owner.

use crate::anomaly::{self, Watched};
pub(super) use crate::anomaly::{Settings, contribute};
use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};

pub(super) static META: Meta = Meta {
    id: "anomalous-persistence",
    severity: Severity::Medium,
    impact: Impact::Persistence,
    techniques: &[Technique("T1098"), Technique("T1136.003")],
    guardduty: Some("Persistence:IAMUser/AnomalousBehavior"),
    interest: Interest::Unusual(&WATCHED),
    source: include_str!("anomalous_persistence.rs"),
    settings_source: anomaly::SOURCE,
};

pub(super) static WATCHED: Watched = Watched {
    impacts: &[Impact::Persistence],
    is_s3: false,
    what: "make a way to come back",
    tells_context: false,
};

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    anomaly::judge(&WATCHED, settings, case)
}

#[cfg(test)]
mod tests;
