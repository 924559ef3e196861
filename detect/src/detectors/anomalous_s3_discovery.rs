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
pub(super) use crate::anomaly::{Settings, contribute};
use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};

pub(super) static META: Meta = Meta {
    id: "anomalous-s3-discovery",
    severity: Severity::Low,
    impact: Impact::Discovery,
    techniques: &[Technique("T1619")],
    guardduty: Some("Discovery:S3/AnomalousBehavior"),
    interest: Interest::Unusual(&WATCHED),
    source: include_str!("anomalous_s3_discovery.rs"),
    settings_source: anomaly::SOURCE,
};

pub(super) static WATCHED: Watched = Watched {
    impacts: &[Impact::Discovery],
    is_s3: true,
    what: "list or describe what is in S3",
    tells_context: false,
};

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    anomaly::judge(&WATCHED, settings, case)
}

#[cfg(test)]
mod tests;
