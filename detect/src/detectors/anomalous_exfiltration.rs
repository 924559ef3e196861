//! # Unusual sharing of data
//!
//! ## Fires when
//! an identity copies, exports or opens data to others, which it does not usually do: the calls of one hour
//! carry more bits of surprise than its kind does on ordinary days. What is new or rare (APIs,
//! targets, place, tool, errors) and how many calls there are add up; summary and parts say which. High if
//! it is half as much again.
//!
//! ## Quiet when
//! the identity, or while it is young its peers, do so on other days; or neither has five days of history.
//! Many new things at once count once, as a number. AWS services are not judged.
//!
//! ## Misses
//! data read piece by piece through the service itself.
//!
//! ## Triage
//! Close what was opened, then find out what was in it and whether it was copied.

use crate::anomaly::{self, Watched};
pub(super) use crate::anomaly::{Settings, contribute};
use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};

pub(super) static META: Meta = Meta {
    id: "anomalous-exfiltration",
    severity: Severity::Medium,
    impact: Impact::Exfiltration,
    techniques: &[Technique("T1537"), Technique("T1020")],
    guardduty: Some("Exfiltration:IAMUser/AnomalousBehavior"),
    interest: Interest::Unusual(&WATCHED),
    source: include_str!("anomalous_exfiltration.rs"),
    settings_source: anomaly::SOURCE,
};

pub(super) static WATCHED: Watched = Watched {
    impacts: &[Impact::Exfiltration],
    is_s3: false,
    what: "take data out or open it to others",
    tells_context: false,
};

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    anomaly::judge(&WATCHED, settings, case)
}

#[cfg(test)]
mod tests;
