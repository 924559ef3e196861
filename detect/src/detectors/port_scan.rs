//! # Port scan from an interface
//!
//! ## Fires when
//! within 60 minutes an interface calls at least `targets-min` different pairs of peer and port that
//! do not answer (rejected by a security group or network ACL, without a reply, or answered by a reset
//! only), or at least `ports-min` different ports of one peer, whether they answer or not. High if ten
//! times as many do not answer and most are of one peer or of one port; else medium.
//!
//! ## Quiet when
//! they are fewer; or, once there is history, carry fewer than `bits-min` bits: a scanner or monitor
//! that does this every day becomes usual. Ports that every host calls (53, 80, 123, 443, 445, 853,
//! 2049) and peers of which one object shows fewer than three ports do not count towards `ports-min`.
//!
//! ## Misses
//! scans slower than the floor; scans that only meet open ports; what flow logs do not record. Where
//! a log has no `tcp-flags`, who opened a connection is guessed from its ports.
//!
//! ## Triage
//! Which process calls? If nobody knows: isolate the interface with an empty security group, keep the
//! disk, and look at the instance's role in CloudTrail.

use crate::detector::{
    Case, Impact, Interest, Meta, Severity, Technique, Verdict, number_of, usual_of,
};
use crate::finding::{FlowSeen, sides};
use crate::record::{Counts, Record};
use baseline::Dimension;

pub(super) static META: Meta = Meta {
    id: "port-scan",
    severity: Severity::Medium,
    impact: Impact::Discovery,
    techniques: &[Technique("T1046")],
    guardduty: Some("Recon:EC2/Portscan"),
    interest: Interest::Nothing,
    source: include_str!("port_scan.rs"),
    settings_source: include_str!("port_scan.rs"),
};

/// Table `[detectors.port-scan]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[expect(clippy::struct_field_names, reason = "they are floors, and say so")]
pub struct Settings {
    /// Fewer are never reported. Unit: pairs of peer and port in 60 minutes, in vain.
    pub targets_min: u64,
    /// Fewer are never reported; Panther's rule starts at 10. Unit: ports of one peer in 60 minutes.
    pub ports_min: u64,
    /// What they must carry once there is history. Unit: bits.
    pub bits_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { targets_min: 15, ports_min: 12, bits_min: 10.0 }
    }
}

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let in_vain = judge_one(settings, case, Dimension::ScanTargets, settings.targets_min);
    let of_one = judge_one(settings, case, Dimension::PeerPorts, settings.ports_min);
    let rank = |verdict: &Verdict| (verdict.severity, verdict.bits());
    let (mut verdict, other) = match (in_vain, of_one) {
        (Some(a), Some(b)) if rank(&b) > rank(&a) => (b, a),
        (Some(a), Some(b)) => (a, b),
        (one, other) => return one.or(other),
    };
    // Both say what one scan did; their bits are not independent, so those of the heavier count.
    verdict.summary = format!("{}; and {}", verdict.summary, other.summary);
    if let (Some(flow), Some(other)) = (&mut verdict.flow, other.flow) {
        let known = flow.peers.clone();
        flow.peers.extend(other.peers.into_iter().filter(|peer| !known.contains(peer)));
        let known = flow.ports.clone();
        flow.ports.extend(other.ports.into_iter().filter(|port| !known.contains(port)));
    }
    Some(verdict)
}

fn judge_one(
    settings: &Settings,
    case: &Case<'_>,
    dimension: Dimension,
    floor: u64,
) -> Option<Verdict> {
    let window = case.span.window(dimension)?;
    let n = window.statistic;
    let parts = case.improbable(dimension, n, (floor, settings.bits_min))?;
    // However often a pair was tried, it is one.
    let mut pairs: Vec<(&str, u64)> =
        window.counted.values.heaviest().into_iter().map(|(value, _)| (value, 1)).collect();
    let (mut peers, mut ports) = sides(pairs.iter().copied());
    if dimension == Dimension::PeerPorts {
        let peer = peers.first().map_or("", |(peer, _)| *peer);
        pairs.retain(|(value, _)| value.rsplit_once(' ').is_some_and(|(of, _)| of == peer));
        (peers, ports) = sides(pairs.iter().copied());
    }
    let most = peers.first().map(|(_, n)| *n).max(ports.first().map(|(_, n)| *n));
    let n_narrowest = most.unwrap_or(0);
    let usual = usual_of(&parts);
    let summary = if dimension == Dimension::PeerPorts {
        // Only the kept values tell whose ports they are.
        let at_least = if window.counted.values.is_estimate() { "at least " } else { "" };
        format!(
            "called {at_least}{n} different ports of {} in 60 minutes; usual: {usual}",
            peers.first().map_or("", |(peer, _)| *peer)
        )
    } else {
        let of = |n: usize, one: &str| {
            if n == 1 {
                format!("one {one}")
            } else {
                format!("{n} {one}{}", if one.ends_with('s') { "es" } else { "s" })
            }
        };
        let (n_peers, n_ports) = (of(peers.len(), "address"), of(ports.len(), "port"));
        let n = number_of(&window.counted.values, n);
        format!(
            "tried {n} pairs of address and port that did not answer, in 60 minutes ({n_peers} \
             and {n_ports} among those kept); usual: {usual}"
        )
    };
    // Most, not all: one stray call must not make a scan look like many.
    let is_narrow = 2 * n_narrowest >= pairs.len() as u64;
    let is_large = dimension == Dimension::ScanTargets && n >= floor.saturating_mul(10);
    let severity = if is_narrow && is_large { Severity::High } else { Severity::Medium };
    let mut verdict = Verdict::on(&window, severity, parts, summary);
    verdict.flow = Some(FlowSeen::of(&case.entity.key, pairs.iter().copied()));
    Some(verdict)
}

#[cfg(test)]
mod tests;
