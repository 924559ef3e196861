//! # Credentials of a machine used from outside AWS
//!
//! ## Fires when
//! the credentials of an instance, task, function or pod call from a public address that does not
//! belong to Amazon's networks: they never leave the machine by themselves. Medium if others of its
//! group call from that network too, else high.
//! Medium too where the session of a CI pipeline calls from a network that neither belongs to a large
//! cloud nor is known of the pipeline: runners stay where they are.
//!
//! ## Quiet when
//! the address is private (a VPC endpoint), Amazon's, a service's, or unknown to the table of
//! networks; or the role has called from this network before, as it does where traffic leaves through
//! a data centre. A pipeline must have called on five days before; until then nobody knows its runners.
//!
//! ## Misses
//! stolen credentials used from another machine inside AWS, a pipeline's from one of any large cloud. The table ages: a network that Amazon
//! announces later looks like an outside one until the table is renewed; the finding names its date.
//!
//! ## Triage
//! Revoke the role's sessions older than now, isolate the machine, look for the way in (request
//! forgery to the metadata service, a leaked image). Require version 2 of the metadata
//! service.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::record::{Counts, Record};
use baseline::{Dimension, Evidence, Kind};
use ingest::enrich::{Asn, Caller, NetworkClass, caller};

pub(super) static META: Meta = Meta {
    id: "compute-credentials-outside-aws",
    severity: Severity::High,
    impact: Impact::Credential,
    techniques: &[Technique("T1552.005"), Technique("T1078.004")],
    guardduty: Some("UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS"),
    interest: Interest::Compute,
    source: include_str!("compute_credentials_outside_aws.rs"),
    settings_source: include_str!("compute_credentials_outside_aws.rs"),
};

/// Table `[detectors.compute-credentials-outside-aws]`.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Networks through which machines may call, by number, for example `[64500]`.
    pub networks: Vec<u32>,
}

/// A network that nobody in the account has called from: the model's prior. Unit: bits.
const UNSEEN_BITS: f64 = 16.3;
/// Days on which a pipeline must have called before it is judged. Unit: days.
const PIPELINE_DAYS_MIN: u32 = 5;

pub(super) fn contribute(record: &Record<'_>, counts: &mut Counts) {
    let Some(network) = record.origin.network else { return };
    let is_runner =
        record.principal.entity.kind == Kind::Ci && network.class() == NetworkClass::Cloud;
    if matches!(record.caller, Caller::Public(_)) && !network.is_amazon() && !is_runner {
        counts.value(Dimension::OutsideNetworks, network.to_string());
    }
}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let is_pipeline = case.entity.kind == Kind::Ci;
    if is_pipeline && case.usual.own_days() < PIPELINE_DAYS_MIN {
        return None;
    }
    let is_allowed = |text: &str| settings.networks.iter().any(|n| Asn(*n).to_string() == text);
    let window = case.span.whole(Dimension::OutsideNetworks, |value| {
        !case.usual.knows(Dimension::OutsideNetworks, value) && !is_allowed(&value.text)
    })?;
    let of = |value| case.usual.novelty(Dimension::OutsideNetworks, value, UNSEEN_BITS);
    let parts = window.counted.values.iter().map(|(value, _)| (of(value), value));
    let (part, value) = parts.max_by(|a, b| a.0.bits.cmp(&b.0.bits).then(b.1.cmp(a.1)))?;
    let is_shared = case.usual.is_shared(Dimension::OutsideNetworks, value);
    let severity = if is_shared || is_pipeline { Severity::Medium } else { Severity::High };
    let is_of = |record: &&Evidence| network_of(case, record).as_deref() == Some(&*value.text);
    let first = window.counted.records.iter().find(is_of);
    let name = network_name(&value.text);
    let summary = format!(
        "called from {} in {}{name}, outside AWS; usual networks: {}",
        first.and_then(|record| record.call.address.as_deref()).unwrap_or("?"),
        value.text,
        case.usual.usual(Dimension::Network),
    );
    let mut verdict = Verdict::on(&window, severity, vec![part], summary);
    // The hour may hold records from usual networks as well.
    verdict.records.retain(|record| {
        let of = network_of(case, record);
        of.is_some_and(|of| window.counted.values.iter().any(|(value, _)| *value.text == *of))
    });
    Some(verdict)
}

fn network_of(case: &Case<'_>, record: &Evidence) -> Option<String> {
    let Caller::Public(address) = caller(record.call.address.as_deref()?) else { return None };
    case.enrich.origin(address).network.map(|network| network.to_string())
}

fn network_name(text: &str) -> String {
    let number = text.strip_prefix("AS").and_then(|number| number.parse().ok());
    let name = number.and_then(|number| Asn(number).name());
    name.map_or_else(String::new, |name| format!(" ({name})"))
}

#[cfg(test)]
mod tests;
