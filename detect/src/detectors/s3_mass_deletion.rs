//! # More S3 objects deleted in an hour than this identity ever does
//!
//! ## Fires when
//! the calls that delete objects within 60 minutes are at least `calls-min` and improbable against
//! what the identity, or its group, deletes in an hour. High if more than one bucket, or ten times
//! the floor, is hit; else medium.
//!
//! ## Quiet when
//! they are fewer than `calls-min`; or, once there is history, carry fewer than `bits-min` bits. While
//! nobody has history: fewer than `calls-min-cold`.
//!
//! ## Misses
//! deletion by lifecycle rule, by a service, or slowly enough to become usual. A `DeleteObjects` call
//! counts once: the log does not say how many of up to 1,000 keys it names.
//!
//! ## Triage
//! Stop the session first. Then: is versioning on, are there backups? Restore from them.

use crate::detector::{
    Case, Impact, Interest, Meta, Severity, Technique, Verdict, first_of, usual_of,
};
use crate::record::{Counts, Record};
use baseline::{Dimension, hour::Counted};
use ingest::event::Outcome;

pub(super) static META: Meta = Meta {
    id: "s3-mass-deletion",
    severity: Severity::High,
    impact: Impact::Destruction,
    techniques: &[Technique("T1485")],
    guardduty: Some("Impact:S3/AnomalousBehavior.Delete"),
    interest: Interest::Apis(&["s3:DeleteObject", "s3:DeleteObjects"]),
    source: include_str!("s3_mass_deletion.rs"),
    settings_source: include_str!("s3_mass_deletion.rs"),
};

/// Table `[detectors.s3-mass-deletion]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Fewer are never reported: Panther's rule starts at 50. Unit: calls in 60 minutes.
    pub calls_min: u64,
    /// The same while nobody has history. Unit: as above.
    pub calls_min_cold: u64,
    /// What they must carry once there is history. Unit: bits.
    pub bits_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { calls_min: 50, calls_min_cold: 50, bits_min: 10.0 }
    }
}

pub(super) fn contribute(record: &Record<'_>, counts: &mut Counts) {
    if record.event.outcome() == Outcome::Failure {
        return;
    }
    let bucket = record.event.request.and_then(|request| request.get("bucketName"));
    let bucket = bucket.and_then(ingest::Raw::text);
    counts.value(Dimension::ObjectsDeleted, bucket.map_or("?".into(), ingest::Text::get));
}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let is_cold = !case.usual.can_judge(Dimension::ObjectsDeleted);
    let floor = if is_cold { settings.calls_min_cold } else { settings.calls_min };
    let improbable = |n| case.improbable(Dimension::ObjectsDeleted, n, (floor, settings.bits_min));
    let is_wide = |counted: &Counted| {
        counted.values.count() > 1 || counted.amount >= floor.saturating_mul(10)
    };
    let window = case.span.heaviest(Dimension::ObjectsDeleted, |counted| {
        improbable(counted.amount).map(|_| is_wide(counted))
    })?;
    let n = window.statistic;
    let parts = improbable(n)?;
    let severity = if is_wide(&window.counted) { Severity::High } else { Severity::Medium };
    let buckets = first_of(&window.counted.values);
    let summary = format!(
        "deleted objects of bucket {buckets} in {n} calls within 60 minutes; usual: {}",
        usual_of(&parts)
    );
    Some(Verdict::on(&window, severity, parts, summary))
}

#[cfg(test)]
mod tests;
