//! # Unusual change in S3
//!
//! ## Fires when
//! an identity writes or deletes objects, or changes what protects buckets, where and as it never did: the
//! calls of one hour carry more bits of surprise than its kind does on ordinary days. What is new
//! or rare (APIs, targets, place, tool, errors) and how many calls there are add up; summary and parts say
//! which. High if it is half as much again.
//!
//! ## Quiet when
//! the identity, or while it is young its peers, do so on other days; or neither has five days of history.
//! Many new things at once count once, as a number. AWS services are not judged.
//!
//! ## Misses
//! writes by the job that writes there every night; without S3 data events, all writes of objects.
//!
//! ## Triage
//! Stop it if it still goes on. Then look whether the bucket keeps versions: what was overwritten may be there.

use crate::anomaly::{self, Watched};
pub(super) use crate::anomaly::{Settings, contribute};
use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};

pub(super) static META: Meta = Meta {
    id: "anomalous-s3-impact",
    severity: Severity::Medium,
    impact: Impact::Destruction,
    techniques: &[Technique("T1485"), Technique("T1486")],
    guardduty: Some("Impact:S3/AnomalousBehavior.Delete"),
    interest: Interest::Unusual(&WATCHED),
    source: include_str!("anomalous_s3_impact.rs"),
    settings_source: anomaly::SOURCE,
};

pub(super) static WATCHED: Watched = Watched {
    impacts: &[Impact::Write, Impact::Destruction, Impact::Evasion],
    is_s3: true,
    what: "write to S3, delete from it or change its protection",
    tells_context: false,
};

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    anomaly::judge(&WATCHED, settings, case)
}

#[cfg(test)]
mod tests;
