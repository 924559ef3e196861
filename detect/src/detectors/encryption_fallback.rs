//! # Traffic inside that was encrypted and is in clear text
//!
//! ## Fires when
//! a service inside that an interface called encrypted on days before (`encryption-status` of flow logs of version 10:
//! 1 to 3) is called by it in clear text (0), and answers.
//!
//! ## Quiet when
//! the interface called it in clear text before, too, or has fewer than `days-min` days of history; or the log does not have the field.
//!
//! ## Misses
//! services that it calls for the first time; calls to hosts outside; encryption that AWS does not see, such as SSH,
//! or TLS at another port than 443.
//!
//! ## Triage
//! Which end changed? An instance type without encryption between instances, a peering connection, or a VPC whose
//! encryption control was lifted: look for `ModifyVpcEncryptionControl` and new instances in CloudTrail.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::finding::FlowSeen;
use crate::flows::UNSEEN_BITS;
use crate::reader::calls::{CLEAR, ENCRYPTED};
use crate::record::{Counts, Record};
use baseline::{Dimension, Value, generation::KnownBy};

pub(super) static META: Meta = Meta {
    id: "encryption-fallback",
    severity: Severity::Medium,
    impact: Impact::Evasion,
    techniques: &[Technique("T1600"), Technique("T1557")],
    guardduty: None,
    interest: Interest::Nothing,
    source: include_str!("encryption_fallback.rs"),
    settings_source: include_str!("encryption_fallback.rs"),
};

/// Table `[detectors.encryption-fallback]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// With less history nothing is reported. Unit: days with records.
    pub days_min: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { days_min: 3 }
    }
}

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    if case.usual.own_days() < settings.days_min {
        return None;
    }
    let dimension = Dimension::Encryption;
    let has_fallen = |value: &Value| {
        let Some(service) = value.text.strip_prefix(CLEAR) else { return false };
        let encrypted = format!("{ENCRYPTED}{service}");
        !case.usual.has_shown(dimension, value)
            && case.usual.known_by(dimension, &encrypted) == KnownBy::Own
    };
    let window = case.span.whole(dimension, has_fallen)?;
    let values = window.counted.values.heaviest();
    let services = values.iter().map(|(value, n)| (value.trim_start_matches(CLEAR), *n));
    let services: Vec<(&str, u64)> = services.collect();
    let (peer, port) = services.first()?.0.rsplit_once(' ')?;
    let more = match services.len() - 1 {
        0 => String::new(),
        n => format!(" and {n} more services"),
    };
    let (value, _) = window.counted.values.iter().find(|(value, _)| has_fallen(value))?;
    let part = case.usual.novelty(dimension, value, UNSEEN_BITS);
    let summary = format!(
        "called port {port} of {peer}{more} in clear text, which it called encrypted on days before"
    );
    let flow = FlowSeen::of(&case.entity.key, services.iter().copied());
    let mut verdict = Verdict::on(&window, Severity::Medium, vec![part], summary);
    verdict.flow = Some(flow);
    Some(verdict)
}

#[cfg(test)]
mod tests;
