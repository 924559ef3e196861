//! The order of the input: objects by their stamp; what has none, by the days of its records.

use super::{Read, Watch, Workers, load, name_of};
use crate::{
    summary::Summary,
    worker::{Named, Outcome, Sink},
};
use anyhow::Result;
use baseline::{Day, stable_hash};
use detect::Connection;
use ingest::{
    Event,
    source::{Object, spool::{DaySpool, Days}},
};
use std::{
    collections::{BTreeMap, VecDeque, btree_map},
    iter::Peekable,
    net::IpAddr,
    slice::Iter,
};

/// Something to read, and *now* when it is read.
pub(super) struct Unit<'a> {
    pub(super) now_ms: i64,
    pub(super) object: &'a Object,
    pub(super) work: Work,
}

/// What a unit holds.
pub(super) enum Work {
    /// A whole object, still to be read.
    Object,
    /// CloudTrail records of one day of an object without a stamp.
    Records(Vec<u8>),
    /// Flows of one day of an object without a stamp.
    Flows(DayOfFlows),
}

/// What interfaces called on one day, by one object.
#[derive(Default)]
pub(super) struct DayOfFlows {
    pub(super) content: u128,
    pub(super) n_flows: u64,
    pub(super) connections: Vec<OwnedConnection>,
}

/// A [`Connection`] that outlives its object.
pub(super) struct OwnedConnection {
    account: String,
    interface: String,
    peer: IpAddr,
    port: u16,
    end_ms: i64,
    n_flows: u64,
    is_answered: bool,
}

impl OwnedConnection {
    pub(super) fn borrow(&self) -> Connection<'_> {
        let Self { peer, port, end_ms, n_flows, is_answered, .. } = *self;
        let (account, interface) = (&*self.account, &*self.interface);
        Connection { account, interface, peer, port, end_ms, n_flows, is_answered }
    }
}

impl Unit<'_> {
    /// Its size as far as it is still to be read. Unit: bytes.
    pub(super) fn bytes(&self) -> u64 {
        match &self.work {
            Work::Object => self.object.size_bytes,
            // Inflated already: logs deflate to about a tenth.
            Work::Records(records) => records.len() as u64 / 10,
            Work::Flows(flows) => flows.connections.len() as u64,
        }
    }
}

/// All units in order of *now*; of equals, objects with a stamp first.
pub(super) struct Units<'a> {
    stamped: Peekable<Iter<'a, Object>>,
    unstamped: &'a [Object],
    days: Peekable<Days>,
    flows: Peekable<btree_map::IntoIter<(Day, usize), DayOfFlows>>,
    ready: VecDeque<Unit<'a>>,
}

impl<'a> Units<'a> {
    /// Objects come sorted, those without a stamp last; these are read once to find their days.
    pub(super) fn of(
        objects: &'a [Object],
        workers: &Workers<'_>,
        summary: &mut Summary,
        watch: &mut dyn Watch,
    ) -> Result<Self> {
        let n_stamped = objects.partition_point(|object| object.info.stamp_ms.is_some());
        let (stamped, unstamped) = objects.split_at(n_stamped);
        let mut by_day = ByDay { spool: DaySpool::new(), flows: BTreeMap::new(), file: 0, error: None };
        for (file, object) in unstamped.iter().enumerate() {
            by_day.file = file;
            let outcome = workers.with(|worker| {
                load(object, worker).map(|()| {
                    let account = object.info.account.as_deref();
                    by_day.pending.clear();
                    worker.read(Named::of(object.info.kind), account, &mut by_day)
                })
            });
            let outcome = outcome.unwrap_or_else(|error| super::failed(&error));
            by_day.settle(&outcome)?;
            report(object, &outcome, summary, watch);
        }
        Ok(Self {
            stamped: stamped.iter().peekable(),
            unstamped,
            days: by_day.spool.finish()?.peekable(),
            flows: by_day.flows.into_iter().peekable(),
            ready: VecDeque::new(),
        })
    }
}
