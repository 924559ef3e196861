//! Parquet objects: the container, whatever its columns mean. In: all bytes of one object. Out: batches
//! of the columns that are asked for, once the footer and the header of every page were found to be
//! what they should be. The crate `parquet` decodes values; what it makes room by (sizes, counts,
//! depths) is read and bounded here first, because anybody may have written it.
//!
//! ```text
//! PAR1 | column, column, ... of row group 0 | row group 1 | ... | footer | its length | PAR1
//!        column: page, page, ...   page: header, content
//! ```

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, FieldRef, Fields};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, RowGroups};
use parquet::arrow::{
    FieldLevels, ProjectionMask, parquet_to_arrow_field_levels, parquet_to_arrow_schema,
};
use parquet::basic::Type as Physical;
use parquet::column::page::PageIterator;
use parquet::errors::ParquetError as CrateError;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use thiserror::Error;

use crate::decode::Limits;

mod compact;
mod footer;
mod guard;
mod heads;
mod pages;

use guard::{guarded, shortened};
use heads::Head;
use pages::{OnePart, Pages, Shape, Stored};

/// How an object begins and ends.
const MAGIC: &[u8] = b"PAR1";

/// Largest footer. Unit: bytes. That of 70 columns and 100 row groups has some 700 KB.
const FOOTER_BYTES_MAX: usize = 16 << 20;

/// How deep columns may stand in one another; those of OCSF reach 6.
const SCHEMA_DEPTH_MAX: usize = 32;

/// Most pages of an object. Writers put some 20,000 rows or 1 MiB into one.
const PAGES_MAX: usize = 1 << 20;

/// Most that the wanted columns of a row group may have inflated, since a row group is read at once.
/// Unit: bytes. Writers end a row group at 128 MiB, or a million rows.
const ROW_GROUP_BYTES_MAX: u64 = 512 << 20;

/// Most that the words of one column may take in a batch. Unit: bytes.
const BATCH_COLUMN_BYTES_MAX: usize = 256 << 20;

/// Most values of a column of a list or a map in a row group: a few bytes can stand for any number of them, in
/// any row. Unit: values. A million rows have some ten each.
const LISTED_VALUES_MAX: u64 = 1 << 24;

/// What a row counts towards the inflated size at least: a page of a few bytes can stand for any
/// number of rows that are all alike. Unit: bytes.
const ROW_BYTES_MIN: u64 = 16;

/// Why an object was refused. Offsets count bytes of the object as stored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParquetError {
    /// Bytes that the format does not allow, or an object that was cut.
    #[error("damaged Parquet near byte {offset}: expected {expected}")]
    Damaged {
        /// Where reading stopped.
        offset: u64,
        /// What should have been there.
        expected: String,
    },
    /// Values that are not what the headers say.
    #[error("damaged Parquet in row group {row_group}: {why}")]
    Values {
        /// Which one, from 0.
        row_group: usize,
        /// What was found.
        why: String,
    },
    /// The hard cap was reached.
    #[error("object inflates past the limit of {limit} bytes; expected a smaller object")]
    TooLarge {
        /// [`Limits::inflated_bytes_max`].
        limit: u64,
    },
    /// A large object compresses better than any log does.
    #[error("object inflates {limit} times or more; expected a log, this looks like a bomb")]
    Ratio {
        /// [`Limits::ratio_max`].
        limit: u64,
    },
    /// A row group that nobody could hold.
    #[error(
        "row group {row_group} has {bytes} bytes in the columns in use; expected up to {limit}"
    )]
    RowGroup {
        /// Which one, from 0.
        row_group: usize,
        /// What it would inflate to.
        bytes: u64,
        /// `ROW_GROUP_BYTES_MAX`.
        limit: u64,
    },
    /// A list or a map that nobody could hold.
    #[error(
        "row group {row_group} has {n_values} values in a column of lists; expected up to {limit}"
    )]
    Listed {
        /// Which one, from 0.
        row_group: usize,
        /// How many its pages say.
        n_values: u64,
        /// `LISTED_VALUES_MAX`.
        limit: u64,
    },
    /// More pages than any log has.
    #[error("object has more than {limit} pages; expected larger pages")]
    TooManyPages {
        /// `PAGES_MAX`.
        limit: usize,
    },
    /// A column whose values are of a kind that its field has not.
    #[error("column `{column}` holds {found}; expected {expected}")]
    Column {
        /// Its name.
        column: String,
        /// The type of its values.
        found: String,
        /// What is read.
        expected: &'static str,
    },
    /// A table of something else.
    #[error("Parquet without columns of flow logs or OCSF; expected some such as `srcaddr`")]
    Unknown,
}

/// Whether an object is Parquet, by its first bytes.
pub fn is_parquet(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// One object, of which the footer and the headers of all pages were checked.
#[derive(Debug)]
pub struct Parquet<'a> {
    bytes: &'a [u8],
    metadata: Arc<ParquetMetaData>,
    /// By row group and column.
    heads: Vec<Vec<Vec<Head>>>,
    inflated_bytes: u64,
    /// [`ROW_GROUP_BYTES_MAX`].
    row_group_bytes_max: u64,
    /// [`LISTED_VALUES_MAX`].
    listed_values_max: u64,
    /// The columns as they are read: words by their numbers.
    fields: Fields,
}

/// Where a column of a row group is.
#[derive(Debug, Clone)]
struct Place {
    column: String,
    /// Where it begins in the object. Unit: bytes.
    offset: u64,
}

impl<'a> Parquet<'a> {
    /// Looks at the whole structure of an object; nothing is inflated yet.
    pub fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, ParquetError> {
        let (metadata, footer_at) = footer::read(bytes)?;
        let mut object = Self {
            bytes,
            metadata: Arc::new(metadata),
            heads: Vec::new(),
            inflated_bytes: 0,
            row_group_bytes_max: ROW_GROUP_BYTES_MAX,
            listed_values_max: LISTED_VALUES_MAX,
            fields: Fields::empty(),
        };
        object.walk(footer_at)?;
        object.inflated_bytes =
            object.inflated_bytes.max(object.rows().saturating_mul(ROW_BYTES_MIN));
        let Limits { inflated_bytes_max, ratio_watch_bytes, ratio_max, .. } = *limits;
        if object.inflated_bytes > inflated_bytes_max {
            return Err(ParquetError::TooLarge { limit: inflated_bytes_max });
        }
        let ratio = object.inflated_bytes / bytes.len().max(1) as u64;
        if object.inflated_bytes > ratio_watch_bytes && ratio >= ratio_max {
            return Err(ParquetError::Ratio { limit: ratio_max });
        }
        let all = guarded(|| {
            let schema = object.metadata.file_metadata().schema_descr();
            parquet_to_arrow_schema(schema, None)
        });
        let all = all.map_err(|why| ParquetError::Damaged {
            offset: footer_at as u64,
            expected: format!("a schema that can be read ({why})"),
        })?;
        object.fields = words_by_number(all.fields());
        Ok(object)
    }

    /// Size of the content of all pages. Unit: bytes.
    pub fn inflated_bytes(&self) -> u64 {
        self.inflated_bytes
    }

    /// How many rows there are, by the footer and by the headers of the pages.
    pub(crate) fn rows(&self) -> u64 {
        let groups = self.metadata.row_groups().iter();
        groups
            .map(|group| u64::try_from(group.num_rows()).unwrap_or(0))
            .fold(0, u64::saturating_add)
    }

    /// The columns of single values, by the names on their way, and their numbers.
    pub(crate) fn columns(&self) -> impl Iterator<Item = (usize, &[String])> {
        let schema = self.metadata.file_metadata().schema_descr();
        self.all_columns().filter(|(i, _)| schema.column(*i).max_rep_level() == 0)
    }

    /// The same, and those of lists and maps.
    pub(crate) fn all_columns(&self) -> impl Iterator<Item = (usize, &[String])> {
        let schema = self.metadata.file_metadata().schema_descr();
        schema.columns().iter().enumerate().map(|(i, one)| (i, one.path().parts()))
    }

    /// Looks at the header of every page.
    fn walk(&mut self, footer_at: usize) -> Result<(), ParquetError> {
        let mut n_pages = 0;
        for group in self.metadata.row_groups() {
            let n_rows = u64::try_from(group.num_rows()).ok();
            let mut of_group = Vec::with_capacity(group.num_columns());
            for column in group.columns() {
                let place = range(column, footer_at).ok_or_else(|| ParquetError::Damaged {
                    offset: footer_at as u64,
                    expected: "columns that lie before the footer".to_owned(),
                })?;
                let start = place.start as u64;
                let bytes = self.bytes.get(place).unwrap_or_default();
                let heads = heads::walk(bytes, start, PAGES_MAX - n_pages)?;
                n_pages += heads.len();
                let own_rows: u64 = heads.iter().map(Head::n_rows).sum();
                if column.column_descr().max_rep_level() == 0 && Some(own_rows) != n_rows {
                    return Err(ParquetError::Damaged {
                        offset: start,
                        expected: format!("pages of {} rows, not {own_rows}", group.num_rows()),
                    });
                }
                let inflated =
                    heads.iter().map(|head| head.inflated as u64).fold(0, u64::saturating_add);
                self.inflated_bytes = self.inflated_bytes.saturating_add(inflated);
                of_group.push(heads);
            }
            self.heads.push(of_group);
        }
        Ok(())
    }

    /// Hands out the rows of these columns in batches of at most `rows_max`.
    pub(crate) fn read(
        &self,
        columns: &[usize],
        rows_max: usize,
        visit: &mut dyn FnMut(&RecordBatch) -> Result<(), ParquetError>,
    ) -> Result<(), ParquetError> {
        for (row_group, group) in self.metadata.row_groups().iter().enumerate() {
            let part = Part { object: self, group, row_group, rows_max };
            part.check_size(columns)?;
            let mut batches = part.reader(columns)?;
            let mut left = group.num_rows();
            while let Some(batch) = guarded(|| batches.next().transpose()).map_err(part.told())? {
                left = left.saturating_sub(i64::try_from(batch.num_rows()).unwrap_or(i64::MAX));
                visit(&batch)?;
            }
            if left != 0 {
                return Err(part.told()("expected as many values as its pages say".to_owned()));
            }
        }
        Ok(())
    }
}

/// One row group, to be read.
struct Part<'p, 'a> {
    object: &'p Parquet<'a>,
    group: &'p RowGroupMetaData,
    row_group: usize,
    rows_max: usize,
}

impl Part<'_, '_> {
    fn told(&self) -> impl Fn(String) -> ParquetError + use<> {
        let row_group = self.row_group;
        move |why| ParquetError::Values { row_group, why }
    }

    fn heads(&self, column: usize) -> &[Head] {
        let of_group = self.object.heads.get(self.row_group);
        of_group.and_then(|of_group| of_group.get(column)).map(Vec::as_slice).unwrap_or_default()
    }

    fn check_size(&self, columns: &[usize]) -> Result<(), ParquetError> {
        let sizes =
            columns.iter().flat_map(|column| self.heads(*column)).map(|head| head.inflated as u64);
        let (bytes, limit) = (sizes.fold(0, u64::saturating_add), self.object.row_group_bytes_max);
        let row_group = self.row_group;
        if bytes > limit {
            return Err(ParquetError::RowGroup { row_group, bytes, limit });
        }
        let limit = self.object.listed_values_max;
        let listed = columns.iter().filter(|column| self.is_listed(**column));
        for column in listed {
            let n_values = self.heads(*column).iter().map(Head::n_rows).sum();
            if n_values > limit {
                return Err(ParquetError::Listed { row_group, n_values, limit });
            }
        }
        Ok(())
    }

    fn is_listed(&self, column: usize) -> bool {
        let schema = self.object.metadata.file_metadata().schema_descr();
        column < schema.num_columns() && schema.column(column).max_rep_level() > 0
    }

    fn reader(&self, columns: &[usize]) -> Result<ParquetRecordBatchReader, ParquetError> {
        let schema = self.object.metadata.file_metadata().schema_descr();
        let reader = guarded(|| {
            let mask = ProjectionMask::leaves(schema, columns.iter().copied());
            let levels: FieldLevels =
                parquet_to_arrow_field_levels(schema, mask, Some(&self.object.fields))?;
            ParquetRecordBatchReader::try_new_with_row_groups(&levels, self, self.rows_max, None)
        });
        reader.map_err(self.told())
    }
}

impl RowGroups for Part<'_, '_> {
    fn num_rows(&self) -> usize {
        usize::try_from(self.group.num_rows()).unwrap_or(0)
    }

    fn column_chunks(&self, i: usize) -> Result<Box<dyn PageIterator>, CrateError> {
        let wrong = || CrateError::General("expected a column".to_owned());
        let column = self.group.columns().get(i).ok_or_else(wrong)?;
        let place = range(column, self.object.bytes.len()).ok_or_else(wrong)?;
        let offset = place.start as u64;
        let bytes = Bytes::copy_from_slice(self.object.bytes.get(place).ok_or_else(wrong)?);
        let descriptor = column.column_descr();
        let is_words = descriptor.physical_type() == Physical::BYTE_ARRAY;
        let shape = Shape {
            word_bytes_max: is_words.then(|| BATCH_COLUMN_BYTES_MAX / self.rows_max.max(1)),
            has_levels: descriptor.max_def_level() > 0,
            is_listed: self.is_listed(i),
        };
        let stored = Stored { bytes, heads: self.heads(i), codec: column.compression() };
        let place = Place { column: shortened(&descriptor.path().string()), offset };
        Ok(Box::new(OnePart::new(Pages::new(stored, shape, place))))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(std::iter::once(self.group))
    }

    fn metadata(&self) -> &ParquetMetaData {
        &self.object.metadata
    }
}

/// Where a column stands, if it lies between the first bytes and `end`.
fn range(
    column: &parquet::file::metadata::ColumnChunkMetaData,
    end: usize,
) -> Option<Range<usize>> {
    let first = column.dictionary_page_offset().unwrap_or(i64::MAX).min(column.data_page_offset());
    let start = usize::try_from(first).ok()?;
    let past = start.checked_add(usize::try_from(column.compressed_size()).ok()?)?;
    (start >= MAGIC.len() && past <= end).then_some(start..past)
}

/// The same columns with words as numbers into a dictionary, so that each is looked at once.
fn words_by_number(fields: &Fields) -> Fields {
    fields.iter().map(by_number).collect()
}

fn by_number(field: &FieldRef) -> FieldRef {
    let words = |words: DataType| DataType::Dictionary(Box::new(DataType::Int32), Box::new(words));
    let data_type = match field.data_type() {
        DataType::Utf8 | DataType::Binary => words(field.data_type().clone()),
        DataType::Struct(fields) => DataType::Struct(words_by_number(fields)),
        DataType::List(item) => DataType::List(by_number(item)),
        DataType::Map(entry, is_sorted) => DataType::Map(by_number(entry), *is_sorted),
        other => other.clone(),
    };
    Arc::new(Field::new(field.name(), data_type, field.is_nullable()))
}

#[cfg(test)]
mod tests;
