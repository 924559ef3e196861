//! # Credentials of an instance used from another one
//!
//! ## Fires when
//! the day closes, and the credentials of an instance have called from an address that another instance of the
//! account has, while its own addresses are known and this is none of them. GuardDuty tells those that are used
//! outside AWS or in another account, not those that are used by a neighbour. Low where other instances call from
//! there, too, or the role has on earlier days.
//!
//! ## Quiet when
//! the address is one of its own; nobody knows whose it is, as of a NAT gateway; two interfaces or two instances
//! of the account have it; the own addresses of the instance are not known; or the account had so many addresses
//! within a week that some were left out.
//!
//! ## Misses
//! instances that neither the agent of Systems Manager nor their start, within a week, tells of; whoever goes out
//! through a gateway that both have; tasks, pods and functions.
//!
//! ## Triage
//! Who can reach the metadata service of the one instance from the other, or copied its credentials? Revoke the
//! sessions of the role, isolate both, and look for what the other one did before. A host that forwards for others,
//! such as a proxy or a NAT instance, can be marked benign.

use crate::detector::{Case, Impact, Interest, Meta, Severity, Technique, Verdict};
use crate::facts::{Said, Topic, Use, inventory::Inventory};
use crate::finding::FlowSeen;
use crate::record::{Counts, Record};
use baseline::{Dimension, Evidence, Kind, Part, Slot};
use std::collections::{BTreeMap, BTreeSet};

pub(super) static META: Meta = Meta {
    id: "instance-credentials-elsewhere",
    severity: Severity::High,
    impact: Impact::Credential,
    techniques: &[Technique("T1552.005"), Technique("T1078.004")],
    guardduty: Some("UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS"),
    interest: Interest::Closed,
    source: include_str!("instance_credentials_elsewhere.rs"),
    settings_source: include_str!("instance_credentials_elsewhere.rs"),
};

/// Table `[detectors.instance-credentials-elsewhere]`.
#[derive(Debug, Clone, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// From where so many other instances called it is a way out for many. Unit: instances.
    pub sharers_min: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { sharers_min: 2 }
    }
}

pub(super) fn contribute(_: &Record<'_>, _: &mut Counts) {}

/// Credentials that were used where another instance is.
struct Elsewhere<'f> {
    of: Use<'f>,
    /// Whose address it is.
    other: &'f str,
    said: &'f Said,
    is_usual: bool,
}

pub(super) fn judge(settings: &Settings, case: &Case<'_>) -> Option<Verdict> {
    let day = case.span.hour.day();
    if case.entity.kind != Kind::Workload || !case.facts.has(day, Topic::Used) {
        return None;
    }
    let view = case.facts.view(day);
    let own = case.facts.uses(day, &view, &case.entity.key);
    let (inventory, users) = (&view.inventory, &view.users);
    let elsewhere = own.into_iter().filter_map(|(of, said)| {
        let addresses = inventory.addresses_of(of.instance);
        if addresses.is_empty() || addresses.contains(of.address) {
            return None;
        }
        let other = inventory.instance_at(of.address).filter(|other| *other != of.instance)?;
        let sharers = users.get(of.address).into_iter().flatten();
        let n_sharers = sharers.filter(|user| ![other, of.instance].contains(&&***user)).count();
        let is_same = |text: &str| {
            Use::of(text).is_some_and(|one| (one.key, one.address) == (of.key, of.address))
        };
        let is_usual =
            n_sharers >= settings.sharers_min || case.facts.n_days(day, Topic::Used, is_same) > 0;
        Some(Elsewhere { of, other, said, is_usual })
    });
    let elsewhere: Vec<Elsewhere<'_>> = elsewhere.collect();
    let first =
        elsewhere.iter().min_by_key(|one| (one.is_usual, one.of.instance, one.of.address))?;
    let severity = if first.is_usual { Severity::Low } else { Severity::High };
    Some(verdict(inventory, (first, &elsewhere), severity))
}

fn verdict(
    inventory: &Inventory,
    (first, all): (&Elsewhere<'_>, &[Elsewhere<'_>]),
    severity: Severity,
) -> Verdict {
    let Use { instance, address, .. } = first.of;
    let own = inventory.addresses_of(instance).into_iter().collect::<Vec<_>>().join(", ");
    let interface = inventory.interface_at(address);
    let at = interface.map_or_else(String::new, |interface| format!(" ({interface})"));
    let more = match all.len() - 1 {
        0 => String::new(),
        n => format!("; and {n} more like it"),
    };
    let other = first.other;
    let summary = format!(
        "called with credentials of {instance} from {address}, which {other}{at} has, not from its own: {own}{more}"
    );
    let usual = if first.is_usual { "others call from there" } else { "from its own addresses" };
    let observed = format!("credentials of {instance} at {address}");
    let (dimension, usual) = (Dimension::Network, usual.to_owned());
    let part = Part { dimension, bits: severity.prior(), observed, usual };
    let records: BTreeSet<&Evidence> = all
        .iter()
        .filter(|one| one.is_usual == first.is_usual)
        .flat_map(|one| one.said.records())
        .collect();
    let mut slots: BTreeMap<Slot, u64> = BTreeMap::new();
    for record in &records {
        *slots.entry(Slot::of(record.time_ms)).or_default() += 1;
    }
    let flow = interface.map(|interface| FlowSeen {
        interface: interface.to_owned(),
        peers: vec![address.to_owned()],
        ..FlowSeen::default()
    });
    Verdict {
        parts: vec![part],
        severity,
        summary,
        slots: slots.into_iter().collect(),
        last_ms: records.last().map(|record| record.time_ms),
        records: records.into_iter().cloned().collect(),
        targets: vec![instance.to_owned(), other.to_owned()],
        flow,
        threshold: None,
    }
}

#[cfg(test)]
mod tests;
