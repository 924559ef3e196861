//! # Logging was stopped, and the logs fell silent
//!
//! ## Fires when
//! the day closes on which an identity deleted flow logs, or stopped or deleted a trail, and what they logged came
//! no more: all interfaces of the account, or `interfaces-min` of them that were heard until then, or the records of the trail's
//! region that came in nearly every hour before, were silent for at least `hours-min` hours, while the account
//! was heard by its other logs; somebody may have made a new one since. Low if the identity stops logs every so often (fewer than `bits-min` bits).
//! `logging-switched-off` tells of the call at once; this is what it did.
//!
//! ## Quiet when
//! another flow log or trail, such as the organisation's, goes on to log the same; nothing else of the account is
//! heard either; the logs had pauses before; or the call failed.
//!
//! ## Misses
//! what is stopped in the last hours of a UTC day; a flow log of one or two interfaces beside others. Flow logs that
//! go because their whole VPC goes are not told from those that somebody wanted gone.
//!
//! ## Triage
//! Switch it on again. What happened since is in no log of the account: look at GuardDuty, at the logs of services, and at
//! what the same session did before.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::facts::{OfAccount, Said, Topic};
use crate::finding::FlowSeen;
use crate::record::{Counts, Record};
use baseline::{Day, Dimension, Evidence, Hour, Part, Slot};
use std::collections::{BTreeMap, BTreeSet};

pub(super) static META: Meta = Meta {
    id: "silence-after-stop",
    severity: Severity::High,
    impact: Impact::Evasion,
    techniques: &[Technique("T1562.008")],
    guardduty: None,
    interest: Interest::Closed,
    source: include_str!("silence_after_stop.rs"),
    settings_source: include_str!("silence_after_stop.rs"),
};

/// Table `[detectors.silence-after-stop]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[expect(clippy::struct_field_names, reason = "they are floors, and say so")]
pub struct Settings {
    /// Shorter silence is none. Unit: hours.
    pub hours_min: u32,
    /// Where others go on, so many that fall silent at once are no coincidence. Unit: interfaces.
    pub interfaces_min: usize,
    /// Below, this is usual for the identity, and the finding low. Unit: bits.
    pub bits_min: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { hours_min: 3, interfaces_min: 3, bits_min: 3.0 }
    }
}

/// Of the hours before a call these say whether a log comes all the time. Unit: hours.
const HOURS_BEFORE: i32 = 6;
/// In so many of them it has to come. Unit: hours.
const HEARD_MIN: usize = 5;
/// What was under way when the call was made may come in the hour after it. Unit: hours.
const HOURS_LATE: i32 = 1;

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

/// The hours in which things were heard, of the day and the day before.
type Heard<'f> = BTreeMap<&'f str, BTreeSet<Hour>>;

/// What fell silent after a call.
struct Silence<'f> {
    /// In words.
    what: String,
    interface: Option<&'f str>,
    n_hours: i32,
}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let day = case.span.hour.day();
    if !case.facts.has(day, Topic::Stopped) {
        return None;
    }
    let stops = case.facts.until(day, (Topic::Stopped, 0));
    let stops = stops.filter_map(|(_, text, said)| {
        let (api, key) = text.split_once(' ')?;
        (key == &*case.entity.key).then_some((api, said))
    });
    let stops: Vec<(&str, &Said)> = stops.collect();
    if stops.is_empty() {
        return None;
    }
    let interfaces = heard(case.facts, (day, Topic::Holds), |text| Some(text.split_once(' ')?.1));
    let regions = heard(case.facts, (day, Topic::Heard), Some);
    let of_record = |api: &str, record: &'_ Evidence| {
        let at = Hour::of(record.time_ms);
        if api == "ec2:DeleteFlowLogs" {
            return silent_interfaces(settings, at, (&interfaces, last(&regions)?));
        }
        let region = record.call.region.as_deref()?;
        let others = interfaces.iter().chain(regions.iter().filter(|(name, _)| **name != region));
        let others = others.filter_map(|(_, hours)| hours.last().copied()).max()?;
        silent_region(settings, at, (region, regions.get(region)?, others))
    };
    let found = stops.iter().flat_map(|(api, said)| {
        said.records().filter_map(move |record| Some((of_record(api, record)?, *api, record)))
    });
    let found: Vec<(Silence<'_>, &str, &Evidence)> = found.collect();
    let (silence, api, _) =
        found.iter().min_by_key(|(silence, _, record)| (-silence.n_hours, *record))?;
    let records: BTreeSet<&Evidence> = found.iter().map(|(.., record)| *record).collect();
    let n_hours = silence.n_hours;
    let what = &silence.what;
    let summary =
        format!("called {api}, after which {what} fell silent for {n_hours} hours or more");
    let habit = case.usual.presence(Dimension::LoggingOff);
    let is_usual = case.usual.own_days() > 0 && habit.bits.as_f64() < settings.bits_min;
    let severity = if is_usual { Severity::Low } else { Severity::High };
    let part = Part {
        bits: severity.prior(),
        observed: format!("{what} silent for {n_hours} hours"),
        ..habit
    };
    let slots: BTreeSet<Slot> = records.iter().map(|record| Slot::of(record.time_ms)).collect();
    let of =
        |slot: &Slot| records.iter().filter(|one| Slot::of(one.time_ms) == *slot).count() as u64;
    let flow = found.iter().find_map(|(silence, ..)| silence.interface);
    Some(Verdict {
        parts: vec![part],
        severity,
        summary,
        slots: slots.iter().map(|slot| (*slot, of(slot))).collect(),
        last_ms: records.last().map(|record| record.time_ms),
        records: records.iter().map(|record| (*record).clone()).collect(),
        targets: Vec::new(),
        flow: flow
            .map(|interface| FlowSeen { interface: interface.to_owned(), ..FlowSeen::default() }),
        threshold: None,
    })
}

fn heard<'f>(
    facts: &'f OfAccount,
    (day, topic): (Day, Topic),
    name: impl Fn(&'f str) -> Option<&'f str>,
) -> Heard<'f> {
    let mut heard = Heard::new();
    for (of, text, said) in facts.until(day, (topic, 1)) {
        if let Some(name) = name(text) {
            heard.entry(name).or_default().extend(said.hours(of));
        }
    }
    heard
}

/// The last hour in which anything was heard.
fn last(heard: &Heard<'_>) -> Option<Hour> {
    heard.values().filter_map(|hours| hours.last().copied()).max()
}

/// For how many hours something that came all the time was not heard after `at`: until it was heard again, else for as
/// long as others were.
fn silent_for(hours: &BTreeSet<Hour>, at: Hour, others: Hour) -> Option<i32> {
    let before = hours.range(Hour(at.0 - HOURS_BEFORE)..at).count();
    let late = Hour(at.0 + HOURS_LATE);
    let last = hours.range(..=late).next_back().filter(|last| last.0 >= at.0 - 1)?;
    let again = hours.range(Hour(late.0 + 1)..).next().map(|again| again.0 - 1);
    let until = again.unwrap_or(others.0);
    (before >= HEARD_MIN).then_some(until - last.0.max(at.0))
}

fn silent_interfaces<'f>(
    settings: &Settings,
    at: Hour,
    (interfaces, others): (&Heard<'f>, Hour),
) -> Option<Silence<'f>> {
    let is_long = |n: &i32| u32::try_from(*n).is_ok_and(|n| n >= settings.hours_min);
    let silent = interfaces
        .iter()
        .filter_map(|(name, hours)| Some((*name, silent_for(hours, at, others).filter(is_long)?)));
    let silent: Vec<(&str, i32)> = silent.collect();
    let names: BTreeSet<&str> = silent.iter().map(|(name, _)| *name).collect();
    let goes_on = |hours: &BTreeSet<Hour>| hours.last().is_some_and(|h| h.0 > at.0 + HOURS_LATE);
    let others = interfaces.iter().filter(|(name, _)| !names.contains(*name));
    let n_on = others.filter(|(_, hours)| goes_on(hours)).count();
    let n_min = if n_on == 0 { 1 } else { settings.interfaces_min };
    let n_hours = silent.iter().map(|(_, n)| *n).max()?;
    let interface = silent.first().map(|(name, _)| *name);
    let what = match (silent.len(), n_on) {
        (1, 0) => "the only interface of the account".to_owned(),
        (n, 0) => format!("all {n} interfaces of the account"),
        (n, others) => format!("{n} interfaces of the account, not {others} others,"),
    };
    (silent.len() >= n_min).then_some(Silence { what, interface, n_hours })
}

fn silent_region<'f>(
    settings: &Settings,
    at: Hour,
    (region, hours, others): (&str, &BTreeSet<Hour>, Hour),
) -> Option<Silence<'f>> {
    let n_hours = silent_for(hours, at, others)?;
    let is_long = u32::try_from(n_hours).is_ok_and(|n| n >= settings.hours_min);
    let what = format!("CloudTrail of {region}");
    is_long.then_some(Silence { what, interface: None, n_hours })
}

#[cfg(test)]
mod tests;
