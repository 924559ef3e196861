//! `sentrail decode`: one input to rows, one per record, flow or object named. Nothing is judged.

mod rows;
mod table;

use crate::worker::is_flow;
use anyhow::{Context, Result, bail};
use ingest::{
    cloudtrail::{self, Feed, ObjectError, Record, RecordError, Shape},
    decode::{Decoder, INFLATED_BYTES_MAX, Inflated, Stream},
    flow::FlowBatch,
    flowlog::{FlowCounts, FlowFormat, FlowReader},
    notification::{self, BODY_BYTES_MAX},
    parquet::{Parquet, is_parquet},
};
use std::{
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};
use table::Table;

/// What an input holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    Cloudtrail,
    Flow,
    Notification,
}

/// Forms of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// One array
    Json,
    /// One object a line
    Jsonl,
    /// RFC 4180, with a line of names
    Csv,
}

/// What to decode, and how.
pub(crate) struct Plan {
    pub(crate) path: PathBuf,
    pub(crate) kind: Option<Kind>,
    pub(crate) flow_format: Option<FlowFormat>,
    pub(crate) format: Format,
}

/// What became of an input that was read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything in it was read.
    Whole,
    /// Some of it could not be read.
    Incomplete,
    /// None of it could be read.
    Nothing,
}

/// Bad records that are told in words; the rest are only counted. Unit: records.
const BAD_SHOWN_MAX: u64 = 8;

/// Writes the rows of an input to `out`; hands to `complain` what could not be read.
pub(crate) fn run(
    plan: Plan,
    out: &mut dyn Write,
    complain: &mut dyn FnMut(&str),
) -> Result<Ending> {
    let name = plan.path.display().to_string();
    let input = load(&plan.path).with_context(|| name.clone())?;
    let mut complain = |what: &str| complain(&format!("{name}: {what}"));
    let mut job = Job {
        kind: plan.kind,
        flow_format: plan.flow_format,
        table: Table::new(plan.format, out),
        n_bad: 0,
        complain: &mut complain,
    };
    let mut decoder = Decoder::default();
    if is_parquet(&input) {
        let object = Parquet::open(&input, decoder.limits()).with_context(|| name.clone())?;
        job.parquet(&object).with_context(|| name.clone())?;
        return job.finish();
    }
    let content = decoder.decode(&input).with_context(|| name.clone())?;
    match content {
        Inflated::Whole(bytes) => job.whole(bytes),
        Inflated::Stream(stream) => job.stream(stream),
    }
    .with_context(|| name.clone())?;
    job.finish()
}

fn load(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let reader: &mut dyn Read = if path == Path::new("-") {
        &mut io::stdin().lock()
    } else {
        &mut File::open(path).context("cannot be opened")?
    };
    reader.take(INFLATED_BYTES_MAX + 1).read_to_end(&mut bytes).context("cannot be read")?;
    if bytes.len() as u64 > INFLATED_BYTES_MAX {
        bail!("larger than {INFLATED_BYTES_MAX} bytes");
    }
    Ok(bytes)
}

struct Job<'a> {
    kind: Option<Kind>,
    flow_format: Option<FlowFormat>,
    table: Table<'a>,
    n_bad: u64,
    complain: &'a mut dyn FnMut(&str),
}

impl Job<'_> {
    fn whole(&mut self, bytes: &[u8]) -> Result<()> {
        match self.kind_of(bytes) {
            Kind::Cloudtrail => self.cloudtrail(bytes),
            Kind::Notification => self.notification(bytes)?,
            Kind::Flow => {
                let table = &mut self.table;
                let mut reader = FlowReader::new(self.flow_format.take());
                let counts = reader.read(bytes, &mut |batch| flows(table, &batch));
                self.flow_counts(&counts);
            }
        }
        Ok(())
    }

    fn parquet(&mut self, object: &Parquet<'_>) -> Result<()> {
        if cloudtrail::is_ocsf(object) && self.kind.is_none_or(|kind| kind == Kind::Cloudtrail) {
            cloudtrail::read_ocsf(object, |_, _| {})?;
            cloudtrail::read_ocsf(object, |_, record| self.record(&record))?;
            return Ok(());
        }
        if self.kind.is_some_and(|kind| kind != Kind::Flow) {
            bail!("a flow log as Parquet; expected text");
        }
        let table = &mut self.table;
        let mut reader = FlowReader::default();
        reader.check_parquet(object)?;
        reader.parquet(object, &mut |batch| flows(table, &batch))?;
        let counts = reader.finish(&mut |_| {});
        self.flow_counts(&counts);
        Ok(())
    }

    fn stream(&mut self, mut stream: Stream<'_>) -> Result<()> {
        match self.kind_of(stream.first_block()?) {
            Kind::Flow => {
                let table = &mut self.table;
                let mut reader = FlowReader::new(self.flow_format.take());
                loop {
                    let block = stream.next_block()?;
                    if block.is_empty() || !table.is_written() {
                        break;
                    }
                    reader.push(block, &mut |batch| flows(table, &batch));
                }
                if self.table.is_written() {
                    let counts = reader.finish(&mut |batch| flows(&mut self.table, &batch));
                    self.flow_counts(&counts);
                }
            }
            Kind::Cloudtrail => self.cloudtrail_stream(stream)?,
            Kind::Notification => {
                let bytes = stream.inflated_bytes();
                bail!("notification of {bytes} bytes; expected at most {BODY_BYTES_MAX}");
            }
        }
        Ok(())
    }

    /// What was said, else what the content looks like. A line of a custom flow format looks like
    /// nothing, a notification of S3 much like a CloudTrail object.
    fn kind_of(&self, bytes: &[u8]) -> Kind {
        if let Some(kind) = self.kind {
            return kind;
        }
        if is_flow(bytes, self.flow_format.is_some()) {
            Kind::Flow
        } else if notification::parse(bytes).is_ok() {
            Kind::Notification
        } else {
            Kind::Cloudtrail
        }
    }

    fn cloudtrail(&mut self, bytes: &[u8]) {
        let text = cloudtrail::text(bytes);
        let shape = cloudtrail::read(&text.text, |_, record| self.record(&record));
        self.end_cloudtrail(shape, text.lossy);
    }

    fn cloudtrail_stream(&mut self, mut stream: Stream<'_>) -> Result<()> {
        let mut feed = Feed::new(usize::try_from(stream.inflated_bytes())?);
        loop {
            let block = stream.next_block()?;
            // The same error comes at the end.
            if block.is_empty() || feed.push(block, |_, record| self.record(&record)).is_err() {
                break;
            }
            if !self.table.is_written() {
                return Ok(());
            }
        }
        let is_lossy = feed.is_lossy();
        let shape = feed.finish(|_, record| self.record(&record));
        self.end_cloudtrail(shape, is_lossy);
        Ok(())
    }

    fn record(&mut self, record: &Result<Record<'_>, RecordError>) {
        match record {
            Ok(record) => self.table.row(&rows::record(record)),
            Err(error) => {
                self.n_bad += 1;
                if self.n_bad <= BAD_SHOWN_MAX {
                    (self.complain)(&error.to_string());
                }
            }
        }
    }

    fn end_cloudtrail(&mut self, shape: Result<Shape, ObjectError>, is_lossy: bool) {
        if is_lossy {
            (self.complain)("some bytes are not UTF-8 and read as U+FFFD");
        }
        match shape {
            Ok(Shape::Digest) => (self.complain)("a digest, which holds no events"),
            Ok(_) => {}
            Err(error) => {
                self.n_bad += 1;
                (self.complain)(&error.to_string());
            }
        }
    }

    fn notification(&mut self, bytes: &[u8]) -> Result<()> {
        for object in notification::parse(bytes)?.objects {
            self.table.row(&rows::object(&object));
        }
        Ok(())
    }

    fn flow_counts(&mut self, counts: &FlowCounts) {
        let shown = counts.bad_samples.iter().zip(0..BAD_SHOWN_MAX);
        shown.for_each(|(bad, _)| (self.complain)(&bad.to_string()));
        self.n_bad = counts.bad_rows;
        for field in &counts.unknown_fields {
            (self.complain)(&format!("field \"{field}\" is not known and left out"));
        }
    }

    fn finish(self) -> Result<Ending> {
        let Self { table, n_bad, complain, .. } = self;
        if n_bad > BAD_SHOWN_MAX {
            complain(&format!("{n_bad} records could not be read"));
        }
        let n_rows = table.finish()?;
        Ok(match (n_bad, n_rows) {
            (0, _) => Ending::Whole,
            (_, 0) => Ending::Nothing,
            _ => Ending::Incomplete,
        })
    }
}

fn flows(table: &mut Table<'_>, batch: &FlowBatch) {
    for i in 0..batch.rows() {
        table.row(&batch.row(i).collect());
    }
}
