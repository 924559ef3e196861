//! Rows of flow logs, as far as rules ask for them.

use crate::{
    chunk::FlowMatch,
    engine::Context,
    rules::view::FlowRow,
    watch::{Flow, Whom},
};
use baseline::{Entity, Kind, Slot, kept};
use ingest::{
    enrich::Caller,
    flow::{Field, FlowBatch, Value},
    source::Filter,
};
use std::net::IpAddr;

/// Rows of one object.
pub struct FlowRows<'a> {
    /// The rows.
    pub batch: &'a FlowBatch,
    /// The account of the object, for rows that do not tell theirs.
    pub account: Option<&'a str>,
    /// What is asked for.
    pub filter: &'a Filter,
}

/// What rules match of `rows`.
pub(super) fn matches(rows: &FlowRows<'_>, context: &Context) -> Vec<FlowMatch> {
    let (rules, key) = (&context.options.rules, &context.options.hash_key);
    let (set, watches) = (rules.set(), rules.watches());
    let batch = rows.batch;
    let text = |field, row| batch.texts(field).and_then(|texts| texts.get(row));
    let mut all = Vec::new();
    set.flow_matches(batch, &mut |seen, rule| {
        let FlowRow { row, .. } = seen;
        let Value::Integer(end_s) = batch.value(Field::End, row) else { return };
        let end_ms = end_s.saturating_mul(1_000);
        let account = text(Field::AccountId, row).or(rows.account).unwrap_or("unknown");
        if !rows.filter.admits_account(account) || !rows.filter.admits_time(end_ms) {
            return;
        }
        watches.found(rule, (set, key), seen.into(), &mut |found| {
            let whom = watches.get(found.watch).map(|watch| watch.whom);
            let source = || address(batch, Field::SrcAddr, row).map(|one| one.to_string());
            let (kind, name) = match whom {
                Some(Whom::Account) => (Kind::Account, Some(account.to_owned())),
                Some(Whom::Source) => (Kind::Source, source()),
                _ => (Kind::Interface, text(Field::InterfaceId, row).map(str::to_owned)),
            };
            let Some(name) = name else { return };
            let entity = Entity { account: kept(account), kind, key: kept(&name) };
            let (peer, port) = other_side(batch, row);
            let value = |text: String| key.value(&text);
            let flow = Flow { peer: peer.map(value), port: port.map(value) };
            let slot = Slot::of(end_ms);
            all.push(FlowMatch { id: entity.id(), entity, end_ms, slot, found, flow });
        });
    });
    all
}

fn address(batch: &FlowBatch, field: Field, row: usize) -> Option<IpAddr> {
    batch.addresses(field)?.get(row).map(ingest::flow::ip)
}

/// The peer of a flow, and the port of the service: where the log does not tell the direction, the
/// interface is the side with a private address, else the one that sends; services have the smaller
/// port.
fn other_side(batch: &FlowBatch, row: usize) -> (Option<String>, Option<String>) {
    let [from, to] = [Field::SrcAddr, Field::DstAddr].map(|field| address(batch, field, row));
    let direction = batch.texts(Field::FlowDirection).and_then(|texts| texts.get(row));
    let is_private = |side: &Option<IpAddr>| {
        side.is_some_and(|one| matches!(Caller::of(one), Caller::Private(_)))
    };
    let is_ingress = match direction {
        Some("ingress") => true,
        Some("egress") => false,
        _ => is_private(&to) && !is_private(&from),
    };
    let peer = if is_ingress { from } else { to };
    let ports = [Field::SrcPort, Field::DstPort].map(|field| match batch.value(field, row) {
        Value::Integer(port) if port > 0 => Some(port),
        _ => None,
    });
    let port = ports.into_iter().flatten().min();
    (peer.map(|peer| peer.to_string()), port.map(|port| port.to_string()))
}
