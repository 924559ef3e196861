//! # Many secrets read in an hour
//!
//! ## Fires when
//! an identity asks for at least `secrets-min` distinct secrets within 60 minutes, granted or not:
//! Secrets Manager values, decrypted SSM parameters, password data of instances. A call that names
//! none counts as the page of secrets it can return; of `BatchGetSecretValue` with a filter that names
//! something, a quarter of it.
//! The evidence is the calls that asked for at least half as many as the largest one did.
//!
//! ## Quiet when
//! they are fewer than `secrets-min`; or, once there is history, carry fewer than `bits-min` bits.
//! An AWS service that reads for somebody is judged apart from him.
//!
//! ## Misses
//! reading slower than the floor; parameters that are not decrypted; secrets kept elsewhere.
//!
//! ## Triage
//! Which secrets were granted? Rotate them, beginning with those that open other accounts. Then find
//! out how the credential was had.

use crate::detector::{
    Case, Impact, Interest, Meta, Severity, Technique, Verdict, number_of, usual_of,
};
use crate::record::{Counts, Record};
use baseline::Dimension;
use ingest::Raw;

pub(super) static META: Meta = Meta {
    id: "mass-secret-read",
    severity: Severity::High,
    impact: Impact::Credential,
    techniques: &[Technique("T1555.006"), Technique("T1552")],
    guardduty: Some("CredentialAccess:IAMUser/AnomalousBehavior"),
    interest: Interest::Apis(&[
        "ec2:GetPasswordData",
        "secretsmanager:BatchGetSecretValue",
        "secretsmanager:GetSecretValue",
        "ssm:GetParameter",
        "ssm:GetParameters",
        "ssm:GetParametersByPath",
    ]),
    source: include_str!("mass_secret_read.rs"),
    settings_source: include_str!("mass_secret_read.rs"),
};

/// Table `[detectors.mass-secret-read]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Fewer are never reported: Elastic's and Panther's rules start at 20. Unit: distinct secrets in
    /// 60 minutes.
    pub secrets_min: u64,
    /// What they must carry once there is history. Unit: bits.
    pub bits_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { secrets_min: 20, bits_min: 10.0 }
    }
}

/// What a page of `BatchGetSecretValue` holds unless the caller asks for fewer.
const SECRETS_A_PAGE: i64 = 20;
/// What counts of a page whose filters name something: nobody knows how much they leave, and four such
/// calls are as many as one for everything.
const SECRETS_A_FILTERED_PAGE: i64 = 5;
/// What a page of `GetParametersByPath` holds at most.
const PARAMETERS_A_PAGE: i64 = 10;

pub(super) fn contribute(record: &Record<'_>, counts: &mut Counts) {
    let Some(request) = record.event.request else { return };
    let is_decrypted = || request.get("withDecryption").and_then(ingest::Raw::bool) == Some(true);
    match record.api {
        "secretsmanager:GetSecretValue" => each(counts, request.get("secretId")),
        "ec2:GetPasswordData" => each(counts, request.get("instanceId")),
        "ssm:GetParameter" if is_decrypted() => each(counts, request.get("name")),
        "ssm:GetParameters" if is_decrypted() => each(counts, request.get("names")),
        "ssm:GetParametersByPath" if is_decrypted() => page(counts, request, PARAMETERS_A_PAGE),
        "secretsmanager:BatchGetSecretValue" => match request.get("secretIdList") {
            Some(list) if !list.is_null() => each(counts, Some(list)),
            _ if names_something(request) => page(counts, request, SECRETS_A_FILTERED_PAGE),
            _ => page(counts, request, SECRETS_A_PAGE),
        },
        _ => {}
    }
}

/// Whether a filter asks for certain secrets. One that only leaves some out, as `!x` does, asks for all.
fn names_something(request: Raw<'_>) -> bool {
    let filters = request.get("filters").into_iter().flat_map(Raw::each);
    let mut values = filters.filter_map(|filter| filter.get("values")).flat_map(Raw::each);
    values.any(|value| value.text().is_some_and(|text| !text.0.starts_with('!')))
}

fn each(counts: &mut Counts, names: Option<Raw<'_>>) {
    for name in names.into_iter().flat_map(ingest::Raw::each).filter_map(ingest::Raw::text) {
        counts.value(Dimension::Secrets, name.get());
    }
}

fn page(counts: &mut Counts, request: Raw<'_>, size: i64) {
    let asked = request.get("maxResults").and_then(ingest::Raw::integer).unwrap_or(size);
    counts.add(Dimension::SecretBatches, asked.clamp(1, size).unsigned_abs());
}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    // Named or paged through: each is judged by what is usual of it, and the rarer one told.
    let verdicts = [Dimension::Secrets, Dimension::SecretBatches]
        .into_iter()
        .filter_map(|dimension| judge_one(settings, case, dimension));
    verdicts.reduce(|named, paged| if paged.bits() > named.bits() { paged } else { named })
}

fn judge_one(settings: &Settings, case: &Case<'_>, dimension: Dimension) -> Option<Verdict> {
    let n = case.span.largest(dimension);
    let parts = case.improbable(dimension, n, (settings.secrets_min, settings.bits_min))?;
    let window = case.span.window(dimension)?;
    let usual = usual_of(&parts);
    let summary = if dimension == Dimension::Secrets {
        let n = number_of(&window.counted.values, n);
        format!("asked for {n} different secrets in 60 minutes; usual: {usual}")
    } else {
        format!("paged through up to {n} secrets without naming them in 60 minutes; usual: {usual}")
    };
    Some(Verdict::on(&window, Severity::High, parts, summary).with_heaviest_records())
}

#[cfg(test)]
mod tests;
