//! Who began a session or ran a command on a host by Systems Manager or EC2 Instance Connect: records to the
//! words of facts, and back.

use super::{Topic, inventory::word};
use crate::record::{Counts, Record};
use ingest::{Raw, event::Outcome};
use std::net::IpAddr;

/// Hosts of one command that are looked at; it takes 50. Unit: hosts.
const TARGETS_MAX: usize = 64;

/// What a record says: each host that somebody got at.
pub(crate) fn contribute(record: &Record<'_>, counts: &mut Counts) {
    let (Some(request), entity) = (record.event.request, &record.principal.entity) else { return };
    if record.event.outcome() == Outcome::Failure {
        return;
    }
    for target in
        targets((record.api, request), record.event.response).into_iter().take(TARGETS_MAX)
    {
        let (kind, key) = (entity.kind.name(), &entity.key);
        counts.fact(Topic::Session, format!("{target} {kind} {key}"));
    }
}

fn targets((api, request): (&str, Raw<'_>), response: Option<Raw<'_>>) -> Vec<String> {
    let named = |names: &[&str]| names.iter().find_map(|name| word(request.get(name)));
    match api {
        "ssm:StartSession" => named(&["target"]).into_iter().collect(),
        // By ids; by tags only the answer could tell, which mostly does not know yet.
        "ssm:SendCommand" => {
            let asked = request.get("instanceIds");
            let told = response.and_then(|raw| raw.path(&["command", "instanceIds"]));
            let by_key = request.get("targets").into_iter().flat_map(Raw::each);
            let by_key =
                by_key.filter(|one| word(one.get("key")).as_deref() == Some("InstanceIds"));
            let by_key = by_key.filter_map(|one| one.get("values"));
            let all = asked.into_iter().chain(told).chain(by_key).flat_map(Raw::each);
            let mut all: Vec<String> = all.filter_map(|id| word(Some(id))).collect();
            all.sort_unstable();
            all.dedup();
            all
        }
        _ if api.starts_with("ec2-instance-connect:") => {
            let names = ["instanceId", "networkInterfaceId", "privateIpAddress"];
            let target = named(&names);
            let address = target.as_deref().and_then(|text| text.parse::<IpAddr>().ok());
            address.map(|one| one.to_canonical().to_string()).or(target).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// What a fact says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionOn<'f> {
    /// An instance, an interface or an address.
    pub(crate) target: &'f str,
    /// Kind of the identity.
    pub(crate) kind: &'f str,
    /// Key of the identity.
    pub(crate) key: &'f str,
}

impl<'f> SessionOn<'f> {
    /// Of the words of a fact.
    pub(crate) fn of(text: &'f str) -> Option<Self> {
        let mut words = text.splitn(3, ' ');
        Some(Self { target: words.next()?, kind: words.next()?, key: words.next()? })
    }
}
