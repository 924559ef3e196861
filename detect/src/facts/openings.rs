//! Who opened ports of a security group to the address that he called from: records to the words of facts, and
//! back.

use super::{Topic, inventory::word};
use crate::{
    record::{Counts, Record},
    rules::matcher::Range,
};
use ingest::{Raw, enrich::Caller, event::Outcome};
use std::net::IpAddr;

/// Calls that open ports.
pub(crate) const APIS: &[&str] =
    &["ec2:AuthorizeSecurityGroupIngress", "ec2:ModifySecurityGroupRules"];

/// Rules of one call that are looked at. Unit: rules.
const RULES_MAX: usize = 256;

/// What a record says: each rule that lets in whoever calls.
pub(crate) fn contribute(record: &Record<'_>, counts: &mut Counts) {
    let (Caller::Public(address), Some(request)) = (record.caller, record.event.request) else {
        return;
    };
    if record.event.outcome() == Outcome::Failure {
        return;
    }
    let (address, entity) = (address.to_canonical(), &record.principal.entity);
    let rules = rules(request).into_iter().take(RULES_MAX);
    for Rule { protocol, ports: (from, to), group, .. } in
        rules.filter(|rule| rule.lets_in(address))
    {
        let (kind, key) = (entity.kind.name(), &entity.key);
        counts.fact(Topic::LetIn, format!("{protocol} {from} {to} {group} {address} {kind} {key}"));
    }
}

/// Ports that a call opens to networks.
struct Rule {
    protocol: &'static str,
    ports: (u16, u16),
    group: String,
    networks: Vec<String>,
}

impl Rule {
    fn lets_in(&self, address: IpAddr) -> bool {
        let networks = self.networks.iter().filter_map(|network| Range::parse(network));
        networks.into_iter().any(|network| network.contains(address))
    }
}

/// How the members of a rule are called: those of the newer call begin with capitals.
const PERMISSION: [&str; 3] = ["ipProtocol", "fromPort", "toPort"];
const CHANGED: [&str; 3] = ["IpProtocol", "FromPort", "ToPort"];

fn rules(request: Raw<'_>) -> Vec<Rule> {
    if let Some(request) = request.get("ModifySecurityGroupRulesRequest") {
        let group = word(request.get("GroupId"));
        let all = request.get("SecurityGroupRule").into_iter().flat_map(Raw::each);
        let rules = all.filter_map(|one| one.get("SecurityGroupRule"));
        let of = |raw: Raw<'_>| {
            let networks = raw.members(["CidrIpv4", "CidrIpv6"]).into_iter().filter_map(word);
            rule((raw, CHANGED), group.as_deref(), networks.collect())
        };
        return rules.filter_map(of).collect();
    }
    let group = word(request.get("groupId"));
    let items = request.path(&["ipPermissions", "items"]).into_iter().flat_map(Raw::each);
    let of = |raw: Raw<'_>| {
        let networks = [("ipRanges", "cidrIp"), ("ipv6Ranges", "cidrIpv6")].into_iter();
        let networks = networks.flat_map(|(set, name)| {
            let items = raw.path(&[set, "items"]).into_iter().flat_map(Raw::each);
            items.filter_map(move |item| word(item.get(name)))
        });
        rule((raw, PERMISSION), group.as_deref(), networks.collect())
    };
    // The older way asks for one rule, without a list.
    let alone = word(request.get("cidrIp")).into_iter().collect();
    let alone = rule((request, PERMISSION), group.as_deref(), alone);
    items.filter_map(of).chain(alone).collect()
}

/// A rule that lets in somebody; `None` where it has no ports, as ICMP, or names no network.
fn rule(
    (raw, names): (Raw<'_>, [&str; 3]),
    group: Option<&str>,
    networks: Vec<String>,
) -> Option<Rule> {
    let [protocol, from, to] = raw.members(names);
    let ports = || {
        let port = |raw: Option<Raw<'_>>| u16::try_from(raw?.integer()?).ok();
        Some((port(from)?, port(to)?))
    };
    let (protocol, ports) = match word(protocol)?.as_str() {
        "-1" => ("any", (0, u16::MAX)),
        "tcp" | "6" => ("tcp", ports()?),
        "udp" | "17" => ("udp", ports()?),
        _ => return None,
    };
    let group = group.unwrap_or("-").to_owned();
    (!networks.is_empty()).then_some(Rule { protocol, ports, group, networks })
}

/// What a fact says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening<'f> {
    ports: (u16, u16),
    pub(crate) group: &'f str,
    address: &'f str,
    /// Kind of the identity.
    pub(crate) kind: &'f str,
    /// Key of the identity.
    pub(crate) key: &'f str,
}

impl<'f> Opening<'f> {
    /// Of the words of a fact.
    pub(crate) fn of(text: &'f str) -> Option<Self> {
        let mut words = text.splitn(7, ' ');
        let [_, from, to, group, address, kind, key] = std::array::from_fn(|_| words.next());
        let ports = (from?.parse().ok()?, to?.parse().ok()?);
        Some(Self { ports, group: group?, address: address?, kind: kind?, key: key? })
    }

    /// Whether it lets in who comes to a port from an address.
    pub(crate) fn lets_in(&self, address: &str, port: u16) -> bool {
        self.address == address && (self.ports.0..=self.ports.1).contains(&port)
    }
}
