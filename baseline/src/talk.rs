//! With which services outside an interface talked on a day: when it opened connections, and how much it sent;
//! and which of its connections went on in an hour.

use crate::{
    few, form,
    time::{Hour, SLOTS, Slot},
    value::Value,
};

/// What an interface did with one service of one peer on one day. Adding is commutative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Talk {
    /// `peer port`.
    pub with: Value,
    /// IANA protocol number.
    pub protocol: u8,
    /// Flow records of the interface.
    pub n_flows: u64,
    /// What it sent, and what it received. Unit: bytes.
    pub bytes: (u64, u64),
    /// The sum of the squares of what each flow of the interface brought. Unit: square bytes.
    pub squares: u64,
    /// Connections that it opened, by slot of the day, in order.
    pub opened: Vec<(u16, u16)>,
}

/// The slot within its day.
fn of_day(slot: Slot) -> u16 {
    u16::try_from(slot.0.rem_euclid(24 * SLOTS)).unwrap_or(0)
}

impl Talk {
    /// Nothing yet.
    pub fn new(with: Value, protocol: u8) -> Self {
        Self { with, protocol, n_flows: 0, bytes: (0, 0), squares: 0, opened: Vec::new() }
    }

    /// Adds `n` connections opened in `slot`, which is of its day.
    pub fn open(&mut self, slot: Slot, n: u32) {
        self.add_opened(of_day(slot), u16::try_from(n).unwrap_or(u16::MAX));
    }

    fn add_opened(&mut self, slot: u16, n: u16) {
        match self.opened.binary_search_by_key(&slot, |(slot, _)| *slot) {
            Ok(at) => {
                if let Some((_, sum)) = self.opened.get_mut(at) {
                    *sum = sum.saturating_add(n);
                }
            }
            Err(at) => few::insert(&mut self.opened, at, (slot, n)),
        }
    }

    /// Connections opened in an hour of its day.
    pub fn opened_in(&self, hour: Hour) -> u64 {
        let slots = of_day(hour.first_slot())..=of_day(hour.last_slot());
        let of_hour = self.opened.iter().filter(|(slot, _)| slots.contains(slot));
        of_hour.map(|(_, n)| u64::from(*n)).sum()
    }

    fn add(&mut self, other: &Self) {
        self.n_flows = self.n_flows.saturating_add(other.n_flows);
        self.bytes.0 = self.bytes.0.saturating_add(other.bytes.0);
        self.bytes.1 = self.bytes.1.saturating_add(other.bytes.1);
        self.squares = self.squares.saturating_add(other.squares);
        other.opened.iter().for_each(|(slot, n)| self.add_opened(*slot, *n));
    }

    fn order(&self) -> (&Value, u8) {
        (&self.with, self.protocol)
    }

    /// How far what the flows of the interface brought is from being always the same: the coefficient of
    /// variation, 0 for equal sizes; infinite where nothing was sent.
    pub fn variation(&self) -> f64 {
        let [n, sum, squares] = [self.n_flows, self.bytes.0, self.squares].map(as_f64);
        if sum == 0.0 {
            f64::INFINITY
        } else {
            libm::sqrt((n * squares / (sum * sum) - 1.0).max(0.0))
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a statistic")]
fn as_f64(n: u64) -> f64 {
    n as f64
}

/// The talks of one day, ordered by a keyed hash: once out, always out.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Talks(Vec<Talk>);

impl Talks {
    /// Talks kept per day. Unit: pairs of peer and port.
    pub(crate) const MAX: usize = 256;

    pub(crate) fn add(&mut self, talk: &Talk) {
        match self.0.binary_search_by(|known| known.order().cmp(&talk.order())) {
            Ok(at) => {
                if let Some(known) = self.0.get_mut(at) {
                    known.add(talk);
                }
            }
            Err(at) if at < Self::MAX => {
                few::insert(&mut self.0, at, talk.clone());
                self.0.truncate(Self::MAX);
            }
            Err(_) => {}
        }
    }

    pub(crate) fn all(&self) -> &[Talk] {
        &self.0
    }
}

/// A connection of an interface that went on in an hour.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Session {
    /// `peer port`.
    pub with: Value,
    /// IANA protocol number.
    pub protocol: u8,
    /// The interface's port.
    pub port: u16,
    /// What of the hour it covered. Unit: seconds.
    pub covered_s: u32,
}

/// The sessions of one hour, ordered by a keyed hash. By hour, so that what comes later pushes out none of those
/// that were told.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sessions(Vec<Session>);

impl Sessions {
    /// Sessions kept per hour. Unit: sessions.
    pub(crate) const MAX: usize = 32;

    pub(crate) fn add(&mut self, session: &Session) {
        let order = |one: &Session| (one.with.clone(), one.protocol, one.port);
        match self.0.binary_search_by(|known| order(known).cmp(&order(session))) {
            Ok(at) => {
                if let Some(known) = self.0.get_mut(at) {
                    known.covered_s = known.covered_s.saturating_add(session.covered_s);
                }
            }
            Err(at) if at < Self::MAX => {
                few::insert(&mut self.0, at, session.clone());
                self.0.truncate(Self::MAX);
            }
            Err(_) => {}
        }
    }

    pub(crate) fn all(&self) -> &[Session] {
        &self.0
    }
}

form! {
    Talk { with, protocol, n_flows, bytes, squares, opened }
    Talks { 0 }
    Session { with, protocol, port, covered_s }
    Sessions { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::HashKey;

    fn talk(n: u32, slot: i32) -> Talk {
        let mut talk = Talk::new(HashKey::DEFAULT.value(&format!("192.0.2.1 {n}")), 6);
        (talk.n_flows, talk.bytes, talk.squares) = (1, (100, 200), 10_000);
        talk.open(Slot(slot), 1);
        talk
    }

    #[test]
    fn any_order_gives_the_same_talks_up_to_the_bound() {
        let (mut up, mut down) = (Talks::default(), Talks::default());
        for n in 0..600 {
            up.add(&talk(n / 2, 7));
            down.add(&talk((599 - n) / 2, 7));
        }
        assert_eq!(up, down);
        assert_eq!(up.all().len(), Talks::MAX);
        assert!(up.all().iter().all(|one| one.opened == [(7, 2)]));
    }

    #[test]
    fn any_order_gives_the_same_sessions_up_to_the_bound() {
        let (mut up, mut down) = (Sessions::default(), Sessions::default());
        let session = |n: u16| {
            let with = HashKey::DEFAULT.value(&format!("192.0.2.1 {n}"));
            Session { with, protocol: 6, port: n, covered_s: 300 }
        };
        for n in 0..100 {
            up.add(&session(n / 2));
            down.add(&session((99 - n) / 2));
        }
        assert_eq!(up, down);
        assert_eq!(up.all().len(), Sessions::MAX);
        assert!(up.all().iter().all(|one| one.covered_s == 600));
    }

    #[test]
    fn connections_are_told_by_hour() {
        let mut talk = talk(1, 287);
        talk.open(Slot(276), 5);
        talk.open(Slot(275), 9);
        assert_eq!([22, 23].map(|hour| talk.opened_in(Hour(hour))), [9, 6]);
    }

    #[test]
    fn sizes_that_are_always_the_same_do_not_vary() {
        let mut talks = Talks::default();
        (0..9).for_each(|slot| talks.add(&talk(1, slot)));
        assert!(talks.all()[0].variation().abs() < 1e-9);
        let mut larger = talk(1, 9);
        (larger.bytes, larger.squares) = ((10_000, 0), 100_000_000);
        talks.add(&larger);
        assert!(talks.all()[0].variation() > 2.0);
        assert!(Talk::new(HashKey::DEFAULT.value("192.0.2.1 1"), 6).variation().is_infinite());
    }
}
