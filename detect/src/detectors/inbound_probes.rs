//! # A peer that looks for open ports of a host
//!
//! ## Fires when
//! within 60 minutes peers try at least `ports-min` ports of an interface that do not answer, counted of those
//! that try three or more in one object. Low where all come from outside, which every exposed host hears all day;
//! medium where one of the busiest is inside.
//!
//! ## Quiet when
//! they are fewer; or, once there is history, carry fewer than `bits-min` bits.
//!
//! ## Misses
//! peers that try fewer than three ports in one object; which of the ports that answered were found.
//!
//! ## Triage
//! From outside: nothing, if the security group is as it should be. From inside: that host scans, look at it as if
//! `port-scan` had told of it.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict, usual_of};
use crate::finding::FlowSeen;
use crate::flows::others;
use crate::record::{Counts, Record};
use baseline::Dimension;
use ingest::enrich::Caller;

pub(super) static META: Meta = Meta {
    id: "inbound-probes",
    severity: Severity::Low,
    impact: Impact::Discovery,
    techniques: &[Technique("T1595"), Technique("T1046")],
    guardduty: Some("Recon:EC2/PortProbeUnprotectedPort"),
    interest: Interest::Nothing,
    source: include_str!("inbound_probes.rs"),
    settings_source: include_str!("inbound_probes.rs"),
};

/// Table `[detectors.inbound-probes]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Fewer are never reported. Unit: ports tried in 60 minutes.
    pub ports_min: u64,
    /// What they must carry once there is history. Unit: bits.
    pub bits_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { ports_min: 20, bits_min: 5.0 }
    }
}

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let dimension = Dimension::Probes;
    let window = case.span.window(dimension)?;
    let n = window.statistic;
    let parts = case.improbable(dimension, n, (settings.ports_min, settings.bits_min))?;
    let values = window.counted.values.heaviest();
    let (peer, n_first) = values.first().copied()?;
    let is_inside = |(peer, n): &(&str, u64)| *n >= settings.ports_min && is_private(peer);
    let severity = if values.iter().any(is_inside) { Severity::Medium } else { Severity::Low };
    let summary = format!(
        "was probed at ports that do not answer, {n} times within 60 minutes, {n_first} times by {peer}{}; \
         usual: {}",
        others(values.len(), window.counted.values.is_estimate()),
        usual_of(&parts)
    );
    let flow = FlowSeen::of(&case.entity.key, values.iter().copied());
    let mut verdict = Verdict::on(&window, severity, parts, summary);
    verdict.flow = Some(flow);
    Some(verdict)
}

fn is_private(peer: &str) -> bool {
    peer.parse().is_ok_and(|address| matches!(Caller::of(address), Caller::Private(_)))
}

#[cfg(test)]
mod tests;
