//! # A burst of denied calls
//!
//! ## Fires when
//! an identity is denied at least `calls-min` calls within 60 minutes, improbably many for it and its
//! group: somebody tries what a credential can do. High if they are of `apis-high` different APIs or
//! more.
//!
//! ## Quiet when
//! they are fewer than `calls-min`; or, once there is history, carry fewer than `bits-min` bits: a
//! broken job that is denied every hour becomes usual. AWS services that are denied for ever, such as
//! log delivery, do not count.
//!
//! ## Misses
//! tools that ask slowly, or only for what the credential may do (`iam:SimulatePrincipalPolicy`).
//!
//! ## Triage
//! Which calls were granted? If the owner does not know the calls: revoke the session, and read
//! what succeeded around it.

use crate::detector::{
    Case, Impact, Interest, Meta, Severity, Technique, Verdict, number_of, usual_of,
};
use crate::record::{Counts, Record};
use baseline::{Dimension, Distinct, Kind};

pub(super) static META: Meta = Meta {
    id: "denied-burst",
    severity: Severity::Medium,
    impact: Impact::Discovery,
    techniques: &[Technique("T1580"), Technique("T1526")],
    guardduty: Some("Discovery:IAMUser/AnomalousBehavior"),
    interest: Interest::Denied,
    source: include_str!("denied_burst.rs"),
    settings_source: include_str!("denied_burst.rs"),
};

/// Table `[detectors.denied-burst]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Fewer are never reported; Panther's rules start at 15 in ten minutes. Unit: calls in 60
    /// minutes.
    pub calls_min: u64,
    /// What they must carry once there is history. Unit: bits.
    pub bits_min: f64,
    /// So many different APIs make it high. Unit: APIs.
    pub apis_high: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { calls_min: 15, bits_min: 10.0, apis_high: 10 }
    }
}

pub(super) fn contribute(record: &Record<'_>, counts: &mut Counts) {
    if record.principal.entity.kind != Kind::Service {
        counts.value(Dimension::Denied, record.api);
    }
}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let improbable =
        |n| case.improbable(Dimension::Denied, n, (settings.calls_min, settings.bits_min));
    let is_wide = |values: &Distinct| values.count() >= settings.apis_high;
    let window = case.span.heaviest(Dimension::Denied, |counted| {
        improbable(counted.amount).map(|_| is_wide(&counted.values))
    })?;
    let n = window.statistic;
    let parts = improbable(n)?;
    let values = &window.counted.values;
    let severity = if is_wide(values) { Severity::High } else { Severity::Medium };
    let n_apis = number_of(values, values.count());
    let apis = values.heaviest();
    let shown: Vec<_> = apis.iter().take(3).map(|(api, _)| *api).collect();
    let usual = usual_of(&parts);
    let summary = format!(
        "was denied {n} calls of {n_apis} APIs in 60 minutes, most {}; usual: {usual}",
        shown.join(", ")
    );
    Some(Verdict::on(&window, severity, parts, summary))
}

#[cfg(test)]
mod tests;
