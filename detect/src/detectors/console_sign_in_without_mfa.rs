//! # Console sign-in without MFA
//!
//! ## Fires when
//! an IAM user signs in to the console without MFA where MFA is usual: the user, or another one of the
//! account, has signed in with it. High if the user has; low if the user never has, and signed in so before.
//! While nobody has history, the CIS AWS Foundations Benchmark (1.10, MFA for all users with a password) says
//! what is usual: medium.
//!
//! ## Quiet when
//! the user is known to sign in without MFA, or the account has history and nobody in it uses MFA.
//! Federated people, by IAM Identity Center or an identity provider of one's own (SAML), bring their MFA
//! from elsewhere, where this log does not see it.
//!
//! ## Misses
//! sessions stolen after a sign-in with MFA; the root user, which `root-use` watches.
//!
//! ## Triage
//! Ask the user. If not: end the user's sessions, change the password, read what the session did.
//! Then require MFA by policy.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::record::{Counts, Record};
use baseline::{Dimension, Kind, generation::KnownBy};
use ingest::event::{Identity, Outcome};

pub(super) static META: Meta = Meta {
    id: "console-sign-in-without-mfa",
    severity: Severity::Medium,
    impact: Impact::Access,
    techniques: &[Technique("T1078.004")],
    guardduty: None,
    interest: Interest::Apis(&["signin:ConsoleLogin"]),
    source: include_str!("console_sign_in_without_mfa.rs"),
    settings_source: include_str!("console_sign_in_without_mfa.rs"),
};

/// Table `[detectors.console-sign-in-without-mfa]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Whether to report while nobody has history, as the CIS benchmark would.
    pub report_cold: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { report_cold: true }
    }
}

const WITH: &str = "with MFA";
const WITHOUT: &str = "without MFA";
/// A sign-in without MFA that nobody in the account has shown: a prior. Unit: bits.
const UNSEEN_BITS: f64 = 6.0;

pub(super) fn contribute(record: &Record<'_>, counts: &mut Counts) {
    let is_of_account = |who: Identity<'_>| {
        who.issuer_arn.is_none() && who.kind.is_none_or(|kind| kind.0 != "SAMLUser")
    };
    let provider = record.event.additional.and_then(|data| data.get("SamlProviderArn"));
    let is_user = record.principal.entity.kind == Kind::Human
        && record.event.identity.map(Identity::of).is_some_and(is_of_account)
        && provider.and_then(ingest::Raw::text).is_none();
    if !is_user || record.event.outcome() == Outcome::Failure {
        return;
    }
    let mfa = record.event.additional.and_then(|data| data.get("MFAUsed"));
    match mfa.and_then(ingest::Raw::text).map(|mfa| mfa.0) {
        Some("Yes") => counts.value(Dimension::SignIns, WITH),
        Some("No") => {
            counts.value(Dimension::SignIns, WITHOUT);
            counts.add(Dimension::SignInsWithoutMfa, 1);
        }
        _ => {}
    }
}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let window = case.span.whole(Dimension::SignInsWithoutMfa, |_| true)?;
    let n = window.statistic;
    let values = case.span.values(Dimension::SignIns, |value| &*value.text == WITHOUT);
    let (without, _) = values.iter().next()?;
    let usual = case.usual;
    if usual.knows(Dimension::SignIns, without) {
        return None;
    }
    let with_mfa = usual.known_by(Dimension::SignIns, WITH);
    let (severity, against) = match with_mfa {
        KnownBy::Own => (Severity::High, "this user signed in with MFA before"),
        KnownBy::Group if usual.has_shown(Dimension::SignIns, without) => {
            (Severity::Low, "so did this user before, while others sign in with MFA here")
        }
        KnownBy::Group => (Severity::Medium, "others sign in with MFA here"),
        KnownBy::Nobody if usual.is_cold() && settings.report_cold => {
            (Severity::Medium, "nobody has history yet, so the CIS benchmark decides")
        }
        KnownBy::Nobody => return None,
    };
    let part = usual.novelty(Dimension::SignIns, without, UNSEEN_BITS);
    let from = window.counted.records.iter().next();
    let from = from.and_then(|record| record.call.address.clone());
    let from = from.map_or_else(String::new, |address| format!(" from {address}"));
    let times = if n > 1 { format!("{n} times ") } else { String::new() };
    let summary = format!("signed in to the console {times}without MFA{from}; {against}");
    Some(Verdict::on(&window, severity, vec![part], summary))
}

#[cfg(test)]
mod tests;
