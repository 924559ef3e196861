//! # The root user was used
//!
//! ## Fires when
//! the root user of an account signs in or calls an API by itself. High if it makes or changes
//! credentials or its mail address, closes the account, or signs in without MFA; low if root does this every so often
//! (fewer than `bits-min` bits), if all that happened is sign-ins that failed, or if all of it was done with MFA
//! and is what breaks the glass: to sign in, to look, and to take away the policy of a bucket or a queue, whether
//! it refused everybody or not; else medium.
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
use crate::impact::impact;
use crate::record::{Counts, Record};
use baseline::{Dimension, Distinct};
use ingest::event::{Identity, Outcome};

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

/// What nobody but root can do where a policy refuses everybody, and what gives nobody more than others have
/// given him: of the tasks that need the root user, by the IAM user guide.
const ONLY_ROOT_CAN: &[&str] = &["s3:DeleteBucketPolicy", "sqs:RemovePermission"];

/// Whoever knows the mail address of the root user can make these.
const FAILED_SIGN_IN: &str = "signin:ConsoleLogin (failed)";

pub(super) fn contribute(record: &Record<'_>, counts: &mut Counts) {
    let is_sign_in = record.api == "signin:ConsoleLogin";
    if is_sign_in && record.event.outcome() == Outcome::Failure {
        counts.value(Dimension::RootCalls, FAILED_SIGN_IN);
        return;
    }
    let mfa = if is_sign_in {
        let mfa = record.event.additional.and_then(|data| data.get("MFAUsed"));
        mfa.and_then(ingest::Raw::text).map(|mfa| mfa.0 == "Yes")
    } else {
        record.event.identity.and_then(|identity| Identity::of(identity).mfa)
    };
    match mfa {
        Some(true) => counts.value(Dimension::RootCalls, format!("{}{WITH_MFA}", record.api)),
        Some(false) if is_sign_in => {
            counts.value(Dimension::RootCalls, "signin:ConsoleLogin without MFA");
        }
        _ => counts.value(Dimension::RootCalls, record.api),
    }
}

/// How the name of a call ends that a second factor stands behind.
const WITH_MFA: &str = " with MFA";

fn is_grave(call: &str) -> bool {
    GRAVE.contains(&call.strip_suffix(WITH_MFA).unwrap_or(call))
}

/// Whether a call is done with a second factor, and gives nobody anything.
fn breaks_the_glass(call: &str) -> bool {
    call.strip_suffix(WITH_MFA).is_some_and(|api| {
        let looks = api.split_once(':').is_some_and(|(service, name)| {
            matches!(impact(service, name, None), Impact::Discovery)
        });
        looks || api == "signin:ConsoleLogin" || ONLY_ROOT_CAN.contains(&api)
    })
}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let window = case.span.whole(Dimension::RootCalls, |_| true)?;
    let part = case.usual.presence(Dimension::RootCalls);
    let mut calls = window.counted.values.heaviest();
    calls.sort_by_key(|(call, _)| !is_grave(call));
    let is_any_grave = calls.iter().any(|(call, _)| is_grave(call));
    let is_usual = case.usual.own_days() > 0 && part.bits.as_f64() < settings.bits_min;
    let is_in_vain = calls.iter().all(|(call, _)| *call == FAILED_SIGN_IN);
    // Beyond the bound of values nobody knows what else was called.
    let breaks_the_glass = calls.len() < Distinct::MAX
        && calls.iter().all(|(call, _)| breaks_the_glass(call) || *call == FAILED_SIGN_IN);
    let severity = match () {
        () if is_any_grave => Severity::High,
        () if is_usual || is_in_vain || breaks_the_glass => Severity::Low,
        () => Severity::Medium,
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
