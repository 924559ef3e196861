//! The headers of the pages of one column in one row group. In: the bytes of the column as stored. Out: where
//! each page is, and what it says of itself, within its bounds.

use parquet::basic::Encoding;

use super::ParquetError;
use super::compact::{Compact, kind};

/// What the header of a page says.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// Where its content stands in the column. Unit: bytes.
    pub(super) at: usize,
    /// Unit: bytes.
    pub(super) stored: usize,
    /// Unit: bytes.
    pub(super) inflated: usize,
    /// CRC-32 of what is stored, where the writer gave one.
    pub(super) crc: Option<u32>,
    pub(super) n_values: u32,
    pub(super) encoding: Encoding,
    pub(super) kind: HeadKind,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum HeadKind {
    Dictionary,
    One { definition: Encoding, repetition: Encoding },
    Two { n_nulls: u32, n_rows: u32, definition_bytes: u32, repetition_bytes: u32, packed: bool },
}

impl Head {
    /// Rows of a column that has one value a row; those of a dictionary belong to none.
    pub(super) fn n_rows(&self) -> u64 {
        match self.kind {
            HeadKind::Dictionary => 0,
            HeadKind::One { .. } | HeadKind::Two { .. } => u64::from(self.n_values),
        }
    }
}

/// The fields of a header that was read.
#[derive(Debug, Default)]
struct Fields {
    page_type: Option<u32>,
    inflated: Option<u32>,
    stored: Option<u32>,
    crc: Option<u32>,
    n_values: Option<u32>,
    encoding: Option<u32>,
    definition: Option<u32>,
    repetition: Option<u32>,
    n_nulls: Option<u32>,
    n_rows: Option<u32>,
    definition_bytes: Option<u32>,
    repetition_bytes: Option<u32>,
    is_plain: bool,
}

/// Types of pages in a header.
mod page_type {
    pub(super) const DATA: u32 = 0;
    pub(super) const INDEX: u32 = 1;
    pub(super) const DICTIONARY: u32 = 2;
    pub(super) const DATA_2: u32 = 3;
}

impl Fields {
    fn read(compact: &mut Compact<'_>) -> Option<Self> {
        let mut all = Self::default();
        compact.fields(&mut |compact, id, kind| {
            match (id, kind) {
                (1, kind::I32) => all.page_type = Some(compact.count()?),
                (2, kind::I32) => all.inflated = Some(compact.count()?),
                (3, kind::I32) => all.stored = Some(compact.count()?),
                (4, kind::I32) => {
                    all.crc = Some(i32::try_from(compact.signed()?).ok()?.cast_unsigned());
                }
                (5 | 7, kind::STRUCT) => all.read_one(compact)?,
                (8, kind::STRUCT) => all.read_two(compact)?,
                _ => return Some(false),
            }
            Some(true)
        })?;
        Some(all)
    }

    /// Of a dictionary, or of a page of data in the first version.
    fn read_one(&mut self, compact: &mut Compact<'_>) -> Option<()> {
        compact.fields(&mut |compact, id, kind| {
            match (id, kind) {
                (1, kind::I32) => self.n_values = Some(compact.count()?),
                (2, kind::I32) => self.encoding = Some(compact.count()?),
                (3, kind::I32) => self.definition = Some(compact.count()?),
                (4, kind::I32) => self.repetition = Some(compact.count()?),
                _ => return Some(false),
            }
            Some(true)
        })
    }

    /// Of a page of data in the second version.
    fn read_two(&mut self, compact: &mut Compact<'_>) -> Option<()> {
        compact.fields(&mut |compact, id, kind| {
            match (id, kind) {
                (1, kind::I32) => self.n_values = Some(compact.count()?),
                (2, kind::I32) => self.n_nulls = Some(compact.count()?),
                (3, kind::I32) => self.n_rows = Some(compact.count()?),
                (4, kind::I32) => self.encoding = Some(compact.count()?),
                (5, kind::I32) => self.definition_bytes = Some(compact.count()?),
                (6, kind::I32) => self.repetition_bytes = Some(compact.count()?),
                (7, kind::FALSE) => self.is_plain = true,
                (7, kind::TRUE) => {}
                _ => return Some(false),
            }
            Some(true)
        })
    }

    /// `None` where something is missing.
    fn head(&self, at: usize) -> Option<Head> {
        let stored = usize::try_from(self.stored?).ok()?;
        let inflated = usize::try_from(self.inflated?).ok()?;
        let kind = match self.page_type? {
            page_type::DICTIONARY => HeadKind::Dictionary,
            page_type::DATA => HeadKind::One {
                definition: encoding(self.definition?)?,
                repetition: encoding(self.repetition?)?,
            },
            page_type::DATA_2 => {
                let (definition_bytes, repetition_bytes) =
                    (self.definition_bytes?, self.repetition_bytes?);
                let levels = definition_bytes.checked_add(repetition_bytes)?;
                let levels = usize::try_from(levels).ok()?;
                if levels > stored.min(inflated) {
                    return None;
                }
                HeadKind::Two {
                    n_nulls: self.n_nulls?,
                    n_rows: self.n_rows?,
                    definition_bytes,
                    repetition_bytes,
                    packed: !self.is_plain,
                }
            }
            _ => return None,
        };
        let n_values = self.n_values?;
        let encoding = encoding(self.encoding?)?;
        // A value of a dictionary takes 4 bytes or more, and room is made by their number.
        if matches!(kind, HeadKind::Dictionary) && n_values as usize > inflated / 4 {
            return None;
        }
        Some(Head { at, stored, inflated, crc: self.crc, n_values, encoding, kind })
    }
}

fn encoding(number: u32) -> Option<Encoding> {
    Some(match number {
        0 => Encoding::PLAIN,
        2 => Encoding::PLAIN_DICTIONARY,
        3 => Encoding::RLE,
        #[expect(deprecated, reason = "old files have levels in it")]
        4 => Encoding::BIT_PACKED,
        5 => Encoding::DELTA_BINARY_PACKED,
        6 => Encoding::DELTA_LENGTH_BYTE_ARRAY,
        7 => Encoding::DELTA_BYTE_ARRAY,
        8 => Encoding::RLE_DICTIONARY,
        9 => Encoding::BYTE_STREAM_SPLIT,
        _ => return None,
    })
}

/// The pages of a column that begins at byte `start` of its object, at most `pages_max`.
pub(super) fn walk(column: &[u8], start: u64, pages_max: usize) -> Result<Vec<Head>, ParquetError> {
    let mut heads = Vec::new();
    let mut pos = 0;
    while pos < column.len() {
        let damaged = |expected: &str| ParquetError::Damaged {
            offset: start + pos as u64,
            expected: expected.to_owned(),
        };
        if heads.len() == pages_max {
            return Err(ParquetError::TooManyPages { limit: super::PAGES_MAX });
        }
        let mut compact = Compact::new(column.get(pos..).unwrap_or_default());
        let fields = Fields::read(&mut compact).ok_or_else(|| damaged("the header of a page"))?;
        let at = pos + compact.pos();
        // Pages of an index are for those who look for single rows.
        if fields.page_type != Some(page_type::INDEX) {
            heads.push(fields.head(at).ok_or_else(|| damaged("the header of a page"))?);
        }
        let end = fields.stored.and_then(|n| at.checked_add(usize::try_from(n).ok()?));
        let end = end.filter(|end| *end <= column.len());
        pos = end.ok_or_else(|| damaged("a page that ends within its column"))?;
    }
    Ok(heads)
}
