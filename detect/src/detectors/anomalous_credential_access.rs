//! # Unusual access to credentials
//!
//! ## Fires when
//! an identity obtains credentials, secrets or passwords in a way that is new for it: the calls of one hour
//! carry more bits of surprise than its kind does on ordinary days. What is new or rare (APIs,
//! targets, place, tool, errors) and how many calls there are add up; summary and parts say which. High if
//! it is half as much again.
//!
//! ## Quiet when
//! the identity, or while it is young its peers, do so on other days; or neither has five days of history.
//! Many new things at once count once, as a number. AWS services are not judged.
//!
//! ## Misses
//! a secret that the identity reads every day, read once more.
//!
//! ## Triage
//! Rotate what was read, the most powerful first, then find out who had the credentials that read it.

use crate::anomaly::{self, Watched};
pub(super) use crate::anomaly::{Settings, contribute};
use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};

pub(super) static META: Meta = Meta {
    id: "anomalous-credential-access",
    severity: Severity::Medium,
    impact: Impact::Credential,
    techniques: &[Technique("T1552"), Technique("T1555.006"), Technique("T1528")],
    guardduty: Some("CredentialAccess:IAMUser/AnomalousBehavior"),
    interest: Interest::Unusual(&WATCHED),
    source: include_str!("anomalous_credential_access.rs"),
    settings_source: anomaly::SOURCE,
};

pub(super) static WATCHED: Watched = Watched {
    impacts: &[Impact::Credential],
    is_s3: false,
    what: "obtain credentials or secrets",
    tells_context: false,
};

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    anomaly::judge(&WATCHED, settings, case)
}

#[cfg(test)]
mod tests;
