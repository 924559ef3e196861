//! # A session on a host from outside
//!
//! ## Fires when
//! a peer outside has a session on an interface at a service where somebody logs on (FTP, SSH, Telnet, RDP, VNC,
//! WinRM): a connection that goes on, or carries far more than a password that is tried. High if the same peer made at
//! least `tries-min` attempts to log on there before, on the same UTC day: one of them succeeded. Low if sessions of the
//! peer there are known: neither the short connections of a script, nor a person behind the same address, are news. Low
//! as well if its sessions cover at least `hours-min` hours of the day and are not known. Known is what the interface, or
//! others of its account, had on days before.
//!
//! ## Quiet when
//! the peer made fewer attempts, and its sessions are shorter or known.
//!
//! ## Misses
//! a password that is guessed from an address that has sessions there anyhow, which is low; who logs on at the first attempt, or waits until the next day; a guessed password that is used from another
//! address; sessions at other ports, or from inside.
//!
//! ## Triage
//! Who logged on, with which name? Look at the host's own log of logons. After attempts treat the host as taken over:
//! isolate it, keep the disk, change what it had access to. Close the port to the internet; Session Manager needs none.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::finding::FlowSeen;
use crate::flows::{UNSEEN_BITS, services};
use crate::record::{Counts, Record};
use baseline::{Bits, Dimension, Part, Value};
use std::collections::BTreeMap;

pub(super) static META: Meta = Meta {
    id: "session-from-outside",
    severity: Severity::High,
    impact: Impact::Access,
    techniques: &[Technique("T1110"), Technique("T1021"), Technique("T1133")],
    guardduty: None,
    interest: Interest::Nothing,
    source: include_str!("session_from_outside.rs"),
    settings_source: include_str!("session_from_outside.rs"),
};

/// Table `[detectors.session-from-outside]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// After fewer it is no success. Unit: attempts of one peer.
    pub tries_min: u64,
    /// Shorter ones without attempts are never reported. Unit: hours within a day.
    pub hours_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { tries_min: 10, hours_min: 4.0 }
    }
}

/// Unit: seconds.
const HOUR_S: f64 = 3_600.0;

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

/// What one peer did at one port on the day, up to the judged hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    n_tries: u64,
    covered_s: u64,
}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let dimension = Dimension::Logons;
    case.span.slots_of(dimension).next()?;
    let is_long = |seen: &Seen| seen.covered_s as f64 >= settings.hours_min * HOUR_S;
    let is_known = |value: &Value| {
        case.usual.has_shown(dimension, value) || case.usual.is_known_to_group(dimension, value)
    };
    let is_after_tries = |seen: &Seen| seen.n_tries >= settings.tries_min;
    let is_taken = |value: &Value, seen: &Seen| is_after_tries(seen) && !is_known(value);
    let is_told =
        |value: &Value, seen: &Seen| is_after_tries(seen) || is_long(seen) && !is_known(value);
    let all = sessions(case);
    let told: Vec<(&Value, Seen)> =
        all.iter().filter(|(value, seen)| is_told(value, seen)).map(|(v, s)| (v, *s)).collect();
    let heaviest = |(value, seen): &&(&Value, Seen)| (is_taken(value, seen), *seen);
    let (value, seen) = told.iter().max_by_key(|one| (heaviest(one), &one.0.text)).copied()?;
    let is_wanted = |one: &Value| told.iter().any(|(value, _)| *value == one);
    let window = case.span.whole(dimension, is_wanted)?;
    let (peer, port) = value.text.rsplit_once(' ')?;
    let at = services(&[(port.parse().ok()?, 1)]);
    let part = case.usual.novelty(dimension, value, UNSEEN_BITS);
    let (severity, summary, parts) = if is_after_tries(&seen) {
        let observed = format!("a session after {} attempts", seen.n_tries);
        let summary =
            format!("was logged on to at {at} by {peer}, after {} attempts to do so", seen.n_tries);
        if is_known(value) {
            let summary = format!("{summary}; sessions of that peer are known");
            (Severity::Low, summary, vec![Part { observed, ..part }])
        } else {
            let success = Part { bits: Bits::of(UNSEEN_BITS), observed, ..part };
            (Severity::High, summary, vec![success])
        }
    } else {
        let hours = seen.covered_s as f64 / HOUR_S;
        let usual = &part.usual;
        let summary = format!(
            "had sessions of {peer} at {at} for {hours:.1} hours of the day, which it never had; usual: {usual}"
        );
        (Severity::Low, summary, vec![part])
    };
    let values = told.iter().map(|(value, seen)| (&*value.text, seen.covered_s.max(1)));
    let flow = FlowSeen::of(&case.entity.key, values);
    let mut verdict = Verdict::on(&window, severity, parts, summary);
    verdict.flow = Some(flow);
    Some(verdict)
}

/// The sessions of the day that go on in the judged hour, with the attempts of their peers that came before.
fn sessions(case: &Case<'_>) -> BTreeMap<Value, Seen> {
    let mut all: BTreeMap<Value, Seen> = BTreeMap::new();
    let Some(of_hour) = case.span.whole(Dimension::Logons, |_| true) else { return all };
    let last_slot = of_hour.slots.iter().map(|(slot, _)| *slot).max();
    for (value, _) in of_hour.counted.values.iter() {
        all.insert(value.clone(), Seen::default());
    }
    if let Some(sessions) = case.span.of_day(Dimension::Logons) {
        for (value, covered_s) in sessions.counted.values.iter() {
            if let Some(seen) = all.get_mut(value) {
                seen.covered_s = covered_s;
            }
        }
    }
    // Those who try hard are counted apart as well, for they must not be lost among strangers.
    for dimension in [Dimension::LogonTries, Dimension::LogonBursts] {
        let tries = last_slot.and_then(|last| case.span.of_day_until(dimension, last));
        for (value, n) in tries.iter().flat_map(|window| window.counted.values.iter()) {
            if let Some(seen) = all.get_mut(value) {
                seen.n_tries = seen.n_tries.max(n);
            }
        }
    }
    all
}

#[cfg(test)]
mod tests;
