//! # A connection that stays open to a host outside
//!
//! ## Fires when
//! one connection that an interface opened to a service outside covers at least `hours-min` hours of the last 24.
//! Medium at services at which somebody logs on or that are unusual for programs; low at ports where programs
//! keep connections open for messages (80, 443, 5228, 8443, 8883 and the like).
//!
//! ## Quiet when
//! it is shorter; or the interface, or others of its account, knows the peer from days before. What is counted
//! are the stretches in which flow records of the connection cover most of an object.
//!
//! ## Misses
//! sessions that begin anew before `hours-min`; connections inbound; to more than 256 services a day of one
//! interface.
//!
//! ## Triage
//! Who logged on where, by which process? A tunnel (SSH, VPN) that nobody set up is a way in: close it, keep the
//! host for analysis.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::finding::FlowSeen;
use crate::flows::{UNSEEN_BITS, is_stranger};
use crate::record::{Counts, Record};
use baseline::{Bits, Day, Dimension, Hour, Part, Slot, Value};
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

/// An hour, from which on how long a connection lasts is taken to be distributed as Pareto with index 1, the
/// heaviest tail that was found of wide-area traffic (Paxson and Floyd, "Wide-Area Traffic: The Failure of
/// Poisson Modeling", 1995). Unit: seconds.
const HOUR_S: u64 = 3_600;

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let mut longest: Option<(u64, Session<'_>)> = None;
    for session in sessions(case) {
        let covered_s: u64 = session.slots.iter().map(|(_, covered_s)| covered_s).sum();
        let is_long = covered_s as f64 >= settings.hours_min * HOUR_S as f64;
        let is_going_on =
            session.slots.last().is_some_and(|(slot, _)| slot.hour() == case.span.hour);
        if !is_long || !is_going_on || !is_stranger(session.peer(), case) {
            continue;
        }
        let rank = |(covered_s, session): &(u64, Session<'_>)| {
            (!session.is_of_programs(), *covered_s, session.with.text.clone(), session.port)
        };
        let this = (covered_s, session);
        if longest.as_ref().is_none_or(|known| rank(known) < rank(&this)) {
            longest = Some(this);
        }
    }
    let (covered_s, session) = longest?;
    let (peer, port) = session.with.text.rsplit_once(' ')?;
    let severity = if session.is_of_programs() { Severity::Low } else { Severity::Medium };
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
    let slots = session.slots.iter().filter(|(slot, _)| slot.hour() == case.span.hour);
    Some(Verdict {
        parts,
        severity,
        summary,
        slots: slots.map(|(slot, _)| (*slot, 1)).collect(),
        records: Vec::new(),
        last_ms: None,
        targets: vec![session.with.text.to_string()],
        flow: Some(FlowSeen::of(&case.entity.key, [(&*session.with.text, 1)])),
        threshold: None,
    })
}

/// One connection, in the last 24 hours.
struct Session<'a> {
    with: &'a Value,
    /// The interface's port.
    port: u16,
    /// What it covered, in order. Unit: seconds.
    slots: Vec<(Slot, u64)>,
}

impl Session<'_> {
    fn peer(&self) -> &str {
        self.with.text.rsplit_once(' ').map_or("", |(peer, _)| peer)
    }

    fn is_of_programs(&self) -> bool {
        let port = self.with.text.rsplit_once(' ').map(|(_, port)| port);
        port.is_some_and(|port| LASTING_PORTS.contains(&port))
    }
}

/// The connections of the 24 hours that end with the judged one.
fn sessions<'a>(case: &Case<'a>) -> Vec<Session<'a>> {
    let hour = case.span.hour;
    let (from, to) = (Hour(hour.0.saturating_sub(23)).first_slot(), hour.last_slot());
    let mut all: BTreeMap<_, Vec<(Slot, u64)>> = BTreeMap::new();
    for day in [Day(hour.day().0.saturating_sub(1)), hour.day()] {
        for talk in case.span.talks(day) {
            for (slot, port, covered_s) in &talk.lasting {
                let slot = Slot(day.first_slot().0.saturating_add(i32::from(*slot)));
                if (from..=to).contains(&slot) {
                    let slots = all.entry((&talk.with, talk.protocol, *port)).or_default();
                    slots.push((slot, u64::from(*covered_s)));
                }
            }
        }
    }
    all.into_iter().map(|((with, _, port), slots)| Session { with, port, slots }).collect()
}

#[cfg(test)]
mod tests;
