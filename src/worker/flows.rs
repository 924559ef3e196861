//! Flow logs of one object: text to columns, columns to what each interface called.

use super::{Outcome, Sink, within};
use detect::{Call, Connection, FlowRows};
use ingest::{
    flow::{Attempt, Attempts, FIELDS, Field, FlowBatch, ip},
    flowlog::{FlowFormat, FlowReader},
    source::Filter,
};
use std::collections::BTreeSet;

/// What is kept from object to object.
pub(super) struct Flows {
    has_format: bool,
    reader: FlowReader,
    attempts: Attempts,
}

/// Ports that any host calls of any peer; calls to them are no sign of a scan of ports.
const COMMON_PORTS: &[u16] = &[0, 53, 80, 123, 443, 445, 853, 2049];

impl Flows {
    pub(super) fn new(format: Option<FlowFormat>) -> Self {
        let has_format = format.is_some();
        let reader = FlowReader::new(format).with_fields(FIELDS);
        Self { has_format, reader, attempts: Attempts::default() }
    }

    /// The same with these fields besides; what rules ask for needs the account of the row, too.
    pub(super) fn with_fields(self, more: &BTreeSet<Field>) -> Self {
        if more.is_empty() {
            return self;
        }
        let fields = FIELDS.iter().chain([&Field::AccountId]).chain(more).copied();
        let fields: Vec<Field> = fields.collect::<BTreeSet<_>>().into_iter().collect();
        Self { reader: self.reader.with_fields(&fields), ..self }
    }

    /// The same with all the fields that there are.
    pub(super) fn of_every_field() -> Self {
        Self { has_format: false, reader: FlowReader::default(), attempts: Attempts::default() }
    }

    /// Whether the user has given the fields of logs without a header.
    pub(super) fn has_format(&self) -> bool {
        self.has_format
    }

    /// Reads the object whose text `feed` gives to the reader.
    pub(super) fn read(
        &mut self,
        (filter, account): (&Filter, Option<&str>),
        outcome: &mut Outcome,
        sink: &mut dyn Sink,
        feed: impl FnOnce(&mut FlowReader, &mut dyn FnMut(FlowBatch)) -> Result<(), String>,
    ) -> Result<(), String> {
        let Self { reader, attempts, .. } = self;
        let is_wanted =
            |of: &str| filter.accounts.is_empty() || filter.accounts.iter().any(|one| one == of);
        let admits = |of: &str, end_ms| is_wanted(of) && within(filter, end_ms);
        let mut visit = |batch: FlowBatch| {
            attempts.add(&batch);
            sink.rows(&FlowRows { batch: &batch, account, admits: &admits });
        };
        let fed = feed(reader, &mut visit);
        let counts = reader.finish(&mut visit);
        outcome.n_unread_flows += attempts.dropped_rows();
        let attempts = attempts.finish();
        fed?;
        outcome.flow_counts(&counts);
        let account = counts.account.as_deref().or(account).unwrap_or("unknown");
        if !is_wanted(account) {
            outcome.n_filtered += outcome.n_records;
            outcome.n_records = 0;
            return Ok(());
        }
        sink.format(reader.format());
        sink.flows(counts.rows);
        // In order of interface and peer, so that the ports of one peer stand together.
        let same_peer = |a: &Attempt, b: &Attempt| a.peer == b.peer && a.interface == b.interface;
        for of_one_peer in attempts.chunk_by(same_peer) {
            let is_uncommon = |attempt: &&Attempt| !COMMON_PORTS.contains(&attempt.port);
            let n_ports = of_one_peer.iter().filter(is_uncommon).count();
            let n_ports_of_peer = u32::try_from(n_ports).unwrap_or(u32::MAX);
            for attempt in of_one_peer {
                let end_ms = attempt.last_end.saturating_mul(1_000);
                if attempt.flows == 0 || !within(filter, end_ms) {
                    continue;
                }
                let call = Call {
                    peer: ip(attempt.peer),
                    port: attempt.port,
                    end_ms,
                    n_flows: u64::from(attempt.flows),
                    is_answered: !attempt.unanswered,
                    n_ports_of_peer,
                };
                let interface = &attempt.interface;
                sink.connection(&Connection { account, interface, call });
            }
        }
        Ok(())
    }
}
