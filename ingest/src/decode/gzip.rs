//! gzip (RFC 1952). Two ways to the same bytes: `Whole` inflates every member with libdeflate and
//! answers only when it is certain of each member's end; `Members` reads in blocks, says what is
//! wrong and where, and decides whatever `Whole` could not.

use flate2::{Decompress, FlushDecompress, Status};
use libdeflater::{Crc, Decompressor};
use memchr::memmem;

use super::DecodeError;

/// Deflate cannot inflate one byte to more than this.
const DEFLATE_RATIO_MAX: usize = 1032;

/// Fixed part of a member's header. Unit: bytes.
const HEADER_BYTES: usize = 10;

/// CRC and length behind each member. Unit: bytes.
const TRAILER_BYTES: usize = 8;

/// The smallest member: header, an empty block, trailer. Unit: bytes.
const MEMBER_BYTES_MIN: usize = HEADER_BYTES + 2 + TRAILER_BYTES;

/// How often in one object bytes that look like a header may turn out to be compressed data before
/// the block reader takes over; by chance it happens once in 128 MiB.
const FALSE_STARTS_MAX: u32 = 4;

/// Start of each member: the magic bytes and the only method there is.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// A header's flag bits that are reserved and must be zero.
const RESERVED_FLAGS: u8 = 0xe0;

/// The fast way, for objects that fit into memory.
pub(super) struct Whole {
    decompressor: Decompressor,
}

impl Default for Whole {
    fn default() -> Self {
        Self { decompressor: Decompressor::new() }
    }
}

impl Whole {
    /// Inflates all members into `out` and returns how many bytes; `None` when the object does not
    /// fit into `max` bytes, is damaged, padded, or leaves any doubt.
    pub(super) fn inflate(&mut self, input: &[u8], out: &mut Vec<u8>, max: usize) -> Option<usize> {
        let mut start = 0;
        let mut filled = 0;
        let mut false_starts = 0;
        while start < input.len() {
            let mut from = start + MEMBER_BYTES_MIN;
            loop {
                let end = next_start(input, from).unwrap_or(input.len());
                if let Some(n) = self.member(input.get(start..end)?, out, filled, max) {
                    start = end;
                    filled += n;
                    break;
                }
                false_starts += 1;
                if end == input.len() || false_starts > FALSE_STARTS_MAX {
                    return None;
                }
                from = end + 1;
            }
        }
        Some(filled)
    }

    /// Inflates one member that fills `gz` exactly.
    ///
    /// libdeflate checks the CRC but does not tell how much input it took, so bytes behind the
    /// member would pass unseen. The member's true end is followed by the length of the content:
    /// where these four bytes occur in `gz` only at its end, that is the true end. If they occur
    /// elsewhere too, the same is asked of all eight bytes of the trailer.
    fn member(&mut self, gz: &[u8], out: &mut Vec<u8>, filled: usize, max: usize) -> Option<usize> {
        let stated = u32::from_le_bytes(*gz.last_chunk()?) as usize;
        // A false length costs no memory: deflate bounds what the input can give.
        if stated > max.checked_sub(filled)? || stated > gz.len().saturating_mul(DEFLATE_RATIO_MAX)
        {
            return None;
        }
        if out.len() < filled + stated {
            out.resize(filled + stated, 0);
        }
        let space = out.get_mut(filled..filled + stated)?;
        let n = self.decompressor.gzip_decompress(gz, space).ok()?;
        let body = gz.get(HEADER_BYTES..)?;
        let length = u32::try_from(n).ok()?.to_le_bytes();
        if memmem::find(body, &length) == body.len().checked_sub(length.len()) {
            return Some(n);
        }
        let mut crc = Crc::new();
        crc.update(space.get(..n)?);
        let mut trailer = [0; TRAILER_BYTES];
        let (front, back) = trailer.split_at_mut(4);
        front.copy_from_slice(&crc.sum().to_le_bytes());
        back.copy_from_slice(&length);
        (memmem::find(body, &trailer) == body.len().checked_sub(TRAILER_BYTES)).then_some(n)
    }
}

/// The next place that looks like a member's header.
fn next_start(input: &[u8], from: usize) -> Option<usize> {
    let rest = input.get(from..)?;
    memmem::find_iter(rest, &MAGIC)
        .find(|at| rest.get(at + 3).is_some_and(|flags| flags & RESERVED_FLAGS == 0))
        .map(|at| from + at)
}

/// The careful way: block by block.
pub(super) struct Members<'a> {
    input: &'a [u8],
    pos: usize,
    inflate: Decompress,
    in_member: bool,
    crc: Crc,
    /// Inflated bytes of this member; its trailer holds the low 32 bits.
    length: u64,
}

impl std::fmt::Debug for Members<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Members").field("pos", &self.pos).finish_non_exhaustive()
    }
}

impl<'a> Members<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self {
            input,
            pos: 0,
            inflate: Decompress::new(false),
            in_member: false,
            crc: Crc::new(),
            length: 0,
        }
    }

    /// How much of the object has been read. Unit: bytes.
    pub(super) fn offset(&self) -> u64 {
        self.pos as u64
    }

    /// Fills `out` from its start and returns how many bytes; 0 is the end, reached only when every
    /// trailer was right.
    pub(super) fn next(&mut self, out: &mut [u8]) -> Result<usize, DecodeError> {
        loop {
            if !self.in_member && !self.start()? {
                return Ok(0);
            }
            let rest = self.input.get(self.pos..).unwrap_or_default();
            let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self.inflate.decompress(rest, out, FlushDecompress::None);
            self.pos += super::usize_of(self.inflate.total_in() - read);
            let n = super::usize_of(self.inflate.total_out() - written);
            let status = status.map_err(|error| DecodeError::Damaged {
                format: "gzip",
                offset: self.offset(),
                expected: format!("deflate data ({error})"),
            })?;
            self.crc.update(out.get(..n).unwrap_or_default());
            self.length += n as u64;
            if status == Status::StreamEnd {
                self.finish()?;
            } else if n == 0 && self.pos >= self.input.len() {
                return Err(self.truncated("compressed data"));
            } else if n == 0 && self.inflate.total_in() == read {
                return Err(DecodeError::Damaged {
                    format: "gzip",
                    offset: self.offset(),
                    expected: "deflate data".to_owned(),
                });
            }
            if n > 0 {
                return Ok(n);
            }
        }
    }

    /// Steps over a member's header; `false` at the end of the object.
    fn start(&mut self) -> Result<bool, DecodeError> {
        let rest = self.input.get(self.pos..).unwrap_or_default();
        if self.pos > 0 && rest.iter().all(|byte| *byte == 0) {
            self.pos = self.input.len();
            return Ok(false);
        }
        let header = match rest.first_chunk::<HEADER_BYTES>() {
            Some(header) if header.starts_with(&MAGIC) => header,
            None if MAGIC.starts_with(rest.get(..3.min(rest.len())).unwrap_or_default())
                || rest.starts_with(&MAGIC) =>
            {
                return Err(self.truncated("a gzip header"));
            }
            _ if self.pos > 0 => {
                return Err(DecodeError::TrailingBytes { format: "gzip", offset: self.offset() });
            }
            _ => return Err(self.damaged("compression method 8 (deflate)")),
        };
        let flags = header[3];
        if flags & RESERVED_FLAGS != 0 {
            return Err(self.damaged("no reserved flags in the gzip header"));
        }
        self.pos += HEADER_BYTES;
        if flags & 4 != 0 {
            let [low, high] = *self.take::<2>()?;
            self.skip(usize::from(u16::from_le_bytes([low, high])))?;
        }
        for text in [8, 16] {
            if flags & text != 0 {
                let rest = self.input.get(self.pos..).unwrap_or_default();
                let zero =
                    memchr::memchr(0, rest).ok_or_else(|| self.truncated("a gzip header"))?;
                self.skip(zero + 1)?;
            }
        }
        if flags & 2 != 0 {
            self.skip(2)?;
        }
        self.inflate.reset(false);
        self.crc = Crc::new();
        self.length = 0;
        self.in_member = true;
        Ok(true)
    }

    /// Checks a member's trailer.
    fn finish(&mut self) -> Result<(), DecodeError> {
        let at = self.offset();
        let rest = self.input.get(self.pos..).unwrap_or_default();
        let (Some(crc), Some(length)) =
            (rest.first_chunk::<4>(), rest.get(4..).and_then(|rest| rest.first_chunk::<4>()))
        else {
            return Err(self.truncated("a gzip trailer"));
        };
        let (stated, actual) = (u32::from_le_bytes(*crc), self.crc.sum());
        if stated != actual {
            return Err(DecodeError::Checksum { what: "CRC-32", offset: at, stated, actual });
        }
        #[expect(clippy::cast_possible_truncation, reason = "gzip states the length modulo 2^32")]
        let (stated, actual) = (u32::from_le_bytes(*length), self.length as u32);
        if stated != actual {
            return Err(DecodeError::Checksum { what: "length", offset: at + 4, stated, actual });
        }
        self.pos += TRAILER_BYTES;
        self.in_member = false;
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], DecodeError> {
        let rest = self.input.get(self.pos..).unwrap_or_default();
        let bytes = rest.first_chunk::<N>().ok_or_else(|| self.truncated("a gzip header"))?;
        self.pos += N;
        Ok(bytes)
    }

    fn skip(&mut self, n: usize) -> Result<(), DecodeError> {
        if self.input.len() - self.pos < n {
            return Err(self.truncated("a gzip header"));
        }
        self.pos += n;
        Ok(())
    }

    fn truncated(&self, inside: &'static str) -> DecodeError {
        DecodeError::Truncated { offset: self.input.len() as u64, inside }
    }

    fn damaged(&self, expected: &str) -> DecodeError {
        DecodeError::Damaged {
            format: "gzip",
            offset: self.offset(),
            expected: expected.to_owned(),
        }
    }
}
