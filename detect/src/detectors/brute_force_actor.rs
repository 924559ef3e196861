//! # A host that tries to log on elsewhere
//!
//! ## Fires when
//! within 60 minutes an interface opens at least `tries-of-one-min` short connections to one service, or at
//! least `tries-min` to several, that look like attempts to log on and are answered: three or more of one peer in
//! one object, at FTP, SSH, Telnet, RDP, VNC or WinRM, or outside at any other port to which programs do not open
//! such by themselves.
//!
//! ## Quiet when
//! they are fewer or not answered; or, once there is history, carry fewer than `bits-min` bits: a host that
//! configures others every night becomes usual. Connections that carry more than 16 KiB on average are sessions.
//!
//! ## Misses
//! attempts that are spread so thinly that no object shows three of one peer.
//!
//! ## Triage
//! Which process calls? If nobody knows, isolate the interface with an empty security group, keep the disk, and
//! look at the instance's role in CloudTrail. Warn the owners of the hosts that were tried.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict, usual_of};
use crate::finding::FlowSeen;
use crate::finding::sides;
use crate::flows::{others, services};
use crate::record::{Counts, Record};
use baseline::{Dimension, hour::Counted};

pub(super) static META: Meta = Meta {
    id: "brute-force-actor",
    severity: Severity::High,
    impact: Impact::Access,
    techniques: &[Technique("T1110"), Technique("T1021")],
    guardduty: Some("UnauthorizedAccess:EC2/RDPBruteForce"),
    interest: Interest::Nothing,
    source: include_str!("brute_force_actor.rs"),
    settings_source: include_str!("brute_force_actor.rs"),
};

/// Table `[detectors.brute-force-actor]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[expect(clippy::struct_field_names, reason = "they are floors, and say so")]
pub struct Settings {
    /// Fewer at several services together are never reported. Unit: connections in 60 minutes.
    pub tries_min: u64,
    /// Fewer at one service are never reported. Unit: connections in 60 minutes.
    pub tries_of_one_min: u64,
    /// What they must carry once there is history. Unit: bits.
    pub bits_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { tries_min: 100, tries_of_one_min: 30, bits_min: 10.0 }
    }
}

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let dimension = Dimension::LogonTriesMade;
    // How much one service took is never less for more records; of a sample it is the most that was kept.
    let of_one = |counted: &Counted| counted.values.heaviest().first().map_or(0, |(_, n)| *n);
    let window = case.span.heaviest(dimension, |counted| {
        let most = of_one(counted);
        let is_much = most >= settings.tries_of_one_min || counted.amount >= settings.tries_min;
        is_much.then_some(most)
    })?;
    let n = window.statistic;
    let parts = case.improbable(dimension, n, (settings.tries_of_one_min, settings.bits_min))?;
    let values = window.counted.values.heaviest();
    let (peers, ports) = sides(values.iter().copied());
    let (first, n_first) = peers.first().copied()?;
    let summary = format!(
        "tried {n} times within 60 minutes to log on at {} of other hosts, {n_first} times at {first}{}; \
         usual: {}",
        services(&ports),
        others(peers.len(), window.counted.values.is_estimate()),
        usual_of(&parts)
    );
    let flow = FlowSeen::of(&case.entity.key, values.iter().copied());
    let mut verdict = Verdict::on(&window, Severity::High, parts, summary);
    verdict.flow = Some(flow);
    Some(verdict)
}

#[cfg(test)]
mod tests;
