//! # A host that asks a resolver outside that it never asked
//!
//! ## Fires when
//! an interface is answered by a resolver outside, at port 53, by DNS over TLS at port 853, or by DNS over HTTPS at port
//! 443 where its address is known (those that public resolvers publish, and the list `doh-resolvers` of the configuration), that neither the
//! interface nor others of its account have asked, once the interface has at least `days-min` days of history
//! and anything new carries at least `bits-min` bits for it.
//!
//! ## Quiet when
//! the resolver is known; the history is shorter; the host is a resolver itself, and asks new ones all the time; or
//! it is that of the VPC, whose answers flow logs do not have.
//!
//! ## Misses
//! DNS over HTTPS at other addresses, where it looks like any other call of port 443; tunnels through the resolver of the VPC.
//!
//! ## Triage
//! Who changed the host's resolver, and why? Names that are asked outside the VPC pass its DNS firewall and its
//! logs: malware does so to find its servers, or to carry data.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::finding::FlowSeen;
use crate::flows::{News, news};
use crate::record::{Counts, Record};
use baseline::Dimension;

pub(super) static META: Meta = Meta {
    id: "unusual-resolver",
    severity: Severity::Medium,
    impact: Impact::Evasion,
    techniques: &[Technique("T1071.004")],
    guardduty: Some("DefenseEvasion:EC2/UnusualDNSResolver"),
    interest: Interest::Nothing,
    source: include_str!("unusual_resolver.rs"),
    settings_source: include_str!("unusual_resolver.rs"),
};

/// Table `[detectors.unusual-resolver]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// With less history nothing is reported. Unit: days with records.
    pub days_min: u32,
    /// What anything new must carry: of a host that asks new ones all the time it is 1, and more the longer it
    /// has asked the same. Unit: bits.
    pub bits_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { days_min: 7, bits_min: 2.3 }
    }
}

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let dimension = Dimension::Resolvers;
    let News { window, value, part } =
        news(case, dimension, (settings.days_min, settings.bits_min), true)?;
    let (how, peer) = value.text.split_once(' ')?;
    let (how, port) = match how {
        "dot" => ("DNS over TLS", 853),
        "doh" => ("DNS over HTTPS", 443),
        _ => ("DNS", 53),
    };
    let values = window.counted.values.heaviest();
    let summary = format!(
        "asked {peer} for names by {how}, {} times; usual resolvers outside: {}",
        values.first()?.1,
        case.usual.usual(dimension)
    );
    let peers = values.iter().filter_map(|(value, n)| Some((value.split_once(' ')?.1, *n)));
    let mut flow = FlowSeen::of(&case.entity.key, peers);
    flow.ports = vec![port];
    let mut verdict = Verdict::on(&window, Severity::Medium, vec![part], summary);
    verdict.flow = Some(flow);
    Some(verdict)
}

#[cfg(test)]
mod tests;
