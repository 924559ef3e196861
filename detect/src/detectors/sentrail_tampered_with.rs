//! # What sentrail lives on was tampered with
//!
//! ## Fires when
//! somebody touches what sentrail itself lives on: the trail, flow logs and buckets that it reads, the queue, topic and
//! event rule by which it is told of them, their key, its own task, instance and role, its snapshots, or the topic, bus
//! and Security Hub that it tells. Critical if it sees or tells nothing more by this way (a trail stopped, a queue deleted,
//! a service set to no tasks), high if something is lost and it goes on (a queue purged, a snapshot deleted), medium if the
//! parameters do not say what comes of it (another policy, other attributes). A deployment, which is a CI pipeline or an
//! AWS service such as `CloudFormation`, makes high of critical and low of the others; a call that failed makes medium and low of them.
//! What is its own stands in `own` of the configuration; sinks, queues and buckets that are named anyway need not be named
//! again.
//! It is always on: no habit, no mark and no list makes it quieter, it cannot be disabled, and only a suppression
//! that names it hides what it tells.
//!
//! ## Quiet when
//! the same is done to anything else; the parameters say that all is as before (a notification that still tells the
//! queue, a policy that still lets the bucket send to it, a service with other tasks than none and the same definition,
//! selectors that take all); or its own role deletes old snapshots.
//!
//! ## Misses
//! what nobody said is its own; deeds that no API of AWS does (a process killed, a network cut, `kubectl`), which
//! `feed-silent` and the alarms beside it tell; an auto scaling group that is set to none; deeds after which no log
//! comes through; policies that name their own by a pattern, which are medium.
//!
//! ## Triage
//! Ask whoever did it, now, and by another way than the one that he may read. Put it back: `sentrail doctor` says what is not
//! as it should be. Then read what came meanwhile: what lies in the bucket is found by `--bucket` or `replay`; of what
//! was not logged CloudTrail's event history has the calls that change things, for 90 days. Read what the same session
//! did before: who blinds the watch means to do something else.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::own::{self, Effect};
use crate::record::{Counts, Record};
use baseline::{Dimension, Kind, Part};
use ingest::event::Outcome;
use std::collections::BTreeSet;

pub(super) static META: Meta = Meta {
    id: own::TAMPERED,
    severity: Severity::Critical,
    impact: Impact::Evasion,
    techniques: &[Technique("T1562.008"), Technique("T1562.001"), Technique("T1489")],
    guardduty: None,
    interest: Interest::Apis(own::APIS),
    source: include_str!("sentrail_tampered_with.rs"),
    settings_source: include_str!("sentrail_tampered_with.rs"),
};

/// Table `[detectors.sentrail-tampered-with]`: there is nothing to set.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[expect(clippy::empty_structs_with_brackets, reason = "TOML has no table for a unit")]
pub struct Settings {}

/// Deeds that a summary names. Unit: deeds.
const SHOWN_MAX: usize = 3;
/// How a deed was done, in words that stand behind its name.
const DEPLOYED: &str = "by a deployment";
const FAILED: &str = "in vain";
const DONE: &str = "";

pub(super) fn contribute(record: &Record<'_>, counts: &mut Counts) {
    for touch in own::touches(record.event, record.api, record.account, record.own) {
        let (severity, how) = weighed(touch.effect, record);
        let deed = [severity.label(), how, record.api, &touch.arn].join("|");
        counts.value(Dimension::OwnTouched, deed);
    }
}

fn weighed(effect: Effect, record: &Record<'_>) -> (Severity, &'static str) {
    let by_pipeline = matches!(record.principal.entity.kind, Kind::Ci | Kind::Service);
    match effect {
        Effect::Blinds if is_failed(record) => (Severity::Medium, FAILED),
        _ if is_failed(record) => (Severity::Low, FAILED),
        Effect::Blinds if by_pipeline => (Severity::High, DEPLOYED),
        // Whoever assumes a role can call himself a pipeline.
        Effect::Harms if by_pipeline => (Severity::Medium, DEPLOYED),
        Effect::Changes if by_pipeline => (Severity::Low, DEPLOYED),
        Effect::Blinds => (Severity::Critical, DONE),
        Effect::Harms => (Severity::High, DONE),
        Effect::Changes => (Severity::Medium, DONE),
    }
}

fn is_failed(record: &Record<'_>) -> bool {
    record.event.outcome() == Outcome::Failure
}

/// What was counted of a call.
struct Deed<'v> {
    severity: Severity,
    how: &'v str,
    api: &'v str,
    arn: &'v str,
}

impl<'v> Deed<'v> {
    fn read(value: &'v str) -> Option<Self> {
        let mut parts = value.splitn(4, '|');
        let (label, how, api) = (parts.next()?, parts.next()?, parts.next()?);
        let severity = Severity::ALL.iter().find(|one| one.label() == label)?;
        Some(Self { severity: *severity, how, api, arn: parts.next()? })
    }

    fn words(&self) -> String {
        let (is, _) = own::part(self.arn);
        let how = if self.how.is_empty() { String::new() } else { format!(" {}", self.how) };
        format!("{}{how} on {is} {}", self.api, self.arn)
    }
}

pub(super) fn judge(_: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let window = case.span.whole(Dimension::OwnTouched, |_| true)?;
    let values = window.counted.values.heaviest();
    let mut deeds: Vec<Deed<'_>> =
        values.iter().filter_map(|(value, _)| Deed::read(value)).collect();
    deeds.sort_by_key(|deed| (std::cmp::Reverse(deed.severity), deed.api, deed.arn));
    let worst = deeds.first()?;
    // Of more than are kept nobody knows the worst.
    let is_whole = !window.counted.values.is_estimate();
    let severity = if is_whole { worst.severity } else { Severity::Critical };
    let shown: Vec<String> = deeds.iter().take(SHOWN_MAX).map(Deed::words).collect();
    let more = match deeds.len().saturating_sub(SHOWN_MAX) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let (_, without) = own::part(worst.arn);
    let comes = match (worst.how == FAILED, severity) {
        (true, _) => format!("had it not failed, {without}"),
        (false, Severity::Low | Severity::Medium) => format!("see whether {without}"),
        (false, _) => format!("now {without}"),
    };
    let summary = format!("touched what sentrail lives on: {}{more}: {comes}", shown.join(", "));
    let part = Part {
        dimension: Dimension::OwnTouched,
        bits: severity.prior(),
        observed: worst.api.to_owned(),
        usual: "no habit makes it usual".to_owned(),
    };
    let targets: BTreeSet<&str> = deeds.iter().map(|deed| deed.arn).collect();
    let targets = targets.into_iter().take(Verdict::TARGETS_MAX).map(str::to_owned).collect();
    Some(Verdict { targets, ..Verdict::on(&window, severity, vec![part], summary) })
}

#[cfg(test)]
mod tests;
