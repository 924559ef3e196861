//! # Logging switched off or narrowed
//!
//! ## Fires when
//! somebody stops, deletes or narrows CloudTrail, flow logs, AWS Config, GuardDuty, Security Hub,
//! Macie or resolver query logs, or takes the account out of its organisation and so out of the
//! organisation's trail. High if it succeeded, medium if it was denied; low if the identity does this
//! every so often (fewer than `bits-min` bits).
//!
//! ## Quiet when
//! trails, selectors and recorders are only read or widened; a detector is updated but stays on.
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
use crate::record::{Counts, Record};
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
    counts.value(Dimension::LoggingOff, format!("{}{what}{how}", record.api));
    if !denied && FEEDS.contains(&record.api) {
        let key = &record.principal.entity.key;
        counts.fact(Topic::Stopped, format!("{} {key}", record.api));
    }
}

/// Some calls do so only with certain parameters.
fn switches_off(api: &str, request: Option<Raw<'_>>) -> bool {
    let is_false = |key| {
        let value = request.and_then(|request| request.get(key));
        value.and_then(Raw::bool) == Some(false)
    };
    match api {
        "guardduty:UpdateDetector" => is_false("enable"),
        "cloudtrail:UpdateTrail" => [
            "isMultiRegionTrail",
            "includeGlobalServiceEvents",
            "enableLogFileValidation",
            "isOrganizationTrail",
        ]
        .into_iter()
        .any(is_false),
        "cloudtrail:PutEventSelectors" => narrows(request),
        _ => true,
    }
}

/// Whether event selectors leave out management events, wholly or in part.
fn narrows(request: Option<Raw<'_>>) -> bool {
    let Some(request) = request else { return false };
    if let Some(selectors) = request.get("advancedEventSelectors").filter(|raw| !raw.is_null()) {
        return !selectors.each().any(is_whole);
    }
    let Some(selectors) = request.get("eventSelectors").filter(|raw| !raw.is_null()) else {
        return false;
    };
    !selectors.each().any(|selector| {
        let with_management = selector.get("includeManagementEvents").and_then(Raw::bool);
        let kinds = selector.get("readWriteType").and_then(Raw::text);
        with_management != Some(false) && kinds.is_none_or(|kinds| kinds.0 == "All")
    })
}

/// Whether an advanced selector takes management events, those that read and those that write.
fn is_whole(selector: Raw<'_>) -> bool {
    let fields = || selector.get("fieldSelectors").into_iter().flat_map(Raw::each);
    let of =
        |field: Raw<'_>, name| field.get("field").and_then(Raw::text).is_some_and(|f| f.is(name));
    let takes_management = |field: Raw<'_>| {
        let mut categories = field.get("equals").into_iter().flat_map(Raw::each);
        categories.any(|category| category.text().is_some_and(|text| text.is("Management")))
    };
    fields().any(|field| of(field, "eventCategory") && takes_management(field))
        && !fields().any(|field| of(field, "readOnly"))
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
