//! # A host that reports outside as regularly as a clock
//!
//! ## Fires when
//! the day closes, and connections of an interface to one service outside fill it, or a part of it of twelve equal
//! stretches at least, so evenly that chance would do so with `bits-min` bits of surprise or more (index of
//! dispersion of counts, Cox and Lewis 1966; stretches of 5 minutes to 2 hours, so that a beacon with jitter is
//! one, too), and each sends about the same.
//!
//! ## Quiet when
//! the interface, or others of its account, knows the peer from days before; the peer is in a network of Amazon;
//! it is asked for the time or for names (ports 123 and 53); what is sent varies by more than half
//! (`variation-max`).
//!
//! ## Misses
//! beacons to peers that are known; to more than 256 services a day of one interface; that are silent for more
//! than two hours at a time; of which fewer than about twenty come in a day; that hide in connections which stay
//! open; in networks of Amazon, where anybody can rent a machine, too.
//!
//! ## Triage
//! Which process calls, and what is known of the address? Agents of monitoring and update services do this as
//! well: mark them benign once. Else isolate the interface, keep the disk, and look at what the instance's role
//! did in CloudTrail.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::finding::FlowSeen;
use crate::flows::is_stranger;
use crate::record::{Counts, Record};
use baseline::{Dimension, Part, Regularity, Slot, Talk, most_regular};

pub(super) static META: Meta = Meta {
    id: "beacon",
    severity: Severity::Medium,
    impact: Impact::Access,
    techniques: &[Technique("T1071"), Technique("T1573")],
    guardduty: Some("Backdoor:EC2/C&CActivity.B"),
    interest: Interest::Closed,
    source: include_str!("beacon.rs"),
    settings_source: include_str!("beacon.rs"),
};

/// Table `[detectors.beacon]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Fewer are never reported. Unit: bits.
    pub bits_min: f64,
    /// How much what is sent may vary: the coefficient of variation. From 0, always the same.
    pub variation_max: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { bits_min: 20.0, variation_max: 0.5 }
    }
}

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let talks = case.span.talks(case.span.hour.day()).iter();
    let regular = talks.filter_map(|talk| {
        let (peer, _) = talk.with.text.rsplit_once(' ')?;
        if !is_stranger(peer, case) || talk.variation() > settings.variation_max {
            return None;
        }
        let beat = most_regular(&talk.opened)?;
        (beat.bits.as_f64() >= settings.bits_min).then_some((talk, beat))
    });
    // The order of talks is that of keyed hashes: people want the surest first.
    let mut regular: Vec<(&Talk, Regularity)> = regular.collect();
    regular.sort_by(|(a, of_a), (b, of_b)| {
        of_b.bits.cmp(&of_a.bits).then_with(|| a.with.text.cmp(&b.with.text))
    });
    let (talk, beat) = regular.first()?;
    let (peer, port) = talk.with.text.rsplit_once(' ')?;
    let each = talk.bytes.0 / talk.n_flows.max(1);
    let observed = format!("{} connections, one in {} s", beat.n, beat.period_s);
    let usual = format!("as many by chance; the peer: {}", case.usual.usual(Dimension::BytesOut));
    let parts = vec![Part { dimension: Dimension::BytesOut, bits: beat.bits, observed, usual }];
    let more = match regular.len() - 1 {
        0 => String::new(),
        n => format!("; and {n} more services as regularly"),
    };
    let summary = format!(
        "called port {port} of {peer} {} times, evenly, once in {} s on average, with about {each} bytes each \
         time{more}",
        beat.n, beat.period_s
    );
    let first = case.span.hour.day().first_slot();
    let slots =
        talk.opened.iter().map(|(slot, n)| (Slot(first.0 + i32::from(*slot)), u64::from(*n)));
    let values = regular.iter().map(|(talk, beat)| (&*talk.with.text, u64::from(beat.n)));
    Some(Verdict {
        parts,
        severity: Severity::Medium,
        summary,
        slots: slots.collect(),
        records: Vec::new(),
        last_ms: None,
        targets: vec![talk.with.text.to_string()],
        flow: Some(FlowSeen::of(&case.entity.key, values)),
        threshold: None,
    })
}

#[cfg(test)]
mod tests;
