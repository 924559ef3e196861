//! Rows as JSON, JSON Lines or CSV, one at a time.

use super::{Format, rows::Row};
use anyhow::{Result, bail};
use ingest::flow::Value;
use serde::{Serialize, Serializer, ser::SerializeMap};
use std::io::Write;

/// Writes rows as they come. After an error nothing more is written.
pub(super) struct Table<'a> {
    format: Format,
    out: &'a mut dyn Write,
    /// Names of the columns, once CSV has a first line.
    names: Vec<&'static str>,
    n_rows: u64,
    written: Result<()>,
}

impl<'a> Table<'a> {
    pub(super) fn new(format: Format, out: &'a mut dyn Write) -> Self {
        Self { format, out, names: Vec::new(), n_rows: 0, written: Ok(()) }
    }

    /// Writes a row; [`Self::finish`] tells whether that went well.
    pub(super) fn row(&mut self, row: &Row<'_>) {
        if self.written.is_ok() {
            self.written = self.write(row);
        }
    }

    /// Whether it makes sense to go on.
    pub(super) fn is_written(&self) -> bool {
        self.written.is_ok()
    }

    fn write(&mut self, row: &Row<'_>) -> Result<()> {
        let is_first = self.n_rows == 0;
        self.n_rows += 1;
        match self.format {
            Format::Jsonl => {
                alerts::write_json(&mut self.out, &Object(row))?;
                self.out.write_all(b"\n")?;
            }
            Format::Json => {
                self.out.write_all(if is_first { b"[\n" } else { b",\n" })?;
                alerts::write_json(&mut self.out, &Object(row))?;
            }
            Format::Csv => {
                if is_first {
                    self.names = row.iter().map(|(name, _)| *name).collect();
                    write!(self.out, "{}\r\n", self.names.join(","))?;
                } else if !row.iter().map(|(name, _)| name).eq(&self.names) {
                    bail!(
                        "the fields change at row {}; CSV has one header: use --format jsonl",
                        self.n_rows
                    );
                }
                let cells: Vec<_> = row.iter().map(|(_, value)| cell(value)).collect();
                write!(self.out, "{}\r\n", cells.join(","))?;
            }
        }
        Ok(())
    }

    /// Writes what stands behind the last row and says how many rows there were.
    pub(super) fn finish(self) -> Result<u64> {
        self.written?;
        match (self.format, self.n_rows) {
            (Format::Json, 0) => self.out.write_all(b"[]\n")?,
            (Format::Json, _) => self.out.write_all(b"\n]\n")?,
            _ => {}
        }
        self.out.flush()?;
        Ok(self.n_rows)
    }
}

fn cell(value: &Value<'_>) -> String {
    match value {
        Value::Null => String::new(),
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => alerts::csv_cell(text),
    }
}

/// A row as a JSON object.
struct Object<'a>(&'a Row<'a>);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            match value {
                Value::Null => map.serialize_entry(name, &())?,
                Value::Integer(number) => map.serialize_entry(name, number)?,
                Value::Text(text) => map.serialize_entry(name, text)?,
            }
        }
        map.end()
    }
}
