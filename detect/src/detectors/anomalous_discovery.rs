//! # Unusual discovery
//!
//! ## Fires when
//! an identity lists, describes or reads what it never looked at: the calls of one hour carry more bits of
//! surprise than its kind does on ordinary days. What is new or rare (APIs, targets, place, tool,
//! errors) and how many calls there are add up; summary and parts say which. Always low: reading changes
//! nothing, and what follows it is judged by itself.
//!
//! ## Quiet when
//! the identity, or while it is young its peers, do so on other days; or neither has five days of history.
//! Many new things at once count once, as a number. AWS services are not judged.
//!
//! ## Misses
//! a tool that asks only for what the identity asks for every day.
//!
//! ## Triage
//! Ask the owner what the tool is for. If nobody knows it, look at what was called next with the same
//! credentials, and revoke them if anything was changed or read.

use crate::anomaly::{self, Watched};
pub(super) use crate::anomaly::{Settings, contribute};
use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};

pub(super) static META: Meta = Meta {
    id: "anomalous-discovery",
    severity: Severity::Low,
    impact: Impact::Discovery,
    techniques: &[Technique("T1580"), Technique("T1526"), Technique("T1087.004")],
    guardduty: Some("Discovery:IAMUser/AnomalousBehavior"),
    interest: Interest::Unusual(&WATCHED),
    source: include_str!("anomalous_discovery.rs"),
    settings_source: anomaly::SOURCE,
};

pub(super) static WATCHED: Watched = Watched {
    impacts: &[Impact::Discovery, Impact::Read],
    is_s3: false,
    what: "list, describe or read",
    tells_context: false,
};

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    anomaly::judge(&WATCHED, settings, case)
}

#[cfg(test)]
mod tests;
