//! What a rule is asked about: a record or a row of flow logs, or that part of a record which many
//! records share.

use super::{matcher::Value, names::Names, policy::Access};
use crate::{
    own::Own,
    record::{Acting, Record},
};
use baseline::Principal;
use ingest::{
    Event, Raw, Text,
    enrich::{Caller, Origin},
    flow::{self, FlowBatch, Kind},
};
use std::{cell::OnceCell, net::IpAddr};

/// Parts of a record that many records share word for word, and the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Facet {
    /// `eventSource`, `eventName`, `readOnly`.
    Api,
    /// `userIdentity`, `recipientAccountId`.
    Caller,
    /// `sourceIPAddress`, and what is known of it.
    Address,
    /// `userAgent`.
    Agent,
    /// How it ended: `eventType`, `errorCode`, `sessionCredentialFromConsole`, and which of the members
    /// of [`Self::Member`] there are.
    Ending,
    /// A member that many records lack.
    Member,
    /// `srcport` of flow logs.
    SrcPort,
    /// `dstport` of flow logs.
    DstPort,
    Rest,
}

impl Facet {
    /// All that few are enough of to be worked out for each.
    pub(crate) const SHARED: [Self; 3] = [Self::Api, Self::Agent, Self::Ending];

    fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// What a record is made of. Where only a facet is known, the others hold nothing of use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'r> {
    pub(crate) event: &'r Event<'r>,
    pub(crate) api: &'r str,
    pub(crate) principal: Option<&'r Principal>,
    pub(crate) acting: Acting,
    pub(crate) caller: Caller,
    pub(crate) origin: Origin,
    pub(crate) account: &'r str,
    pub(crate) own: &'r Own,
}

/// One row of flow logs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlowRow<'r> {
    pub(crate) batch: &'r FlowBatch,
    pub(crate) row: usize,
}

/// What a rule saw: whole.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Seen<'r> {
    Record(Parts<'r>),
    Flow(FlowRow<'r>),
    /// Of a row of flow logs, the port that a facet knows.
    Port(Option<i64>),
}

impl<'r> From<Parts<'r>> for Seen<'r> {
    fn from(parts: Parts<'r>) -> Self {
        Self::Record(parts)
    }
}

impl<'r> From<&'r Record<'r>> for Seen<'r> {
    fn from(record: &'r Record<'r>) -> Self {
        let Record { event, api, principal, acting, caller, origin, account, own } = *record;
        let principal = Some(principal);
        Self::Record(Parts { event, api, principal, acting, caller, origin, account, own })
    }
}

impl<'r> From<FlowRow<'r>> for Seen<'r> {
    fn from(row: FlowRow<'r>) -> Self {
        Self::Flow(row)
    }
}

/// What is seen, how much of it is known, and what of it was worked out already.
#[derive(Debug)]
pub(crate) struct View<'r> {
    seen: Seen<'r>,
    /// Facets, by bits.
    known: u16,
    names: &'r Names,
    access: OnceCell<Access>,
    identity: OnceCell<Vec<Member<'r>>>,
    request: OnceCell<Vec<Member<'r>>>,
}

/// A member of an object: its key and its value.
pub(crate) type Member<'r> = (Text<'r>, Raw<'r>);

impl<'r> View<'r> {
    /// All of what was seen.
    pub(crate) fn whole(seen: impl Into<Seen<'r>>, names: &'r Names) -> Self {
        Self::new(seen.into(), u16::MAX, names)
    }

    /// Parts of a record or row.
    pub(crate) fn of(facets: &[Facet], seen: impl Into<Seen<'r>>, names: &'r Names) -> Self {
        let known = facets.iter().fold(0, |known, facet| known | facet.bit());
        Self::new(seen.into(), known, names)
    }

    fn new(seen: Seen<'r>, known: u16, names: &'r Names) -> Self {
        let (access, identity, request) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { seen, known, names, access, identity, request }
    }

    /// Nothing of any log.
    pub(crate) fn nothing(names: &'r Names) -> Self {
        Self::of(&[], Seen::Port(None), names)
    }

    pub(crate) fn knows(&self, facet: Facet) -> bool {
        self.known & facet.bit() != 0
    }

    pub(crate) fn seen(&self) -> Seen<'r> {
        self.seen
    }

    pub(crate) fn names(&self) -> &'r Names {
        self.names
    }

    /// Whom the record lets in. Policies are read once, whatever the number of rules that ask.
    pub(crate) fn access(&self, parts: Parts<'_>) -> &Access {
        self.access.get_or_init(|| Access::given_by(parts.event, parts.account))
    }
}

impl<'r> View<'r> {
    /// The members of an object that many fields are looked for in: cut out once, whatever the number
    /// of rules that ask. `None` for others.
    pub(crate) fn members(&self, parts: Parts<'r>, raw: Raw<'_>) -> Option<&[Member<'r>]> {
        let is = |one: Option<Raw<'_>>| one.is_some_and(|one| std::ptr::eq(one.0, raw.0));
        let (members, raw) = match parts.event {
            Event { identity: Some(raw), .. } if is(Some(*raw)) => (&self.identity, *raw),
            Event { request: Some(raw), .. } if is(Some(*raw)) => (&self.request, *raw),
            _ => return None,
        };
        let is_object = raw.0.trim_ascii_start().starts_with('{');
        is_object.then(|| members.get_or_init(|| raw.entries().collect()).as_slice())
    }
}

/// The four addresses of a flow.
const ADDRESSES: [flow::Field; 4] =
    [flow::Field::SrcAddr, flow::Field::DstAddr, flow::Field::PktSrcAddr, flow::Field::PktDstAddr];

impl<'r> FlowRow<'r> {
    /// Its value of a field; `None` where the log has none.
    pub(crate) fn value(self, field: flow::Field) -> Option<Value<'r>> {
        let Self { batch, row } = self;
        match field.kind() {
            Kind::Address => {
                let address = batch.addresses(field)?.get(row)?;
                Some(Value::Address(flow::ip(address)))
            }
            Kind::Text => batch.texts(field)?.get(row).map(Value::Plain),
            Kind::Int32 | Kind::Int64 => match batch.value(field, row) {
                flow::Value::Integer(integer) => Some(Value::Integer(integer)),
                _ => None,
            },
        }
    }

    /// Its addresses.
    pub(crate) fn addresses(self) -> impl Iterator<Item = IpAddr> {
        let values = ADDRESSES.into_iter().filter_map(move |field| self.value(field));
        values.filter_map(|value| match value {
            Value::Address(address) => Some(address),
            _ => None,
        })
    }

    /// The fields that [`Self::addresses`] reads.
    pub(crate) fn address_fields() -> [flow::Field; 4] {
        ADDRESSES
    }
}
