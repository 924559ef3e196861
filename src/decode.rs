//! `sentrail decode`: one input to rows, one per record, flow or object named. Nothing is judged.

mod rows;
mod table;

use anyhow::{Context, Result, bail};
use ingest::{
    cloudtrail::{self, ObjectError, Shape},
    decode::{Decoder, INFLATED_BYTES_MAX, Inflated, Stream},
    flow::FlowBatch,
    flowlog::{FlowCounts, FlowFormat, FlowReader, looks_like_flow},
    notification,
};
use std::{
    fs::File,
    io::{self, Read, Write},
    ops::ControlFlow,
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

/// Largest content that is no flow log and is collected from blocks. Unit: bytes.
const COLLECTED_BYTES_MAX: u64 = 192 << 20;
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

    fn stream(&mut self, stream: Stream<'_>) -> Result<()> {
        let inflated_bytes = stream.inflated_bytes();
        let mut kind = None;
        let mut collected = Vec::new();
        let mut reader = FlowReader::new(self.flow_format.clone());
        let fed = stream.read(&mut |block| {
            let kind = *kind.get_or_insert_with(|| self.kind_of(block));
            if kind == Kind::Flow {
                reader.push(block, &mut |batch| flows(&mut self.table, &batch));
            } else if inflated_bytes > COLLECTED_BYTES_MAX {
                return ControlFlow::Break(());
            } else {
                collected.extend_from_slice(block);
            }
            ControlFlow::Continue(())
        });
        fed?;
        if kind == Some(Kind::Flow) {
            let counts = reader.finish(&mut |batch| flows(&mut self.table, &batch));
            self.flow_counts(&counts);
            return Ok(());
        }
        if inflated_bytes > COLLECTED_BYTES_MAX {
            bail!("inflates to {inflated_bytes} bytes; expected at most {COLLECTED_BYTES_MAX}");
        }
        self.kind = kind;
        self.whole(&collected)
    }

    /// What was said, else what the content looks like. A line of a custom flow format looks like
    /// nothing, a notification of S3 much like a CloudTrail object.
    fn kind_of(&self, bytes: &[u8]) -> Kind {
        if let Some(kind) = self.kind {
            return kind;
        }
        let is_json = matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['));
        if looks_like_flow(bytes) || self.flow_format.is_some() && !is_json {
            Kind::Flow
        } else if notification::parse(bytes).is_ok() {
            Kind::Notification
        } else {
            Kind::Cloudtrail
        }
    }

    fn cloudtrail(&mut self, bytes: &[u8]) {
        let text = cloudtrail::text(bytes);
        if text.lossy {
            (self.complain)("some bytes are not UTF-8 and read as U+FFFD");
        }
        let Self { table, n_bad, complain, .. } = self;
        let mut bad = |what: &dyn std::fmt::Display| {
            *n_bad += 1;
            if *n_bad <= BAD_SHOWN_MAX {
                complain(&what.to_string());
            }
        };
        let shape = cloudtrail::read(&text.text, |_, record| match record {
            Ok(record) => table.row(&rows::record(&record)),
            Err(error) => bad(&error),
        });
        match shape {
            Ok(Shape::Digest) => complain("a digest, which holds no events"),
            Ok(_) => {}
            Err(error @ ObjectError::Broken { .. }) => {
                *n_bad += 1;
                complain(&error.to_string());
            }
            Err(error) => bad(&error),
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
