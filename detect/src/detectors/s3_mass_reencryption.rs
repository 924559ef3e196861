//! # S3 objects re-encrypted with a key that the account does not hold
//!
//! ## Fires when
//! an identity writes many objects within 60 minutes with a customer-provided key (SSE-C) or with a
//! KMS key of another account: the ransom that Halcyon called Codefinger. Many is at least
//! `objects-min` and improbable against what the identity and its group do in an hour.
//!
//! ## Quiet when
//! they are fewer than `objects-min`; or, once there is history, when they carry fewer than
//! `bits-min` bits. While nobody has history the floor alone decides.
//!
//! ## Misses
//! accounts that do not log S3 data events; keys of the own account that are deleted afterwards;
//! multipart uploads are counted once, however many parts they have.
//!
//! ## Triage
//! Stop the session first: revoke the credential, then deny `s3:PutObject` with SSE-C by a resource
//! control policy. Is versioning on, and is there a lifecycle rule that expires the older versions?
//! Restore from versions or backups; the key cannot be had from AWS.

use crate::detector::{
    Case, Impact, Interest, Meta, Severity, Technique, Verdict, first_of, usual_of,
};
use crate::record::{Counts, Record};
use baseline::Dimension;
use ingest::{Raw, event::Outcome};

pub(super) static META: Meta = Meta {
    id: "s3-mass-reencryption",
    severity: Severity::Critical,
    impact: Impact::Destruction,
    techniques: &[Technique("T1486")],
    guardduty: Some("Impact:S3/AnomalousBehavior.Write"),
    interest: Interest::Apis(&["s3:PutObject", "s3:CopyObject", "s3:CreateMultipartUpload"]),
    source: include_str!("s3_mass_reencryption.rs"),
    settings_source: include_str!("s3_mass_reencryption.rs"),
};

/// Table `[detectors.s3-mass-reencryption]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Fewer are never reported, with history or without: Elastic's rule starts at 20. Unit: objects
    /// in 60 minutes.
    pub objects_min: u64,
    /// What they must carry once there is history. Unit: bits.
    pub bits_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { objects_min: 20, bits_min: 10.0 }
    }
}

pub(super) fn contribute(record: &Record<'_>, counts: &mut Counts) {
    if record.event.outcome() == Outcome::Failure {
        return;
    }
    let Some(request) = record.event.request else { return };
    // Most writes say nothing of keys.
    if !may_name_key(record, request) {
        return;
    }
    let [algorithm, key, bucket] = request.members([ALGORITHM, KEY, "bucketName"]);
    if !with_foreign_key(record, algorithm, key) {
        return;
    }
    let bucket = bucket.and_then(Raw::text);
    counts.value(Dimension::ObjectsReencrypted, bucket.map_or("?".into(), ingest::Text::get));
}

const ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";
const KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
/// What both begin with.
const NAMED: &str = "x-amz-server-side-encryption-";
/// `SSEApplied`, where a customer's key was.
const APPLIED: &str = "SSE_C";

/// Whether the text of a call can hold what [`with_foreign_key`] looks for: a look without cutting out.
fn may_name_key(record: &Record<'_>, request: Raw<'_>) -> bool {
    let is_applied = |data: Raw<'_>| data.0.contains(APPLIED);
    request.0.contains(NAMED) || record.event.additional.is_some_and(is_applied)
}

fn with_foreign_key(record: &Record<'_>, algorithm: Option<Raw<'_>>, key: Option<Raw<'_>>) -> bool {
    if algorithm.and_then(Raw::text).is_some_and(|algorithm| !algorithm.is_empty()) {
        return true;
    }
    if let Some(key) = key.and_then(Raw::text) {
        // arn:aws:kms:REGION:ACCOUNT:key/ID; a bare id is a key of the own account.
        let key = key.get();
        let account = key.split(':').nth(4).unwrap_or_default();
        return !account.is_empty() && account != record.account;
    }
    let applied = record.event.additional.and_then(|data| data.get("SSEApplied"));
    applied.and_then(Raw::text).is_some_and(|text| text.0 == APPLIED)
}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let dimension = Dimension::ObjectsReencrypted;
    let n = case.span.largest(dimension);
    let parts = case.improbable(dimension, n, (settings.objects_min, settings.bits_min))?;
    let window = case.span.window(dimension)?;
    let buckets = first_of(&window.counted.values);
    let usual = if case.usual.is_cold() {
        "nobody has history yet, so the floor decides".to_owned()
    } else {
        format!("usual: {}", usual_of(&parts))
    };
    let summary = format!(
        "wrote {n} objects in 60 minutes to bucket {buckets} with a key that this account does \
         not hold; {usual}"
    );
    Some(Verdict::on(&window, Severity::Critical, parts, summary))
}

#[cfg(test)]
mod tests;
