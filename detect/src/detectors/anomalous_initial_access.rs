//! # Unusual access
//!
//! ## Fires when
//! an identity signs in, takes a role, opens a session or runs something in a way that is new for it: the
//! calls of one hour carry more bits of surprise than its kind does on ordinary days. What is new
//! or rare (APIs, targets, place, tool, errors) and how many calls there are add up; summary and parts say
//! which. And when the place and the tool of any calls are so strange that they say enough by themselves:
//! then only reading is low. High if it is half as much again.
//!
//! ## Quiet when
//! the identity, or while it is young its peers, do so on other days; or neither has five days of history.
//! Many new things at once count once, as a number. AWS services are not judged.
//!
//! ## Misses
//! an intruder who sits in the owner's own network, with his tool, at work on his usual things.
//!
//! ## Triage
//! Ask the owner whether it was him. If not: revoke the sessions of the credentials, then read what they did.

use crate::anomaly::{self, Watched};
pub(super) use crate::anomaly::{Settings, contribute};
use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};

pub(super) static META: Meta = Meta {
    id: "anomalous-initial-access",
    severity: Severity::Medium,
    impact: Impact::Access,
    techniques: &[Technique("T1078.004"), Technique("T1651")],
    guardduty: Some("InitialAccess:IAMUser/AnomalousBehavior"),
    interest: Interest::Unusual(&WATCHED),
    source: include_str!("anomalous_initial_access.rs"),
    settings_source: anomaly::SOURCE,
};

pub(super) static WATCHED: Watched = Watched {
    impacts: &[Impact::Access],
    is_s3: false,
    what: "get in or run something",
    tells_context: true,
};

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    anomaly::judge(&WATCHED, settings, case)
}

#[cfg(test)]
mod tests;
