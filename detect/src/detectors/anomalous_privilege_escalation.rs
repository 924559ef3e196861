//! # Unusual change of privileges
//!
//! ## Fires when
//! an identity gives or takes rights, which it does not usually do: the calls of one hour carry more bits
//! of surprise than its kind does on ordinary days. What is new or rare (APIs, targets, place,
//! tool, errors) and how many calls there are add up; summary and parts say which. High if it is half as
//! much again.
//!
//! ## Quiet when
//! the identity, or while it is young its peers, do so on other days; or neither has five days of history.
//! Many new things at once count once, as a number. AWS services are not judged.
//!
//! ## Misses
//! rights given by the same person who gives them every week.
//!
//! ## Triage
//! Read the policy as it is now. Take it back if the owner does not know it, and read what was done under it.

use crate::anomaly::{self, Watched};
pub(super) use crate::anomaly::{Settings, contribute};
use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};

pub(super) static META: Meta = Meta {
    id: "anomalous-privilege-escalation",
    severity: Severity::Medium,
    impact: Impact::Privilege,
    techniques: &[Technique("T1098.003"), Technique("T1548.005")],
    guardduty: Some("PrivilegeEscalation:IAMUser/AnomalousBehavior"),
    interest: Interest::Unusual(&WATCHED),
    source: include_str!("anomalous_privilege_escalation.rs"),
    settings_source: anomaly::SOURCE,
};

pub(super) static WATCHED: Watched = Watched {
    impacts: &[Impact::Privilege],
    is_s3: false,
    what: "change who may do what",
    tells_context: false,
};

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    anomaly::judge(&WATCHED, settings, case)
}

#[cfg(test)]
mod tests;
