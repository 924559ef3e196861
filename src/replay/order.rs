//! The order of the input: objects by their stamp; what has none, by the days of its records.

use super::{Watch, Workers, failed, load, report};
use crate::{
    summary::Summary,
    worker::{Named, Sink},
};
use anyhow::Result;
use baseline::{Day, stable_hash};
use detect::{Call, Connection};
use ingest::{
    Event,
    source::{
        Object,
        spool::{DaySpool, Days},
    },
};
use std::{
    collections::{BTreeMap, btree_map},
    iter::Peekable,
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
    call: Call,
}

impl OwnedConnection {
    pub(super) fn borrow(&self) -> Connection<'_> {
        Connection { account: &self.account, interface: &self.interface, call: self.call }
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
        let mut spool = DaySpool::new();
        let mut flows = BTreeMap::new();
        for (file, object) in unstamped.iter().enumerate() {
            let mut by_day = ByDay::default();
            let outcome = workers.with(|worker| {
                load(object, worker).map(|()| {
                    by_day.content = worker.content();
                    let account = object.info.account.as_deref();
                    worker.read(Named::of(object.info.kind), account, &mut by_day)
                })
            });
            let outcome = outcome.unwrap_or_else(|error| failed(&error));
            if outcome.failure.is_none() {
                for (day, text) in &by_day.records {
                    spool.push(day.0, u32::try_from(file)?, text)?;
                }
                flows.extend(by_day.into_flows().map(|(day, flows)| ((day, file), flows)));
            }
            report(object, &outcome, watch);
            watch.read(object.size_bytes);
            summary.add(&outcome);
        }
        let (stamped, flows) = (stamped.iter().peekable(), flows.into_iter().peekable());
        Ok(Self { stamped, unstamped, days: spool.finish()?.peekable(), flows })
    }
}

impl<'a> Iterator for Units<'a> {
    type Item = Result<Unit<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        // A day without a stamp is complete, and as if written, at its end.
        let end = |day: Day| Day(day.0.saturating_add(1)).start_ms();
        let records =
            self.days.peek().map(|chunk| chunk.as_ref().map_or(i64::MIN, |c| end(Day(c.day))));
        let flows = self.flows.peek().map(|((day, _), _)| end(*day));
        let earliest = |at: Option<i64>| at.unwrap_or(i64::MAX);
        if let Some(object) = self.stamped.peek() {
            let stamp_ms = object.info.stamp_ms.unwrap_or(i64::MIN);
            if stamp_ms <= earliest(records).min(earliest(flows)) {
                let object = self.stamped.next()?;
                return Some(Ok(Unit { now_ms: stamp_ms, object, work: Work::Object }));
            }
        }
        if earliest(records) <= earliest(flows) {
            let chunk = match self.days.next()? {
                Ok(chunk) => chunk,
                Err(error) => return Some(Err(error.into())),
            };
            let object = self.unstamped.get(chunk.file as usize)?;
            let now_ms = Day(chunk.day).start_ms();
            return Some(Ok(Unit { now_ms, object, work: Work::Records(chunk.bytes) }));
        }
        let ((day, file), flows) = self.flows.next()?;
        let object = self.unstamped.get(file)?;
        Some(Ok(Unit { now_ms: day.start_ms(), object, work: Work::Flows(flows) }))
    }
}

/// One object without a stamp, by the days of its records.
#[derive(Default)]
struct ByDay {
    content: u128,
    records: BTreeMap<Day, Vec<u8>>,
    connections: BTreeMap<Day, Vec<OwnedConnection>>,
    n_flows: u64,
}

impl ByDay {
    fn into_flows(self) -> impl Iterator<Item = (Day, DayOfFlows)> {
        // The records are counted once, on the first day.
        let mut n_flows = self.n_flows;
        self.connections.into_iter().map(move |(day, connections)| {
            let content = [&self.content.to_le_bytes()[..], &day.0.to_le_bytes()];
            let n_flows = std::mem::take(&mut n_flows);
            (day, DayOfFlows { content: stable_hash(&content), n_flows, connections })
        })
    }
}

impl Sink for ByDay {
    fn record(&mut self, event: &Event<'_>) {
        let text = self.records.entry(Day::of(event.time_ms)).or_default();
        if !text.is_empty() {
            text.push(b'\n');
        }
        text.extend_from_slice(event.raw.0.as_bytes());
    }

    fn connection(&mut self, connection: &Connection<'_>) {
        let &Connection { account, interface, call } = connection;
        let (account, interface) = (account.to_owned(), interface.to_owned());
        let owned = OwnedConnection { account, interface, call };
        self.connections.entry(Day::of(call.end_ms)).or_default().push(owned);
    }

    fn flows(&mut self, n: u64) {
        self.n_flows += n;
    }
}
