//! Which rules the records of a chunk leave to be asked: worked out once for all records that have
//! the same API, agent and ending, which are most; and of what they leave, once for each caller and
//! for each address.

use super::{
    index::{Left, OfApi, Open, PARTS},
    set::RuleSet,
};
use crate::{intern::Interner, record::Record};
use ingest::{Event, event::Outcome};

/// What a reader knows of parts of a record.
#[derive(Debug, Clone, Copy)]
pub struct Candidates<'c> {
    /// By [`RuleSet::of_api`].
    pub api: &'c OfApi,
    /// Numbers of the caller and of the address within the chunk.
    pub numbers: [u32; 2],
}

/// What parts of records leave, and what all parts of a record leave together.
#[derive(Debug, Default)]
pub struct Sieve {
    agents: Interner<Open>,
    endings: Interner<Open>,
    /// What API, agent and ending leave.
    calls: Interner<Left>,
    /// By [`PARTS`].
    parts: [Asked; 2],
    left: Left,
    nothing: Left,
    /// Keys of look-ups that take several fields.
    scratch: Vec<u8>,
}

impl Sieve {
    /// What is known, without what texts say. Unit: bytes.
    pub(crate) fn n_bytes(&self) -> usize {
        let asked = self.parts.iter().map(|asked| size_of_val(&*asked.words));
        let texts = [self.agents.n_bytes(), self.endings.n_bytes(), self.calls.n_bytes()];
        asked.chain(texts).sum()
    }

    /// The rules that are left of a record.
    pub fn left(
        &mut self,
        rules: &RuleSet,
        Candidates { api, numbers }: Candidates<'_>,
        record: &Record<'_>,
    ) -> &Left {
        let Self { agents, endings, calls, parts, left, nothing, scratch } = self;
        if api.leaves_none(&[]) {
            return nothing;
        }
        let agent = record.event.user_agent.map_or("", |agent| agent.0);
        let n_agent = agents.number(agent.as_bytes(), || rules.of_agent(record.event));
        let Some(agent) = agents.get(n_agent) else { return nothing };
        if api.leaves_none(&[agent]) {
            return nothing;
        }
        // Dearer to tell than the agent, which is one text.
        write_ending(scratch, record.event);
        let n_ending = endings.number(scratch, || rules.of_ending(record.event, scratch));
        let Some(ending) = endings.get(n_ending) else { return nothing };
        if api.leaves_none(&[agent, ending]) {
            return nothing;
        }
        api.write_key([agent, ending], scratch);
        let opens = [agent, ending];
        let n_call = calls.number(scratch, || rules.left_by_call((api, &opens), scratch, record));
        let Some(of_call) = calls.get(n_call).filter(|left| !left.is_empty()) else {
            return nothing;
        };
        left.become_of(of_call, |at, word| {
            let parts = (0..).zip(parts.iter_mut()).zip(numbers);
            parts.fold(word, |word, ((part, asked), number)| {
                asked.narrow((part, number), (at, word), rules, record)
            })
        });
        left
    }
}

/// What each caller, or each address, was asked, and what it leaves of that: nobody is asked what no
/// call of it leaves.
#[derive(Debug, Default)]
struct Asked {
    /// By number of the part: its words, rules that it was asked and those of them that it leaves.
    words: Vec<(u64, u64)>,
}

impl Asked {
    /// What this part of `record` leaves of a word of rules.
    #[inline]
    fn narrow(
        &mut self,
        (part, number): (usize, u32),
        (at, word): (u32, u64),
        rules: &RuleSet,
        record: &Record<'_>,
    ) -> u64 {
        let unasking = rules.unasking(part);
        if word & !unasking.get(at as usize).copied().unwrap_or(0) == 0 {
            return word;
        }
        let (from, place) = (number as usize * unasking.len(), at as usize);
        if self.words.len() <= from + place {
            let new = (self.words.len() / unasking.len())..=number as usize;
            self.words.extend(new.flat_map(|_| unasking).map(|unasking| (*unasking, u64::MAX)));
        }
        let Some((asked, left)) = self.words.get_mut(from + place) else { return word };
        let new = word & !*asked;
        if new != 0 {
            *asked |= new;
            *left &= !new | rules.left_by(PARTS.get(part), (at, new), record);
        }
        word & *left
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
        event.from_console.is_some(),
        event.from_console == Some(true),
    ];
    let bits = (0..).zip(members).fold(0_u16, |bits, (n, is)| bits | u16::from(is) << n);
    key.clear();
    key.extend_from_slice(&bits.to_le_bytes());
    key.extend_from_slice(event.event_type.map_or("", |text| text.0).as_bytes());
    key.push(0);
    key.extend_from_slice(event.error_code.map_or("", |text| text.0).as_bytes());
}
