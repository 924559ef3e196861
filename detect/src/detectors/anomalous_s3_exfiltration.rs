//! # Unusual reading from S3
//!
//! ## Fires when
//! an identity reads objects, or has them replicated, where and as it never did: the calls of one hour
//! carry more bits of surprise than its kind does on ordinary days. What is new or rare (APIs,
//! targets, place, tool, errors) and how many calls there are add up; summary and parts say which. High if
//! it is half as much again.
//!
//! ## Quiet when
//! the identity, or while it is young its peers, do so on other days; or neither has five days of history.
//! Many new things at once count once, as a number. AWS services are not judged.
//!
//! ## Misses
//! copies within the usual number of reads; without S3 data events, all reads.
//!
//! ## Triage
//! Revoke the session, then list the objects that were read: they are in the data events, by key.

use crate::anomaly::{self, Watched};
pub(super) use crate::anomaly::{Settings, contribute};
use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};

pub(super) static META: Meta = Meta {
    id: "anomalous-s3-exfiltration",
    severity: Severity::Medium,
    impact: Impact::Exfiltration,
    techniques: &[Technique("T1530"), Technique("T1537")],
    guardduty: Some("Exfiltration:S3/AnomalousBehavior"),
    interest: Interest::Unusual(&WATCHED),
    source: include_str!("anomalous_s3_exfiltration.rs"),
    settings_source: anomaly::SOURCE,
};

pub(super) static WATCHED: Watched = Watched {
    impacts: &[Impact::Read, Impact::Exfiltration],
    is_s3: true,
    what: "read objects of S3 or copy them away",
    tells_context: false,
};

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    anomaly::judge(&WATCHED, settings, case)
}

#[cfg(test)]
mod tests;
