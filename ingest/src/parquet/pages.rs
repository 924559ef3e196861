//! The pages of one column in one row group. In: the bytes of the column as stored, and their headers. Out:
//! inflated pages. It never inflates more than a header said, whatever the compressed bytes hold.

use std::collections::VecDeque;

use bytes::Bytes;
use libdeflater::Crc;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::ParquetError as CrateError;

use super::Place;
use super::compact::Compact;
use super::heads::{Head, HeadKind};
use crate::decode::Parts;

/// Reads the pages of one column in one row group.
pub(super) struct Pages {
    column: Bytes,
    heads: VecDeque<Head>,
    codec: Compression,
    parts: Parts,
    shape: Shape,
    place: Place,
}

/// What is known of the values of a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// Longest word that a dictionary may have; `None` where values are no words. Unit: bytes.
    pub(super) word_bytes_max: Option<usize>,
    /// Whether some may be null, so that levels stand before the values.
    pub(super) has_levels: bool,
    /// Whether a row may have several, or none: it is a column of a list or a map.
    pub(super) is_listed: bool,
}

/// A column of one row group as it is stored.
#[derive(Debug)]
pub(super) struct Stored<'a> {
    pub(super) bytes: Bytes,
    pub(super) heads: &'a [Head],
    pub(super) codec: Compression,
}

impl Pages {
    pub(super) fn new(stored: Stored<'_>, shape: Shape, place: Place) -> Self {
        let Stored { bytes: column, heads, codec } = stored;
        let heads = heads.iter().cloned().collect();
        Self { column, heads, codec, parts: Parts::default(), shape, place }
    }

    fn fault(&self, head: &Head, why: &str) -> CrateError {
        let offset = self.place.offset + head.at as u64;
        CrateError::General(format!(
            "page of column `{}` at byte {offset}: {why}",
            self.place.column
        ))
    }

    fn content(&mut self, head: &Head) -> Result<Bytes, CrateError> {
        let stored = self.column.slice(head.at..head.at + head.stored);
        if let Some(stated) = head.crc {
            let mut crc = Crc::new();
            crc.update(&stored);
            if crc.sum() != stated {
                return Err(self.fault(head, "its checksum is that of other bytes"));
            }
        }
        let (levels, is_packed) = match head.kind {
            HeadKind::Two { definition_bytes, repetition_bytes, packed, .. } => {
                (definition_bytes as usize + repetition_bytes as usize, packed)
            }
            HeadKind::Dictionary | HeadKind::One { .. } => (0, true),
        };
        if !is_packed || self.codec == Compression::UNCOMPRESSED {
            let is_whole = stored.len() == head.inflated;
            let wrong = || self.fault(head, "expected as many bytes as its header says");
            return is_whole.then_some(stored).ok_or_else(wrong);
        }
        let wanted = head.inflated - levels;
        let packed = stored.get(levels..).unwrap_or_default();
        // Without values there is nothing to inflate.
        let inflated = if wanted == 0 {
            Ok(Vec::new())
        } else {
            match self.codec {
                Compression::GZIP(_) | Compression::ZSTD(_) => {
                    self.parts.inflate(packed, wanted).map_err(|error| error.to_string())
                }
                Compression::SNAPPY => snappy(packed, wanted).map_err(|error| error.to_string()),
                codec => Err(format!("compressed by {codec}; expected GZIP, SNAPPY or ZSTD")),
            }
        };
        let inflated = inflated.map_err(|why| self.fault(head, &why))?;
        if inflated.len() != wanted {
            return Err(self.fault(head, "inflates to another size than its header says"));
        }
        if levels == 0 {
            return Ok(inflated.into());
        }
        Ok([stored.get(..levels).unwrap_or_default(), &inflated].concat().into())
    }

    /// What stands behind the levels of a page.
    fn values<'b>(&self, head: &Head, content: &'b [u8]) -> &'b [u8] {
        let at = match head.kind {
            HeadKind::Two { definition_bytes, repetition_bytes, .. } => {
                definition_bytes as usize + repetition_bytes as usize
            }
            HeadKind::One { .. } => {
                let n_levels = u8::from(self.shape.is_listed) + u8::from(self.shape.has_levels);
                (0..n_levels).fold(0, |at, _| behind_levels(content, at))
            }
            HeadKind::Dictionary => 0,
        };
        content.get(at..).unwrap_or_default()
    }

    fn page(&mut self, head: &Head) -> Result<Page, CrateError> {
        let buf = self.content(head)?;
        let Head { n_values, encoding, .. } = *head;
        match encoding {
            Encoding::DELTA_BYTE_ARRAY => {
                let why = "encoded by DELTA_BYTE_ARRAY; expected PLAIN or a dictionary";
                return Err(self.fault(head, why));
            }
            Encoding::DELTA_BINARY_PACKED | Encoding::DELTA_LENGTH_BYTE_ARRAY
                if n_deltas(self.values(head, &buf)).is_none_or(|n| n > u64::from(n_values)) =>
            {
                return Err(self.fault(head, "expected no more deltas than values"));
            }
            _ => {}
        }
        Ok(match head.kind {
            HeadKind::Dictionary => {
                let longest = || longest(&buf, n_values).unwrap_or(usize::MAX);
                if let Some(max) = self.shape.word_bytes_max.filter(|max| longest() > *max) {
                    let why = format!("expected a dictionary of words up to {max} bytes");
                    return Err(self.fault(head, &why));
                }
                Page::DictionaryPage { buf, num_values: n_values, encoding, is_sorted: false }
            }
            HeadKind::One { definition, repetition } => Page::DataPage {
                buf,
                num_values: n_values,
                encoding,
                def_level_encoding: definition,
                rep_level_encoding: repetition,
                statistics: None,
            },
            HeadKind::Two { n_nulls, n_rows, definition_bytes, repetition_bytes, packed } => {
                Page::DataPageV2 {
                    buf,
                    num_values: n_values,
                    encoding,
                    num_nulls: n_nulls,
                    num_rows: n_rows,
                    def_levels_byte_len: definition_bytes,
                    rep_levels_byte_len: repetition_bytes,
                    is_compressed: packed,
                    statistics: None,
                }
            }
        })
    }
}

/// Where the levels that begin at `at`, behind their length, end.
fn behind_levels(content: &[u8], at: usize) -> usize {
    let length = content.get(at..).and_then(<[u8]>::first_chunk);
    let length = length.map_or(0, |bytes| u32::from_le_bytes(*bytes));
    at.saturating_add(size_of::<u32>()).saturating_add(length as usize)
}

fn snappy(packed: &[u8], wanted: usize) -> Result<Vec<u8>, snap::Error> {
    // What it says of itself is looked at first: room would be made by it.
    if snap::raw::decompress_len(packed)? != wanted {
        return Ok(Vec::new());
    }
    snap::raw::Decoder::new().decompress_vec(packed)
}

/// How many values a sequence of deltas says that it has: room is made by it.
fn n_deltas(values: &[u8]) -> Option<u64> {
    let mut compact = Compact::new(values);
    let [_block, _parts, n] = [compact.number()?, compact.number()?, compact.number()?];
    Some(n)
}

/// The longest word of a dictionary, each behind its length. Unit: bytes.
fn longest(dictionary: &[u8], n_words: u32) -> Option<usize> {
    let mut rest = dictionary;
    let mut longest = 0;
    for _ in 0..n_words {
        let (length, behind) = rest.split_first_chunk()?;
        let length = u32::from_le_bytes(*length) as usize;
        rest = behind.get(length..)?;
        longest = longest.max(length);
    }
    Some(longest)
}

impl Iterator for Pages {
    type Item = Result<Page, CrateError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>, CrateError> {
        let Some(head) = self.heads.pop_front() else { return Ok(None) };
        self.page(&head).map(Some)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>, CrateError> {
        // How many rows the values of a list are of only a page of the second version says.
        let rows = |head: &Head| match head.kind {
            HeadKind::Two { n_rows, .. } if self.shape.is_listed => usize::try_from(n_rows).ok(),
            _ if self.shape.is_listed => None,
            _ => usize::try_from(head.n_rows()).ok(),
        };
        Ok(self.heads.front().map(|head| {
            let is_dict = matches!(head.kind, HeadKind::Dictionary);
            let n = rows(head).filter(|_| !is_dict);
            let num_levels = n.filter(|_| !self.shape.is_listed);
            PageMetadata { num_rows: n, num_levels, is_dict }
        }))
    }

    fn skip_next_page(&mut self) -> Result<(), CrateError> {
        self.heads.pop_front();
        Ok(())
    }
}

/// The only row group that is read at a time.
pub(super) struct OnePart(Option<Box<dyn PageReader>>);

impl OnePart {
    pub(super) fn new(pages: Pages) -> Self {
        Self(Some(Box::new(pages)))
    }
}

impl Iterator for OnePart {
    type Item = Result<Box<dyn PageReader>, CrateError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.take().map(Ok)
    }
}

impl PageIterator for OnePart {}
