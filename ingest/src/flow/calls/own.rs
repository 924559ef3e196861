//! Which address is an interface's own, where the format does not tell: the one that is on a side of
//! more rows of the interface than any other. Of IPv4 and IPv6 apart: many interfaces have an address of each.
//! An address of IPv6 is public on both sides, and that of a host in a VPC is Amazon's, as a rule.

use std::net::IpAddr;
use std::sync::Arc;

use crate::enrich::{Asn, Enrich};
use crate::flow::ip;

/// How many addresses per interface compete for being its own: one that is on more than a ninth of all
/// sides cannot be lost among so many (Misra and Gries), and the own one is on about half.
const CANDIDATES_MAX: usize = 8;

/// From so many rows on, an address that is on twice as many as any other stays the own one; the
/// other sides need not be counted any more.
const SETTLED_ROWS: u64 = 32;

/// An interface and the addresses met there.
#[derive(Debug)]
pub(super) struct Interface {
    pub(super) name: Arc<str>,
    v4: Met,
    v6: Met,
}

/// What is an interface's own, of each version, as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Own {
    pub(super) v4: Option<u128>,
    pub(super) v6: Option<u128>,
}

impl Own {
    /// The own address that could be on a row with `address`.
    #[inline]
    pub(super) fn beside(&self, address: u128) -> Option<u128> {
        if is_v6(address) { self.v6 } else { self.v4 }
    }
}

impl Interface {
    pub(super) fn new(name: Arc<str>) -> Self {
        Self { name, v4: Met::new(), v6: Met::new() }
    }

    /// Counts the two addresses of a row, until the own one is beyond doubt.
    pub(super) fn saw_row(&mut self, src: u128, dst: u128) {
        let met = if is_v6(src) { &mut self.v6 } else { &mut self.v4 };
        met.saw_row(src, dst);
    }

    /// What is beyond doubt.
    pub(super) fn settled(&self) -> Own {
        Own { v4: self.v4.settled, v6: self.v6.settled }
    }

    /// The addresses on most rows; of equals the only private one, of IPv6 else the only one of Amazon's networks,
    /// else none.
    pub(super) fn own(&self) -> Own {
        Own { v4: self.v4.own(), v6: self.v6.own() }
    }
}

/// Addresses of one version.
#[derive(Debug)]
struct Met {
    /// Addresses and on how many rows they were, at least; of the first `n_candidates`.
    addresses: [u128; CANDIDATES_MAX],
    counts: [u64; CANDIDATES_MAX],
    n_candidates: usize,
    /// No candidate ever had more rows.
    most: u64,
    /// The own address, once it is beyond doubt.
    settled: Option<u128>,
}

impl Met {
    fn new() -> Self {
        let (addresses, counts) = ([0; CANDIDATES_MAX], [0; CANDIDATES_MAX]);
        Self { addresses, counts, n_candidates: 0, most: 0, settled: None }
    }

    fn saw_row(&mut self, src: u128, dst: u128) {
        if self.settled.is_some() {
            return;
        }
        self.saw(src);
        self.saw(dst);
        if self.most < SETTLED_ROWS {
            return;
        }
        if let Some((own, n)) = self.candidates().max_by_key(|(_, n)| *n)
            && n >= SETTLED_ROWS
            && self.candidates().all(|(other, m)| other == own || m * 2 <= n)
        {
            self.settled = Some(own);
        }
    }

    fn candidates(&self) -> impl Iterator<Item = (u128, u64)> {
        let all = self.addresses.iter().copied().zip(self.counts.iter().copied());
        all.take(self.n_candidates)
    }

    /// Counts an address; keeps the few that come most often (Misra and Gries, 1982).
    fn saw(&mut self, address: u128) {
        let known = self.addresses.iter().take(self.n_candidates);
        let found = known.zip(&mut self.counts).find(|(known, _)| **known == address);
        if let Some((_, n)) = found {
            *n += 1;
            self.most = self.most.max(*n);
        } else if let (Some(own), Some(n)) =
            (self.addresses.get_mut(self.n_candidates), self.counts.get_mut(self.n_candidates))
        {
            (*own, *n) = (address, 1);
            self.n_candidates += 1;
        } else {
            self.counts.iter_mut().for_each(|n| *n -= 1);
            if self.counts.contains(&0) {
                self.forget();
            }
        }
    }

    /// Makes room in place of the addresses that are on no row any more.
    fn forget(&mut self) {
        let Self { addresses, counts, n_candidates, .. } = self;
        *n_candidates = 0;
        for from in 0..CANDIDATES_MAX {
            if counts.get(from).is_some_and(|n| *n > 0) {
                addresses.swap(from, *n_candidates);
                counts.swap(from, *n_candidates);
                *n_candidates += 1;
            }
        }
    }

    fn own(&self) -> Option<u128> {
        if self.settled.is_some() {
            return self.settled;
        }
        let most = self.candidates().map(|(_, n)| n).max()?;
        let only = |is: &dyn Fn(u128) -> bool| {
            let mut equal = self.candidates().filter(|(_, n)| *n == most).map(|(a, _)| a);
            let first = equal.find(|address| is(*address))?;
            (!equal.any(is)).then_some(first)
        };
        only(&|_| true).or_else(|| only(&is_private)).or_else(|| only(&is_amazon_v6))
    }
}

/// Addresses of IPv4 are mapped (RFC 4291, 2.5.5.2).
#[inline]
pub(super) fn is_v6(address: u128) -> bool {
    address >> 32 != 0xffff
}

/// Whether an address of IPv6 is announced by Amazon.
fn is_amazon_v6(address: u128) -> bool {
    let network = || Enrich::built_in().origin(ip(address)).network;
    is_v6(address) && network().is_some_and(Asn::is_amazon)
}

pub(super) fn is_private(address: u128) -> bool {
    match ip(address) {
        IpAddr::V4(v4) => v4.is_private(),
        IpAddr::V6(v6) => v6.is_unique_local(),
    }
}
