//! # Access key or password made for somebody else
//!
//! ## Fires when
//! an identity makes an access key, a console password or a service credential for another IAM user
//! than itself. High if a machine or CI job does it, or one that an AWS account manager would not
//! expect: the root user; medium for people; low if the identity does this every so often (fewer than
//! `bits-min` bits), or all of it is for people whom it is known to serve.
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
use baseline::{Dimension, Kind};
use ingest::event::{Identity, Outcome};

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
        "iam:ResetServiceSpecificCredential",
        "iam:UpdateLoginProfile",
    ]),
    source: include_str!("credentials_for_others.rs"),
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
    counts.value(Dimension::CredentialsGiven, format!("{} for {}", record.api, other.get()));
}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let window = case.span.whole(Dimension::CredentialsGiven, |_| true)?;
    let part = case.usual.presence(Dimension::CredentialsGiven);
    let news = case.span.values(Dimension::CredentialsGiven, |value| {
        !case.usual.knows(Dimension::CredentialsGiven, value)
    });
    let is_usual =
        case.usual.own_days() > 0 && (part.bits.as_f64() < settings.bits_min || news.count() == 0);
    let severity = match case.entity.kind {
        _ if is_usual => Severity::Low,
        Kind::Workload | Kind::Ci | Kind::Agent | Kind::Root => Severity::High,
        _ => Severity::Medium,
    };
    let deeds = window.counted.values.heaviest();
    let shown: Vec<_> = deeds.iter().take(5).map(|(deed, _)| *deed).collect();
    let summary =
        format!("made credentials for others: {}; usual: {}", shown.join(", "), part.usual);
    Some(Verdict::on(&window, severity, vec![part], summary))
}

#[cfg(test)]
mod tests;
