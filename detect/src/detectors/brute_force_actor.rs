//! # A host that tries to log on elsewhere
//!
//! ## Fires when
//! within 60 minutes an interface opens short connections that look like attempts to log on and are answered,
//! three or more of one peer in one object: at least `tries-of-one-min` to one service, or `tries-min` to
//! several, at FTP, SSH, Telnet, RDP, VNC or WinRM. Medium while nobody has history; low, from `tries-min` on,
//! where they go outside to any other port to which programs are not known to open such.
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
use crate::finding::{FlowSeen, sides};
use crate::flows::{is_logon, others, services};
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
    let floors = (settings.tries_min.min(settings.tries_of_one_min), settings.bits_min);
    let improbable = |n| case.improbable(dimension, n, floors);
    let window = case.span.heaviest(dimension, |counted| {
        improbable(counted.amount)?;
        Some((is_sure(settings, counted)?, counted.amount))
    })?;
    let n = window.statistic;
    let parts = improbable(n)?;
    let is_sure = is_sure(settings, &window.counted)?;
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
    let severity = match (is_sure, case.usual.can_judge(dimension)) {
        (true, true) => Severity::High,
        // What pulls from repositories over SSH does so from its first day on.
        (true, false) => Severity::Medium,
        (false, _) => Severity::Low,
    };
    let mut verdict = Verdict::on(&window, severity, parts, summary);
    verdict.flow = Some(flow);
    Some(verdict)
}

/// Whether attempts are at services where somebody logs on; nothing of fewer than are reported.
fn is_sure(settings: &Settings, counted: &Counted) -> Option<bool> {
    let values = counted.values.heaviest();
    let (at_logon, others): (Vec<_>, Vec<_>) =
        values.into_iter().partition(|(value, _)| is_logon(value));
    let sum = |values: &[(&str, u64)]| values.iter().map(|(_, n)| n).sum::<u64>();
    let most = at_logon.first().map_or(0, |(_, n)| *n);
    if most >= settings.tries_of_one_min || sum(&at_logon) >= settings.tries_min {
        return Some(true);
    }
    (sum(&others) >= settings.tries_min).then_some(false)
}

#[cfg(test)]
mod tests;
