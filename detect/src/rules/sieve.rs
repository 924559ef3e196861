//! Which rules the records of a chunk leave to be asked: worked out once for all records that have
//! the same API, agent and ending, which are most; and of what they leave, once for each caller, for
//! each of these calls by a caller, and for each address.

use super::{
    fields,
    index::{ADDRESS, CALLER, Left, OfApi, PARTS},
    known::Keep as _,
    set::RuleSet,
};
use crate::{
    intern::{Interner, Map},
    record::Record,
};
use ingest::{Event, event::Outcome};

/// What a reader knows of parts of a record.
#[derive(Debug, Clone, Copy)]
pub struct Candidates<'c> {
    /// By [`RuleSet::of_api`].
    pub api: &'c OfApi,
    /// The other parts.
    pub numbers: Numbers,
}

/// Numbers of parts of a record within the chunk: two records have the same where the parts are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Numbers {
    /// `userIdentity` and the account that received the call.
    pub caller: u32,
    /// `sourceIPAddress`.
    pub address: u32,
    /// `userAgent`.
    pub agent: u32,
    /// `errorCode`; an empty one may have the number of none.
    pub error: u32,
}

/// What records share word for word that leave the same rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Call {
    api: u64,
    agent: u32,
    error: u32,
    kind: u32,
    members: u32,
}

/// The place of what leaves no rule.
const NOTHING: u32 = u32::MAX;

/// What parts of records leave, and what all parts of a record leave together.
#[derive(Debug, Default)]
pub struct Sieve {
    /// `eventType`.
    kinds: Interner<()>,
    /// What API, agent and ending leave: the place among `lefts`.
    calls: Map<Call, u32>,
    /// What a call, by its place, and a caller leave together: the place among `lefts`.
    pairs: Map<(u32, u32), u32>,
    lefts: Vec<Left>,
    /// By [`PARTS`].
    parts: [Asked; 2],
    left: Left,
    nothing: Left,
}

impl Sieve {
    /// What is known of calls, and of calls by callers, without what texts say. Unit: bytes.
    pub(crate) fn n_bytes(&self) -> usize {
        let lefts = self.lefts.iter().map(|left| size_of::<Left>() + left.n_bytes());
        self.calls.len() * size_of::<(Call, u32)>()
            + self.pairs.len() * size_of::<((u32, u32), u32)>()
            + lefts.sum::<usize>()
    }

    /// What is known of callers, or of addresses. Unit: bytes.
    pub(crate) fn n_bytes_of(&self, part: usize) -> usize {
        self.parts.get(part).map_or(0, |asked| size_of_val(&*asked.words))
    }

    /// Forgets what calls leave: the numbers of agents and errors begin anew.
    pub(crate) fn forget_calls(&mut self) {
        self.calls.clear();
        self.pairs.clear();
        self.lefts.clear();
    }

    /// Forgets what callers leave, or addresses: their numbers begin anew.
    pub(crate) fn forget(&mut self, part: usize) {
        if let Some(asked) = self.parts.get_mut(part) {
            *asked = Asked::default();
        }
        if part == CALLER {
            self.pairs.clear();
        }
    }

    /// The rules that are left of a record.
    pub fn left(
        &mut self,
        rules: &RuleSet,
        Candidates { api, numbers }: Candidates<'_>,
        record: &Record<'_>,
    ) -> &Left {
        let Self { kinds, calls, pairs, lefts, parts, left, nothing } = self;
        if api.leaves_none(&[]) {
            return nothing;
        }
        let event = record.event;
        let kind = kinds.number(event.event_type.map_or("", |text| text.0).as_bytes(), || ());
        let Numbers { caller, address, agent, error } = numbers;
        let call = Call { api: api.number(), agent, error, kind, members: members(event) };
        let call = *calls.entry(call).or_insert_with(|| kept(lefts, of_call(rules, api, record)));
        let Some(of_call) = lefts.get(call as usize) else { return nothing };
        let [callers, addresses] = parts;
        let pair = if let Some(known) = pairs.get(&(call, caller)) {
            *known
        } else {
            left.become_of(of_call, |at, word| {
                callers.narrow((CALLER, caller), (at, word), rules, record)
            });
            let pair = kept(lefts, rules.left_by_caller(left, record));
            pairs.insert((call, caller), pair);
            pair
        };
        let Some(of_pair) = lefts.get(pair as usize) else { return nothing };
        left.become_of(of_pair, |at, word| {
            addresses.narrow((ADDRESS, address), (at, word), rules, record)
        });
        left
    }
}

/// Keeps what is left; answers with its place, or that nothing is.
fn kept(lefts: &mut Vec<Left>, left: Left) -> u32 {
    if left.is_empty() {
        return NOTHING;
    }
    lefts.push(left);
    u32::try_from(lefts.len() - 1).unwrap_or(NOTHING)
}

/// What API, agent and ending of a record leave.
fn of_call(rules: &RuleSet, api: &OfApi, record: &Record<'_>) -> Left {
    let agent = rules.of_agent(record.event);
    if api.leaves_none(&[&agent]) {
        return Left::default();
    }
    let mut key = ending(record.event);
    let ending = rules.of_ending(record.event, &key);
    if api.leaves_none(&[&agent, &ending]) {
        return Left::default();
    }
    api.write_key([&agent, &ending], &mut key);
    rules.left_by_call((api, &[&agent, &ending]), &key, record)
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
fn ending(event: &Event<'_>) -> Vec<u8> {
    let mut key = members(event).to_le_bytes().to_vec();
    key.extend_from_slice(event.event_type.map_or("", |text| text.0).as_bytes());
    key.push(0);
    key.extend_from_slice(event.error_code.map_or("", |text| text.0).as_bytes());
    key
}

/// How a record ended and which members it has, by bits.
fn members(event: &Event<'_>) -> u32 {
    let ending = [
        event.outcome() == Outcome::Failure,
        event.event_type.is_some(),
        event.error_code.is_some(),
        event.from_console.is_some(),
        event.from_console == Some(true),
    ];
    ending.into_iter().fold(fields::members(event), |bits, is| bits << 1 | u32::from(is))
}
