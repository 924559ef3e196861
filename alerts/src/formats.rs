//! The forms in which findings are written: one at a time, nothing is kept.

mod asff;
mod csv;
mod explain;
mod json;
mod ocsf;
mod table;
mod taxonomy;

pub(crate) use asff::{FILED_BYTES_MAX, NO_ACCOUNT, of_series as asff_of_series};
pub use csv::csv_cell;
pub use explain::{explain, show};
pub(crate) use explain::{in_all, term};
pub use json::write_json;
pub(crate) use ocsf::{Activity, line as ocsf_line};

use crate::{
    Kept,
    report::{Inputs, Report},
};
use detect::Finding;
use std::io::{self, Write};
use table::Table;
pub(crate) use table::{day, facts, lines, origin, span};

/// A form of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people at a terminal.
    Table,
    /// One JSON array.
    Json,
    /// JSON Lines: one object a line.
    JsonLines,
    /// RFC 4180.
    Csv,
    /// AWS Security Finding Format, one object a line: for findings alone.
    Asff,
    /// Detection Finding of OCSF, one object a line: for findings alone.
    Ocsf,
}

impl Format {
    /// Every form.
    pub const ALL: &[Self] =
        &[Self::Table, Self::Json, Self::JsonLines, Self::Csv, Self::Asff, Self::Ocsf];
    /// The forms of rows that are no findings.
    pub const OF_ROWS: &[Self] = &[Self::Table, Self::Json, Self::JsonLines, Self::Csv];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
            Self::Asff => "asff",
            Self::Ocsf => "ocsf",
        }
    }
}

/// What a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether to colour.
    pub colour: bool,
    /// Unit: columns. Less than 40 is taken as 40.
    pub width: usize,
}

/// Writes findings in one form as they come.
#[derive(Debug)]
pub struct Writer<W> {
    format: Format,
    out: W,
    table: Table,
    n_findings: u64,
}

impl<W: Write> Writer<W> {
    /// A writer that has written nothing yet.
    pub fn new(format: Format, out: W, style: Style) -> Self {
        Self { format, out, table: Table::new(style), n_findings: 0 }
    }

    /// Writes one finding, which a run with these `inputs` made.
    pub fn finding(&mut self, finding: &Finding, inputs: &Inputs) -> io::Result<()> {
        self.report(finding, &Report::new(finding, inputs))
    }

    /// Writes one that was kept.
    pub fn kept(&mut self, kept: &Kept) -> io::Result<()> {
        self.report(&kept.finding, &Report::of(kept))
    }

    fn report(&mut self, finding: &Finding, report: &Report<'_>) -> io::Result<()> {
        let is_first = self.n_findings == 0;
        self.n_findings += 1;
        let out = &mut self.out;
        match self.format {
            Format::Table => self.table.write(out, finding, report),
            Format::Json => {
                out.write_all(if is_first { b"[\n" } else { b",\n" })?;
                json::write_json(out, report)
            }
            Format::JsonLines => {
                json::write_json(out, report)?;
                out.write_all(b"\n")
            }
            Format::Csv => {
                if is_first {
                    csv::header(out)?;
                }
                csv::write(out, report)
            }
            Format::Asff => {
                asff::write(out, finding, report)?;
                out.write_all(b"\n")
            }
            Format::Ocsf => {
                ocsf::write(out, finding, report)?;
                out.write_all(b"\n")
            }
        }
    }

    /// Hands on what was written so far.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Writes what stands behind the last finding, flushes, and gives the output back.
    pub fn finish(mut self) -> io::Result<W> {
        let is_empty = self.n_findings == 0;
        match self.format {
            Format::Table => self.table.finish(&mut self.out)?,
            Format::Json if is_empty => self.out.write_all(b"[]\n")?,
            Format::Json => self.out.write_all(b"\n]\n")?,
            Format::Csv if is_empty => csv::header(&mut self.out)?,
            Format::JsonLines | Format::Csv | Format::Asff | Format::Ocsf => {}
        }
        self.out.flush()?;
        Ok(self.out)
    }
}

#[cfg(test)]
pub(crate) mod tests;
