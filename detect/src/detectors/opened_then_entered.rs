//! # A port opened for one's own address, and entered from there
//!
//! ## Fires when
//! somebody opens ports of a security group to addresses among which is the one that the call came from, and
//! within `hours-max` hours an interface of the account answers a connection from that address at such a port,
//! one that carries more than an attempt to log on, or goes on. Low where the identity opened ports for its own
//! address on earlier days, or is a pipeline.
//!
//! ## Quiet when
//! nobody comes, or from another address; the port is one for everybody (the web, mail between servers, names,
//! time); or the same connections were there before the port was opened, on that day or on days before. Where a
//! later record says so, what was told is taken back when the day closes.
//!
//! ## Misses
//! who comes from another address than that of the call, or by the other version of IP; rules for groups and
//! lists of prefixes; connections that carry less than 16 KiB and end within three minutes; who comes through a
//! load balancer.
//!
//! ## Triage
//! Ask whoever opened the port whether it was them. If not, revoke the rule and the credentials, isolate the host,
//! and read what it did since. If so, a session of Systems Manager needs no open port.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::facts::{
    Said, Topic,
    openings::{self, Opening},
};
use crate::finding::FlowSeen;
use crate::record::{Counts, Record};
use baseline::{Dimension, Evidence, Kind, Part, Slot, Value, time::SLOTS};
use std::collections::{BTreeMap, BTreeSet};

pub(super) static META: Meta = Meta {
    id: "opened-then-entered",
    severity: Severity::Medium,
    impact: Impact::Persistence,
    techniques: &[Technique("T1562.007"), Technique("T1133")],
    guardduty: None,
    interest: Interest::Apis(openings::APIS),
    source: include_str!("opened_then_entered.rs"),
    settings_source: include_str!("opened_then_entered.rs"),
};

/// Table `[detectors.opened-then-entered]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// For so long after the port was opened a connection is told. Unit: hours, at most 24.
    pub hours_max: u32,
}

/// Openings of the day and of the day before are known. Unit: hours.
const HOURS_MAX: u32 = 24;

impl Default for Settings {
    fn default() -> Self {
        Self { hours_max: HOURS_MAX }
    }
}

pub(super) fn contribute(record: &Record<'_>, counts: &mut Counts) {
    openings::contribute(record, counts);
}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let (day, dimension) = (case.span.hour.day(), Dimension::Visits);
    if case.entity.kind != Kind::Interface || !case.facts.has(day, Topic::LetIn) {
        return None;
    }
    // Most hours hold none: only then is it asked who opened what.
    case.span.slots_of(dimension).next()?;
    let n_slots = i32::try_from(settings.hours_max.min(HOURS_MAX)).unwrap_or(0) * SLOTS;
    let openings = case.facts.until(day, (Topic::LetIn, 1));
    let openings = openings.filter_map(|(_, text, said)| Some((Opening::of(text)?, said)));
    // Once per identity: its days before are many facts.
    let mut habits: BTreeMap<(&str, &str), (Severity, String)> = BTreeMap::new();
    let openings = openings.map(|(opening, said)| {
        let habit = habits.entry((opening.kind, opening.key));
        let habit = habit.or_insert_with(|| severity(case, &opening)).clone();
        (opening, said, habit)
    });
    let openings: Vec<_> = openings.collect();
    // By which somebody may have come in, and not before: of several the one that is nobody's habit, else the last.
    let opened = |slot: Slot, value: &Value| {
        let (peer, port) = value.text.rsplit_once(' ')?;
        let port = port.parse().ok().filter(|_| !case.usual.has_shown(dimension, value))?;
        let first = case.span.first_on_day(dimension, value).unwrap_or(slot);
        let apt = openings.iter().filter(|(opening, ..)| opening.lets_in(peer, port));
        let near = (Slot(slot.0.saturating_sub(n_slots)), first);
        let of = apt.filter_map(|(opening, said, habit)| Some((last(said, near)?, opening, habit)));
        of.max_by_key(|(record, opening, (severity, _))| (*severity, *record, opening.key))
    };
    let window = case.span.whole_by_slot(dimension, |slot, value| opened(slot, value).is_some())?;
    // The last time that it was entered so.
    let entered = |value: &Value| {
        let slots = case.span.slots_with(dimension, value);
        slots.filter_map(|slot| opened(slot, value)).last()
    };
    let values = window.counted.values.heaviest();
    let (value, _) = values.first().copied()?;
    let all = || window.counted.values.iter().map(|(value, _)| value);
    let (first, opening, (severity, usual)) = entered(all().find(|one| *one.text == *value)?)?;
    let records: BTreeSet<&Evidence> = all().filter_map(|one| Some(entered(one)?.0)).collect();
    let (peer, port) = value.rsplit_once(' ')?;
    let actor = first.call.actor.as_deref().unwrap_or(opening.key);
    let summary = format!(
        "was entered at port {port} from {peer}, from where {actor} had opened it in {}; usual: {usual}",
        opening.group
    );
    let observed = format!("{peer} at port {port}, opened by {}", opening.key);
    let part = Part { dimension, bits: severity.prior(), observed, usual: usual.clone() };
    let flow = FlowSeen::of(&case.entity.key, values.iter().copied());
    Some(Verdict {
        records: records.into_iter().cloned().collect(),
        targets: vec![opening.group.to_owned()],
        flow: Some(flow),
        ..Verdict::on(&window, *severity, vec![part], summary)
    })
}

/// The last record between two slots.
fn last(said: &Said, (from, until): (Slot, Slot)) -> Option<&Evidence> {
    let is_near = |record: &&Evidence| (from..=until).contains(&Slot::of(record.time_ms));
    said.records().filter(is_near).last()
}

fn severity(case: &Case<'_>, opening: &Opening<'_>) -> (Severity, String) {
    let is_own = |text: &str| Opening::of(text).is_some_and(|one| one.key == opening.key);
    let n_days = case.facts.n_days(case.span.hour.day(), Topic::LetIn, is_own);
    let is_usual = n_days > 0 || opening.kind == Kind::Ci.name();
    let severity = if is_usual { Severity::Low } else { Severity::Medium };
    let usual = match n_days {
        0 => "did not open ports for its own address on days before".to_owned(),
        1 => "opened ports for its own address on a day before".to_owned(),
        n => format!("opened ports for its own address on {n} days before"),
    };
    (severity, usual)
}

#[cfg(test)]
mod tests;
