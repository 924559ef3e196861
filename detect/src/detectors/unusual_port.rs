//! # A host that calls a service outside at a port that it never called
//!
//! ## Fires when
//! an interface is answered by a service outside, over TCP or UDP, at a port that neither the interface nor others
//! of its account have called, once the interface has at least `days-min` days of history and anything
//! new carries at least `bits-min` bits for it.
//!
//! ## Quiet when
//! the port is known, is one of those that any host calls (53, 80, 123, 443, 853), or is in the dynamic range (49152
//! and above), where peers of calls and games answer; the history is shorter; or the host calls new ports all the
//! time.
//!
//! ## Misses
//! command servers at port 443; services inside.
//!
//! ## Triage
//! Which process calls, and what is known of the address? Look at what else the host called in that hour.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::finding::FlowSeen;
use crate::flows::{News, news};
use crate::record::{Counts, Record};
use baseline::Dimension;

pub(super) static META: Meta = Meta {
    id: "unusual-port",
    severity: Severity::Medium,
    impact: Impact::Access,
    techniques: &[Technique("T1571")],
    guardduty: Some("Behavior:EC2/NetworkPortUnusual"),
    interest: Interest::Nothing,
    source: include_str!("unusual_port.rs"),
    settings_source: include_str!("unusual_port.rs"),
};

/// Table `[detectors.unusual-port]`.
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
    let dimension = Dimension::PortsCalled;
    let floors = (settings.days_min, settings.bits_min);
    let News { window, value, part } = news(case, dimension, floors, true)?;
    let (protocol, port) = value.text.split_once(' ')?;
    let values = window.counted.values.heaviest();
    let usual = &part.usual;
    let summary = format!(
        "called port {port} outside by {}, {} times, which it never called; usual: {usual}",
        protocol.to_uppercase(),
        values.first()?.1,
    );
    let ports = values.iter().filter_map(|(value, _)| value.split_once(' ')?.1.parse().ok());
    let hour = case.span.hour;
    let of_port = case.span.talks(hour.day()).iter().filter_map(|talk| {
        let (peer, of) = talk.with.text.rsplit_once(' ')?;
        let n = talk.opened_in(hour);
        (of == port && n > 0).then_some((peer, n))
    });
    let mut flow = FlowSeen::of(&case.entity.key, of_port);
    flow.ports = ports.collect();
    // Talks are kept of some services only.
    flow.has_all_peers = false;
    let mut verdict = Verdict::on(&window, Severity::Medium, vec![part], summary);
    verdict.flow = Some(flow);
    Some(verdict)
}

#[cfg(test)]
mod tests;
