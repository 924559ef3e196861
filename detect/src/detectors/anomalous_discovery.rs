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
use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::record::{Counts, Record};

pub(super) static META: Meta = Meta {
    id: "anomalous-discovery",
    severity: Severity::Low,
    impact: Impact::Discovery,
    techniques: &[Technique("T1580"), Technique("T1526"), Technique("T1087.004")],
    guardduty: Some("Discovery:IAMUser/AnomalousBehavior"),
    interest: Interest::Nothing,
    source: include_str!("anomalous_discovery.rs"),
};

/// Table `[detectors.anomalous-discovery]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// What the kind of identity is asked for is multiplied by this: below 1 more is told, above 1 less;
    /// fewer than 5 bits are never told.
    pub threshold_times: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { threshold_times: 1.0 }
    }
}

const WATCHED: Watched = Watched {
    impacts: &[Impact::Discovery, Impact::Read],
    is_s3: false,
    what: "list, describe or read",
};

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    anomaly::judge(&WATCHED, case, settings.threshold_times)
}

#[cfg(test)]
mod tests;
