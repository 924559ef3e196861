//! # A host that floods another one
//!
//! ## Fires when
//! within 60 minutes an interface sends at least `packets-min` packets to one port of one peer outside, and hardly
//! anything comes back: by DNS, UDP, UDP on a port of TCP services, TCP without data, or another protocol. High
//! from ten times as many on; else medium. An object counts from 30,000 such packets on.
//!
//! ## Quiet when
//! they are fewer; or more than a twentieth comes back, as where data is sent and acknowledged; or, once there is
//! history, carry fewer than `bits-min` bits.
//!
//! ## Misses
//! floods from many hosts, each of them small; that the peer answers packet by packet; of peers inside.
//!
//! ## Triage
//! Calls and games send media with little back: such a host can be marked benign. Else isolate the interface with
//! an empty security group, keep the disk, and look at what the instance's role did in CloudTrail. AWS may ask
//! about it, too.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict, usual_of};
use crate::finding::FlowSeen;
use crate::record::{Counts, Record};
use baseline::{Dimension, hour::Counted};

pub(super) static META: Meta = Meta {
    id: "outbound-flood",
    severity: Severity::Medium,
    impact: Impact::Destruction,
    techniques: &[Technique("T1498")],
    guardduty: Some("Backdoor:EC2/DenialOfService.Udp"),
    interest: Interest::Nothing,
    source: include_str!("outbound_flood.rs"),
    settings_source: include_str!("outbound_flood.rs"),
};

/// Table `[detectors.outbound-flood]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Fewer are never reported. Unit: packets to one port of one peer in 60 minutes.
    pub packets_min: u64,
    /// What they must carry once there is history. Unit: bits.
    pub bits_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { packets_min: 200_000, bits_min: 8.0 }
    }
}

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

/// Ports of services that are TCP only, or nearly always.
const TCP_PORTS: &[&str] =
    &["21", "22", "23", "25", "80", "110", "143", "3306", "3389", "5432", "8080"];

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let dimension = Dimension::Floods;
    let floor = settings.packets_min.div_ceil(1_000);
    let improbable = |n| case.improbable(dimension, n, (floor, settings.bits_min));
    let most = |counted: &Counted| counted.values.heaviest().first().map_or(0, |(_, n)| *n);
    let window = case.span.heaviest(dimension, |counted| {
        improbable(counted.amount)?;
        (most(counted) >= floor).then_some(counted.amount)
    })?;
    let values = window.counted.values.heaviest();
    let (first, thousands) = values.first().copied()?;
    let parts = improbable(window.statistic)?;
    let n = thousands.saturating_mul(1_000);
    let is_large = thousands >= floor.saturating_mul(10);
    let mut words = first.splitn(3, ' ');
    let [protocol, port, peer] = [words.next()?, words.next()?, words.next()?];
    let kind = match (protocol, port) {
        ("udp", "53") => "DNS requests".to_owned(),
        ("udp", port) if TCP_PORTS.contains(&port) => {
            format!("UDP packets to port {port}, which is one of TCP,")
        }
        ("udp" | "tcp", port) => format!("{} packets to port {port}", protocol.to_uppercase()),
        (protocol, _) => format!("packets of {}", protocol.replace('-', " ")),
    };
    let summary = format!(
        "sent {n} {kind} to {peer} within 60 minutes, and hardly anything came back; usual: {}",
        usual_of(&parts)
    );
    let as_seen = |value: &str| {
        let mut words = value.splitn(3, ' ').skip(1);
        Some(format!("{1} {0}", words.next()?, words.next()?))
    };
    let seen: Vec<(String, u64)> =
        values.iter().filter_map(|(value, n)| Some((as_seen(value)?, *n))).collect();
    let flow = FlowSeen::of(&case.entity.key, seen.iter().map(|(value, n)| (&**value, *n)));
    let severity = if is_large { Severity::High } else { Severity::Medium };
    let mut verdict = Verdict::on(&window, severity, parts, summary);
    verdict.flow = Some(flow);
    Some(verdict)
}

#[cfg(test)]
mod tests;
