//! # A host that logs on to a neighbour where it never did
//!
//! ## Fires when
//! an interface is answered by a host inside at a port where somebody logs on or administers (SSH, RDP, WinRM,
//! SMB, RPC, VNC, Telnet, FTP, the API of a container host) which it has not called there, once the interface has at least `days-min` days of history and anything new
//! carries at least `bits-min` bits for it.
//!
//! ## Quiet when
//! the pair of host and port is known; the history is shorter; or the host logs on to new ones all the time, as a
//! bastion does.
//!
//! ## Misses
//! logging on through Systems Manager, which CloudTrail tells; hosts that it logged on to before.
//!
//! ## Triage
//! Who logged on, and from where did they come to this host? Look for what reached it in the hours before, and for
//! what the other host did afterwards.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::finding::FlowSeen;
use crate::flows::{News, news};
use crate::record::{Counts, Record};
use baseline::Dimension;

pub(super) static META: Meta = Meta {
    id: "lateral-movement",
    severity: Severity::Medium,
    impact: Impact::Access,
    techniques: &[Technique("T1021")],
    guardduty: None,
    interest: Interest::Nothing,
    source: include_str!("lateral_movement.rs"),
    settings_source: include_str!("lateral_movement.rs"),
};

/// Table `[detectors.lateral-movement]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// With less history nothing is reported. Unit: days with records.
    pub days_min: u32,
    /// What anything new must carry: of a host that calls new ones all the time it is 1, and more the longer it
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
    let dimension = Dimension::Neighbours;
    let floors = (settings.days_min, settings.bits_min);
    let News { window, value, part } = news(case, dimension, floors, false)?;
    let (peer, port) = value.text.rsplit_once(' ')?;
    let values = window.counted.values.heaviest();
    let more = match values.len() - 1 {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let usual = &part.usual;
    let summary =
        format!("logged on at port {port} of {peer}{more}, where it never did; usual: {usual}");
    let flow = FlowSeen::of(&case.entity.key, values.iter().copied());
    let mut verdict = Verdict::on(&window, Severity::Medium, vec![part], summary);
    verdict.flow = Some(flow);
    Some(verdict)
}

#[cfg(test)]
mod tests;
