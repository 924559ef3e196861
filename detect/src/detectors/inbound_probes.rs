//! # A peer that looks for open ports of a host
//!
//! ## Fires when
//! within 60 minutes peers try at least `ports-min` ports of an interface that do not answer, each port once for each
//! peer, counted of those that try three or more in one object. Medium where that many are tried from inside; low
//! from outside, which every exposed host hears all day.
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

use crate::detector::{
    Case, Impact, Interest, Meta, Severity, Technique, Verdict, number_of, usual_of,
};
use crate::finding::{FlowSeen, sides};
use crate::flows::others;
use crate::record::{Counts, Record};
use baseline::Dimension;

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
    /// Fewer are never reported. Unit: pairs of peer and port in 60 minutes.
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
    let inside = judge_one(settings, case, (Dimension::ProbesInside, Severity::Medium));
    inside.or_else(|| judge_one(settings, case, (Dimension::Probes, Severity::Low)))
}

fn judge_one(
    settings: &Settings,
    case: &Case<'_>,
    (dimension, severity): (Dimension, Severity),
) -> Option<Verdict> {
    let window = case.span.window(dimension)?;
    let n = window.statistic;
    let parts = case.improbable(dimension, n, (settings.ports_min, settings.bits_min))?;
    let values: Vec<(&str, u64)> =
        window.counted.values.heaviest().into_iter().map(|(value, _)| (value, 1)).collect();
    let (peers, _) = sides(values.iter().copied());
    let (peer, _) = peers.first()?;
    let summary = format!(
        "was probed at {} ports that do not answer, within 60 minutes, by {peer}{}; usual: {}",
        number_of(&window.counted.values, n),
        others(peers.len(), window.counted.values.is_estimate()),
        usual_of(&parts)
    );
    let flow = FlowSeen::of(&case.entity.key, values.iter().copied());
    let mut verdict = Verdict::on(&window, severity, parts, summary);
    verdict.flow = Some(flow);
    Some(verdict)
}

#[cfg(test)]
mod tests;
