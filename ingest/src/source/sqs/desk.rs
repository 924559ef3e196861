//! Decides what is done with messages and their objects. In: what came of receiving, reading, handing
//! over, extending, and the answers of who reads on. Out: what to do next. It does nothing of that
//! itself and knows no time but the one that it is told, counted since the consumer began.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::super::Filter;
use super::super::s3::{Fetched, OBJECT_BYTES_MAX, S3Error, S3Object};
use super::counters::{Counters, Retry};
use super::deletions::BATCH_MAX;
use super::lease::{Beat, Extension, Lease};
use super::message::{self, Message, Received, State, Verdict, delay_s, retry_of};
use super::{Event, FETCHES_MAX, Ledger, Level, Outcome, RECEIPTS_MAX, Tell, UNKNOWN_BYTES};

/// An object of a message in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PartId {
    pub(crate) message: u64,
    pub(crate) part: usize,
}

/// An object that is handed over.
#[derive(Debug)]
pub(crate) struct Handed {
    pub(crate) part: PartId,
    pub(crate) object: super::Object,
    pub(crate) fetched: Fetched,
    /// When its message was received, since the consumer began.
    pub(crate) received: Duration,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Read an object of at most so many bytes.
    Fetch { part: PartId, at: S3Object, bytes_max: u64 },
    /// Stop reading it.
    Abandon(PartId),
    /// Keep a message invisible for so long from now on.
    Extend { message: u64, handle: String, timeout_s: u32 },
    /// Show a message again once no receive of ours is under way, which would take it.
    Release { handle: String },
    /// Let a message that is done with be seen again after so long.
    Delay { handle: String, delay_s: u32 },
    /// Delete a message.
    Delete { handle: String },
}

/// What a queue says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueRules {
    /// How long a message that was received stays invisible.
    pub(crate) timeout: Duration,
    /// Receipts after which a message goes to the dead-letter queue. `None`: there is none.
    pub(crate) receives_max: Option<u32>,
}

/// What the desk goes by.
pub(crate) struct Rules {
    pub(crate) filter: Filter,
    pub(crate) queue: QueueRules,
    /// Bytes of objects that may be held at a time. Unit: bytes.
    pub(crate) bytes_max: u64,
    /// Delay of a message that failed for the first time. Unit: seconds.
    pub(crate) retry_s: u32,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) tell: Tell,
}

/// All messages in hand.
pub(crate) struct Desk {
    rules: Rules,
    messages: BTreeMap<u64, Message>,
    next_message: u64,
    /// When to look at which lease.
    beats: BTreeSet<(Duration, u64)>,
    waiting: VecDeque<PartId>,
    ready: VecDeque<(PartId, Fetched)>,
    n_fetching: usize,
    n_handed: usize,
    held_bytes: u64,
    is_stopped: bool,
    actions: Vec<Action>,
}

impl Desk {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            messages: BTreeMap::new(),
            next_message: 0,
            beats: BTreeSet::new(),
            waiting: VecDeque::new(),
            ready: VecDeque::new(),
            n_fetching: 0,
            n_handed: 0,
            held_bytes: 0,
            is_stopped: false,
            actions: Vec::new(),
        }
    }

    /// What is to be done now.
    pub(crate) fn actions(&mut self) -> Vec<Action> {
        self.start();
        std::mem::take(&mut self.actions)
    }

    /// How many messages can be begun at once; none while what was read waits for its reader.
    pub(crate) fn room(&self) -> usize {
        if self.is_stopped || !self.ready.is_empty() || self.held_bytes >= self.rules.bytes_max {
            return 0;
        }
        FETCHES_MAX.saturating_sub(self.waiting.len() + self.n_fetching).min(BATCH_MAX)
    }

    /// Whether no message is in hand.
    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// When to call [`Desk::tick`].
    pub(crate) fn next(&self) -> Option<Duration> {
        self.beats.first().map(|(at, _)| *at)
    }

    /// Takes a message that was received at this time.
    pub(crate) fn received(&mut self, received: Received, now: Duration) {
        let Received { body, handle, receive_count } = received;
        self.rules.counters.count(|counts| counts.messages_received += 1);
        if self.is_stopped {
            self.rules.counters.count(|counts| counts.messages_released += 1);
            self.actions.push(Action::Release { handle });
            return;
        }
        let Rules { filter, ledger, counters, queue, .. } = &self.rules;
        let (lease, number) = (Lease::new(now, queue.timeout), self.next_message);
        match message::parts(&body, filter, ledger.as_ref(), counters) {
            Ok(parts) => {
                let parts_of = 0..parts.len();
                self.waiting.extend(parts_of.map(|part| PartId { message: number, part }));
                self.beats.extend(lease.next().map(|next| (next, number)));
                self.messages.insert(number, Message { handle, receive_count, lease, parts });
                self.next_message += 1;
                self.conclude(number);
            }
            Err(error) => {
                let sentence = format!("a message is not understood: {error}");
                self.delay(handle, receive_count, Retry::UnknownEnvelope, &sentence);
            }
        }
    }

    /// Learns what came of reading an object; `None` if that was stopped.
    pub(crate) fn fetched(&mut self, id: PartId, result: Option<Result<Fetched, S3Error>>) {
        self.n_fetching = self.n_fetching.saturating_sub(1);
        let object_bytes_max = self.object_bytes_max();
        let part = self.messages.get_mut(&id.message).and_then(|m| m.parts.get_mut(id.part));
        let Some(part) = part else { return };
        let (State::Fetching, Some(result)) = (&part.state, result) else { return };
        match result {
            Ok(fetched) => {
                let (size, etag) = (fetched.bytes.len() as u64, &fetched.etag);
                self.held_bytes = self.held_bytes - part.held_bytes + size;
                part.held_bytes = size;
                part.object.size_bytes = size;
                self.rules.counters.count(|counts| counts.bytes_read += size);
                let is_another = etag.is_some() && *etag != part.etag;
                if is_another
                    && self.rules.ledger.has_read(part.object.key(), Some(size), etag.as_deref())
                {
                    self.rules.counters.count(|counts| counts.objects_known += 1);
                    self.end(id, State::Done);
                    return;
                }
                part.state = State::Ready;
                self.ready.push_back((id, fetched));
            }
            // It is larger than it was taken for: another try with room for it.
            Err(S3Error::TooLarge { bytes, .. }) if bytes <= object_bytes_max => {
                part.size_bytes = Some(bytes);
                part.state = State::Waiting;
                self.held_bytes -= std::mem::take(&mut part.held_bytes);
                self.waiting.push_front(id);
            }
            Err(error) => self.failed(id, retry_of(&error), &error.to_string()),
        }
    }

    /// Whether something is ready and may be handed over.
    pub(crate) fn can_hand(&self) -> bool {
        !self.ready.is_empty() && self.n_handed < RECEIPTS_MAX
    }

    /// The next object to hand over, with what was read of it.
    pub(crate) fn hand(&mut self) -> Option<Handed> {
        let (id, fetched) = self.ready.pop_front()?;
        let message = self.messages.get_mut(&id.message)?;
        let (received, part) = (message.lease.began(), message.parts.get_mut(id.part)?);
        part.state = State::Handed;
        self.n_handed += 1;
        self.rules.counters.count(|counts| counts.objects_handed += 1);
        let at = S3Object { etag: fetched.etag.clone(), ..part.at.clone() };
        let object = at.object(part.object.size_bytes);
        Some(Handed { part: id, object, fetched, received })
    }

    /// Learns what became of an object that was handed over.
    pub(crate) fn answered(&mut self, id: PartId, outcome: Option<Outcome>) {
        self.n_handed = self.n_handed.saturating_sub(1);
        match outcome {
            Some(Outcome::Durable) => {
                self.rules.counters.count(|counts| counts.objects_durable += 1);
                self.end(id, State::Done);
            }
            Some(Outcome::Failed { reason }) => {
                let at = self.messages.get(&id.message).and_then(|m| m.parts.get(id.part));
                let sentence = at.map(|part| format!("{}: {reason}", part.at)).unwrap_or_default();
                self.failed(id, Retry::Undecodable, &sentence);
            }
            None if self.is_stopped => self.end(id, State::Dropped),
            None => self.failed(id, Retry::Unanswered, "an object was given back unanswered"),
        }
    }

    /// Extends what is to be extended, and gives up what others may have.
    pub(crate) fn tick(&mut self, now: Duration) {
        while let Some(&(at, number)) = self.beats.first()
            && at <= now
        {
            self.beats.pop_first();
            let Some(message) = self.messages.get_mut(&number) else { continue };
            let beat = message.lease.beat(now);
            self.beats.extend(message.lease.next().map(|next| (next, number)));
            match beat {
                Beat::Wait => {}
                Beat::Extend(timeout_s) => {
                    let handle = message.handle.clone();
                    self.actions.push(Action::Extend { message: number, handle, timeout_s });
                }
                Beat::Lost => self.lost(number),
            }
        }
    }

    /// Learns what an extension came to.
    pub(crate) fn extended(&mut self, number: u64, extension: Extension) {
        self.rules.counters.count(|counts| match extension {
            Extension::Done => counts.extensions_ok += 1,
            Extension::Refused | Extension::Failed => counts.extensions_failed += 1,
        });
        let Some(message) = self.messages.get_mut(&number) else { return };
        if message.lease.extended(extension) {
            self.lost(number);
        }
    }

    /// Gives up what was not handed over; what was is waited for.
    pub(crate) fn stop(&mut self) {
        self.is_stopped = true;
        let numbers: Vec<u64> = self.messages.keys().copied().collect();
        for number in numbers {
            self.drop_unhanded(number);
            self.conclude(number);
        }
    }

    pub(crate) fn tell(&self, level: Level, sentence: String) {
        (self.rules.tell)(Event { level, sentence });
    }

    /// Largest object that is read.
    fn object_bytes_max(&self) -> u64 {
        OBJECT_BYTES_MAX.min(self.rules.bytes_max)
    }

    /// Begins to read what there is room for, in the order of its receipt.
    fn start(&mut self) {
        while self.n_fetching < FETCHES_MAX
            && let Some(&id) = self.waiting.front()
        {
            let bytes_max = self.object_bytes_max();
            let part = self.messages.get_mut(&id.message).and_then(|m| m.parts.get_mut(id.part));
            let Some(part) = part.filter(|part| part.state == State::Waiting) else {
                self.waiting.pop_front();
                continue;
            };
            let needed = part.size_bytes.unwrap_or(UNKNOWN_BYTES).min(bytes_max);
            if self.held_bytes > 0 && self.held_bytes + needed > self.rules.bytes_max {
                return;
            }
            self.waiting.pop_front();
            self.held_bytes += needed;
            self.n_fetching += 1;
            part.held_bytes = needed;
            part.state = State::Fetching;
            self.actions.push(Action::Fetch { part: id, at: part.at.clone(), bytes_max: needed });
        }
    }

    fn failed(&mut self, id: PartId, retry: Retry, sentence: &str) {
        self.rules.counters.count(|counts| counts.objects_failed += 1);
        let level = if retry == Retry::Gone { Level::Error } else { Level::Warn };
        self.tell(level, sentence.to_owned());
        self.end(id, State::Failed(retry));
    }

    /// Ends an object, and its message if it was the last one.
    fn end(&mut self, id: PartId, state: State) {
        let Some(message) = self.messages.get_mut(&id.message) else { return };
        if let Some(part) = message.parts.get_mut(id.part) {
            part.state = state;
            self.held_bytes -= std::mem::take(&mut part.held_bytes);
        }
        self.conclude(id.message);
    }

    /// Others may have the message.
    fn lost(&mut self, number: u64) {
        self.rules.counters.count(|counts| counts.receipts_lost += 1);
        let sentence = "a message became visible to others while it was worked on (expected the \
                        queue's visibility timeout to be long enough, and to be extended)";
        self.tell(Level::Warn, sentence.to_owned());
        self.drop_unhanded(number);
        self.conclude(number);
    }

    fn drop_unhanded(&mut self, number: u64) {
        let Some(message) = self.messages.get_mut(&number) else { return };
        for (index, part) in message.parts.iter_mut().enumerate() {
            let id = PartId { message: number, part: index };
            match part.state {
                State::Waiting => {}
                State::Fetching => self.actions.push(Action::Abandon(id)),
                State::Ready => self.ready.retain(|(ready, _)| *ready != id),
                State::Handed | State::Done | State::Failed(_) | State::Dropped => continue,
            }
            part.state = State::Dropped;
            self.held_bytes -= std::mem::take(&mut part.held_bytes);
        }
    }

    /// Does with a message what is to be done once nothing of it is open.
    fn conclude(&mut self, number: u64) {
        let Some(message) = self.messages.get(&number) else { return };
        let verdict = message.verdict();
        if verdict == Verdict::Open {
            return;
        }
        let Some(message) = self.messages.remove(&number) else { return };
        if let Some(next) = message.lease.next() {
            self.beats.remove(&(next, number));
        }
        let Message { handle, receive_count, .. } = message;
        match verdict {
            Verdict::Open | Verdict::Leave => {}
            Verdict::Delete => self.actions.push(Action::Delete { handle }),
            Verdict::Release => {
                self.rules.counters.count(|counts| counts.messages_released += 1);
                self.actions.push(Action::Release { handle });
            }
            Verdict::Delay(retry) => {
                let sentence = format!("a message is not done ({})", retry.label());
                self.delay(handle, receive_count, retry, &sentence);
            }
        }
    }

    /// Lets a message come again later, or go where the queue sends what comes too often.
    fn delay(&mut self, handle: String, receive_count: u32, retry: Retry, sentence: &str) {
        self.rules.counters.count(|counts| *counts.retries.entry(retry).or_default() += 1);
        let delay_s = delay_s(self.rules.retry_s, receive_count);
        let (level, what) = match self.rules.queue.receives_max {
            Some(max) if receive_count >= max => (
                Level::Error,
                format!("it goes to the dead-letter queue after {receive_count} times"),
            ),
            Some(max) => (
                Level::Warn,
                format!("it comes again in {delay_s} s, {receive_count} of {max} times"),
            ),
            None => (Level::Warn, format!("it comes again in {delay_s} s")),
        };
        self.tell(level, format!("{sentence}; {what}"));
        self.actions.push(Action::Delay { handle, delay_s });
    }
}

#[cfg(test)]
mod tests;
