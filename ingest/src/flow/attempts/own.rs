//! Which address is an interface's own, where the format does not tell: the one that is on a side of
//! more rows of the interface than any other.

use std::net::IpAddr;
use std::sync::Arc;

use crate::flow::ip;

/// How many addresses per interface compete for being its own.
const CANDIDATES_MAX: usize = 8;

/// From so many rows on, an address that is on twice as many as any other stays the own one; the
/// other sides need not be counted any more.
const SETTLED_ROWS: u64 = 32;

/// An interface and the addresses met there.
#[derive(Debug)]
pub(super) struct Interface {
    pub(super) name: Arc<str>,
    /// Addresses and on how many rows they were, at least.
    candidates: Vec<(u128, u64)>,
    /// No candidate ever had more rows.
    most: u64,
    /// The own address, once it is beyond doubt.
    pub(super) settled: Option<u128>,
}

impl Interface {
    pub(super) fn new(name: Arc<str>) -> Self {
        let candidates = Vec::with_capacity(CANDIDATES_MAX);
        Self { name, candidates, most: 0, settled: None }
    }

    /// Counts the two addresses of a row, until the own one is beyond doubt.
    pub(super) fn saw_row(&mut self, src: u128, dst: u128) {
        self.saw(src);
        self.saw(dst);
        if self.most < SETTLED_ROWS {
            return;
        }
        if let Some((own, n)) = self.candidates.iter().max_by_key(|(_, n)| *n)
            && *n >= SETTLED_ROWS
            && self.candidates.iter().all(|(other, m)| other == own || m * 2 <= *n)
        {
            self.settled = Some(*own);
        }
    }

    /// Counts an address; keeps the few that come most often (Misra and Gries, 1982).
    fn saw(&mut self, address: u128) {
        let found = self.candidates.iter().position(|(known, _)| *known == address);
        if let Some(place) = found
            && let Some((_, n)) = self.candidates.get_mut(place)
        {
            *n += 1;
            self.most = self.most.max(*n);
            // What comes often is found first.
            self.candidates.swap(0, place);
        } else if self.candidates.len() < CANDIDATES_MAX {
            self.candidates.push((address, 1));
        } else {
            for (_, n) in &mut self.candidates {
                *n -= 1;
            }
            self.candidates.retain(|(_, n)| *n > 0);
        }
    }

    /// The address on most rows; of equals the only private one, else none.
    pub(super) fn own(&self) -> Option<u128> {
        if self.settled.is_some() {
            return self.settled;
        }
        let most = self.candidates.iter().map(|(_, n)| *n).max()?;
        let mut first = self.candidates.iter().filter(|(_, n)| *n == most).map(|(a, _)| *a);
        let (one, other) = (first.next()?, first.next());
        if other.is_none() {
            return Some(one);
        }
        let mut private = self
            .candidates
            .iter()
            .filter(|(address, n)| *n == most && is_private(*address))
            .map(|(address, _)| *address);
        let only = private.next()?;
        private.next().is_none().then_some(only)
    }
}

fn is_private(address: u128) -> bool {
    match ip(address) {
        IpAddr::V4(v4) => v4.is_private(),
        IpAddr::V6(v6) => v6.is_unique_local(),
    }
}
