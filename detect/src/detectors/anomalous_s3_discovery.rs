//! # Unusual discovery in S3
//!
//! ## Fires when
//! an identity lists buckets or objects that it never looked at: the calls of one hour carry more bits of
//! surprise than its kind does on ordinary days. What is new or rare (APIs, targets, place, tool,
//! errors) and how many calls there are add up; summary and parts say which. Always low: reading changes
//! nothing, and what follows it is judged by itself.
//!
//! ## Quiet when
//! the identity, or while it is young its peers, do so on other days; or neither has five days of history.
//! Many new things at once count once, as a number. AWS services are not judged.
//!
//! ## Misses
//! listing of buckets that the identity lists every day. Lists of objects need S3 data events.
//!
//! ## Triage
//! Ask the owner what the tool is for, and look whether objects were read next.

use crate::anomaly::{self, Watched};
use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::record::{Counts, Record};

pub(super) static META: Meta = Meta {
    id: "anomalous-s3-discovery",
    severity: Severity::Low,
    impact: Impact::Discovery,
    techniques: &[Technique("T1619")],
    guardduty: Some("Discovery:S3/AnomalousBehavior"),
    interest: Interest::Nothing,
    source: include_str!("anomalous_s3_discovery.rs"),
};

/// Table `[detectors.anomalous-s3-discovery]`.
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

const WATCHED: Watched =
    Watched { impacts: &[Impact::Discovery], is_s3: true, what: "list or describe what is in S3" };

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    anomaly::judge(&WATCHED, case, settings.threshold_times)
}

#[cfg(test)]
mod tests;
