//! zstd (RFC 8878), every frame, read in blocks; skippable frames are stepped over.

use std::io::Read;

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::DecodeError;

/// Largest window a frame may ask for. Unit: bytes. Every level of the command line tool up to 19
/// stays at 8 MiB.
const WINDOW_BYTES_MAX: u64 = 64 << 20;

/// How much is decoded before it is drained. Unit: bytes. One block gives at most 128 KiB.
const STEP_BYTES: usize = 128 << 10;

/// The frames of one object.
pub(super) struct Frames<'a> {
    input: &'a [u8],
    rest: &'a [u8],
    decoder: FrameDecoder,
    in_frame: bool,
}

impl std::fmt::Debug for Frames<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frames").field("offset", &self.offset()).finish_non_exhaustive()
    }
}

impl<'a> Frames<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW_BYTES_MAX);
        Self { input, rest: input, decoder, in_frame: false }
    }

    /// How much of the object has been read. Unit: bytes.
    pub(super) fn offset(&self) -> u64 {
        (self.input.len() - self.rest.len()) as u64
    }

    /// Fills `out` from its start and returns how many bytes; 0 is the end, reached only when every
    /// checksum was right.
    pub(super) fn next(&mut self, out: &mut [u8]) -> Result<usize, DecodeError> {
        loop {
            if !self.in_frame && !self.start()? {
                return Ok(0);
            }
            if self.decoder.can_collect() == 0 {
                if self.decoder.is_finished() {
                    self.finish()?;
                    continue;
                }
                self.decoder
                    .decode_blocks(&mut self.rest, BlockDecodingStrategy::UptoBytes(STEP_BYTES))
                    .map_err(|error| self.fault(&error))?;
            }
            let n = self.decoder.read(out).map_err(|_| self.damaged("a valid frame".to_owned()))?;
            if n > 0 {
                return Ok(n);
            }
        }
    }

    /// Reads a frame's header; `false` at the end of the object.
    fn start(&mut self) -> Result<bool, DecodeError> {
        while !self.rest.is_empty() {
            if self.offset() > 0 && self.rest.iter().all(|byte| *byte == 0) {
                self.rest = &[];
                break;
            }
            let before = self.rest;
            match self.decoder.init(&mut self.rest) {
                Ok(()) => {
                    self.in_frame = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    self.rest = self
                        .rest
                        .get(super::usize_of(u64::from(length))..)
                        .ok_or_else(|| self.truncated("a skippable zstd frame"))?;
                }
                Err(FrameDecoderError::ReadFrameHeaderError(
                    ReadFrameHeaderError::BadMagicNumber(_),
                )) => {
                    let offset = (self.input.len() - before.len()) as u64;
                    return Err(DecodeError::TrailingBytes { format: "zstd", offset });
                }
                Err(error) => return Err(self.fault(&error)),
            }
        }
        Ok(false)
    }

    /// Checks a frame's checksum, where it has one.
    fn finish(&mut self) -> Result<(), DecodeError> {
        if let (Some(stated), Some(actual)) =
            (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum())
            && stated != actual
        {
            let offset = self.offset().saturating_sub(4);
            return Err(DecodeError::Checksum { what: "zstd checksum", offset, stated, actual });
        }
        self.in_frame = false;
        Ok(())
    }

    fn fault(&self, error: &FrameDecoderError) -> DecodeError {
        match error {
            FrameDecoderError::WindowSizeTooBig { requested, max } => {
                self.damaged(format!("a window of at most {max} bytes, not {requested}"))
            }
            _ if self.rest.is_empty() => self.truncated("a zstd frame"),
            _ => self.damaged("a valid frame".to_owned()),
        }
    }

    fn truncated(&self, inside: &'static str) -> DecodeError {
        DecodeError::Truncated { offset: self.input.len() as u64, inside }
    }

    fn damaged(&self, expected: String) -> DecodeError {
        DecodeError::Damaged { format: "zstd", offset: self.offset(), expected }
    }
}
