//! Every rule that was loaded, ready to be asked about records.

use super::{
    fields::Field,
    index::{Index, Left, OfApi, Open, narrowed},
    known::{self, Known},
    names::Names,
    ports::ByPorts,
    rule::{Correlation, Rule, RuleNo},
    sigma::Sample,
    view::{Facet, FlowRow, Parts, Seen, View},
};
use crate::{
    own::NOTHING,
    record::{Acting, Record},
};
use ingest::{
    Event,
    enrich::{Caller, Origin},
    flow::{self, FlowBatch},
};
use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
};

/// Rules and correlations, made ready. Share one between threads.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
    correlations: Vec<Correlation>,
    names: Names,
    /// Made when the first record is asked about: many replays read one kind of logs.
    index: OnceLock<Index>,
    flows: OnceLock<ByPorts>,
    filters: Vec<Applied>,
    known: KnownParts,
}

/// What parts of records leave, from chunk to chunk.
#[derive(Debug, Clone, Default)]
struct KnownParts {
    apis: Known<OfApi>,
    /// Agents and endings.
    others: Known<Open>,
    /// API, agent and ending together.
    calls: Known<Left>,
}

/// A filter that was put to rules.
#[derive(Debug, Clone)]
pub(crate) struct Applied {
    pub(crate) file: Arc<str>,
    pub(crate) to: Vec<RuleNo>,
    pub(crate) samples: Vec<Sample>,
}

/// A record of whose caller and address nothing is known.
fn of_nobody<'r>(event: &'r Event<'r>, api: &'r str) -> Parts<'r> {
    let (caller, origin) = (Caller::Other, Origin::default());
    let (principal, acting) = (None, Acting::default());
    Parts { event, api, principal, acting, caller, origin, account: "", own: &NOTHING }
}

impl RuleSet {
    pub(crate) fn new(rules: Vec<Rule>, correlations: Vec<Correlation>, names: Names) -> Self {
        Self { rules, correlations, names, ..Self::default() }
    }

    pub(super) fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::of(&self.rules, &self.names))
    }

    fn flows(&self) -> &ByPorts {
        self.flows.get_or_init(|| ByPorts::of(&self.rules, &self.names))
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
        let parts = of_nobody(event, api);
        let read_only = [event.read_only.map_or(2, u8::from)];
        let text = [event.source.0.as_bytes(), event.name.0.as_bytes(), &read_only];
        self.known.apis.get(&known::together(&text), |part| {
            let view = View::of(&[Facet::Api], parts, &self.names);
            self.index().of_api(&view, (&event.name.get(), api), &self.rules).of_part(part)
        })
    }

    /// The open rules that records of an agent can match. Of `event` it reads `userAgent` only.
    pub(crate) fn of_agent(&self, event: &Event<'_>) -> Open {
        let agent = event.user_agent.map_or("", |agent| agent.0);
        self.open(Facet::Agent, of_nobody(event, ""), agent.as_bytes())
    }

    /// The open rules that records with this ending can match. Of `event` it reads what
    /// [`Facet::Ending`] says only, and that is `ending`.
    pub(crate) fn of_ending(&self, event: &Event<'_>, ending: &[u8]) -> Open {
        self.open(Facet::Ending, of_nobody(event, ""), ending)
    }

    /// The rules that all records can match that share API, agent and ending with `record`, of those
    /// that the parts leave. `key` is what [`OfApi::write_key`] says of them.
    pub(crate) fn left_by_call(
        &self,
        parts: (&OfApi, &[&Open]),
        key: &[u8],
        record: &Record<'_>,
    ) -> Left {
        self.known.calls.get(key, |_| {
            let view = View::of(&Facet::SHARED, record, &self.names);
            self.index().left(parts, &view, &self.rules)
        })
    }

    /// Of those that a call of this caller leaves, the rules that all records can match that share the
    /// call and the caller with `record`.
    pub(crate) fn left_by_caller(&self, left: &Left, record: &Record<'_>) -> Left {
        let [api, agent, ending] = Facet::SHARED;
        let view = View::of(&[api, agent, ending, Facet::Caller], record, &self.names);
        Left::of(left.rules(), &view, &self.rules)
    }

    /// The rules that do not ask for this one of [`PARTS`](super::index::PARTS), by bits.
    pub(crate) fn unasking(&self, part: usize) -> &[u64] {
        self.index().unasking(part)
    }

    /// Of the rules of a word those that all records can match that share this part with `record`.
    pub(crate) fn left_by(
        &self,
        part: Option<&Facet>,
        word: (u32, u64),
        record: &Record<'_>,
    ) -> u64 {
        let view = View::of(part.map_or(&[], std::slice::from_ref), record, &self.names);
        narrowed(word, &view, &self.rules)
    }

    /// What a part of a record leaves that is told by `text`.
    fn open(&self, facet: Facet, parts: Parts<'_>, text: &[u8]) -> Open {
        self.known.others.get(&known::together(&[&[facet as u8], text]), |part| {
            let view = View::of(&[facet], parts, &self.names);
            self.index().open(facet, &view, &self.rules).of_part(part)
        })
    }

    /// Visits the rules that match a record, of those that are left of it, in a fixed order.
    #[inline]
    pub fn matches(&self, left: &Left, record: &Record<'_>, visit: &mut dyn FnMut(RuleNo)) {
        if !left.is_empty() {
            let asked = self.index().asked(left, record.event.raw.0);
            self.matches_of(asked, Seen::from(record), visit);
        }
    }

    /// Visits the rows of flow logs that match rules, with each of the rules, in order.
    pub(crate) fn flow_matches<'b>(
        &self,
        batch: &'b FlowBatch,
        visit: &mut dyn FnMut(FlowRow<'b>, RuleNo),
    ) {
        self.flows().each(batch, |row, left| {
            let row = FlowRow { batch, row };
            let left = left.map(|no| (no, false));
            self.matches_of(left, Seen::from(row), &mut |no| visit(row, no));
        });
    }

    fn matches_of(
        &self,
        left: impl Iterator<Item = (RuleNo, bool)>,
        seen: Seen<'_>,
        visit: &mut dyn FnMut(RuleNo),
    ) {
        let view = View::whole(seen, &self.names);
        for (no, is_certain) in left {
            let rule = self.rules.get(no.0 as usize);
            let holds = |rule: &Rule| rule.predicate().holds(&view) == Some(true);
            if is_certain || rule.is_some_and(holds) {
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
        let rules = self.flows().rules();
        for rule in rules.iter().filter_map(|no| self.rules.get(no.0 as usize)) {
            rule.predicate().fields(&mut add);
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
