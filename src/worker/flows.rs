//! Flow logs of one object: text to columns, columns to what each interface called.

use super::{ObjectRead, Sink};
use detect::FlowRows;
use ingest::{
    flow::{Call, Calls, FIELDS, Field, FlowBatch},
    flowlog::{FlowFormat, FlowReader},
    source::Filter,
};
use std::collections::BTreeSet;

/// What is kept from object to object.
pub(super) struct Flows {
    has_format: bool,
    reader: FlowReader,
    calls: Calls,
    /// Those of one object.
    found: Vec<Call>,
}

impl Flows {
    pub(super) fn new(format: Option<FlowFormat>) -> Self {
        let has_format = format.is_some();
        let reader = FlowReader::new(format).with_fields(FIELDS);
        Self { has_format, reader, calls: Calls::default(), found: Vec::new() }
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
        Self {
            has_format: false,
            reader: FlowReader::default(),
            calls: Calls::default(),
            found: Vec::new(),
        }
    }

    /// Whether the user has given the fields of logs without a header.
    pub(super) fn has_format(&self) -> bool {
        self.has_format
    }

    /// Reads the object whose text `feed` gives to the reader.
    pub(super) fn read(
        &mut self,
        (filter, account): (&Filter, Option<&str>),
        outcome: &mut ObjectRead,
        sink: &mut dyn Sink,
        feed: impl FnOnce(&mut FlowReader, &mut dyn FnMut(FlowBatch)) -> Result<(), String>,
    ) -> Result<(), String> {
        let Self { reader, calls, found, .. } = self;
        let mut visit = |batch: FlowBatch| {
            calls.add(&batch);
            sink.rows(&FlowRows { batch: &batch, account, filter });
        };
        let fed = feed(reader, &mut visit);
        let counts = reader.finish(&mut visit);
        outcome.n_unread_flows += calls.dropped_rows();
        calls.finish(found);
        fed?;
        outcome.flow_counts(&counts);
        let account = counts.account.as_deref().or(account).unwrap_or("unknown");
        if !filter.admits_account(account) {
            outcome.n_filtered += outcome.n_records;
            outcome.n_records = 0;
            return Ok(());
        }
        sink.format(reader.format());
        found.retain(|one| filter.admits_time(one.end_ms()));
        sink.flows(account, counts.rows, found);
        let gaps = counts.gaps.iter().filter(|gap| filter.admits_time(gap.end_ms()));
        sink.gaps(account, gaps.cloned().collect());
        Ok(())
    }
}
