//! # A host whose calls inside are rejected
//!
//! ## Fires when
//! within 60 minutes at least `rejects-min` flows that an interface sends to hosts inside are rejected (by its own
//! security group, or a network ACL). Medium if they went to at least `hosts-min` hosts; else low.
//!
//! ## Quiet when
//! they are fewer; or, once there is history, carry fewer than `bits-min` bits: a client of a service that is gone is
//! rejected every day.
//!
//! ## Misses
//! calls that are let out and rejected by the other side, whose interface shows them as `inbound-probes`; calls to
//! hosts outside, which `port-scan` and `calls-in-vain` tell; strangers who are rejected at the door, as all day.
//!
//! ## Triage
//! Which process calls? One host that is rejected again and again is mostly a configuration that was forgotten; many
//! are somebody who looks around. Compare with changes of security groups in CloudTrail at that time.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict, usual_of};
use crate::finding::{FlowSeen, sides};
use crate::flows::services;
use crate::record::{Counts, Record};
use baseline::{Dimension, hour::Counted};

pub(super) static META: Meta = Meta {
    id: "reject-storm",
    severity: Severity::Medium,
    impact: Impact::Discovery,
    techniques: &[Technique("T1046"), Technique("T1018")],
    guardduty: None,
    interest: Interest::Nothing,
    source: include_str!("reject_storm.rs"),
    settings_source: include_str!("reject_storm.rs"),
};

/// Table `[detectors.reject-storm]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[expect(clippy::struct_field_names, reason = "they are floors, and say so")]
pub struct Settings {
    /// Fewer are never reported. Unit: flow records in 60 minutes.
    pub rejects_min: u64,
    /// To so many hosts they are medium. Unit: hosts in 60 minutes.
    pub hosts_min: u64,
    /// What they must carry once there is history. Unit: bits.
    pub bits_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { rejects_min: 100, hosts_min: 10, bits_min: 10.0 }
    }
}

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let dimension = Dimension::Rejects;
    let n_hosts = |counted: &Counted| sides(counted.values.heaviest()).0.len() as u64;
    let is_wide = |counted: &Counted| n_hosts(counted) >= settings.hosts_min;
    // Minutes with many hosts tell more than busier ones with few.
    let window = case.span.heaviest(dimension, |counted| {
        let is_storm = counted.amount >= settings.rejects_min;
        is_storm.then(|| is_wide(counted))
    })?;
    let n = window.statistic;
    let parts = case.improbable(dimension, n, (settings.rejects_min, settings.bits_min))?;
    let values = window.counted.values.heaviest();
    let (hosts, ports) = sides(values.iter().copied());
    let (first, n_first) = hosts.first().copied()?;
    let severity = if is_wide(&window.counted) { Severity::Medium } else { Severity::Low };
    let summary = format!(
        "was rejected {n} times within 60 minutes on the way to {} of {} hosts inside, {n_first} times to {first}; \
         usual: {}",
        services(&ports),
        hosts.len(),
        usual_of(&parts)
    );
    let flow = FlowSeen::of(&case.entity.key, values.iter().copied());
    let mut verdict = Verdict::on(&window, severity, parts, summary);
    verdict.flow = Some(flow);
    Some(verdict)
}

#[cfg(test)]
mod tests;
