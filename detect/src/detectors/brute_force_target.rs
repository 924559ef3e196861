//! # Attempts to log on to a host
//!
//! ## Fires when
//! within 60 minutes at least `tries-min` short connections that look like attempts to log on reach an
//! interface and are answered: three or more of one peer in one object, at FTP, SSH, Telnet, RDP, VNC or WinRM,
//! or from outside at any other port to which programs are not known to open such. Medium if one peer makes
//! at least `tries-of-one-min` at one of those named, ten or more in one object; else low.
//!
//! ## Quiet when
//! they are fewer, rejected or not answered; or, once there is history, carry fewer than `bits-min` bits: what
//! knocks every day at an exposed host becomes usual. Connections that carry more than 16 KiB on average are
//! sessions.
//!
//! ## Misses
//! attempts of a peer that makes fewer than three in one object; whether one of them succeeded: flow logs do not
//! tell, and a long session of the same peer afterwards does.
//!
//! ## Triage
//! Is the port meant to be open to that peer? Close it in the security group. Look at the host's own log of
//! logons for a success from these addresses, and at sessions that followed.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict, usual_of};
use crate::finding::{FlowSeen, sides};
use crate::flows::{others, services};
use crate::record::{Counts, Record};
use baseline::Dimension;

pub(super) static META: Meta = Meta {
    id: "brute-force-target",
    severity: Severity::Medium,
    impact: Impact::Access,
    techniques: &[Technique("T1110")],
    guardduty: Some("UnauthorizedAccess:EC2/SSHBruteForce"),
    interest: Interest::Nothing,
    source: include_str!("brute_force_target.rs"),
    settings_source: include_str!("brute_force_target.rs"),
};

/// Table `[detectors.brute-force-target]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[expect(clippy::struct_field_names, reason = "they are floors, and say so")]
pub struct Settings {
    /// Fewer are never reported. Unit: connections in 60 minutes.
    pub tries_min: u64,
    /// From so many of one peer on it is medium. Unit: connections in 60 minutes.
    pub tries_of_one_min: u64,
    /// What they must carry once there is history. Unit: bits.
    pub bits_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { tries_min: 20, tries_of_one_min: 30, bits_min: 10.0 }
    }
}

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let dimension = Dimension::LogonTries;
    let window = case.span.window(dimension)?;
    let n = window.statistic;
    let parts = case.improbable(dimension, n, (settings.tries_min, settings.bits_min))?;
    // Those who try hard are counted apart, or strangers who try a little would hide them.
    let hard = case.span.window(Dimension::LogonBursts);
    let hard = hard.as_ref().map_or_else(Vec::new, |hard| hard.counted.values.heaviest());
    let mut values = hard.clone();
    let of_all = window.counted.values.heaviest();
    values
        .extend(of_all.into_iter().filter(|(value, _)| !hard.iter().any(|(one, _)| one == value)));
    let (peers, ports) = sides(values.iter().copied());
    let (first, n_first) = peers.first().copied()?;
    let is_much = |(_, n): &(&str, u64)| *n >= settings.tries_of_one_min;
    let severity = if hard.iter().any(is_much) { Severity::Medium } else { Severity::Low };
    let summary = format!(
        "was tried {n} times at {} within 60 minutes, {n_first} times by {first}{}; usual: {}",
        services(&ports),
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
