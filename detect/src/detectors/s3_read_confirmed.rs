//! # Much read from S3 by a host, as both logs say
//!
//! ## Fires when
//! what an interface takes within 60 minutes from networks of Amazon, or from hosts inside at port 443 as endpoints
//! are, is at least `mebibytes-min` and improbable (`bits-min` bits) against what it, or others of its account, takes in
//! an hour, and S3 logged that somebody read as much in these hours from an address of this interface or with
//! the credentials of its instance.
//!
//! ## Quiet when
//! it is less; nobody has history yet; the log of S3 names somebody else or nobody; or it is not known whose
//! the address is.
//!
//! ## Misses
//! objects below one mebibyte, which `anomalous-s3-exfiltration` counts as calls; buckets without data events;
//! people's keys behind a NAT gateway, whose address S3 sees.
//!
//! ## Triage
//! Which objects (the data events of the identity name them), and what did the host do with them: look at what it sent
//! since, and to whom (`data-leaving`). If nobody can say, revoke the credentials and isolate the host.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict, usual_of};
use crate::facts::{Topic, reads, reads::ReadFrom};
use crate::finding::FlowSeen;
use crate::record::{Counts, Record};
use baseline::{Dimension, Evidence, Hour, Kind};
use std::collections::{BTreeMap, BTreeSet};

pub(super) static META: Meta = Meta {
    id: "s3-read-confirmed",
    severity: Severity::Medium,
    impact: Impact::Exfiltration,
    techniques: &[Technique("T1530"), Technique("T1074.002")],
    guardduty: None,
    interest: Interest::Apis(&["s3:GetObject"]),
    source: include_str!("s3_read_confirmed.rs"),
    settings_source: include_str!("s3_read_confirmed.rs"),
};

/// Table `[detectors.s3-read-confirmed]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Less is never reported, by either log. Unit: MiB in 60 minutes.
    pub mebibytes_min: u64,
    /// What it must carry. Less than of `data-leaving`, since two logs have to agree; an hour of a day's work
    /// carries 6 to 7. Unit: bits.
    pub bits_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { mebibytes_min: 500, bits_min: 9.0 }
    }
}

pub(super) fn contribute(record: &Record<'_>, counts: &mut Counts) {
    reads::contribute(record, counts);
}

/// What one identity read, as S3 says.
#[derive(Default)]
struct Told<'f> {
    kibibytes: u64,
    addresses: BTreeSet<&'f str>,
    records: BTreeSet<&'f Evidence>,
}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let (dimension, day) = (Dimension::BytesTaken, case.span.hour.day());
    if case.entity.kind != Kind::Interface
        || !case.facts.has(day, Topic::Read)
        || !case.usual.can_judge(dimension)
    {
        return None;
    }
    let window = case.span.window(dimension)?;
    let n = window.statistic;
    let parts = case.improbable(dimension, n, (settings.mebibytes_min, settings.bits_min))?;
    let hours: BTreeSet<Hour> = window.slots.iter().map(|(slot, _)| slot.hour()).collect();
    let told = told(case, &hours);
    let (key, told) = told.iter().max_by_key(|(key, told)| (told.kibibytes, *key))?;
    let read = told.kibibytes >> 10;
    if read < settings.mebibytes_min {
        return None;
    }
    let actor = told.records.iter().find_map(|one| one.call.actor.as_deref()).unwrap_or(key);
    let from = told.addresses.iter().copied().collect::<Vec<_>>().join(", ");
    let summary = format!(
        "took {n} MiB from AWS within 60 minutes, while {actor} read {read} MiB by s3:GetObject from {from}, as S3 \
         logged it; usual, in MiB: {}",
        usual_of(&parts)
    );
    let flow = FlowSeen::of(&case.entity.key, window.counted.values.heaviest().iter().copied());
    let records = told.records.iter().copied().cloned().collect();
    let verdict = Verdict::on(&window, Severity::Medium, parts, summary);
    Some(Verdict { records, flow: Some(flow), ..verdict })
}

/// What each identity read through the interface in these hours.
fn told<'c>(case: &Case<'c>, hours: &BTreeSet<Hour>) -> BTreeMap<&'c str, Told<'c>> {
    let (day, interface) = (case.span.hour.day(), &*case.entity.key);
    let view = case.facts.view(day);
    let mut all: BTreeMap<&str, Told<'_>> = BTreeMap::new();
    for (of_day, text, said) in case.facts.until(day, (Topic::Read, 1)) {
        let near: Vec<Hour> = said.hours(of_day).filter(|hour| hours.contains(hour)).collect();
        let Some(of) = ReadFrom::of(text).filter(|_| !near.is_empty()) else { continue };
        let mut places = std::iter::once(of.address).chain(of.instance);
        if !places.any(|place| view.inventory.is_at(place, interface)) {
            continue;
        }
        let told = all.entry(of.key).or_default();
        told.kibibytes += near.iter().map(|hour| said.amount(*hour)).sum::<u64>();
        told.addresses.insert(of.address);
        told.records
            .extend(said.records().filter(|record| near.contains(&Hour::of(record.time_ms))));
    }
    all
}

#[cfg(test)]
mod tests;
