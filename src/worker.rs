//! One object's bytes to the rows of a chunk: inflate, tell what it is, parse, filter, count.

mod flows;
mod parts;

use crate::steps::Steps;
use anyhow::{Context, Result};
use detect::{FlowRows, Reader};
use flows::Flows;
use ingest::{
    cloudtrail::{self, Feed, Record, RecordError},
    decode::{DecodeError, Decoder, Inflated, Limits, Stream},
    flow::{Call, Field},
    flowlog::{FlowCounts, FlowFormat, Gap, looks_like_flow},
    parquet::{Parquet, ParquetError, is_parquet},
    source::{Filter, Kind},
    time::Stretch,
};
use std::{
    collections::BTreeSet,
    fs::File,
    io::{ErrorKind, Read},
    path::Path,
    time::Instant,
};

/// What is asked for beyond a file's size: to get less tells that the end was met. Unit: bytes.
const READ_SLACK_BYTES: usize = 64;

/// Larger files are refused; AWS's are at most 75 MB, and all of a file is held. Unit: bytes as stored.
const FILE_BYTES_MAX: u64 = 8 << 30;

/// Whether content without a telling name is a flow log: it looks like one, or it is no JSON and
/// the user has said which fields flow logs without a header have.
pub(crate) fn is_flow(bytes: &[u8], has_format: bool) -> bool {
    let is_json = || matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['));
    looks_like_flow(bytes) || has_format && !is_json()
}

/// What is kept from object to object: buffers, and how to read.
pub(crate) struct Worker<'a> {
    decoder: Decoder,
    flows: Flows,
    file: Vec<u8>,
    filter: &'a Filter,
    rows_bytes_max: u64,
}

/// What was read of one object.
#[derive(Debug, Default)]
pub(crate) struct ObjectRead {
    /// Why nothing of it was applied.
    pub(crate) failure: Option<String>,
    /// Hash of a whole object's bytes as stored.
    pub(crate) content: u128,
    /// When its newest record happened. Unit: milliseconds since the Unix epoch.
    pub(crate) newest_ms: Option<i64>,
    pub(crate) inflated_bytes: u64,
    pub(crate) steps: Steps,
    pub(crate) n_records: u64,
    /// Insights and aggregated records: read, not judged yet.
    pub(crate) n_other_records: u64,
    /// Records that the filter left out.
    pub(crate) n_filtered: u64,
    pub(crate) n_bad: u64,
    /// The first of them.
    pub(crate) bad: Vec<String>,
    pub(crate) n_nodata: u64,
    pub(crate) n_skipdata: u64,
    /// Flow records beyond the bounds of one object: `ingest::flow::KEYS_MAX`.
    pub(crate) n_unread_flows: u64,
    /// Some bytes were not UTF-8.
    pub(crate) is_lossy: bool,
    pub(crate) is_digest: bool,
    /// It was only looked at: it is too large for its records to be held, and [`Worker::apply`] is the way.
    pub(crate) is_only_checked: bool,
}

/// Bad records of an object that are told in words. Unit: records.
const BAD_SHOWN_MAX: usize = 3;

impl ObjectRead {
    fn bad(&mut self, error: impl std::fmt::Display) {
        self.n_bad += 1;
        if self.bad.len() < BAD_SHOWN_MAX {
            self.bad.push(error.to_string());
        }
    }

    /// Why nothing of an object may count that has records none of which could be read: it is something else
    /// than it was taken for.
    fn nothing_read(&mut self) -> Option<String> {
        let n_read = self.n_records + self.n_other_records + self.n_filtered;
        if n_read > 0 || self.n_bad == 0 {
            return None;
        }
        let first = std::mem::take(&mut self.bad).into_iter().next().unwrap_or_default();
        let n_bad = std::mem::take(&mut self.n_bad);
        Some(format!("none of its {n_bad} records could be read, the first of them: {first}"))
    }

    fn flow_counts(&mut self, counts: &FlowCounts) {
        self.n_records += counts.rows;
        self.n_nodata += counts.nodata;
        self.n_skipdata += counts.skipdata;
        self.n_bad += counts.bad_rows;
        self.bad.extend(counts.bad_samples.iter().take(BAD_SHOWN_MAX).map(ToString::to_string));
    }
}

/// What takes the content of an object.
pub(crate) trait Sink {
    /// One CloudTrail record that the filter admits.
    fn record(&mut self, event: &ingest::Event<'_>);
    /// What interfaces of this account called, in so many flow records of the object.
    fn flows(&mut self, _: &str, _: u64, _: &[Call]) {}
    /// When flows of interfaces of this account were lost.
    fn gaps(&mut self, _: &str, _: Vec<Gap>) {}
    /// The rows themselves, before what they amount to.
    fn rows(&mut self, _: &FlowRows<'_>) {}
    /// The fields that the rows of the object had.
    fn format(&mut self, _: &FlowFormat) {}
    /// Whether what it takes is held until the object turns out to be whole.
    fn holds_records(&self) -> bool {
        false
    }
}

/// Takes nothing: an object is only checked.
struct Nobody;

impl Sink for Nobody {
    fn record(&mut self, _: &ingest::Event<'_>) {}
}

impl Sink for Reader<'_> {
    fn record(&mut self, event: &ingest::Event<'_>) {
        Reader::record(self, event);
    }

    fn flows(&mut self, account: &str, n_records: u64, calls: &[Call]) {
        Reader::flows(self, account, n_records, calls);
    }

    fn gaps(&mut self, account: &str, gaps: Vec<Gap>) {
        Reader::gaps(self, account, &gaps);
    }

    fn rows(&mut self, rows: &FlowRows<'_>) {
        self.flow_rows(rows);
    }

    fn holds_records(&self) -> bool {
        true
    }
}

impl<'a> Worker<'a> {
    pub(crate) fn new(filter: &'a Filter, limits: Limits, format: Option<FlowFormat>) -> Self {
        Self {
            decoder: Decoder::new(limits),
            flows: Flows::new(format),
            file: Vec::new(),
            filter,
            rows_bytes_max: limits.rows_bytes_max,
        }
    }

    /// The same for a sink that looks at these fields of a flow as well.
    pub(crate) fn with_fields(mut self, fields: &BTreeSet<Field>) -> Self {
        self.flows = self.flows.with_fields(fields);
        self
    }

    /// The same for a sink that looks at every field of a flow.
    pub(crate) fn with_every_field(mut self) -> Self {
        self.flows = Flows::of_every_field();
        self
    }

    /// Reads a file of about `size_bytes` into the buffer that is kept.
    pub(crate) fn load(&mut self, path: &Path, size_bytes: u64) -> Result<()> {
        let size_bytes = usize::try_from(size_bytes.min(FILE_BYTES_MAX)).unwrap_or(0);
        let mut file = File::open(path).context("cannot be opened")?;
        // More than a file says costs only the room.
        self.file.resize(size_bytes + READ_SLACK_BYTES, 0);
        let n = loop {
            match file.read(&mut self.file) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read.context("cannot be read")?,
            }
        };
        self.file.truncate(n);
        if n == size_bytes {
            return Ok(());
        }
        // Another size than was listed: to the end then.
        let more = FILE_BYTES_MAX + 1 - n as u64;
        file.take(more).read_to_end(&mut self.file).context("cannot be read")?;
        let is_within = self.file.len() as u64 <= FILE_BYTES_MAX;
        anyhow::ensure!(is_within, "is longer than {FILE_BYTES_MAX} bytes as stored");
        Ok(())
    }

    /// Hash of what [`Self::load`] read.
    pub(crate) fn content(&self) -> u128 {
        baseline::stable_hash(&[&self.file])
    }

    /// Takes bytes that were read elsewhere, in place of [`Self::load`].
    pub(crate) fn take(&mut self, bytes: Vec<u8>) {
        self.file = bytes;
    }

    /// Gives away what was loaded.
    pub(crate) fn give(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.file)
    }

    /// Inflates and parses what was loaded, of this kind and account by its name. With a failure in the
    /// outcome nothing may be applied.
    pub(crate) fn read(
        &mut self,
        kind: Kind,
        account: Option<&str>,
        sink: &mut dyn Sink,
    ) -> ObjectRead {
        let Self { decoder, flows, file, filter, rows_bytes_max, .. } = self;
        let has_format = flows.has_format();
        let is_flow = |bytes: &[u8]| match kind {
            Kind::CloudTrail => false,
            Kind::FlowLog => true,
            _ => is_flow(bytes, has_format),
        };
        let mut outcome = ObjectRead::default();
        if is_parquet(file) {
            let result = read_parquet(file, decoder, (flows, *filter, account), &mut outcome, sink);
            outcome.failure = result.err().or_else(|| outcome.nothing_read());
            return outcome;
        }
        let began = Instant::now();
        let inflated = decoder.decode(file);
        outcome.steps.inflated = Some(Stretch::since(began));
        let result = match inflated {
            Err(error) => Err(error.to_string()),
            Ok(Inflated::Whole(bytes)) => {
                outcome.inflated_bytes = bytes.len() as u64;
                if is_flow(bytes) {
                    flows.read((filter, account), &mut outcome, sink, |reader, visit| {
                        reader.push(bytes, visit);
                        Ok(())
                    })
                } else {
                    read_events(bytes, filter, &mut outcome, sink)
                }
            }
            Ok(Inflated::Stream(stream)) => {
                outcome.inflated_bytes = stream.inflated_bytes();
                let kept = (flows, *filter, account);
                let holds_too_much = outcome.inflated_bytes > *rows_bytes_max;
                read_stream(stream, (is_flow, holds_too_much), kept, &mut outcome, sink)
            }
        };
        outcome.failure = result.err().or_else(|| outcome.nothing_read());
        outcome
    }
}

/// Reads a table. A sink that cannot take back what it was given is given nothing until all of it was read once.
fn read_parquet(
    bytes: &[u8],
    decoder: &Decoder,
    (flows, filter, account): (&mut Flows, &Filter, Option<&str>),
    outcome: &mut ObjectRead,
    sink: &mut dyn Sink,
) -> Result<(), String> {
    let object = Parquet::open(bytes, decoder.limits()).map_err(|error| error.to_string())?;
    outcome.inflated_bytes = object.inflated_bytes();
    let holds_records = sink.holds_records();
    if cloudtrail::is_ocsf(&object) {
        let told = |error: ParquetError| error.to_string();
        if !holds_records {
            cloudtrail::read_ocsf(&object, |_, _| {}).map_err(told)?;
        }
        return cloudtrail::read_ocsf(&object, |_, record| take(&record, filter, outcome, sink))
            .map_err(told);
    }
    flows.read((filter, account), outcome, sink, |reader, visit| {
        let read = if holds_records { Ok(()) } else { reader.check_parquet(&object) };
        read.and_then(|()| reader.parquet(&object, visit)).map_err(|error| error.to_string())
    })
}

/// Reads content that is too large to hold.
fn read_stream(
    mut stream: Stream<'_>,
    (is_flow, holds_too_much): (impl FnOnce(&[u8]) -> bool, bool),
    (flows, filter, account): (&mut Flows, &Filter, Option<&str>),
    outcome: &mut ObjectRead,
    sink: &mut dyn Sink,
) -> Result<(), String> {
    let told = |error: DecodeError| error.to_string();
    if is_flow(stream.first_block().map_err(told)?) {
        return flows.read((filter, account), outcome, sink, |reader, visit| {
            loop {
                let block = stream.next_block().map_err(told)?;
                if block.is_empty() {
                    return Ok(());
                }
                reader.push(block, visit);
            }
        });
    }
    outcome.is_only_checked = holds_too_much && sink.holds_records();
    let sink = if outcome.is_only_checked { &mut Nobody } else { sink };
    let mut feed = Feed::new(usize::try_from(stream.inflated_bytes()).unwrap_or(usize::MAX));
    let mut visit = |_: usize, record: Result<Record<'_>, RecordError>| {
        take(&record, filter, outcome, sink);
    };
    loop {
        let block = stream.next_block().map_err(told)?;
        if block.is_empty() {
            break;
        }
        feed.push(block, &mut visit).map_err(|error| error.to_string())?;
    }
    let is_lossy = feed.is_lossy();
    let shape = feed.finish(&mut visit).map_err(|error| error.to_string())?;
    outcome.is_lossy = is_lossy;
    outcome.is_digest = shape == cloudtrail::Shape::Digest;
    Ok(())
}

fn read_events(
    bytes: &[u8],
    filter: &Filter,
    outcome: &mut ObjectRead,
    sink: &mut dyn Sink,
) -> Result<(), String> {
    let decoded = cloudtrail::text(bytes);
    outcome.is_lossy = decoded.lossy;
    let shape = cloudtrail::read(&decoded.text, |_, record| {
        take(&record, filter, outcome, sink);
    });
    let shape = shape.map_err(|error| error.to_string())?;
    outcome.is_digest = shape == cloudtrail::Shape::Digest;
    Ok(())
}

fn take(
    record: &Result<Record<'_>, RecordError>,
    filter: &Filter,
    outcome: &mut ObjectRead,
    sink: &mut dyn Sink,
) {
    match record {
        Ok(Record::Event(event)) => {
            if filter.admits(event) {
                outcome.n_records += 1;
                sink.record(event);
            } else {
                outcome.n_filtered += 1;
            }
        }
        Ok(_) => outcome.n_other_records += 1,
        Err(error) => outcome.bad(error),
    }
}

#[cfg(test)]
mod tests;
