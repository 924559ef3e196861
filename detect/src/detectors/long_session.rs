//! # A connection that stays open to a host outside
//!
//! ## Fires when
//! one connection that an interface opened to a service outside covers at least `hours-min` hours of the last 24.
//! Medium at services at which somebody logs on (FTP, SSH, Telnet, RDP, VNC, WinRM), and once the interface has a
//! week of history at any port to which programs do not keep connections open for messages (80, 443, 5228, 8443,
//! 8883 and the like); else low.
//!
//! ## Quiet when
//! it is shorter; or the interface, or others of its account, knows the peer from days before. What is counted
//! are the stretches in which flow records of the connection cover most of an object.
//!
//! ## Misses
//! sessions that begin anew before `hours-min`; connections inbound; of more than 32 connections of one interface
//! that go on in an hour, the others.
//!
//! ## Triage
//! Who logged on where, by which process? A tunnel (SSH, VPN) that nobody set up is a way in: close it, keep the
//! host for analysis.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::finding::FlowSeen;
use crate::flows::{UNSEEN_BITS, is_logon, is_stranger};
use crate::record::{Counts, Record};
use baseline::{Bits, Dimension, Hour, Part, Value};
use std::collections::BTreeMap;

pub(super) static META: Meta = Meta {
    id: "long-session",
    severity: Severity::Medium,
    impact: Impact::Access,
    techniques: &[Technique("T1572"), Technique("T1021.004")],
    guardduty: None,
    interest: Interest::Nothing,
    source: include_str!("long_session.rs"),
    settings_source: include_str!("long_session.rs"),
};

/// Table `[detectors.long-session]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Shorter ones are never reported. Unit: hours within 24.
    pub hours_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { hours_min: 4.0 }
    }
}

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

/// Ports to which programs keep connections open.
const LASTING_PORTS: &[&str] =
    &["80", "443", "5222", "5223", "5228", "8080", "8443", "8883", "9093"];

/// With less history nobody can tell which connections an interface keeps open. Unit: days with records.
const SETTLED_D: u32 = 7;

/// An hour, from which on how long a connection lasts is taken to be distributed as Pareto with index 1, the
/// heaviest tail that was found of wide-area traffic (Paxson and Floyd, "Wide-Area Traffic: The Failure of
/// Poisson Modeling", 1995). Unit: seconds.
const HOUR_S: u64 = 3_600;

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let is_told = |one: &Going<'_>| {
        let is_long = one.covered_s as f64 >= settings.hours_min * HOUR_S as f64;
        is_long && one.last == case.span.hour && is_stranger(one.peer(), case)
    };
    let rank = |one: &Going<'_>| {
        (is_logon(&one.with.text), !one.is_of_programs(), one.covered_s, one.with.text.clone())
    };
    let sessions: Vec<Going<'_>> = going(case).into_iter().filter(is_told).collect();
    let session = sessions.iter().max_by_key(|one| rank(one))?;
    let covered_s = session.covered_s;
    let (peer, port) = session.with.text.rsplit_once(' ')?;
    let is_settled = case.usual.own_days() >= SETTLED_D;
    let is_strange = is_logon(&session.with.text) || is_settled && !session.is_of_programs();
    let severity = if is_strange { Severity::Medium } else { Severity::Low };
    let hours = covered_s / HOUR_S;
    let dimension = Dimension::BytesOut;
    let known = case.span.values(dimension, |value| &*value.text == peer);
    let mut parts: Vec<Part> =
        known.iter().map(|(value, _)| case.usual.novelty(dimension, value, UNSEEN_BITS)).collect();
    if parts.is_empty() {
        let (observed, usual) = (peer.to_owned(), case.usual.usual(dimension));
        parts.push(Part { dimension, bits: Bits::of(UNSEEN_BITS), observed, usual });
    }
    let lasting = libm::log2((covered_s.max(HOUR_S) as f64) / HOUR_S as f64);
    let observed = format!("a connection of {hours} hours");
    let usual = "one in two that last an hour lasts two, and so on".to_owned();
    parts.push(Part {
        dimension: Dimension::Connections,
        bits: Bits::of(lasting),
        observed,
        usual,
    });
    let summary = format!(
        "keeps one connection open to port {port} of {peer}, from its port {}: at least {hours} hours of the \
         last 24; usual peers: {}",
        session.port,
        case.usual.usual(dimension)
    );
    let mut flow = FlowSeen::of(&case.entity.key, [(&*session.with.text, 1)]);
    flow.has_all_peers = sessions.iter().all(|one| one.peer() == peer);
    Some(Verdict {
        parts,
        severity,
        summary,
        slots: vec![(case.span.hour.first_slot(), 1)],
        records: Vec::new(),
        last_ms: None,
        targets: vec![session.with.text.to_string()],
        flow: Some(flow),
        threshold: None,
    })
}

/// One connection, in the last 24 hours.
struct Going<'a> {
    with: &'a Value,
    /// The interface's port.
    port: u16,
    covered_s: u64,
    /// The last hour in which it went on.
    last: Hour,
}

impl Going<'_> {
    fn peer(&self) -> &str {
        self.with.text.rsplit_once(' ').map_or("", |(peer, _)| peer)
    }

    fn is_of_programs(&self) -> bool {
        let port = self.with.text.rsplit_once(' ').map(|(_, port)| port);
        port.is_some_and(|port| LASTING_PORTS.contains(&port))
    }
}

/// The connections of the 24 hours that end with the judged one.
fn going<'a>(case: &Case<'a>) -> Vec<Going<'a>> {
    let mut all: BTreeMap<(&Value, u8, u16), (u64, Hour)> = BTreeMap::new();
    for (hour, session) in case.span.sessions(23) {
        let key = (&session.with, session.protocol, session.port);
        let (covered_s, last) = all.entry(key).or_insert((0, hour));
        *covered_s += u64::from(session.covered_s);
        *last = hour.max(*last);
    }
    let going = |((with, _, port), (covered_s, last))| Going { with, port, covered_s, last };
    all.into_iter().map(going).collect()
}

#[cfg(test)]
mod tests;
