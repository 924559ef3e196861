//! # Access key or password made for somebody else
//!
//! ## Fires when
//! an identity makes an access key, a console password or a service credential for another IAM user
//! than itself. High if a machine or CI job does it, or one that an AWS account manager would not
//! expect: the root user; medium for people; low if the identity does this every so often (fewer than
//! `bits-min` bits), all of it is for people whom it is known to serve, or every key that it made is
//! deleted again by itself in the same clock hour.
//!
//! ## Quiet when
//! a user makes a credential for himself, or the call failed.
//!
//! ## Misses
//! access gained by policies, roles and identity providers; a user's own new key.
//!
//! ## Triage
//! Does the other user know? If not: deactivate the new credential before the old ones, and read what
//! was called with it.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::record::{Counts, Record};
use baseline::{Dimension, Distinct, Kind};
use ingest::{
    Text,
    event::{Identity, Outcome},
};

pub(super) static META: Meta = Meta {
    id: "credentials-for-others",
    severity: Severity::Medium,
    impact: Impact::Persistence,
    techniques: &[Technique("T1098.001")],
    guardduty: Some("Persistence:IAMUser/AnomalousBehavior"),
    interest: Interest::Apis(&[
        "iam:CreateAccessKey",
        "iam:CreateLoginProfile",
        "iam:CreateServiceSpecificCredential",
        "iam:DeleteAccessKey",
        "iam:DeleteServiceSpecificCredential",
        "iam:ResetServiceSpecificCredential",
        "iam:UpdateLoginProfile",
    ]),
    source: include_str!("credentials_for_others.rs"),
    settings_source: include_str!("credentials_for_others.rs"),
};

/// Table `[detectors.credentials-for-others]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Below, this is usual for the identity, and the finding low. Unit: bits.
    pub bits_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { bits_min: 3.0 }
    }
}

pub(super) fn contribute(record: &Record<'_>, counts: &mut Counts) {
    if record.event.outcome() == Outcome::Failure {
        return;
    }
    let other = record.event.request.and_then(|request| request.get("userName"));
    // Without a name the call is about the caller himself.
    let Some(other) = other.and_then(ingest::Raw::text) else { return };
    let caller = record.event.identity.map(Identity::of).unwrap_or_default();
    if caller.issuer_arn.is_none() && caller.user_name.is_some_and(|name| name.get() == other.get())
    {
        return;
    }
    let id = |name| request_id(record, name).or_else(|| response_id(record, name));
    match record.api {
        "iam:DeleteAccessKey" | "iam:DeleteServiceSpecificCredential" => {
            if let Some(id) = id("accessKeyId").or_else(|| id("serviceSpecificCredentialId")) {
                counts.value(Dimension::CredentialIds, format!("{DELETED}{}", id.get()));
            }
            return;
        }
        "iam:CreateAccessKey" | "iam:CreateServiceSpecificCredential" => {
            let id = id("accessKeyId").or_else(|| id("serviceSpecificCredentialId"));
            let id = id.map_or_else(|| "?".into(), Text::get);
            counts.value(Dimension::CredentialIds, format!("{MADE}{id}"));
        }
        _ => counts.value(Dimension::CredentialIds, format!("{MADE}a password")),
    }
    counts.value(Dimension::CredentialsGiven, format!("{} for {}", record.api, other.get()));
}

/// How values of [`Dimension::CredentialIds`] begin.
const MADE: &str = "made ";
const DELETED: &str = "deleted ";

fn request_id<'a>(record: &Record<'a>, name: &str) -> Option<Text<'a>> {
    record.event.request?.get(name)?.text()
}

/// The answer holds what was made one level down, under a name of its own.
fn response_id<'a>(record: &Record<'a>, name: &str) -> Option<Text<'a>> {
    record.event.response?.entries().find_map(|(_, made)| made.get(name)?.text())
}

/// Whether everything that was made in the hour has an id, and was deleted by it in the same hour.
fn is_taken_back(case: &Case<'_>) -> bool {
    let ids = case.span.values(Dimension::CredentialIds, |_| true);
    let ids = ids.heaviest();
    let mut made = ids.iter().filter_map(|(id, _)| id.strip_prefix(MADE)).peekable();
    let is_deleted = |made| ids.iter().any(|(id, _)| id.strip_prefix(DELETED) == Some(made));
    made.peek().is_some() && ids.len() < Distinct::MAX && made.all(is_deleted)
}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let window = case.span.whole(Dimension::CredentialsGiven, |_| true)?;
    let part = case.usual.presence(Dimension::CredentialsGiven);
    let news = case.span.values(Dimension::CredentialsGiven, |value| {
        !case.usual.knows(Dimension::CredentialsGiven, value)
    });
    let is_usual =
        case.usual.own_days() > 0 && (part.bits.as_f64() < settings.bits_min || news.count() == 0);
    let is_taken_back = is_taken_back(case);
    let severity = match case.entity.kind {
        _ if is_usual || is_taken_back => Severity::Low,
        Kind::Workload | Kind::Ci | Kind::Agent | Kind::Root => Severity::High,
        _ => Severity::Medium,
    };
    let deeds = window.counted.values.heaviest();
    let shown: Vec<_> = deeds.iter().take(5).map(|(deed, _)| *deed).collect();
    let end = if is_taken_back { ", and deleted them within the hour" } else { "" };
    let summary =
        format!("made credentials for others: {}{end}; usual: {}", shown.join(", "), part.usual);
    Some(Verdict::on(&window, severity, vec![part], summary))
}

#[cfg(test)]
mod tests;
