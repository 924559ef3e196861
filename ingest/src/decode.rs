//! Inflates one object: gzip (every member), zstd (every frame) or plain bytes, told apart by their
//! first bytes. In: the object as stored. Out: its content, whole or in blocks, and only after all of
//! it was checked. It never hands out part of a damaged object and never grows past its limits.

use std::ops::Range;

use thiserror::Error;

mod gzip;
mod zstd;

/// Largest inflated object. Unit: bytes. Hourly objects of busy organisations reach a few GiB.
pub const INFLATED_BYTES_MAX: u64 = 8 << 30;

/// Largest content held in memory at once; anything bigger is handed out in blocks. Unit: bytes.
pub const WHOLE_BYTES_MAX: usize = 64 << 20;

/// Largest content whose records are held until all of it was read; what is larger is read once more than is
/// needed, to know that it is whole before any record counts. Unit: bytes.
pub const ROWS_BYTES_MAX: u64 = 256 << 20;

/// From this inflated size on, the compression ratio is watched. Unit: bytes.
const RATIO_WATCH_BYTES: u64 = 256 << 20;

/// Ratio of inflated to stored bytes from which on an object above [`RATIO_WATCH_BYTES`] is refused.
/// `CloudTrail` compresses 10 to 30 times, flow text 4 to 15 times, deflate cannot pass 1,032: a bomb
/// sits near that. Unit: times.
const RATIO_MAX: u64 = 400;

/// Size of the blocks of a [`Stream`]. Unit: bytes.
const BLOCK_BYTES: usize = 256 << 10;

/// The hard limits of one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest inflated object; [`INFLATED_BYTES_MAX`] if nothing else is set. Unit: bytes.
    pub inflated_bytes_max: u64,
    /// Largest content held in memory at once; [`WHOLE_BYTES_MAX`] if nothing else is set. Unit: bytes.
    pub whole_bytes_max: usize,
    /// Largest content whose records are all held until it is known that it is whole; [`ROWS_BYTES_MAX`] if
    /// nothing else is set. Unit: bytes.
    pub rows_bytes_max: u64,
    /// Inflated size above which the compression ratio is watched. Unit: bytes.
    pub ratio_watch_bytes: u64,
    /// Ratio of inflated to stored bytes from which on a watched object is refused. Unit: times.
    pub ratio_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            inflated_bytes_max: INFLATED_BYTES_MAX,
            whole_bytes_max: WHOLE_BYTES_MAX,
            rows_bytes_max: ROWS_BYTES_MAX,
            ratio_watch_bytes: RATIO_WATCH_BYTES,
            ratio_max: RATIO_MAX,
        }
    }
}

/// Why an object was refused. Offsets count bytes of the object as stored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The object stops early: an upload or a download was cut.
    #[error("object ends at byte {offset} inside {inside}; expected the rest of it")]
    Truncated {
        /// Where the object ends.
        offset: u64,
        /// The part that is not complete.
        inside: &'static str,
    },
    /// Bytes that the format does not allow.
    #[error("damaged {format} data near byte {offset}: expected {expected}")]
    Damaged {
        /// `gzip` or `zstd`.
        format: &'static str,
        /// Where reading stopped.
        offset: u64,
        /// What should have been there.
        expected: String,
    },
    /// The content is not what was compressed.
    #[error(
        "wrong {what} at byte {offset}: the object says {stated:#010x}, its content gives {actual:#010x}"
    )]
    Checksum {
        /// Which check.
        what: &'static str,
        /// Where the stored value is.
        offset: u64,
        /// The stored value.
        stated: u32,
        /// The value of the inflated bytes.
        actual: u32,
    },
    /// Something follows the last member or frame that is neither another one nor zero padding.
    #[error(
        "unknown bytes after the compressed data at byte {offset}: expected another {format} header or the end"
    )]
    TrailingBytes {
        /// `gzip` or `zstd`.
        format: &'static str,
        /// Where they start.
        offset: u64,
    },
    /// The hard cap was reached.
    #[error(
        "object inflates past the limit of {limit} bytes at byte {offset}; expected a smaller object"
    )]
    TooLarge {
        /// [`Limits::inflated_bytes_max`].
        limit: u64,
        /// How much of the object had been read.
        offset: u64,
    },
    /// A large object compresses better than any log does.
    #[error(
        "object inflates {limit} times or more by byte {offset}; expected a log, this looks like a bomb"
    )]
    Ratio {
        /// [`Limits::ratio_max`].
        limit: u64,
        /// How much of the object had been read.
        offset: u64,
    },
    /// Content that is told by its first bytes, and not read.
    #[error("object begins like {found}; expected UTF-8 text, gzip or zstd")]
    Unread {
        /// What it is.
        found: &'static str,
    },
}

/// The checked content of one object.
#[derive(Debug)]
pub enum Inflated<'a> {
    /// All of it, without a UTF-8 byte order mark.
    Whole(&'a [u8]),
    /// More than [`Limits::whole_bytes_max`]: in blocks, checked in a first pass.
    Stream(Stream<'a>),
}

/// Inflates objects one after the other into buffers that it keeps; one per worker thread. It holds
/// at most [`Limits::whole_bytes_max`] bytes.
pub struct Decoder {
    limits: Limits,
    gzip: gzip::Whole,
    out: Vec<u8>,
}

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder")
            .field("limits", &self.limits)
            .field("buffer_bytes", &self.out.len())
            .finish_non_exhaustive()
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Decoder {
    /// A decoder with empty buffers.
    pub fn new(limits: Limits) -> Self {
        Self { limits, gzip: gzip::Whole::default(), out: Vec::new() }
    }

    /// The limits that it was made with.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Inflates and checks one object to its end.
    pub fn decode<'a>(&'a mut self, input: &'a [u8]) -> Result<Inflated<'a>, DecodeError> {
        match Format::of(input) {
            Format::Plain if input.len() as u64 > self.limits.inflated_bytes_max => {
                Err(DecodeError::TooLarge { limit: self.limits.inflated_bytes_max, offset: 0 })
            }
            Format::Plain => Ok(Inflated::Whole(text(input)?)),
            Format::Gzip => {
                let max = self.limits.whole_bytes_max.min(usize_of(self.limits.inflated_bytes_max));
                match self.gzip.inflate(input, &mut self.out, max) {
                    Some(n) => Ok(Inflated::Whole(text(self.out.get(..n).unwrap_or_default())?)),
                    None => self.in_blocks(input),
                }
            }
            Format::Zstd => self.in_blocks(input),
        }
    }

    /// The pass that checks everything and keeps the content while it fits.
    fn in_blocks<'a>(&'a mut self, input: &'a [u8]) -> Result<Inflated<'a>, DecodeError> {
        let mut blocks = Blocks::new(input, self.limits);
        let mut block = vec![0; BLOCK_BYTES];
        let mut kept = 0;
        // What is larger as it is stored is no smaller inflated, or hardly.
        let mut fits = input.len() <= self.limits.whole_bytes_max;
        let mut first = true;
        loop {
            let n = blocks.next(&mut block)?;
            if n == 0 {
                break;
            }
            let bytes = block.get(..n).unwrap_or_default();
            if std::mem::take(&mut first) {
                text(bytes)?;
            }
            fits = fits && kept + n <= self.limits.whole_bytes_max;
            if fits {
                if self.out.len() < kept + n {
                    // At once: room that nothing was written to takes no memory, shorter buffers left behind would.
                    let room = self.limits.whole_bytes_max.min(WHOLE_BYTES_MAX);
                    self.out.reserve_exact(room.saturating_sub(self.out.len()));
                    let grown = self.out.len().saturating_mul(2).min(self.limits.whole_bytes_max);
                    self.out.resize(grown.max(kept + n), 0);
                }
                if let Some(space) = self.out.get_mut(kept..kept + n) {
                    space.copy_from_slice(bytes);
                }
                kept += n;
            }
        }
        if fits {
            return Ok(Inflated::Whole(text(self.out.get(..kept).unwrap_or_default())?));
        }
        Ok(Inflated::Stream(self.stream(input, blocks.inflated)))
    }

    /// The content once more of an object that [`Self::decode`] found whole, and of this size. Unit: bytes.
    pub fn stream<'a>(&self, input: &'a [u8], inflated_bytes: u64) -> Stream<'a> {
        let blocks = Blocks::new(input, self.limits);
        Stream { blocks, inflated_bytes, block: vec![0; BLOCK_BYTES], at: Place::Start }
    }
}

/// Content that is too large to hold: a second pass over an object whose first pass found no fault.
#[derive(Debug)]
pub struct Stream<'a> {
    blocks: Blocks<'a>,
    inflated_bytes: u64,
    block: Vec<u8>,
    at: Place,
}

/// How far a [`Stream`] is read.
#[derive(Debug)]
enum Place {
    Start,
    /// The first block was looked at, and is these bytes.
    First(Range<usize>),
    Behind,
}

impl Stream<'_> {
    /// Size of the whole content. Unit: bytes.
    pub fn inflated_bytes(&self) -> u64 {
        self.inflated_bytes
    }

    /// How the content begins; [`Self::next_block`] hands it out all the same.
    pub fn first_block(&mut self) -> Result<&[u8], DecodeError> {
        if matches!(self.at, Place::Start) {
            let n = self.blocks.next(&mut self.block)?;
            let n_text = text(self.block.get(..n).unwrap_or_default())?.len();
            self.at = Place::First(n - n_text..n);
        }
        match &self.at {
            Place::First(range) => Ok(self.block.get(range.clone()).unwrap_or_default()),
            Place::Start | Place::Behind => Ok(&[]),
        }
    }

    /// The next block, of any size; an empty one at the end.
    pub fn next_block(&mut self) -> Result<&[u8], DecodeError> {
        if matches!(self.at, Place::Start) {
            self.first_block()?;
        }
        let range = match std::mem::replace(&mut self.at, Place::Behind) {
            Place::First(range) => range,
            Place::Start | Place::Behind => 0..self.blocks.next(&mut self.block)?,
        };
        Ok(self.block.get(range).unwrap_or_default())
    }
}

/// Inflates one object, be it gzip, zstd or plain, into a new vector of at most `inflated_bytes_max`
/// bytes; for callers that do it once.
pub fn gunzip(input: &[u8], inflated_bytes_max: usize) -> Result<Vec<u8>, DecodeError> {
    let limits = Limits {
        inflated_bytes_max: inflated_bytes_max as u64,
        whole_bytes_max: inflated_bytes_max,
        ..Limits::default()
    };
    let mut decoder = Decoder::new(limits);
    match decoder.decode(input)? {
        Inflated::Whole(bytes) => Ok(bytes.to_vec()),
        Inflated::Stream(_) => Err(DecodeError::TooLarge {
            limit: inflated_bytes_max as u64,
            offset: input.len() as u64,
        }),
    }
}

/// Inflates parts of a larger format, one after the other.
#[derive(Default)]
pub(crate) struct Parts {
    gzip: gzip::Whole,
}

impl Parts {
    /// Inflates gzip or zstd that may hold `bytes_max` bytes. Room is made as content comes.
    pub(crate) fn inflate(
        &mut self,
        input: &[u8],
        bytes_max: usize,
    ) -> Result<Vec<u8>, DecodeError> {
        let mut out = Vec::new();
        if Format::of(input) == Format::Gzip
            && let Some(n) = self.gzip.inflate(input, &mut out, bytes_max)
        {
            out.truncate(n);
            return Ok(out);
        }
        out.clear();
        let limits = Limits { inflated_bytes_max: bytes_max as u64, ..Limits::default() };
        let mut blocks = Blocks::new(input, limits);
        let mut block = vec![0; BLOCK_BYTES.min(bytes_max + 1)];
        loop {
            let n = blocks.next(&mut block)?;
            if n == 0 {
                return Ok(out);
            }
            out.extend_from_slice(block.get(..n).unwrap_or_default());
        }
    }
}

/// What the first bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Gzip,
    Zstd,
    Plain,
}

impl Format {
    fn of(input: &[u8]) -> Self {
        match input {
            [0x1f, 0x8b, ..] => Self::Gzip,
            // The second form is a skippable frame, which may come first.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

/// The compressed formats behind one face, under the limits.
#[derive(Debug)]
struct Blocks<'a> {
    source: Source<'a>,
    limits: Limits,
    inflated: u64,
}

#[derive(Debug)]
enum Source<'a> {
    Gzip(Box<gzip::Members<'a>>),
    Zstd(Box<zstd::Frames<'a>>),
}

impl<'a> Blocks<'a> {
    fn new(input: &'a [u8], limits: Limits) -> Self {
        let source = match Format::of(input) {
            Format::Zstd => Source::Zstd(Box::new(zstd::Frames::new(input))),
            Format::Gzip | Format::Plain => Source::Gzip(Box::new(gzip::Members::new(input))),
        };
        Self { source, limits, inflated: 0 }
    }

    /// Fills all of `out`, less only before the checked end, and returns how many bytes. So a byte
    /// order mark is never cut by a member's end.
    fn next(&mut self, out: &mut [u8]) -> Result<usize, DecodeError> {
        let mut filled = 0;
        while let Some(space) = out.get_mut(filled..).filter(|space| !space.is_empty()) {
            let n = self.piece(space)?;
            if n == 0 {
                break;
            }
            filled += n;
        }
        Ok(filled)
    }

    /// Writes what comes next to the start of `out` and returns how many bytes; 0 is the end.
    fn piece(&mut self, out: &mut [u8]) -> Result<usize, DecodeError> {
        let (n, offset) = match &mut self.source {
            Source::Gzip(members) => (members.next(out)?, members.offset()),
            Source::Zstd(frames) => (frames.next(out)?, frames.offset()),
        };
        self.inflated += n as u64;
        if self.inflated > self.limits.inflated_bytes_max {
            return Err(DecodeError::TooLarge { limit: self.limits.inflated_bytes_max, offset });
        }
        if self.inflated > self.limits.ratio_watch_bytes
            && self.inflated / offset.max(1) >= self.limits.ratio_max
        {
            return Err(DecodeError::Ratio { limit: self.limits.ratio_max, offset });
        }
        Ok(n)
    }
}

/// The text without a UTF-8 byte order mark.
fn text(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let found = match bytes {
        // AWS writes UTF-8 only; a text editor made this.
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "UTF-16 text",
        [b'P', b'A', b'R', b'1', ..] => "Parquet",
        [b'P', b'K', 3, 4, ..] => "a zip archive",
        [0xef, 0xbb, 0xbf, rest @ ..] => return Ok(rest),
        _ => return Ok(bytes),
    };
    Err(DecodeError::Unread { found })
}

fn usize_of(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
