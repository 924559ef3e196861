//! Told stories on their way into logs, alone or beside an organisation's own.

use std::error::Error;
use std::net::IpAddr;

use super::{Told, Victim};
use crate::aws::flow::{Fields, Place};
use crate::organisation::{Organisation, Size, Vpc};
use crate::post::{Post, Sink, Written};

/// Writes what was told of `victim`, alone, into objects that go beside the user's own: in the
/// folder of `organisation_id` where their trail is an organisation's, else in the account's.
pub fn deliver(
    told: &Told,
    victim: &Victim,
    organisation_id: Option<&str>,
    sink: &mut dyn Sink,
) -> Result<Written, Box<dyn Error>> {
    let size = Size { accounts: 1, people: 1, machines: 0, pipelines: 0, agents: 0, vpcs: 0 };
    // Two stories told into the same logs must not give their objects the same names.
    let steps = told.truth.steps.iter();
    let ids = steps.flat_map(|step| step.event_ids.iter().chain(&step.flows));
    let seed = fold(ids.flat_map(|id| id.bytes()));
    let first_s = told.records.first().map_or(0, |(_, record)| record.time_s);
    let mut of = Organisation::new(seed, size, (first_s, 1));
    organisation_id.unwrap_or_default().clone_into(&mut of.id);
    let Some(account) = of.accounts.first().cloned() else { return Ok(Written::default()) };
    let mut ids: Vec<&String> = told.records.iter().map(|(account, _)| account).collect();
    ids.push(&victim.account);
    ids.sort_unstable();
    ids.dedup();
    let known = |id: &String| {
        let mut account = account.clone();
        account.id.clone_from(id);
        account.has_second_trail = false;
        account.home = victim.region;
        account
    };
    of.accounts = ids.iter().map(|id| known(id)).collect();
    let own = ids.iter().position(|id| **id == victim.account).unwrap_or(0);
    of.vpcs = vpc(told, victim, own).into_iter().collect();
    let mut post = Post::new(&of, false);
    for (id, record) in &told.records {
        let number = ids.iter().position(|known| *known == id).unwrap_or(0);
        post.record(number, record.clone());
    }
    for packets in &told.flows {
        if let Some(host) = of.vpcs.first().and_then(|vpc| vpc.host(&packets.interface)) {
            post.flow(0, packets.at(host));
        }
    }
    let own = victim.interface.as_ref().zip(of.vpcs.first());
    if let Some(host) = own.and_then(|(own, vpc)| vpc.host(&own.id)) {
        for gap in &told.gaps {
            post.skipped(0, host, (gap.start_s, gap.end_s));
        }
    }
    post.finish(sink)
}

/// The victim's VPC, as far as the story's flows name what is in it.
fn vpc(told: &Told, victim: &Victim, account: usize) -> Option<Vpc> {
    let at = victim.interface.as_ref()?;
    let mut interfaces: Vec<&String> = told.flows.iter().map(|flow| &flow.interface).collect();
    interfaces.sort_unstable();
    interfaces.dedup();
    let heard = interfaces.into_iter().filter_map(|id| {
        // Of some neighbours nothing is told but what they got.
        let received = told.flows.iter().find(|flow| flow.interface == *id).map(|flow| flow.to.0);
        let address = at.address_of(id).or(match received {
            Some(IpAddr::V4(address)) => Some(address),
            _ => None,
        });
        let about = at.fields.get(id).or_else(|| at.fields.get(&at.id)).cloned();
        Some((id.clone(), address?, about.unwrap_or_default()))
    });
    Some(Vpc::heard_of(account, (&at.flow_log, at.format.clone()), heard.collect()))
}

/// What was told of `victim` as one text, for logs that do not have AWS's names, and the ending of
/// such a file.
pub fn in_one_object(told: &Told, victim: &Victim) -> (&'static str, String) {
    let Some(at) = victim.interface.as_ref().filter(|_| told.records.is_empty()) else {
        let records: Vec<&str> = told.records.iter().map(|(_, record)| &*record.text).collect();
        return ("json", format!("{{\"Records\":[{}]}}\n", records.join(",")));
    };
    let mut rows = at.format.header().into_bytes();
    let nothing = Fields::new();
    for flow in &told.flows {
        let id = &flow.interface;
        let about = at.fields.get(id).or_else(|| at.fields.get(&at.id)).unwrap_or(&nothing);
        let address = at.address_of(id).unwrap_or(at.address);
        at.format.flow(flow, &Place::heard_of(&victim.account, id, address, about), &mut rows);
    }
    let about = at.fields.get(&at.id).unwrap_or(&nothing);
    for gap in &told.gaps {
        let place = Place::heard_of(&victim.account, &at.id, at.address, about);
        at.format.gap(*gap, &place, &mut rows);
    }
    ("log", String::from_utf8(rows).unwrap_or_default())
}

pub(super) fn fold(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)))
}
