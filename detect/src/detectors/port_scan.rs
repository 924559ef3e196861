//! # Port scan from an interface
//!
//! ## Fires when
//! an interface calls at least `targets-min` different pairs of peer and port within 60 minutes that
//! do not answer: rejected by a security group or network ACL, without a reply, or answered by a reset
//! only. High if they are of one peer, or of one port, and ten times as many; else medium.
//!
//! ## Quiet when
//! they are fewer than `targets-min`; or, once there is history, carry fewer than `bits-min` bits: a
//! scanner or monitor that does this every day becomes usual.
//!
//! ## Misses
//! scans slower than the floor; scans that only meet open ports; what flow logs do not record. Where
//! a log has no `tcp-flags`, who opened a connection is guessed from its ports.
//!
//! ## Triage
//! Which process calls? If nobody knows: isolate the interface with an empty security group, keep the
//! disk, and look at the instance's role in CloudTrail.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict, window};
use crate::finding::FlowSeen;
use crate::record::{Counts, Record};
use baseline::{Bits, Dimension};
use std::collections::BTreeMap;

pub(super) static META: Meta = Meta {
    id: "port-scan",
    severity: Severity::Medium,
    impact: Impact::Discovery,
    techniques: &[Technique("T1046")],
    guardduty: Some("Recon:EC2/Portscan"),
    interest: Interest::Nothing,
    source: include_str!("port_scan.rs"),
};

/// Table `[detectors.port-scan]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Fewer are never reported; Panther's rule starts at 10 ports of one host. Unit: pairs of peer
    /// and port in 60 minutes.
    pub targets_min: u64,
    /// What they must carry once there is history. Unit: bits.
    pub bits_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { targets_min: 15, bits_min: 8.0 }
    }
}

/// Peers and ports that a finding names, the heaviest first. Unit: of each.
const SHOWN_MAX: usize = 20;

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let window = window(case, Dimension::ScanTargets)?;
    let n = window.statistic;
    if n < settings.targets_min {
        return None;
    }
    let parts = case.usual.amount(Dimension::ScanTargets, n);
    let bits: Bits = parts.iter().map(|part| part.bits).sum();
    if case.usual.can_judge(Dimension::ScanTargets) && bits.as_f64() < settings.bits_min {
        return None;
    }
    let (peers, ports) = sides(&window.counted.values.heaviest());
    let is_narrow = peers.len() == 1 || ports.len() == 1;
    let is_large = n >= settings.targets_min.saturating_mul(10);
    let severity = if is_narrow && is_large { Severity::High } else { Severity::Medium };
    let usual = parts.last().map_or_else(String::new, |part| part.usual.clone());
    let about = if window.counted.values.is_estimate() { "about " } else { "" };
    let of =
        |n: usize, one: &str| if n == 1 { format!("one {one}") } else { format!("{n} {one}s") };
    let (n_peers, n_ports) = (of(peers.len(), "peer"), of(ports.len(), "port"));
    let summary = format!(
        "called {about}{n} pairs of peer and port in vain in 60 minutes ({n_peers} and {n_ports} among \
         those kept); usual: {usual}"
    );
    let mut verdict = Verdict::on(&window, severity, parts, summary);
    let peers = peers.into_iter().take(SHOWN_MAX).collect();
    let ports = ports.into_iter().take(SHOWN_MAX).collect();
    verdict.flow = Some(FlowSeen { interface: case.entity.key.to_string(), peers, ports });
    Some(verdict)
}

/// The peers and the ports of `peer port` values, those with the most pairs first.
fn sides(values: &[(&str, u64)]) -> (Vec<String>, Vec<u16>) {
    let (mut peers, mut ports) = (BTreeMap::new(), BTreeMap::new());
    for (value, _) in values {
        let Some((peer, port)) = value.rsplit_once(' ') else { continue };
        *peers.entry(peer.to_owned()).or_insert(0_u64) += 1;
        if let Ok(port) = port.parse::<u16>() {
            *ports.entry(port).or_insert(0_u64) += 1;
        }
    }
    (heaviest(peers), heaviest(ports))
}

fn heaviest<T: Ord>(counts: BTreeMap<T, u64>) -> Vec<T> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counts.into_iter().map(|(what, _)| what).collect()
}

#[cfg(test)]
mod tests;
