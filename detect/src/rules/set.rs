//! Every rule that was loaded, ready to be asked about records.

use super::{
    fields::Field,
    index::{Index, Left, OfApi, Open},
    known::Known,
    names::Names,
    ports::ByPorts,
    rule::{Correlation, Rule, RuleNo},
    sigma::Sample,
    view::{Facet, FlowRow, Parts, Seen, View},
};
use crate::record::Record;
use baseline::{Principal, stable_hash};
use ingest::{
    Event,
    enrich::{Caller, Origin},
    flow::{self, FlowBatch},
};
use std::{collections::BTreeSet, sync::Arc};

/// Rules and correlations, made ready. Share one between threads.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
    correlations: Vec<Correlation>,
    names: Names,
    index: Index,
    flows: ByPorts,
    filters: Vec<Applied>,
    known: KnownParts,
}

/// What parts of records leave, from chunk to chunk.
#[derive(Debug, Clone, Default)]
struct KnownParts {
    apis: Known<OfApi>,
    /// Callers, addresses, agents and endings.
    others: Known<Open>,
    together: Known<Left>,
}

/// A filter that was put to rules.
#[derive(Debug, Clone)]
pub(crate) struct Applied {
    pub(crate) file: Arc<str>,
    pub(crate) to: Vec<RuleNo>,
    pub(crate) samples: Vec<Sample>,
}

/// A caller that a facet does not know.
const NOBODY: (Caller, Origin) = (Caller::Other, Origin { country: None, network: None });

impl RuleSet {
    pub(crate) fn new(rules: Vec<Rule>, correlations: Vec<Correlation>, names: Names) -> Self {
        let index = Index::of(&rules, &names);
        let flows = ByPorts::of(&rules, &names);
        let (filters, known) = (Vec::new(), KnownParts::default());
        Self { rules, correlations, names, index, flows, filters, known }
    }

    /// The set, with what is known of the filters that its rules have in them.
    pub(super) fn with_filters(self, filters: Vec<Applied>) -> Self {
        Self { filters, ..self }
    }

    /// The filters that its rules have in them.
    pub(crate) fn filters(&self) -> &[Applied] {
        &self.filters
    }

    /// The rules; a [`RuleNo`] is a place among them.
    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The correlations.
    pub(crate) fn correlations(&self) -> &[Correlation] {
        &self.correlations
    }

    /// What the configuration gives.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// The rules that records of an API can match. Of `event` it reads `eventSource`, `eventName`
    /// and `readOnly` only; `api` is that of a [`Record`].
    pub fn of_api(&self, event: &Event<'_>, api: &str) -> OfApi {
        let (caller, origin) = NOBODY;
        let parts = Parts { event, api, principal: None, caller, origin, account: "" };
        let read_only = [event.read_only.map_or(2, u8::from)];
        let text = [event.source.0.as_bytes(), event.name.0.as_bytes(), &read_only];
        let part = stable_hash(&text);
        self.known.apis.get(part, || {
            let view = View::of(&[Facet::Api], parts, &self.names);
            self.index.of_api(&view, (&event.name.get(), api), &self.rules).of_part(part)
        })
    }

    /// The open rules that records of a caller can match. Of `event` it reads `userIdentity` and
    /// `recipientAccountId` only.
    pub fn of_caller(&self, event: &Event<'_>, principal: &Principal) -> Open {
        let (caller, origin) = NOBODY;
        let principal = Some(principal);
        let parts = Parts { event, api: "", principal, caller, origin, account: "" };
        let recipient = event.recipient_account.map_or("", |account| account.0);
        let identity = event.identity.map_or("", |raw| raw.0);
        self.open(Facet::Caller, parts, &[recipient, identity])
    }

    /// The open rules that records from an address can match. Of `event` it reads
    /// `sourceIPAddress` only.
    pub fn of_address(&self, event: &Event<'_>, caller: Caller, origin: Origin) -> Open {
        let parts = Parts { event, api: "", principal: None, caller, origin, account: "" };
        let country = origin.country.as_ref().map_or("", |country| country.as_str());
        let network = origin.network.map_or_else(String::new, |network| network.0.to_string());
        let text = event.source_ip.map_or("", |text| text.0);
        self.open(Facet::Address, parts, &[text, country, &network])
    }

    /// The open rules that records of an agent can match. Of `event` it reads `userAgent` only.
    pub(crate) fn of_agent(&self, event: &Event<'_>) -> Open {
        let (caller, origin) = NOBODY;
        let parts = Parts { event, api: "", principal: None, caller, origin, account: "" };
        self.open(Facet::Agent, parts, &[event.user_agent.map_or("", |agent| agent.0)])
    }

    /// The open rules that records with this ending can match. Of `event` it reads what
    /// [`Facet::Ending`] says only, and that is `ending`.
    pub(crate) fn of_ending(&self, event: &Event<'_>, ending: &[u8]) -> Open {
        let (caller, origin) = NOBODY;
        let parts = Parts { event, api: "", principal: None, caller, origin, account: "" };
        self.known_open(Facet::Ending, parts, stable_hash(&[b"ending", ending]))
    }

    /// The rules that all records can match that share API, caller, address, agent and ending with
    /// `record`, of those that the parts leave.
    pub(crate) fn left(&self, api: &OfApi, opens: &[&Open; 4], record: &Record<'_>) -> Left {
        self.known.together.get(api.parts(opens), || {
            let view = View::of(&Facet::SHARED, record, &self.names);
            self.index.left((api, opens), &view, &self.rules)
        })
    }

    /// What a part of a record leaves that is told by `text`.
    fn open(&self, facet: Facet, parts: Parts<'_>, text: &[&str]) -> Open {
        let text = text.iter().map(|text| text.as_bytes());
        let of = [facet as u8];
        let told: Vec<&[u8]> = [&of[..]].into_iter().chain(text).collect();
        self.known_open(facet, parts, stable_hash(&told))
    }

    fn known_open(&self, facet: Facet, parts: Parts<'_>, part: u128) -> Open {
        self.known.others.get(part, || {
            let view = View::of(&[facet], parts, &self.names);
            self.index.open(facet, &view, &self.rules).of_part(part)
        })
    }

    /// Visits the rules that match a record, of those that are left of it, in a fixed order.
    #[inline]
    pub fn matches(&self, left: &Left, record: &Record<'_>, visit: &mut dyn FnMut(RuleNo)) {
        if !left.is_empty() {
            let asked = self.index.asked(left, record.event.raw.0);
            self.matches_of(asked, Seen::from(record), visit);
        }
    }

    /// Visits the rows of flow logs that match rules, with each of the rules, in order.
    pub(crate) fn flow_matches<'b>(
        &self,
        batch: &'b FlowBatch,
        visit: &mut dyn FnMut(FlowRow<'b>, RuleNo),
    ) {
        self.flows.each(batch, |row, left| {
            let row = FlowRow { batch, row };
            self.matches_of(left, Seen::from(row), &mut |no| visit(row, no));
        });
    }

    fn matches_of(
        &self,
        left: impl Iterator<Item = RuleNo>,
        seen: Seen<'_>,
        visit: &mut dyn FnMut(RuleNo),
    ) {
        let view = View::whole(seen, &self.names);
        for no in left {
            let rule = self.rules.get(no.0 as usize);
            if rule.is_some_and(|rule| rule.predicate.holds(&view) == Some(true)) {
                visit(no);
            }
        }
    }

    /// The columns of flow logs that rules ask for; none where no rule about flow logs can match.
    pub(crate) fn flow_fields(&self) -> BTreeSet<flow::Field> {
        let mut fields = BTreeSet::new();
        let mut add = |field: &Field| match field {
            Field::Flow(field) => {
                fields.insert(*field);
            }
            Field::FlowLists => fields.extend(FlowRow::address_fields()),
            _ => {}
        };
        let rules = self.flows.rules();
        for rule in rules.iter().filter_map(|no| self.rules.get(no.0 as usize)) {
            rule.predicate.fields(&mut add);
            rule.filters.iter().for_each(|filter| filter.fields(&mut add));
            rule.fields().for_each(&mut add);
        }
        let members = self.correlations.iter().flat_map(|correlation| &correlation.members);
        for member in members.filter(|member| rules.contains(&member.rule)) {
            let fields = member.group_by.iter().chain(&member.counted).chain(&member.targets);
            fields.for_each(&mut add);
        }
        fields
    }
}

#[cfg(test)]
mod tests;
