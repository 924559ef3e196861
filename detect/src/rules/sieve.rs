//! Which rules the records of a chunk leave to be asked: worked out once for all records that have
//! the same API, caller, address, agent and ending, which are most.

use super::{
    index::{Left, OfApi, Open},
    set::RuleSet,
};
use crate::{intern::Interner, record::Record};
use ingest::{Event, event::Outcome};

/// Numbers under which a reader knows parts of a record, and what each leaves.
#[derive(Debug, Clone, Copy)]
pub struct Candidates<'c> {
    /// By [`RuleSet::of_api`].
    pub api: (u32, &'c OfApi),
    /// By [`RuleSet::of_caller`].
    pub caller: (u32, &'c Open),
    /// By [`RuleSet::of_address`].
    pub address: (u32, &'c Open),
}

/// What agents and endings leave, and what all parts of a record leave together.
#[derive(Debug, Default)]
pub struct Sieve {
    agents: Interner<Open>,
    endings: Interner<Open>,
    together: Interner<Left>,
    nothing: Left,
    /// Keys of look-ups that take several fields.
    scratch: Vec<u8>,
}

impl Sieve {
    /// The rules that are left of a record whose parts have these numbers.
    #[inline]
    pub fn left(
        &mut self,
        rules: &RuleSet,
        candidates: Candidates<'_>,
        record: &Record<'_>,
    ) -> &Left {
        let Candidates { api, caller, address } = candidates;
        if api.1.leaves_none(&[caller.1, address.1]) {
            return &self.nothing;
        }
        self.left_by_all(rules, candidates, record)
    }

    fn left_by_all(
        &mut self,
        rules: &RuleSet,
        Candidates { api, caller, address }: Candidates<'_>,
        record: &Record<'_>,
    ) -> &Left {
        let Self { agents, endings, together, nothing, scratch } = self;
        let agent = record.event.user_agent.map_or("", |agent| agent.0);
        let n_agent = agents.number(agent.as_bytes(), || rules.of_agent(record.event));
        let Some(agent) = agents.get(n_agent) else { return nothing };
        if api.1.leaves_none(&[caller.1, address.1, agent]) {
            return nothing;
        }
        // Dearer to tell than the agent, which is one text.
        write_ending(scratch, record.event);
        let n_ending = endings.number(scratch, || rules.of_ending(record.event, scratch));
        let Some(ending) = endings.get(n_ending) else { return nothing };
        let opens = [caller.1, address.1, ending, agent];
        if api.1.leaves_none(&opens) {
            return nothing;
        }
        scratch.clear();
        for n in [api.0, caller.0, address.0, n_ending, n_agent] {
            scratch.extend_from_slice(&n.to_le_bytes());
        }
        let n = together.number(scratch, || rules.left(api.1, &opens, record));
        together.get(n).unwrap_or(nothing)
    }
}

/// All that [`Facet::Ending`](super::view::Facet) knows: texts, how it ended, and which members there
/// are.
fn write_ending(key: &mut Vec<u8>, event: &Event<'_>) {
    let members = [
        event.outcome() == Outcome::Failure,
        event.event_type.is_some(),
        event.error_code.is_some(),
        event.error_message.is_some(),
        event.vpc_endpoint.is_some(),
        event.shared_event_id.is_some(),
        event.request.is_some(),
        event.response.is_some(),
        event.additional.is_some(),
        event.resources.is_some(),
        event.service_details.is_some(),
        event.addendum.is_some(),
        event.tls.is_some(),
    ];
    let bits = (0..).zip(members).fold(0_u16, |bits, (n, is)| bits | u16::from(is) << n);
    key.clear();
    key.extend_from_slice(&bits.to_le_bytes());
    key.extend_from_slice(event.event_type.map_or("", |text| text.0).as_bytes());
    key.push(0);
    key.extend_from_slice(event.error_code.map_or("", |text| text.0).as_bytes());
}
