//! The order of the input: objects by their stamp; what has none, by the days of its records.

use crate::{
    pipeline::{DayOfFlows, Observer, Unit, Work, Workers, failed, load, report},
    summary::Summary,
    worker::{ObjectRead, Sink},
};
use anyhow::Result;
use baseline::{Day, stable_hash};
use detect::{Engine, FlowRows, Reader};
use ingest::{
    Event,
    flow::Call,
    flowlog::Gap,
    source::{
        Object,
        spool::{DaySpool, Days, SpoolError},
    },
};
use std::{
    collections::{BTreeMap, BTreeSet, btree_map},
    iter::Peekable,
    slice::Iter,
    sync::Arc,
};

/// By day and number of the object.
type FlowsByDay = BTreeMap<(Day, usize), DayOfFlows>;

/// Connections of flow logs without a stamp, and matches of rules among them, that are held until their
/// day comes: about 150 bytes each. Unit: connections.
const CONNECTIONS_MAX: usize = 4_000_000;

/// All units in order of *now*; of equals, objects with a stamp first.
pub(super) struct Units<'a> {
    stamped: Peekable<Iter<'a, Object>>,
    unstamped: &'a [Object],
    days: Peekable<Days>,
    flows: Peekable<btree_map::IntoIter<(Day, usize), DayOfFlows>>,
}

impl<'a> Units<'a> {
    /// Objects come sorted, those without a stamp last; these are read up front, to find their days.
    pub(super) fn of(
        objects: &'a [Object],
        (engine, workers): (&Engine, &Workers<'_>),
        summary: &mut Summary,
        observer: &mut dyn Observer,
    ) -> Result<Self> {
        let n_stamped = objects.partition_point(|object| object.stamp_ms.is_some());
        let (stamped, unstamped) = objects.split_at(n_stamped);
        let mut by_day = ByDay::new(engine.reader(), CONNECTIONS_MAX);
        for (file, object) in unstamped.iter().enumerate() {
            let outcome = by_day.read(u32::try_from(file)?, object, workers);
            report(object, &outcome, observer);
            observer.read(object.size_bytes);
            summary.add(&outcome);
        }
        let (spool, flows) = by_day.finish()?;
        let (stamped, flows) = (stamped.iter().peekable(), flows.into_iter().peekable());
        Ok(Self { stamped, unstamped, days: spool.peekable(), flows })
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
            let stamp_ms = object.stamp_ms.unwrap_or(i64::MIN);
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

/// Objects without a stamp, by the days of their records.
struct ByDay<'e> {
    /// To ask rules about flows before their day comes.
    reader: Reader<'e>,
    spool: DaySpool,
    /// Why records could not be kept: the end of the replay.
    lost: Option<SpoolError>,
    flows: FlowsByDay,
    file: u32,
    /// Flow records of the object that is read, and the days of its connections.
    n_flows: u64,
    days: BTreeSet<Day>,
    /// Of all objects.
    n_connections: usize,
    connections_max: usize,
}

impl<'e> ByDay<'e> {
    fn new(reader: Reader<'e>, connections_max: usize) -> Self {
        Self {
            reader,
            spool: DaySpool::new(),
            lost: None,
            flows: BTreeMap::new(),
            file: 0,
            n_flows: 0,
            days: BTreeSet::new(),
            n_connections: 0,
            connections_max,
        }
    }

    /// Reads an object twice: nothing of one that turns out to be damaged may be kept, and it may be
    /// too large to be held until that is known.
    fn read(&mut self, file: u32, object: &Object, workers: &Workers<'_>) -> ObjectRead {
        let (kind, account) = (object.kind, object.info().account);
        self.file = file;
        workers.with(|worker| {
            if let Err(error) = load(object, workers.aws(), worker) {
                return failed(&error);
            }
            let mut checked = Checked { reader: &self.reader, n_connections: 0 };
            let mut outcome = worker.read(kind, account, &mut checked);
            if self.n_connections + checked.n_connections > self.connections_max {
                let limit = self.connections_max;
                outcome.failure = Some(format!(
                    "flow logs without AWS's names hold more than {limit} connections; expected \
                     fewer files at a time, or their names"
                ));
            }
            if outcome.failure.is_none() {
                let content = worker.content();
                worker.read(kind, account, self);
                self.name_flows(content);
            }
            outcome
        })
    }

    /// Gives the days of the flows that were read last their content, and counts the records, on the
    /// first of them; on the first of all days where no flow was a call.
    fn name_flows(&mut self, content: u128) {
        let file = self.file as usize;
        let mut n_flows = std::mem::take(&mut self.n_flows);
        let mut days = std::mem::take(&mut self.days);
        if n_flows > 0 && days.is_empty() {
            self.flows.insert((Day(0), file), DayOfFlows::default());
            days.insert(Day(0));
        }
        for day in days {
            let Some(flows) = self.flows.get_mut(&(day, file)) else { continue };
            let fields = [&content.to_le_bytes()[..], &day.0.to_le_bytes()];
            flows.content = stable_hash(&fields);
            flows.n_flows = std::mem::take(&mut n_flows);
        }
    }

    fn finish(self) -> Result<(Days, FlowsByDay)> {
        match self.lost {
            Some(error) => Err(error.into()),
            None => Ok((self.spool.finish()?, self.flows)),
        }
    }
}

impl Sink for ByDay<'_> {
    fn record(&mut self, event: &Event<'_>) {
        if self.lost.is_none() {
            let day = Day::of(event.time_ms);
            self.lost = self.spool.push(day.0, self.file, event.raw.0.as_bytes()).err();
        }
    }

    fn flows(&mut self, account: &str, n_records: u64, calls: &[Call]) {
        self.n_flows = n_records;
        self.n_connections += calls.len();
        let account: Arc<str> = account.into();
        for call in calls {
            let day = Day::of(call.end_ms());
            let of_day = self.flows.entry((day, self.file as usize)).or_default();
            of_day.account = Arc::clone(&account);
            of_day.calls.push(call.clone());
            self.days.insert(day);
        }
    }

    fn gaps(&mut self, account: &str, gaps: Vec<Gap>) {
        for gap in gaps {
            let day = Day::of(gap.end_ms());
            let of_day = self.flows.entry((day, self.file as usize)).or_default();
            of_day.account = account.into();
            of_day.gaps.push(gap);
            self.days.insert(day);
        }
    }

    fn rows(&mut self, rows: &FlowRows<'_>) {
        for one in self.reader.flow_matches(rows) {
            let day = Day::of(one.end_ms);
            self.flows.entry((day, self.file as usize)).or_default().matches.push(one);
            self.days.insert(day);
            self.n_connections += 1;
        }
    }
}

/// Takes nothing: an object is only checked, and what it would take is counted.
struct Checked<'c> {
    reader: &'c Reader<'c>,
    n_connections: usize,
}

impl Sink for Checked<'_> {
    fn record(&mut self, _: &Event<'_>) {}

    fn flows(&mut self, _: &str, _: u64, calls: &[Call]) {
        self.n_connections += calls.len();
    }

    fn rows(&mut self, rows: &FlowRows<'_>) {
        self.n_connections += self.reader.flow_matches(rows).len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::Plan;
    use ingest::{
        decode::Limits,
        source::{self, Filter, PathArg},
    };

    #[test]
    fn flow_logs_without_names_are_refused_beyond_the_bound() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("flows.log");
        let line = |n: u16| {
            format!("2 111122223333 eni-1 10.0.0.1 8.8.8.{n} 40000 22 6 1 40 0 60 REJECT OK\n")
        };
        std::fs::write(&file, (1..=3).map(line).collect::<String>()).unwrap();
        let plan = Plan {
            paths: vec![PathArg::new(&file)],
            filter: Filter::default(),
            limits: Limits::default(),
            flow_format: None,
            batch_bytes: crate::pipeline::BATCH_BYTES_MAX,
            buckets: Vec::new(),
            aws: None,
        };
        let listing = source::list(&plan.paths, &plan.filter).unwrap();
        let workers = Workers::of(&plan, BTreeSet::new());
        let engine = Engine::new(detect::Options::default(), ingest::enrich::Enrich::built_in());
        for (connections_max, is_refused) in [(3, false), (2, true)] {
            let mut by_day = ByDay::new(engine.reader(), connections_max);
            let outcome = by_day.read(0, &listing.objects[0], &workers);
            assert_eq!(outcome.failure.is_some(), is_refused, "{:?}", outcome.failure);
            let (_, flows) = by_day.finish().unwrap();
            assert_eq!(flows.is_empty(), is_refused);
        }
    }
}
