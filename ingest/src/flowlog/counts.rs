//! What is counted of an object: records by their status, and the lines that are none.

use std::sync::Arc;

use thiserror::Error;

use super::LINE_BYTES_MAX;
use crate::flow::{Field, FlowBatch};

/// How many bad lines of an object are described; the rest are only counted.
pub(crate) const BAD_SAMPLES_MAX: usize = 8;

/// How many unknown fields of an object are named.
pub(crate) const UNKNOWN_FIELDS_MAX: usize = 16;

/// Lines of one object that say "flows were lost" of which it is kept of whom, and when; the rest are only counted.
pub(crate) const GAPS_MAX: usize = 4_096;

/// A stretch in which flows of an interface were lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The interface's id.
    pub interface: Arc<str>,
    /// Unit: seconds since the Unix epoch.
    pub start_s: i64,
    /// Unit: seconds since the Unix epoch.
    pub end_s: i64,
}

impl Gap {
    /// When it ended. Unit: milliseconds since the Unix epoch.
    pub fn end_ms(&self) -> i64 {
        self.end_s.saturating_mul(1_000)
    }

    /// How long it was, a second at least. Unit: seconds.
    pub fn lasted_s(&self) -> u64 {
        u64::try_from(self.end_s.saturating_sub(self.start_s)).unwrap_or(0).max(1)
    }
}

/// What was read of one object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlowCounts {
    /// Records, NODATA and SKIPDATA included.
    pub rows: u64,
    /// Records that say "no traffic".
    pub nodata: u64,
    /// Records that say "flows were lost"; each can stand for many.
    pub skipdata: u64,
    /// Whose they are, the first `GAPS_MAX`.
    pub gaps: Vec<Gap>,
    /// Lines that are neither a record nor a header.
    pub bad_rows: u64,
    /// The first `BAD_SAMPLES_MAX` bad lines.
    pub bad_samples: Vec<BadRow>,
    /// Fields in headers that are not documented, the first `UNKNOWN_FIELDS_MAX`.
    pub unknown_fields: Vec<String>,
    /// The account of the first record that names one.
    pub account: Option<String>,
}

impl FlowCounts {
    /// Counts a status; answers whether flows were lost.
    #[inline]
    pub(super) fn note_status(&mut self, status: &[u8]) -> bool {
        match status {
            b"NODATA" => self.nodata += 1,
            b"SKIPDATA" => self.skipdata += 1,
            _ => {}
        }
        status == b"SKIPDATA"
    }

    /// Keeps whose flows were lost in these rows of a batch.
    pub(super) fn note_gaps(&mut self, batch: &FlowBatch, rows: &[usize]) {
        let Some(interfaces) = batch.texts(Field::InterfaceId) else { return };
        let time = |field, row| batch.int64(field).and_then(|times| times.get(row));
        let gap = |row: &usize| {
            let interface = interfaces.get(*row)?.into();
            let end_s = time(Field::End, *row)?;
            let start_s = time(Field::Start, *row).unwrap_or(end_s);
            Some(Gap { interface, start_s, end_s })
        };
        let left = GAPS_MAX.saturating_sub(self.gaps.len());
        self.gaps.extend(rows.iter().filter_map(gap).take(left));
    }

    pub(super) fn note_account(&mut self, account: &[u8]) {
        if self.account.is_none() && account != b"-" {
            self.account = Some(String::from_utf8_lossy(account).into_owned());
        }
    }
}

/// One line that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{} {line}: {why}", why.unit())]
pub struct BadRow {
    /// Line number in the object, from 1; of Parquet, that of the row.
    pub line: u64,
    /// What is wrong with it.
    #[source]
    pub why: RowError,
}

/// Why a line is no record.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RowError {
    /// Too few or too many fields.
    #[error("{found} fields; expected {expected} as in the header or format")]
    Fields {
        /// Fields of the format.
        expected: usize,
        /// Fields of the line.
        found: usize,
    },
    /// A value of another kind.
    #[error("field `{field}` at place {place} is no {expected}")]
    Value {
        /// The field.
        field: Field,
        /// Its place, from 1.
        place: usize,
        /// What it should be.
        expected: &'static str,
    },
    /// A value of another kind, in a table.
    #[error("field `{field}` is no {expected}")]
    Cell {
        /// The field.
        field: Field,
        /// What it should be.
        expected: &'static str,
    },
    /// Longer than `LINE_BYTES_MAX`.
    #[error("longer than {LINE_BYTES_MAX} bytes; expected a flow record")]
    Long,
    /// Not a JSON object of flow fields.
    #[error("no JSON flow record: {0}")]
    Json(String),
}

impl RowError {
    /// What is counted to say where it stands.
    fn unit(&self) -> &'static str {
        if let Self::Cell { .. } = self { "row" } else { "line" }
    }
}
