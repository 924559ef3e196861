//! CloudTrail objects too large to hold: blocks of bytes in, the same records out as from the whole
//! text. It holds the one value that the last block cut, and nothing of those before.

use crate::cloudtrail::document::State;
use crate::cloudtrail::{ObjectError, RECORD_BYTES_MAX, Record, RecordError, Shape};

/// Largest value of a fed object that is held while its end is awaited: a record, a wrapper, or
/// the members of a log file before or after `Records`. Twice a record, since the way past a
/// damaged one is looked for as far again. Unit: bytes.
pub(crate) const VALUE_BYTES_MAX: usize = 2 * RECORD_BYTES_MAX;

/// Blocks are taken in pieces of this size, however large they are. Unit: bytes.
const PIECE_BYTES_MAX: usize = 256 << 10;

/// Reads one object that comes in blocks, cut anywhere.
///
/// Records, errors and offsets are those of [`super::read`] on the text of the whole object;
/// only values of more than `VALUE_BYTES_MAX` bytes are refused.
///
/// ```
/// use ingest::cloudtrail::{Feed, Shape};
///
/// let object = br#"{"Records":[{"eventTime":"2025-03-14T10:00:00Z",
///     "eventSource":"s3.amazonaws.com","eventName":"PutObject"}]}"#;
/// let mut feed = Feed::new(object.len());
/// let mut records = 0;
/// for block in object.chunks(7) {
///     feed.push(block, |_, record| records += usize::from(record.is_ok()))?;
/// }
/// let shape = feed.finish(|_, record| records += usize::from(record.is_ok()))?;
/// assert_eq!(shape, Shape::Records);
/// assert_eq!(records, 1);
/// # Ok::<(), ingest::cloudtrail::ObjectError>(())
/// ```
#[derive(Debug)]
pub struct Feed {
    state: State,
    /// Text that was not read yet; begins where `state` stands.
    window: String,
    /// At this length the window is looked at again: reading a long value anew with every block
    /// would take quadratic time. Unit: bytes.
    window_bytes_wanted: usize,
    /// The start of a character whose end is in the next block.
    cut: Vec<u8>,
    is_lossy: bool,
    result: Result<(), ObjectError>,
    value_bytes_max: usize,
}

impl Feed {
    /// A feed for an object of `text_bytes` bytes, which bounds what its damage may cost.
    pub fn new(text_bytes: usize) -> Self {
        Self {
            state: State::new(text_bytes),
            window: String::new(),
            window_bytes_wanted: 0,
            cut: Vec::new(),
            is_lossy: false,
            result: Ok(()),
            value_bytes_max: VALUE_BYTES_MAX,
        }
    }

    /// Reads what `block` completes; calls `visit` as [`super::read`] does. After an error all
    /// further blocks give the same error.
    pub fn push<F>(&mut self, block: &[u8], mut visit: F) -> Result<(), ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        for piece in block.chunks(PIECE_BYTES_MAX) {
            self.result?;
            self.take(piece);
            if self.window.len() >= self.window_bytes_wanted {
                self.result = self.read(false, &mut visit);
            }
        }
        self.result
    }

    /// Reads what is left: the object has ended.
    pub fn finish<F>(mut self, mut visit: F) -> Result<Shape, ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        self.result?;
        if !self.cut.is_empty() {
            self.replace();
        }
        self.read(true, &mut visit)?;
        Ok(self.state.shape())
    }

    /// Whether some bytes so far were not UTF-8; they became U+FFFD, and offsets count in the text
    /// that has them.
    pub fn is_lossy(&self) -> bool {
        self.is_lossy || !self.cut.is_empty()
    }

    fn read<F>(&mut self, last: bool, visit: &mut F) -> Result<(), ObjectError>
    where
        F: FnMut(usize, Result<Record<'_>, RecordError>),
    {
        let max = self.value_bytes_max;
        let used = self.state.read_part(&self.window, (last, max), visit)?;
        self.window.drain(..used);
        let left = self.window.len();
        if left > max && !last {
            return Err(ObjectError::TooLong { offset: self.state.base() });
        }
        self.window_bytes_wanted = left.saturating_mul(2).min(max + 1);
        Ok(())
    }

    /// Appends bytes to the window as text.
    fn take(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first().filter(|_| !self.cut.is_empty()) {
            self.cut.push(*first);
            match std::str::from_utf8(&self.cut) {
                Ok(text) => {
                    self.window.push_str(text);
                    self.cut.clear();
                }
                Err(error) if error.error_len().is_none() => {}
                Err(_) => {
                    // The byte belongs to what follows.
                    self.replace();
                    continue;
                }
            }
            bytes = rest;
        }
        loop {
            let error = match std::str::from_utf8(bytes) {
                Ok(text) => return self.window.push_str(text),
                Err(error) => error,
            };
            let (valid, rest) = bytes.split_at(error.valid_up_to());
            self.window.push_str(std::str::from_utf8(valid).unwrap_or_default());
            let Some(length) = error.error_len() else {
                self.cut.extend_from_slice(rest);
                return;
            };
            self.replace();
            bytes = rest.get(length..).unwrap_or_default();
        }
    }

    /// Puts the mark of what is no UTF-8.
    fn replace(&mut self) {
        self.cut.clear();
        self.window.push(char::REPLACEMENT_CHARACTER);
        self.is_lossy = true;
    }
}

#[cfg(test)]
mod tests;
