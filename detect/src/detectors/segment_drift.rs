//! # Two parts of a network that never talked
//!
//! ## Fires when
//! an interface is answered by a host inside in another subnet than its own (the /24 of IPv4, the /64 of IPv6), a
//! pair of subnets that neither the interface nor others of its account have shown, once the interface has at least
//! `days-min` days of history and anything new carries at least `bits-min` bits for it.
//!
//! ## Quiet when
//! the pair is known, the other way round does not count; the history is shorter; the host calls new parts of the
//! network all the time; or nobody answers.
//!
//! ## Misses
//! who talks within a subnet; subnets larger or smaller than these, which are taken for several or for one; security
//! domains that share a subnet, and security groups, which flow logs do not tell.
//!
//! ## Triage
//! Which service was called, and should that part of the network be open to this one? If so mark it benign; else close
//! it in the security group or network ACL, and look at what else the host called.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::finding::FlowSeen;
use crate::flows::{News, news};
use crate::record::{Counts, Record};
use baseline::Dimension;

pub(super) static META: Meta = Meta {
    id: "segment-drift",
    severity: Severity::Low,
    impact: Impact::Discovery,
    techniques: &[Technique("T1021"), Technique("T1599")],
    guardduty: None,
    interest: Interest::Nothing,
    source: include_str!("segment_drift.rs"),
    settings_source: include_str!("segment_drift.rs"),
};

/// Table `[detectors.segment-drift]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// With less history nothing is reported. Unit: days with records.
    pub days_min: u32,
    /// What anything new must carry: of a host that calls new parts all the time it is 1, and more the longer it
    /// has called the same. Unit: bits.
    pub bits_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { days_min: 7, bits_min: 2.3 }
    }
}

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let dimension = Dimension::Segments;
    let floors = (settings.days_min, settings.bits_min);
    let News { window, value, part } = news(case, dimension, floors, true)?;
    let (own, other) = value.text.split_once(' ')?;
    let values = window.counted.values.heaviest();
    let more = match values.len() - 1 {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let usual = &part.usual;
    let summary = format!(
        "called from subnet {own} into {other}{more}, two that never talked; usual pairs: {usual}"
    );
    let others = values.iter().filter_map(|(pair, n)| Some((pair.split_once(' ')?.1, *n)));
    let mut flow = FlowSeen::of(&case.entity.key, others);
    // Subnets are named, not the hosts in them.
    flow.has_all_peers = false;
    let mut verdict = Verdict::on(&window, Severity::Low, vec![part], summary);
    verdict.flow = Some(flow);
    Some(verdict)
}

#[cfg(test)]
mod tests;
