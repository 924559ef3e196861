//! # The root user was used
//!
//! ## Fires when
//! the root user of an account signs in or calls an API by itself. High if it makes or changes
//! credentials or its mail address, closes the account, or signs in without MFA; low if root does this every so often
//! (fewer than `bits-min` bits), or if all that happened is sign-ins that failed; else medium.
//!
//! ## Quiet when
//! an AWS service acts for the root user, as it does where billing is read.
//!
//! ## Misses
//! what root does where CloudTrail does not look, such as some pages of billing.
//!
//! ## Triage
//! Ask the holder of the root mailbox. If nobody knows: reset the password and MFA, delete its access
//! keys, and read all that the session did.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::record::{Counts, Record};
use baseline::Dimension;
use ingest::event::Outcome;

pub(super) static META: Meta = Meta {
    id: "root-use",
    severity: Severity::Medium,
    impact: Impact::Privilege,
    techniques: &[Technique("T1078.004")],
    guardduty: Some("Policy:IAMUser/RootCredentialUsage"),
    interest: Interest::Root,
    source: include_str!("root_use.rs"),
    settings_source: include_str!("root_use.rs"),
};

/// Table `[detectors.root-use]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Below, root's use is usual, and the finding low. Unit: bits.
    pub bits_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { bits_min: 2.0 }
    }
}

/// What root alone should hardly ever do.
const GRAVE: &[&str] = &[
    "account:AcceptPrimaryEmailUpdate",
    "account:CloseAccount",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:DeactivateMFADevice",
    "iam:DeleteVirtualMFADevice",
    "iam:UpdateLoginProfile",
    "organizations:LeaveOrganization",
    "signin:EmailUpdated",
    "signin:PasswordRecoveryCompleted",
    "signin:PasswordUpdated",
    "signin:ConsoleLogin without MFA",
];

/// Whoever knows the mail address of the root user can make these.
const FAILED_SIGN_IN: &str = "signin:ConsoleLogin (failed)";

pub(super) fn contribute(record: &Record<'_>, counts: &mut Counts) {
    let is_sign_in = record.api == "signin:ConsoleLogin";
    if is_sign_in && record.event.outcome() == Outcome::Failure {
        counts.value(Dimension::RootCalls, FAILED_SIGN_IN);
        return;
    }
    let mfa = record.event.additional.and_then(|data| data.get("MFAUsed"));
    let without = mfa.and_then(ingest::Raw::text).is_some_and(|mfa| mfa.0 == "No");
    if is_sign_in && without {
        counts.value(Dimension::RootCalls, "signin:ConsoleLogin without MFA");
    } else {
        counts.value(Dimension::RootCalls, record.api);
    }
}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let window = case.span.whole(Dimension::RootCalls, |_| true)?;
    let part = case.usual.presence(Dimension::RootCalls);
    let mut calls = window.counted.values.heaviest();
    calls.sort_by_key(|(api, _)| !GRAVE.contains(api));
    let grave = calls.iter().find(|(api, _)| GRAVE.contains(api));
    let is_usual = case.usual.own_days() > 0 && part.bits.as_f64() < settings.bits_min;
    let is_in_vain = calls.iter().all(|(api, _)| *api == FAILED_SIGN_IN);
    let severity = match grave {
        Some(_) => Severity::High,
        None if is_usual || is_in_vain => Severity::Low,
        None => Severity::Medium,
    };
    let calls: Vec<_> = calls.iter().map(|(api, _)| *api).collect();
    let shown = calls.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    let more =
        if calls.len() > 5 { format!(" and {} more", calls.len() - 5) } else { String::new() };
    let n = window.statistic;
    let usual = &part.usual;
    let plural = if n == 1 { "" } else { "s" };
    let summary = format!("made {n} call{plural} as the root user ({shown}{more}); usual: {usual}");
    Some(Verdict::on(&window, severity, vec![part], summary))
}

#[cfg(test)]
mod tests;
