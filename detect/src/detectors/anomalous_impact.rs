//! # Unusual destruction or change
//!
//! ## Fires when
//! an identity deletes, stops or changes what it usually leaves alone: the calls of one hour carry more
//! bits of surprise than its kind does on ordinary days. What is new or rare (APIs, targets, place,
//! tool, errors) and how many calls there are add up; summary and parts say which. High if it is half as
//! much again.
//!
//! ## Quiet when
//! the identity, or while it is young its peers, do so on other days; or neither has five days of history.
//! Many new things at once count once, as a number. AWS services are not judged.
//!
//! ## Misses
//! deletion by a job whose work it is to delete.
//!
//! ## Triage
//! Stop it if it still goes on: revoke the session. Then see what can be brought back, and by when.

use crate::anomaly::{self, Watched};
pub(super) use crate::anomaly::{Settings, contribute};
use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};

pub(super) static META: Meta = Meta {
    id: "anomalous-impact",
    severity: Severity::Medium,
    impact: Impact::Destruction,
    techniques: &[Technique("T1485"), Technique("T1496"), Technique("T1578")],
    guardduty: Some("Impact:IAMUser/AnomalousBehavior"),
    interest: Interest::Unusual(&WATCHED),
    source: include_str!("anomalous_impact.rs"),
    settings_source: anomaly::SOURCE,
};

pub(super) static WATCHED: Watched = Watched {
    impacts: &[Impact::Destruction, Impact::Write],
    is_s3: false,
    what: "destroy or change",
    tells_context: false,
};

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    anomaly::judge(&WATCHED, settings, case)
}

#[cfg(test)]
mod tests;
