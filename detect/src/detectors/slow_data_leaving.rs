//! # Data that leaves slowly
//!
//! ## Fires when
//! the day closes, an interface has three weeks of history, and what it sent outside in small pieces is far more than
//! on its days: at least `mebibytes-min` and `times` as much as on a usual one, improbable with `bits-min` bits, and
//! no hour with more than half of it. Or the mean of its last seven days is at least `week-mebibytes-min`, and has come
//! to `week-times` that of three months, with as many bits.
//!
//! ## Quiet when
//! it is less; the history is shorter; its days have always differed so much, as those of a host that is backed up
//! once a week; or one hour holds most of it, which `data-leaving` judges.
//!
//! ## Misses
//! growth that the mean of three months follows, of less than two percent a day; less than a mebibyte in an hour; what
//! a server answers to those who call it.
//!
//! ## Triage
//! To whom (the heaviest peers are named), by which process, and which data? Compare with what was read from storage
//! in these days. An upload that is kept below every threshold of an hour is meant to be.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::finding::FlowSeen;
use crate::record::{Counts, Record};
use baseline::{Dimension, Drift, Part};

pub(super) static META: Meta = Meta {
    id: "slow-data-leaving",
    severity: Severity::Medium,
    impact: Impact::Exfiltration,
    techniques: &[Technique("T1030"), Technique("T1029"), Technique("T1048")],
    guardduty: None,
    interest: Interest::Closed,
    source: include_str!("slow_data_leaving.rs"),
    settings_source: include_str!("slow_data_leaving.rs"),
};

/// Table `[detectors.slow-data-leaving]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Less is never reported. Unit: MiB in a day.
    pub mebibytes_min: f64,
    /// So many times as much as on a usual day.
    pub times: f64,
    /// Less in a day of the last seven is never reported. Unit: MiB.
    pub week_mebibytes_min: f64,
    /// So many times as much as in the last three months.
    pub week_times: f64,
    /// What it must carry. Unit: bits.
    pub bits_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mebibytes_min: 500.0,
            times: 3.0,
            week_mebibytes_min: 300.0,
            week_times: 2.0,
            bits_min: 12.0,
        }
    }
}

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let dimension = Dimension::BytesOut;
    let (sum, largest) = case.span.hours_of_day(dimension);
    let is_told = |drift: &Drift, floor: f64, times: f64| {
        let is_much = drift.recent >= floor && drift.recent >= drift.usual * times;
        is_much && drift.bits.as_f64() >= settings.bits_min
    };
    let day = case.usual.of_day(dimension, sum).filter(|_| largest.saturating_mul(2) <= sum);
    let day = day.filter(|drift| is_told(drift, settings.mebibytes_min, settings.times));
    let week = || {
        let drift = case.usual.drift(dimension, case.span.largest(dimension))?;
        is_told(&drift, settings.week_mebibytes_min, settings.week_times).then_some(drift)
    };
    let (drift, whens) = match day {
        Some(drift) => (drift, "the day"),
        None => (week()?, "each of its last seven days"),
    };
    let window = case.span.of_day(dimension)?;
    let values = window.counted.values.heaviest();
    let (first, _) = values.first()?;
    let (much, usual) = (drift.recent, drift.usual);
    let summary = format!(
        "sent about {much:.0} MiB outside on {whens}, in small pieces, most of it to {first}; usual: about {usual:.0} a \
         day"
    );
    let part = Part {
        dimension,
        bits: drift.bits,
        observed: format!("{much:.0} MiB on {whens}"),
        usual: format!("{usual:.0} MiB a day in the last ninety"),
    };
    let flow = FlowSeen::of(&case.entity.key, values.iter().copied());
    let mut verdict = Verdict::on(&window, Severity::Medium, vec![part], summary);
    verdict.flow = Some(flow);
    Some(verdict)
}

#[cfg(test)]
mod tests;
