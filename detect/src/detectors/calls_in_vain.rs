//! # A host that calls again and again where nobody answers
//!
//! ## Fires when
//! within 60 minutes an interface opens at least `calls-min` connections to one service outside, and none of
//! those that an object shows is answered: refused, rejected or lost. Programs back off; malware whose
//! command server was taken down often does not.
//!
//! ## Quiet when
//! they are fewer than ten in each object; the peer is inside; or the interface, or others of its account, knows
//! the peer from days before.
//!
//! ## Misses
//! callers that back off; servers that answer.
//!
//! ## Triage
//! Which process calls, and what is known of the address? A broken client of a known service can be marked
//! benign; else treat the host as infected.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict, usual_of};
use crate::finding::FlowSeen;
use crate::flows::is_stranger;
use crate::record::{Counts, Record};
use baseline::{Dimension, hour::Counted};

pub(super) static META: Meta = Meta {
    id: "calls-in-vain",
    severity: Severity::Medium,
    impact: Impact::Access,
    techniques: &[Technique("T1571"), Technique("T1008")],
    guardduty: None,
    interest: Interest::Nothing,
    source: include_str!("calls_in_vain.rs"),
    settings_source: include_str!("calls_in_vain.rs"),
};

/// Table `[detectors.calls-in-vain]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Fewer are never reported. Unit: connections to one service in 60 minutes.
    pub calls_min: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { calls_min: 100 }
    }
}

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let dimension = Dimension::CallsInVain;
    let is_strange = |value: &str| {
        let peer = value.rsplit_once(' ').map_or(value, |(peer, _)| peer);
        is_stranger(peer, case)
    };
    let most = |counted: &Counted| {
        let values = counted.values.heaviest().into_iter();
        values.filter(|(value, _)| is_strange(value)).map(|(_, n)| n).max().unwrap_or(0)
    };
    let window = case.span.heaviest(dimension, |counted| {
        Some(most(counted)).filter(|most| *most >= settings.calls_min)
    })?;
    let values: Vec<(&str, u64)> = window
        .counted
        .values
        .heaviest()
        .into_iter()
        .filter(|(value, _)| is_strange(value))
        .collect();
    let (first, n) = values.first().copied()?;
    let parts = case.usual.amount(dimension, n);
    let summary = format!(
        "called port {} {n} times within 60 minutes, and was not answered; usual: {}",
        first.replace(' ', ":"),
        usual_of(&parts)
    );
    let flow = FlowSeen::of(&case.entity.key, values.iter().copied());
    let mut verdict = Verdict::on(&window, Severity::Medium, parts, summary);
    verdict.flow = Some(flow);
    Some(verdict)
}

#[cfg(test)]
mod tests;
