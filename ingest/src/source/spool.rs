//! Brings records into the order of their days. In: records of files that carry no stamp, in any
//! order. Out: chunks of text by UTC day, then file, then order of arrival. Above its bound in
//! memory it writes to one temporary file, which has no name and goes with the process.
//!
//! ```text
//! spill file    one sorted part behind the other, each a row of runs by (day, file)
//! run           day: i32 | file: u32 | length: u64 | length bytes of text    (little endian)
//! ```
//! Reading merges the parts: it holds one chunk and 40 bytes for each part, however many days the
//! input has.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Text held in memory before it is written to disk. Unit: bytes.
pub(crate) const MEMORY_BYTES_MAX: usize = 256 << 20;

/// A chunk is closed by the record that reaches this size, so a chunk is at most one record
/// larger. Unit: bytes.
pub(crate) const CHUNK_BYTES: usize = 4 << 20;

/// What a run costs beside its text, counted so that a record for each of a million days cannot
/// pass the bound in memory. Unit: bytes.
const RUN_OVERHEAD_BYTES: usize = 160;

/// Bytes in front of a run in the spill file.
const RUN_HEAD_BYTES: usize = 16;

/// Days since the Unix epoch, UTC.
pub(crate) type Day = i32;

/// Which of the caller's files a record comes from.
pub(crate) type FileIndex = u32;

/// Why records could not be brought into order.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// No temporary file.
    #[error("cannot make a temporary file in {} (set TMPDIR to a folder that can be written)", .dir.display())]
    Create {
        /// The temporary folder.
        dir: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Most often a full disk.
    #[error(
        "cannot write {bytes} bytes of records to {} (expected room for the inflated input; set TMPDIR to a larger disk)",
        .dir.display()
    )]
    Write {
        /// The temporary folder.
        dir: PathBuf,
        /// How much was to be written, beyond what had been. Unit: bytes.
        bytes: u64,
        /// What the system said.
        source: std::io::Error,
    },
    /// The temporary file does not give back what it got.
    #[error("cannot read the records back from {} (byte {offset})", .dir.display())]
    Read {
        /// The temporary folder.
        dir: PathBuf,
        /// Where in the temporary file. Unit: bytes.
        offset: u64,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Records of one file and one day, each ended by a line feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The day of all its records.
    pub day: Day,
    /// The file of all its records.
    pub file: FileIndex,
    /// The header line, for flow logs, then the records. A record of CloudTrail may hold line
    /// feeds itself, so this is concatenated JSON rather than JSON lines.
    pub bytes: Vec<u8>,
}

/// Text of one day and file that will be one chunk.
#[derive(Debug)]
struct Run {
    /// How many bytes at its start are the header line, its line feed not counted.
    header_bytes: usize,
    text: Vec<u8>,
}

/// A sorted part of the spill file, from its next run on. The order is that of reading.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    day: Day,
    file: FileIndex,
    /// Parts written earlier hold records that came earlier.
    number: usize,
    /// Where the text of the next run begins. Unit: bytes.
    offset: u64,
    length: u64,
    end: u64,
}

/// Takes records in any order of days.
#[derive(Debug)]
pub struct DaySpool {
    dir: PathBuf,
    memory_bytes_max: usize,
    memory_bytes: usize,
    runs: BTreeMap<(Day, FileIndex), Vec<Run>>,
    file: Option<File>,
    /// Byte at which each part begins.
    parts: Vec<u64>,
    spilled_bytes: u64,
}

impl Default for DaySpool {
    fn default() -> Self {
        Self::new()
    }
}

impl DaySpool {
    /// A spool that holds `MEMORY_BYTES_MAX` and then writes to the system's temporary folder.
    pub fn new() -> Self {
        Self::within(MEMORY_BYTES_MAX, &std::env::temp_dir())
    }

    /// A spool with its own bound (unit: bytes) and folder for what does not fit.
    pub(crate) fn within(memory_bytes_max: usize, dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            memory_bytes_max,
            memory_bytes: 0,
            runs: BTreeMap::new(),
            file: None,
            parts: Vec::new(),
            spilled_bytes: 0,
        }
    }

    /// Takes a CloudTrail record: one JSON object, on one line or many.
    pub fn push(&mut self, day: Day, file: FileIndex, record: &[u8]) -> Result<(), SpoolError> {
        self.push_line(day, file, b"", record)
    }

    /// Takes a line of a flow log with the header line in force, neither with its line feed.
    /// Every chunk begins with its header line; an empty header is left out.
    pub(crate) fn push_line(
        &mut self,
        day: Day,
        file: FileIndex,
        header: &[u8],
        line: &[u8],
    ) -> Result<(), SpoolError> {
        let runs = self.runs.entry((day, file)).or_default();
        let fits = |run: &Run| {
            run.text.len() < CHUNK_BYTES && run.text.get(..run.header_bytes) == Some(header)
        };
        if !runs.last().is_some_and(fits) {
            let mut text = Vec::new();
            if !header.is_empty() {
                text.extend_from_slice(header);
                text.push(b'\n');
            }
            self.memory_bytes += text.capacity() + RUN_OVERHEAD_BYTES;
            runs.push(Run { header_bytes: header.len(), text });
        }
        if let Some(run) = runs.last_mut() {
            let before = run.text.capacity();
            run.text.extend_from_slice(line);
            run.text.push(b'\n');
            self.memory_bytes += run.text.capacity() - before;
        }
        if self.memory_bytes > self.memory_bytes_max { self.spill() } else { Ok(()) }
    }

    /// Ends the taking and begins the giving back.
    pub fn finish(self) -> Result<Days, SpoolError> {
        let ends = self.parts.iter().skip(1).copied().chain([self.spilled_bytes]);
        let bounds: Vec<(u64, u64)> = self.parts.iter().copied().zip(ends).collect();
        let mut spilled = None;
        if let Some(file) = self.file {
            let mut reader = SpillReader { dir: self.dir, file, parts: BinaryHeap::new() };
            for (number, (start, end)) in bounds.into_iter().enumerate() {
                reader.open(number, start, end)?;
            }
            spilled = Some(reader);
        }
        let held = self.runs.into_iter().flat_map(|((day, file), runs)| {
            runs.into_iter().map(move |run| Chunk { day, file, bytes: run.text })
        });
        let held: Box<dyn Iterator<Item = Chunk> + Send> = Box::new(held);
        Ok(Days { held: held.peekable(), spilled })
    }

    /// Writes all that is held as the next part.
    fn spill(&mut self) -> Result<(), SpoolError> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => tempfile::tempfile_in(&self.dir)
                .map_err(|source| SpoolError::Create { dir: self.dir.clone(), source })?,
        };
        let start = self.spilled_bytes;
        let runs = std::mem::take(&mut self.runs);
        let bytes = runs
            .values()
            .flatten()
            .map(|run| (RUN_HEAD_BYTES as u64).saturating_add(run.text.len() as u64))
            .sum();
        write_part(&mut file, &runs).map_err(|source| SpoolError::Write {
            dir: self.dir.clone(),
            bytes,
            source,
        })?;
        self.parts.push(start);
        self.spilled_bytes = start.saturating_add(bytes);
        self.memory_bytes = 0;
        self.file = Some(file);
        Ok(())
    }
}

fn write_part(file: &mut File, runs: &BTreeMap<(Day, FileIndex), Vec<Run>>) -> std::io::Result<()> {
    let mut writer = BufWriter::new(file);
    for ((day, index), runs) in runs {
        for run in runs {
            writer.write_all(&day.to_le_bytes())?;
            writer.write_all(&index.to_le_bytes())?;
            writer.write_all(&(run.text.len() as u64).to_le_bytes())?;
            writer.write_all(&run.text)?;
        }
    }
    writer.flush()
}

/// Gives the records back: an iterator of [`Chunk`] by day, then file, then order of arrival. It
/// ends after its first error.
pub struct Days {
    held: std::iter::Peekable<Box<dyn Iterator<Item = Chunk> + Send>>,
    spilled: Option<SpillReader>,
}

impl Iterator for Days {
    type Item = Result<Chunk, SpoolError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(reader) = &mut self.spilled
            && let Some(Reverse(part)) = reader.parts.peek()
        {
            // What is held came last, so on equal terms the spilled goes first.
            let held = self.held.peek().map(|chunk| (chunk.day, chunk.file));
            if held.is_none_or(|held| (part.day, part.file) <= held) {
                let chunk = reader.read().transpose()?;
                if chunk.is_err() {
                    self.spilled = None;
                    let nothing: Box<dyn Iterator<Item = Chunk> + Send> =
                        Box::new(std::iter::empty());
                    self.held = nothing.peekable();
                }
                return Some(chunk);
            }
        }
        self.held.next().map(Ok)
    }
}

/// Merges the parts of the spill file.
struct SpillReader {
    dir: PathBuf,
    file: File,
    parts: BinaryHeap<Reverse<Part>>,
}

impl SpillReader {
    /// Puts a part among the open ones, from the run at `start` on, unless it is at its end.
    fn open(&mut self, number: usize, start: u64, end: u64) -> Result<(), SpoolError> {
        if start >= end {
            return Ok(());
        }
        let mut head = [0; RUN_HEAD_BYTES];
        let mut read = || {
            self.file.seek(SeekFrom::Start(start))?;
            self.file.read_exact(&mut head)
        };
        read().map_err(|source| self.error(start, source))?;
        let [d0, d1, d2, d3, f0, f1, f2, f3, length @ ..] = head;
        self.parts.push(Reverse(Part {
            day: Day::from_le_bytes([d0, d1, d2, d3]),
            file: FileIndex::from_le_bytes([f0, f1, f2, f3]),
            number,
            offset: start.saturating_add(RUN_HEAD_BYTES as u64),
            length: u64::from_le_bytes(length),
            end,
        }));
        Ok(())
    }

    /// Reads the first run of all parts.
    fn read(&mut self) -> Result<Option<Chunk>, SpoolError> {
        let Some(Reverse(part)) = self.parts.pop() else { return Ok(None) };
        let length = part.length.min(part.end.saturating_sub(part.offset));
        let mut bytes =
            Vec::with_capacity(usize::try_from(length).unwrap_or(0).min(2 * CHUNK_BYTES));
        let mut read = || {
            self.file.seek(SeekFrom::Start(part.offset))?;
            Read::by_ref(&mut self.file).take(length).read_to_end(&mut bytes)
        };
        let count = read().map_err(|source| self.error(part.offset, source))?;
        if count as u64 != part.length {
            let source = std::io::ErrorKind::UnexpectedEof.into();
            return Err(self.error(part.offset, source));
        }
        self.open(part.number, part.offset.saturating_add(part.length), part.end)?;
        Ok(Some(Chunk { day: part.day, file: part.file, bytes }))
    }

    fn error(&self, offset: u64, source: std::io::Error) -> SpoolError {
        SpoolError::Read { dir: self.dir.clone(), offset, source }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spool(memory_bytes_max: usize) -> DaySpool {
        DaySpool::within(memory_bytes_max, &std::env::temp_dir())
    }

    fn texts(spool: DaySpool) -> Vec<(Day, FileIndex, String)> {
        let chunks = spool.finish().unwrap().map(Result::unwrap);
        chunks.map(|c| (c.day, c.file, String::from_utf8(c.bytes).unwrap())).collect()
    }

    #[test]
    fn days_come_in_order_and_files_within_them() {
        let mut spool = spool(MEMORY_BYTES_MAX);
        for (day, file, record) in
            [(2, 0, "a"), (-1, 1, "{\n\"b\": 1}"), (2, 1, "c"), (2, 0, "d"), (-1, 0, "e")]
        {
            spool.push(day, file, record.as_bytes()).unwrap();
        }
        let expected = [
            (-1, 0, "e\n".to_owned()),
            (-1, 1, "{\n\"b\": 1}\n".to_owned()),
            (2, 0, "a\nd\n".to_owned()),
            (2, 1, "c\n".to_owned()),
        ];
        assert_eq!(spool.spilled_bytes, 0);
        assert_eq!(texts(spool), expected);
    }

    #[test]
    fn every_chunk_of_a_flow_log_begins_with_its_header_line() {
        for limit in [0, MEMORY_BYTES_MAX] {
            let mut spool = spool(limit);
            spool.push_line(1, 0, b"version action", b"2 ACCEPT").unwrap();
            spool.push_line(0, 0, b"version action", b"2 REJECT").unwrap();
            spool.push_line(1, 0, b"action", b"NODATA").unwrap();
            let expected = [
                (0, 0, "version action\n2 REJECT\n".to_owned()),
                (1, 0, "version action\n2 ACCEPT\n".to_owned()),
                (1, 0, "action\nNODATA\n".to_owned()),
            ];
            assert_eq!(texts(spool), expected);
        }
    }

    #[test]
    fn a_chunk_is_closed_at_its_size() {
        let mut spool = spool(MEMORY_BYTES_MAX);
        let record = vec![b'x'; CHUNK_BYTES / 2];
        for _ in 0..5 {
            spool.push(0, 0, &record).unwrap();
        }
        let sizes: Vec<usize> = texts(spool).iter().map(|(_, _, text)| text.len()).collect();
        let pair = 2 * (record.len() + 1);
        assert_eq!(sizes, [pair, pair, record.len() + 1]);
    }

    #[test]
    fn memory_stays_within_the_bound_whatever_the_days() {
        let limit = 64 * 1024;
        let mut spool = spool(limit);
        for day in 0..10_000 {
            spool.push(day, 0, b"{}").unwrap();
            assert!(spool.memory_bytes <= limit);
        }
        assert!(spool.parts.len() > 10);
        assert_eq!(spool.spilled_bytes, spool.file.as_ref().unwrap().metadata().unwrap().len());
        let days: Vec<Day> = texts(spool).iter().map(|(day, _, _)| *day).collect();
        assert_eq!(days, (0..10_000).collect::<Vec<_>>());
    }

    #[test]
    fn a_missing_temporary_folder_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let gone = dir.path().join("gone");
        let error = DaySpool::within(0, &gone).push(0, 0, b"{}").unwrap_err();
        let expected = format!(
            "cannot make a temporary file in {} (set TMPDIR to a folder that can be written)",
            gone.display()
        );
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_disk_that_takes_no_more_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("read-only");
        std::fs::write(&path, "").unwrap();
        let mut spool = DaySpool::within(0, dir.path());
        spool.file = Some(File::open(path).unwrap());
        let error = spool.push(0, 0, b"{}").unwrap_err().to_string();
        let expected = format!(
            "cannot write 19 bytes of records to {} (expected room for the inflated input; \
             set TMPDIR to a larger disk)",
            dir.path().display()
        );
        assert_eq!(error, expected);
    }

    #[test]
    fn a_shortened_temporary_file_is_an_error_and_the_end() {
        let mut spool = spool(0);
        spool.push(0, 0, b"0123456789").unwrap();
        spool.push(1, 0, b"0123456789").unwrap();
        let file = spool.file.as_ref().unwrap().try_clone().unwrap();
        let mut days = spool.finish().unwrap();
        file.set_len(RUN_HEAD_BYTES as u64 + 3).unwrap();
        assert!(matches!(days.next(), Some(Err(SpoolError::Read { offset: 16, .. }))));
        assert!(days.next().is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn gives_back_what_it_got_at_any_limit(
            records in prop::collection::vec((-3i32..4, 0u32..3, "[a-z{}\n]{0,40}"), 0..200),
            limit in 0usize..8_000,
        ) {
            let mut spool = spool(limit);
            for (day, file, record) in &records {
                spool.push(*day, *file, record.as_bytes()).unwrap();
            }
            let mut given: BTreeMap<(Day, FileIndex), String> = BTreeMap::new();
            for (day, file, record) in &records {
                let text = given.entry((*day, *file)).or_default();
                text.push_str(record);
                text.push('\n');
            }
            let mut got: Vec<((Day, FileIndex), String)> = Vec::new();
            for (day, file, text) in texts(spool) {
                match got.last_mut() {
                    Some((key, so_far)) if *key == (day, file) => so_far.push_str(&text),
                    _ => got.push(((day, file), text)),
                }
            }
            prop_assert_eq!(got, given.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn flow_lines_come_back_under_their_own_header_at_any_limit(
            lines in prop::collection::vec((0i32..3, 0u32..2, 0u8..3, "[a-z ]{0,20}"), 0..120),
            limit in 0usize..8_000,
        ) {
            let header = |format: u8| format!("# version {format}");
            let mut spool = spool(limit);
            let mut given: BTreeMap<(Day, FileIndex), Vec<(String, String)>> = BTreeMap::new();
            for (day, file, format, line) in &lines {
                let header = header(*format);
                spool.push_line(*day, *file, header.as_bytes(), line.as_bytes()).unwrap();
                given.entry((*day, *file)).or_default().push((header, line.clone()));
            }
            let mut got: BTreeMap<(Day, FileIndex), Vec<(String, String)>> = BTreeMap::new();
            for (day, file, text) in texts(spool) {
                let mut chunk = text.lines();
                let header = chunk.next().unwrap();
                prop_assert!(header.starts_with('#'));
                let rows = got.entry((day, file)).or_default();
                rows.extend(chunk.map(|line| (header.to_owned(), line.to_owned())));
            }
            prop_assert_eq!(got, given);
        }
    }
}
