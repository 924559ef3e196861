//! VPC Flow Logs to columns. In: the inflated bytes of one object, whole or in blocks, or Parquet. Out:
//! [`FlowBatch`]es of at most `BATCH_ROWS` rows, and what could not be read, counted. It keeps no
//! state from one object to the next and never fails: a line that is no record costs that line.
//!
//! Lines are read in the order of the header line, wherever one stands; without one in the given
//! format, or AWS's default. A line that the fast reader does not understand (double spaces, tabs,
//! commas, a header, JSON, the last one) is brought into shape and read again.

use std::sync::Arc;

use memchr::memchr;

use crate::flow::{Field, FlowBatch, Kind};

mod array;
mod columns;
mod counts;
mod format;
mod json;
mod marks;
mod ocsf;
mod parquet;
mod shape;
mod sniff;
mod words;

pub use counts::{BadRow, FlowCounts, Gap, RowError};
pub use format::{FlowFormat, FormatError};
pub use sniff::looks_like_flow;

use columns::Column;
use counts::{BAD_SAMPLES_MAX, UNKNOWN_FIELDS_MAX};
use marks::Marks;
use shape::Shape;

/// Most rows of a batch; its columns then stay in the processor's second cache.
pub(crate) const BATCH_ROWS: usize = 16_384;

/// Fewest rows that are tried at once; as many may be read twice for each line that is not as the
/// format says.
const STRIDE_MIN: usize = 8;

/// Most rows that are read at once.
const STRIDE_MAX: usize = 512;

/// Most text that is read at once. Unit: bytes.
const STRIDE_BYTES_MAX: usize = 256 << 10;

/// Most text that one batch covers. Unit: bytes.
const BATCH_TEXT_BYTES_MAX: usize = 16 << 20;

/// Longest line. Unit: bytes. A line with all 72 fields and long tags stays under 8 KiB.
pub(crate) const LINE_BYTES_MAX: usize = 64 << 10;

/// Longest JSON value at the top. Unit: bytes. `CloudWatch` Logs sends at most 6 MiB at once.
pub(crate) const JSON_BYTES_MAX: usize = 8 << 20;

/// Most formats that are kept ready besides the one in use.
const SHAPES_MAX: usize = 4;

/// Takes finished batches.
type Visit<'v> = &'v mut dyn FnMut(FlowBatch);

/// Reads the text of objects, one after the other, into batches. Its buffers are kept.
#[derive(Debug)]
pub struct FlowReader {
    given: Option<FlowFormat>,
    /// That of the line at hand.
    shape: Shape,
    /// Those of lines before, the newest last: the objects of several flow logs take turns.
    others: Vec<Shape>,
    /// The format was gathered from JSON keys and grows with them.
    from_json: bool,
    marks: Marks,
    /// How many rows to read at once: fewer where lines are of different shapes.
    stride: usize,
    rows: usize,
    text_bytes: usize,
    /// From 1; 0 before the first byte, when `format` is still that of the last object.
    line: u64,
    counts: FlowCounts,
    /// The rows of the batch at hand that say that flows were lost.
    skipped: Vec<usize>,
    /// The unfinished end of the last block.
    carry: Vec<u8>,
    /// Inside a line that is too long: drop bytes up to its end.
    dropping: bool,
    /// A line brought into shape.
    scratch: Vec<u8>,
    /// The fields that are wanted; all of them without.
    fields: Option<Vec<Field>>,
}

impl Default for FlowReader {
    fn default() -> Self {
        Self::new(None)
    }
}

impl FlowReader {
    /// A reader; `format` is that of text without a header line. Without it: AWS's default format,
    /// or that of Transit Gateways where the first line says so.
    pub fn new(format: Option<FlowFormat>) -> Self {
        Self {
            shape: Shape::new(format.clone().unwrap_or_default(), None),
            others: Vec::new(),
            given: format,
            from_json: false,
            marks: Marks::default(),
            stride: STRIDE_MAX,
            rows: 0,
            text_bytes: 0,
            line: 0,
            counts: FlowCounts::default(),
            skipped: Vec::new(),
            carry: Vec::new(),
            dropping: false,
            scratch: Vec::new(),
            fields: None,
        }
    }

    /// Reads these fields only: the others are stepped over, whatever they hold, and batches have
    /// no columns for them. Lines must still have as many fields as the format.
    #[must_use]
    pub fn with_fields(mut self, fields: &[Field]) -> Self {
        let format = self.shape.format.clone();
        self.shape = Shape::new(format, Some(fields));
        self.fields = Some(fields.to_vec());
        self
    }

    /// Reads one whole object.
    pub fn read(&mut self, text: &[u8], visit: &mut dyn FnMut(FlowBatch)) -> FlowCounts {
        self.push(text, visit);
        self.finish(visit)
    }

    /// Reads the next block of an object; records may be cut anywhere between blocks.
    pub fn push(&mut self, block: &[u8], visit: &mut dyn FnMut(FlowBatch)) {
        let mut block = block;
        while !block.is_empty() {
            if self.dropping {
                let Some(end) = memchr(b'\n', block) else { return };
                block = block.get(end + 1..).unwrap_or_default();
                self.dropping = false;
                self.line += 1;
            } else if self.carry.is_empty() {
                let used = self.lines(block, false, visit);
                self.carry.extend_from_slice(block.get(used..).unwrap_or_default());
                self.bound_carry();
                return;
            } else {
                // Whole lines are read in place: only the one cut by the block's start is joined.
                let end = if self.carry.first() == Some(&b'{') {
                    block.len()
                } else {
                    memchr(b'\n', block).map_or(block.len(), |at| at + 1)
                };
                let (head, rest) = block.split_at(end);
                self.carry.extend_from_slice(head);
                let carry = std::mem::take(&mut self.carry);
                let used = self.lines(&carry, false, visit);
                self.carry = carry;
                self.carry.drain(..used.min(self.carry.len()));
                self.bound_carry();
                block = rest;
            }
        }
    }

    /// The format of the last line read: of its object's header, as given, or AWS's default.
    pub fn format(&self) -> &FlowFormat {
        &self.shape.format
    }

    /// Ends the object: reads the last line, hands out the last batch, and starts anew.
    pub fn finish(&mut self, visit: &mut dyn FnMut(FlowBatch)) -> FlowCounts {
        let carry = std::mem::take(&mut self.carry);
        self.lines(&carry, true, visit);
        self.flush_of(self.counts.rows == 0, visit);
        let counts = std::mem::take(&mut self.counts);
        self.line = 0;
        self.dropping = false;
        counts
    }

    /// Reads what is complete of `text` and returns how many bytes that was; with `last`, all.
    fn lines(&mut self, text: &[u8], last: bool, visit: Visit<'_>) -> usize {
        if self.line == 0 && !text.is_empty() {
            self.line = 1;
            let known = self.others.iter().rposition(|other| other.begins(text, 0));
            if self.shape.begins(text, 0) {
                self.name_unknown();
            } else if let Some(place) = known {
                self.from_json = false;
                self.switch(place);
                self.name_unknown();
            } else {
                self.change(self.given.clone().unwrap_or_default(), visit);
            }
        }
        let mut pos = 0;
        while pos < text.len() {
            if self.shape.begins(text, pos) {
                pos += self.shape.header.len() + 1;
                self.line += 1;
                continue;
            }
            // A format gathered from JSON is none of lines.
            if !self.shape.words_only && !self.from_json {
                let next = self.fast_lines(text, pos);
                self.text_bytes += next - pos;
                pos = next;
                if self.rows >= BATCH_ROWS || self.text_bytes >= BATCH_TEXT_BYTES_MAX {
                    self.flush(visit);
                    continue;
                }
            }
            let rest = text.get(pos..).unwrap_or_default();
            // Gone even if what follows is cut: a block that waits for its end begins with it.
            let blank = rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
            let (blank, rest) = rest.split_at(blank);
            self.line += newlines(blank);
            self.text_bytes += blank.len();
            pos += blank.len();
            if rest.is_empty() {
                break;
            }
            let Some(used) = self.slow_line(rest, last, visit) else { return pos };
            self.text_bytes += used;
            pos += used;
            if self.rows >= BATCH_ROWS || self.text_bytes >= BATCH_TEXT_BYTES_MAX {
                self.flush(visit);
            }
        }
        pos
    }

    /// Reads lines that are just as the format says and returns where the first other one starts.
    fn fast_lines(&mut self, text: &[u8], mut pos: usize) -> usize {
        let start = pos;
        while self.rows < BATCH_ROWS && pos - start < BATCH_TEXT_BYTES_MAX {
            let next = self.stride_of_lines(text, pos);
            if next != pos {
                pos = next;
                continue;
            }
            let Ok(next) = row(&mut self.shape.columns, text, pos) else {
                self.truncate();
                break;
            };
            self.note_line(text.get(pos..next).unwrap_or_default());
            self.rows += 1;
            self.line += 1;
            pos = next;
        }
        pos
    }

    /// Reads some lines column by column and returns where the first other one starts.
    fn stride_of_lines(&mut self, text: &[u8], pos: usize) -> usize {
        // Values are read together with bytes before them.
        let skipped = pos.saturating_sub(words::PADDING);
        let text = text.get(skipped..).unwrap_or_default();
        let text = text.get(..STRIDE_BYTES_MAX).unwrap_or(text);
        let rows_max = self.stride.min(BATCH_ROWS - self.rows);
        self.marks.mark(text, pos - skipped, self.shape.columns.len(), rows_max);
        let mut rows = self.marks.rows();
        // Words last: none is kept of a row that is not.
        for is_text in [false, true] {
            let columns = self.shape.columns.iter_mut().enumerate();
            for (place, column) in columns.filter(|(_, column)| column.is_text() == is_text) {
                rows = column.extend(text, (&self.marks, place), rows);
            }
        }
        self.note_lines(text, rows);
        self.rows += rows;
        self.line += rows as u64;
        if rows == rows_max {
            self.stride = (self.stride * 2).min(STRIDE_MAX);
        } else if rows < self.marks.rows_met() {
            self.stride = rows.max(STRIDE_MIN);
            self.truncate();
        }
        if rows == 0 { pos } else { skipped + self.marks.line(rows) }
    }

    /// Notes what the first `rows` marked lines tell of their object.
    fn note_lines(&mut self, text: &[u8], rows: usize) {
        let Self { marks, counts, skipped, rows: rows_before, .. } = self;
        let values = |place| {
            let places = marks.values(place, rows);
            places.map(|(start, end)| text.get(start..end).unwrap_or_default())
        };
        if let Some(place) = self.shape.status_at {
            for (row, status) in values(place).enumerate() {
                if counts.note_status(status) {
                    skipped.push(*rows_before + row);
                }
            }
        }
        if let Some(place) = self.shape.account_at.filter(|_| counts.account.is_none()) {
            values(place).for_each(|account| counts.note_account(account));
        }
    }

    /// The same of one line.
    fn note_line(&mut self, line: &[u8]) {
        let value = |place| line.split(|byte| *byte <= b' ').nth(place);
        if let Some(status) = self.shape.status_at.and_then(value)
            && self.counts.note_status(status)
        {
            self.skipped.push(self.rows);
        }
        if let Some(account) = self.shape.account_at.and_then(value) {
            self.counts.note_account(account);
        }
    }

    /// Reads what comes next, one line or one JSON value, and returns its length; `None` if it is
    /// not complete yet. No blank stands before it.
    fn slow_line(&mut self, text: &[u8], last: bool, visit: Visit<'_>) -> Option<usize> {
        if text.first() == Some(&b'{') {
            let (used, lines) = self.json(text, last, visit)?;
            self.line += lines;
            return Some(used);
        }
        let (line, used) = match memchr(b'\n', text) {
            Some(end) => (text.get(..end)?, end + 1),
            None if last => (text, text.len()),
            None => return None,
        };
        self.line_of_tokens(line, visit);
        self.line += 1;
        Some(used)
    }

    /// Reads one line in any shape.
    fn line_of_tokens(&mut self, line: &[u8], visit: Visit<'_>) {
        if line.len() > LINE_BYTES_MAX {
            self.bad(RowError::Long);
            return;
        }
        let mut tokens: Vec<&[u8]> =
            line.split(u8::is_ascii_whitespace).filter(|token| !token.is_empty()).collect();
        if let &[only] = tokens.as_slice()
            && only.contains(&b',')
        {
            tokens = only.split(|b| *b == b',').collect();
        }
        if tokens.is_empty() {
            return;
        }
        if let Some(format) = FlowFormat::of_header(&tokens) {
            self.change(format, visit);
            self.shape.header = line.to_vec();
            return;
        }
        if self.from_json {
            self.change(self.given.clone().unwrap_or_default(), visit);
        }
        if self.given.is_none()
            && tokens.get(1) == Some(&&b"TransitGateway"[..])
            && self.shape.format == FlowFormat::default()
        {
            self.change(FlowFormat::transit_gateway(), visit);
        }
        if tokens.len() != self.shape.columns.len() {
            self.bad(RowError::Fields { expected: self.shape.columns.len(), found: tokens.len() });
            return;
        }
        self.tokens(tokens.iter().map(|token| if token.is_empty() { b"-" } else { *token }));
    }

    /// Appends a record of separate values, as many as the format has.
    fn tokens<'t>(&mut self, tokens: impl Iterator<Item = &'t [u8]>) {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        for token in tokens {
            scratch.extend_from_slice(token);
            scratch.push(b' ');
        }
        if let Some(end) = scratch.last_mut() {
            *end = b'\n';
        }
        scratch.extend([0; words::PADDING]);
        match row(&mut self.shape.columns, &scratch, 0) {
            Ok(_) => {
                self.note_line(&scratch);
                self.rows += 1;
            }
            Err(place) => {
                self.truncate();
                self.bad_value(place);
            }
        }
        self.scratch = scratch;
    }

    /// Goes on in another format.
    fn change(&mut self, format: FlowFormat, visit: Visit<'_>) {
        self.from_json = false;
        if format != self.shape.format {
            self.flush(visit);
            let known = self.others.iter().rposition(|other| other.format == format);
            let place = known.unwrap_or_else(|| {
                self.others.push(Shape::new(format, self.fields.as_deref()));
                self.others.len() - 1
            });
            self.switch(place);
        }
        self.shape.header.clear();
        self.name_unknown();
    }

    /// Goes on with the shape at `place` of the others, between two batches.
    fn switch(&mut self, place: usize) {
        let next = self.others.remove(place);
        self.others.push(std::mem::replace(&mut self.shape, next));
        if self.others.len() > SHAPES_MAX {
            self.others.remove(0);
        }
    }

    fn name_unknown(&mut self) {
        for name in self.shape.format.unknown() {
            let names = &mut self.counts.unknown_fields;
            if names.len() < UNKNOWN_FIELDS_MAX && !names.contains(name) {
                names.push(name.clone());
            }
        }
    }

    fn truncate(&mut self) {
        for column in &mut self.shape.columns {
            column.truncate(self.rows);
        }
    }

    /// Hands out the rows so far; others may follow.
    fn flush(&mut self, visit: Visit<'_>) {
        self.flush_of(false, visit);
    }

    /// Hands out the rows so far, of the whole object or of a part.
    fn flush_of(&mut self, is_whole: bool, visit: Visit<'_>) {
        self.text_bytes = 0;
        let skipped = std::mem::take(&mut self.skipped);
        if self.rows == 0 {
            return;
        }
        let rows = std::mem::take(&mut self.rows) as u64;
        let Shape { layout, columns, order, .. } = &mut self.shape;
        let data = order.iter().filter_map(|place| columns.get_mut(*place)?.take());
        let data = Arc::new(data.collect());
        match FlowBatch::new(Arc::clone(layout), Arc::clone(&data), is_whole) {
            Some(batch) => {
                self.counts.rows += rows;
                if !skipped.is_empty() {
                    self.counts.note_gaps(&batch, &skipped);
                }
                visit(batch);
            }
            // Columns of unequal length would be a fault of this file; the rows are not lost unseen.
            None => self.counts.bad_rows += rows,
        }
        // The space comes back if nobody holds the batch any more.
        for (place, data) in order.iter().zip(Arc::into_inner(data).into_iter().flatten()) {
            if let Some(column) = columns.get_mut(*place) {
                column.reclaim(data);
            }
        }
    }

    /// Keeps the unfinished end of a block within its limit.
    fn bound_carry(&mut self) {
        let json = self.carry.first() == Some(&b'{');
        if self.carry.len() > if json { JSON_BYTES_MAX } else { LINE_BYTES_MAX } {
            self.bad(RowError::Long);
            self.carry = Vec::new();
            self.dropping = true;
        }
    }

    fn bad_value(&mut self, place: usize) {
        let Some(field) = self.shape.format.positions().get(place).copied().flatten() else {
            let expected = self.shape.columns.len();
            self.bad(RowError::Fields { expected, found: place });
            return;
        };
        self.bad(RowError::Value { field, place: place + 1, expected: expected(field.kind()) });
    }

    fn bad(&mut self, why: RowError) {
        self.counts.bad_rows += 1;
        if self.counts.bad_samples.len() < BAD_SAMPLES_MAX {
            self.counts.bad_samples.push(BadRow { line: self.line, why });
        }
    }
}

/// What a value has to be.
fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::Int32 => "number up to 2147483647",
        Kind::Int64 => "number up to 9223372036854775807",
        Kind::Address => "IPv4 or IPv6 address",
        Kind::Text => "word",
    }
}

/// Appends one line to the columns and returns where the next one starts, or the place of the value
/// that is not as expected. The columns may then be of unequal length.
#[inline]
fn row(columns: &mut [Column], text: &[u8], mut pos: usize) -> Result<usize, usize> {
    let last = columns.len().wrapping_sub(1);
    for (place, column) in columns.iter_mut().enumerate() {
        pos = column.push(text, pos).ok_or(place)?;
        match text.get(pos) {
            Some(b' ') if place != last => pos += 1,
            Some(b'\n') if place == last => return Ok(pos + 1),
            Some(b'\r') if place == last && text.get(pos + 1) == Some(&b'\n') => {
                return Ok(pos + 2);
            }
            _ => return Err(place),
        }
    }
    Err(0)
}

fn newlines(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

#[cfg(test)]
mod tests;
