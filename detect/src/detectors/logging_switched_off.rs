//! # Logging switched off or narrowed
//!
//! ## Fires when
//! somebody stops, deletes or narrows CloudTrail, flow logs, AWS Config, GuardDuty, Security Hub,
//! Macie or resolver query logs, or takes the account out of its organisation and so out of the
//! organisation's trail. High if it succeeded, medium if it was denied; low if the identity does this
//! every so often (fewer than `bits-min` bits).
//!
//! ## Quiet when
//! trails, selectors and recorders are only read or widened; a detector is updated but stays on; or it is sentrail's own
//! logs, of which `sentrail-tampered-with` tells.
//!
//! ## Misses
//! logs removed where they lie (lifecycle rules, deleted objects, bucket policies), and flow logs that
//! go because their whole VPC goes are not told from those that somebody wanted gone.
//!
//! ## Triage
//! Switch it on again, then read what the same session did before and after. What happened while it
//! was off is not in this log: look at the other region's trail, at flow logs and at the services.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::facts::Topic;
use crate::own;
use crate::record::{Counts, Record};
use crate::trail;
use baseline::Dimension;
use ingest::{Raw, event::Outcome};

pub(super) static META: Meta = Meta {
    id: "logging-switched-off",
    severity: Severity::High,
    impact: Impact::Evasion,
    techniques: &[Technique("T1562.008"), Technique("T1562.001")],
    guardduty: Some("Stealth:IAMUser/CloudTrailLoggingDisabled"),
    interest: Interest::Apis(&[
        "cloudtrail:DeleteEventDataStore",
        "cloudtrail:DeleteTrail",
        "cloudtrail:PutEventSelectors",
        "cloudtrail:StopEventDataStoreIngestion",
        "cloudtrail:StopLogging",
        "cloudtrail:UpdateTrail",
        "config:DeleteConfigurationRecorder",
        "config:DeleteDeliveryChannel",
        "config:StopConfigurationRecorder",
        "ec2:DeleteFlowLogs",
        "guardduty:DeleteDetector",
        "guardduty:DeleteMembers",
        "guardduty:DisassociateFromAdministratorAccount",
        "guardduty:DisassociateFromMasterAccount",
        "guardduty:DisassociateMembers",
        "guardduty:StopMonitoringMembers",
        "guardduty:UpdateDetector",
        "macie2:DisableMacie",
        "organizations:LeaveOrganization",
        "route53resolver:DeleteResolverQueryLogConfig",
        "route53resolver:DisassociateResolverQueryLogConfig",
        "securityhub:DisableSecurityHub",
    ]),
    source: include_str!("logging_switched_off.rs"),
    settings_source: include_str!("logging_switched_off.rs"),
};

/// Table `[detectors.logging-switched-off]`.
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

/// Calls after which the logs that are read here may come no more.
const FEEDS: &[&str] = &["cloudtrail:DeleteTrail", "cloudtrail:StopLogging", "ec2:DeleteFlowLogs"];
/// How deeds end that did nothing.
const FAILED: &str = " (failed)";
/// Fields that name what is switched off, the first that is present.
const NAMES: &[&str] = &[
    "name",
    "trailName",
    "eventDataStore",
    "configurationRecorderName",
    "deliveryChannelName",
    "detectorId",
    "resolverQueryLogConfigId",
];

pub(super) fn contribute(record: &Record<'_>, counts: &mut Counts) {
    let request = record.event.request;
    if !switches_off(record.api, request) {
        return;
    }
    let name = request.and_then(|request| NAMES.iter().find_map(|name| request.get(name)?.text()));
    let denied = record.event.outcome() == Outcome::Failure;
    let what = name.map_or_else(String::new, |name| format!(" of {}", name.get()));
    let how = if denied { FAILED } else { "" };
    // What sentrail itself reads is told once.
    if own::touches(record.event, record.api, record.account, record.own).is_empty() {
        counts.value(Dimension::LoggingOff, format!("{}{what}{how}", record.api));
    }
    if !denied && FEEDS.contains(&record.api) {
        let key = &record.principal.entity.key;
        counts.fact(Topic::Stopped, format!("{} {key}", record.api));
    }
}

/// Some calls do so only with certain parameters.
fn switches_off(api: &str, request: Option<Raw<'_>>) -> bool {
    match api {
        "guardduty:UpdateDetector" => {
            let enabled = request.and_then(|request| request.get("enable"));
            enabled.and_then(Raw::bool) == Some(false)
        }
        "cloudtrail:UpdateTrail" | "cloudtrail:PutEventSelectors" => {
            trail::is_narrowed_by(api, request)
        }
        _ => true,
    }
}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let window = case.span.whole(Dimension::LoggingOff, |_| true)?;
    let part = case.usual.presence(Dimension::LoggingOff);
    let mut deeds = window.counted.values.heaviest();
    deeds.sort_by_key(|(deed, _)| deed.ends_with(FAILED));
    let succeeded = deeds.iter().any(|(deed, _)| !deed.ends_with(FAILED));
    let is_usual = case.usual.own_days() > 0 && part.bits.as_f64() < settings.bits_min;
    let severity = match (is_usual, succeeded) {
        (true, _) => Severity::Low,
        (false, true) => Severity::High,
        (false, false) => Severity::Medium,
    };
    let shown: Vec<_> = deeds.iter().take(5).map(|(deed, _)| *deed).collect();
    let did = if succeeded { "switched logging off" } else { "tried to switch logging off" };
    let summary = format!("{did}: {}; usual: {}", shown.join(", "), part.usual);
    Some(Verdict::on(&window, severity, vec![part], summary))
}

#[cfg(test)]
mod tests;
