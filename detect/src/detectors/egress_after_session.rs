//! # A host that calls a stranger after somebody got at it through AWS
//!
//! ## Fires when
//! within `minutes-max` minutes after a session of Systems Manager, a command, an SSH key of EC2 Instance Connect
//! or a tunnel to an instance, its interface sends `kibibytes-min` KiB or more to an address outside AWS which
//! neither it nor others of its account have sent to before, once it has `days-min` days of history and anything new
//! carries at least `bits-min` bits for it. Low where a pipeline or an AWS service did it, or the identity was
//! on hosts on `habit-days-min` earlier days, unless the address belongs to a network of rented servers or of a
//! VPN.
//!
//! ## Quiet when
//! the peer is known, or was called earlier on that day (what a later record says of it, or of whose the interface
//! is, is taken back when the day closes); the peer is in a network of Amazon, as mirrors of
//! packages and Systems Manager itself are; the host calls new ones all the time; nobody knows whose the
//! interface is.
//!
//! ## Misses
//! commands that choose their hosts by tags; what leaves to known peers, or to services of AWS; sessions that
//! wait longer. Whose an interface is, is known of the agent of Systems Manager, or of instances that were
//! started within a week.
//!
//! ## Triage
//! Who was on the host, and what did they run (session logs, if there are any)? Which process called the address?
//! If nobody can say, isolate the host and revoke the credentials that the session was begun with.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::facts::{
    Topic, inventory,
    sessions::{self, SessionOn},
};
use crate::finding::FlowSeen;
use crate::flows::{UNSEEN_BITS, is_stranger};
use crate::record::{Counts, Record};
use baseline::{Dimension, Evidence, Kind, Slot, Value, time::SLOTS};
use ingest::enrich::{Asn, NetworkClass};
use std::collections::BTreeSet;

pub(super) static META: Meta = Meta {
    id: "egress-after-session",
    severity: Severity::Medium,
    impact: Impact::Exfiltration,
    techniques: &[Technique("T1021.007"), Technique("T1105"), Technique("T1041")],
    guardduty: None,
    interest: Interest::Apis(&[
        "ec2-instance-connect:OpenTunnel",
        "ec2-instance-connect:SendSSHPublicKey",
        "ec2-instance-connect:SendSerialConsoleSSHPublicKey",
        "ssm:SendCommand",
        "ssm:StartSession",
        "ec2:AllocateAddress",
        "ec2:AssociateAddress",
        "ec2:AttachNetworkInterface",
        "ec2:CreateNatGateway",
        "ec2:CreateNetworkInterface",
        "ec2:RunInstances",
        "ssm:UpdateInstanceInformation",
    ]),
    source: include_str!("egress_after_session.rs"),
    settings_source: include_str!("egress_after_session.rs"),
};

/// Table `[detectors.egress-after-session]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// For so long after the session began a new peer is told. Unit: minutes, at most 1,440.
    pub minutes_max: u32,
    /// Less to one peer in the hour is never told. Unit: KiB.
    pub kibibytes_min: u64,
    /// With less history nothing is told. Unit: days with records.
    pub days_min: u32,
    /// What anything new must carry: of a host that calls new ones all the time it is 1, and more the longer it has
    /// called the same. Unit: bits.
    pub bits_min: f64,
    /// Days with sessions before that make them a habit. Unit: days.
    pub habit_days_min: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { minutes_max: 60, kibibytes_min: 8, days_min: 3, bits_min: 1.3, habit_days_min: 2 }
    }
}

/// Sessions of the day and of the day before are known. Unit: minutes.
const MINUTES_MAX: u32 = 24 * 60;

pub(super) fn contribute(record: &Record<'_>, counts: &mut Counts) {
    inventory::contribute(record, counts);
    sessions::contribute(record, counts);
}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let (day, dimension) = (case.span.hour.day(), Dimension::BytesOut);
    if case.entity.kind != Kind::Interface
        || !case.facts.has(day, Topic::Session)
        || case.usual.own_days() < settings.days_min
        || case.usual.newness(dimension).as_f64() < settings.bits_min
    {
        return None;
    }
    let is_strange =
        |value: &Value| is_outside_aws(case, &value.text) && is_stranger(&value.text, case);
    // Most hours hold none: only then is it asked who was on the host.
    case.span.whole(dimension, is_strange)?;
    let begun = sessions(settings, case);
    // Of those that the peer came after: the one that is nobody's habit, else the last.
    let before = |slot: Slot, value: &Value| {
        let first = case.span.first_on_day(dimension, value).unwrap_or(slot);
        let near = begun.iter().filter(|one| one.from <= first && slot <= one.until);
        near.max_by_key(|one| (!one.is_usual, one.record, one.of.key))
    };
    let is_new = |slot: Slot, value: &Value| before(slot, value).is_some() && is_strange(value);
    let window = case.span.whole_by_slot(dimension, is_new)?;
    let values = window.counted.values.heaviest();
    let (peer, kibibytes) =
        values.first().copied().filter(|(_, n)| *n >= settings.kibibytes_min)?;
    let (value, _) = window.counted.values.iter().find(|(value, _)| *value.text == *peer)?;
    let slots = case.span.slots_with(dimension, value);
    let session = slots.filter_map(|slot| before(slot, value)).last()?;
    let part = case.usual.novelty(dimension, value, UNSEEN_BITS);
    let is_rented = matches!(class(case, peer), Some(NetworkClass::Hosting | NetworkClass::Vpn));
    let severity = if session.is_usual && !is_rented { Severity::Low } else { Severity::Medium };
    let record = session.record;
    let actor = record.call.actor.as_deref().unwrap_or(session.of.key);
    let more = match values.len() - 1 {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let summary = format!(
        "sent {kibibytes} KiB to {peer}{more}, which nobody of the account did before, after {} by {actor} on {}; \
         usual: {}",
        record.call.api, session.of.target, part.usual
    );
    let flow = FlowSeen::of(&case.entity.key, values.iter().copied());
    let targets = vec![session.of.target.to_owned()];
    let records: BTreeSet<&Evidence> = begun.iter().map(|one| one.record).collect();
    let records = records.into_iter().cloned().collect();
    let verdict = Verdict::on(&window, severity, vec![part], summary);
    Some(Verdict { records, targets, flow: Some(flow), ..verdict })
}

/// A session, and the slots in which what the host does may be its work.
struct Begun<'c> {
    from: Slot,
    until: Slot,
    of: SessionOn<'c>,
    record: &'c Evidence,
    is_usual: bool,
}

/// The sessions on the host that reach into the hour.
fn sessions<'c>(settings: &Settings, case: &Case<'c>) -> Vec<Begun<'c>> {
    let (hour, interface) = (case.span.hour, &*case.entity.key);
    let day = hour.day();
    let minutes = i64::from(settings.minutes_max.min(MINUTES_MAX));
    let n_slots = i32::try_from(minutes * i64::from(SLOTS) / 60).unwrap_or(0);
    let mut begun = Vec::new();
    let view = case.facts.view(day);
    let inventory = &view.inventory;
    for (_, text, said) in case.facts.until(day, (Topic::Session, 1)) {
        let near = said.records().filter_map(|record| {
            let from = Slot::of(record.time_ms);
            let until = Slot(from.0.saturating_add(n_slots));
            let reaches = from <= hour.last_slot() && hour.first_slot() <= until;
            reaches.then_some((from, until, record))
        });
        let near: Vec<_> = near.collect();
        let of = SessionOn::of(text).filter(|_| !near.is_empty());
        let of = of.filter(|of| inventory.is_at(of.target, interface));
        if let Some(of) = of {
            let is_usual = is_usual(settings, case, of);
            let all = near.into_iter();
            begun.extend(all.map(|(from, until, record)| Begun {
                from,
                until,
                of,
                record,
                is_usual,
            }));
        }
    }
    begun
}

/// Whether somebody gets at hosts as a habit: a pipeline, a service, or whoever did so on earlier days.
fn is_usual(settings: &Settings, case: &Case<'_>, of: SessionOn<'_>) -> bool {
    let is_own = |text: &str| SessionOn::of(text).is_some_and(|one| one.key == of.key);
    let is_machine = [Kind::Ci, Kind::Service].iter().any(|kind| kind.name() == of.kind);
    let n_days = || case.facts.n_days(case.span.hour.day(), Topic::Session, is_own);
    is_machine || n_days() >= settings.habit_days_min
}

fn is_outside_aws(case: &Case<'_>, peer: &str) -> bool {
    class(case, peer) != Some(NetworkClass::Amazon)
}

fn class(case: &Case<'_>, peer: &str) -> Option<NetworkClass> {
    let network = case.enrich.origin(peer.parse().ok()?).network;
    network.map(Asn::class)
}

#[cfg(test)]
mod tests;
