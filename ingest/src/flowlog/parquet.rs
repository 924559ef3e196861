//! Flow logs as Parquet into the same columns as text. In: an object whose structure was checked. Out:
//! the same batches as from the text of the same records. Words and addresses are looked at once for
//! each place in a dictionary.

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::NullBuffer;

use super::array::{Meaning, Memory, Source};
use super::{BATCH_ROWS, FlowFormat, FlowReader, RowError};
use crate::flow::{Field, FlowBatch};
use crate::parquet::{Parquet, ParquetError};

/// Fields that flow logs alone have; two of them tell a flow log from other tables.
const TELLING: [Field; 8] = [
    Field::InterfaceId,
    Field::SrcAddr,
    Field::DstAddr,
    Field::SrcPort,
    Field::DstPort,
    Field::LogStatus,
    Field::PktSrcAddr,
    Field::PktDstAddr,
];

/// A field of an object, or a column of no field.
pub(super) struct Named {
    pub(super) field: Option<Field>,
    /// That of the column, behind those that it stands in.
    pub(super) name: String,
    pub(super) meaning: Meaning,
    /// The numbers of its columns, each of which is asked where those before say nothing.
    pub(super) columns: Vec<usize>,
}

/// The columns of a flow log; none of another table.
fn columns(object: &Parquet<'_>) -> Option<Vec<Named>> {
    let named = |(number, path): (usize, &[String])| {
        let field = if let [only] = path { Field::of(only.as_bytes()) } else { None };
        Named { field, name: path.join("."), meaning: Meaning::Same, columns: vec![number] }
    };
    let columns: Vec<Named> = object.columns().map(named).collect();
    let telling = columns.iter().filter_map(|column| column.field);
    let is_flow_log = telling.filter(|field| TELLING.contains(field)).count() >= 2;
    is_flow_log.then_some(columns).or_else(|| super::ocsf::columns(object))
}

/// A field that is read.
struct Part {
    /// Its place in the format.
    place: usize,
    meaning: Meaning,
    /// Where its columns are among those that are read.
    leaves: Vec<usize>,
    memories: Vec<Memory>,
}

/// A column of a batch, and the rows in which it, or what it stands in, has no value.
type Leaf = (ArrayRef, Option<NullBuffer>);

impl FlowReader {
    /// Reads an object of Parquet, in place of [`FlowReader::push`]; [`FlowReader::finish`] ends it, too.
    /// After an error nothing of it may count.
    pub fn parquet(
        &mut self,
        object: &Parquet<'_>,
        visit: &mut dyn FnMut(FlowBatch),
    ) -> Result<(), ParquetError> {
        let named = columns(object).ok_or(ParquetError::Unknown)?;
        let fields = named.iter().map(|one| (one.field, one.name.as_str()));
        self.change(FlowFormat::of_columns(fields), visit);
        // What is noted of a record is read whether its column is wanted or not.
        let noted = [self.shape.status_at, self.shape.account_at];
        let is_read =
            |place: usize| self.shape.order.contains(&place) || noted.contains(&Some(place));
        let read = || named.iter().enumerate().filter(|(place, _)| is_read(*place));
        let mut numbers: Vec<usize> =
            read().flat_map(|(_, one)| one.columns.iter().copied()).collect();
        numbers.sort_unstable();
        let leaf = |number: &usize| numbers.binary_search(number).ok();
        let part = |(place, one): (usize, &Named)| Part {
            place,
            meaning: one.meaning,
            leaves: one.columns.iter().filter_map(leaf).collect(),
            memories: one.columns.iter().map(|_| Memory::default()).collect(),
        };
        let mut parts: Vec<Part> = read().map(part).collect();
        let is_whole = object.rows() <= BATCH_ROWS as u64;
        let mut n_rows = 0;
        let done = object.read(&numbers, BATCH_ROWS, &mut |batch| {
            self.batch(batch, &mut parts, n_rows)?;
            n_rows += batch.num_rows() as u64;
            self.flush_of(is_whole, visit);
            Ok(())
        });
        // Of a batch that could not be read to its end.
        self.truncate();
        done
    }

    /// Reads an object for nothing but to know whether all of it can be read.
    pub fn check_parquet(&mut self, object: &Parquet<'_>) -> Result<(), ParquetError> {
        let read = self.parquet(object, &mut |_| {});
        self.finish(&mut |_| {});
        read
    }

    /// Appends a batch that so many rows came before.
    fn batch(
        &mut self,
        batch: &RecordBatch,
        parts: &mut [Part],
        rows_before: u64,
    ) -> Result<(), ParquetError> {
        let mut leaves = Vec::new();
        flatten(batch.columns(), None, &mut leaves);
        let mut bad: Vec<(usize, usize)> = Vec::new();
        let mut bad_rows = Vec::new();
        for Part { place, meaning, leaves: own, memories } in parts.iter_mut() {
            let Some(column) = self.shape.columns.get_mut(*place) else { continue };
            let own = own.iter().filter_map(|leaf| leaves.get(*leaf));
            let sources: Vec<Source<'_>> = own.map(|leaf| source(leaf, *meaning)).collect();
            if column.append(&sources, memories, &mut bad_rows).is_none() {
                return Err(self.wrong_type(*place, &sources));
            }
            bad.extend(bad_rows.drain(..).map(|row| (row, *place)));
        }
        self.rows = batch.num_rows();
        bad.sort_unstable();
        bad.dedup_by_key(|(row, _)| *row);
        for part in parts.iter() {
            if let Some(leaf) = part.leaves.first().and_then(|leaf| leaves.get(*leaf)) {
                self.note(part.place, leaf, &bad);
            }
        }
        if !bad.is_empty() {
            for (row, place) in &bad {
                self.line = rows_before + *row as u64 + 1;
                self.bad_cell(*place);
            }
            let keep = |row: usize| bad.binary_search_by_key(&row, |(row, _)| *row).is_err();
            self.shape.columns.iter_mut().for_each(|column| column.retain(&keep));
            self.rows -= bad.len();
        }
        Ok(())
    }

    /// Notes what good rows tell of their object.
    fn note(&mut self, place: usize, (array, nulls): &Leaf, bad: &[(usize, usize)]) {
        let is_status = self.shape.status_at == Some(place);
        let is_account = self.shape.account_at == Some(place) && self.counts.account.is_none();
        if !is_status && !is_account {
            return;
        }
        let Some(array) = array.as_dictionary_opt::<Int32Type>() else { return };
        let Some(words) = array.values().as_string_opt::<i32>() else { return };
        // Of most objects nothing but `OK` is said.
        if is_status && words.iter().flatten().all(|word| word == "OK") {
            return;
        }
        for (row, key) in array.keys().values().iter().enumerate() {
            let is_bad = || bad.binary_search_by_key(&row, |(row, _)| *row).is_ok();
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) || is_bad() {
                continue;
            }
            let Ok(key) = usize::try_from(*key) else { continue };
            if key >= words.len() {
                continue;
            }
            let word = words.value(key).as_bytes();
            if is_status {
                if self.counts.note_status(word) {
                    // Bad rows are left out behind this.
                    let n_bad = bad.partition_point(|(bad_row, _)| *bad_row < row);
                    self.skipped.push(row - n_bad);
                }
            } else if !word.is_empty() {
                self.counts.note_account(word);
                if self.counts.account.is_some() {
                    return;
                }
            }
        }
    }

    fn field_at(&self, place: usize) -> Option<Field> {
        self.shape.format.positions().get(place).copied().flatten()
    }

    fn bad_cell(&mut self, place: usize) {
        if let Some(field) = self.field_at(place) {
            self.bad(RowError::Cell { field, expected: super::expected(field.kind()) });
        }
    }

    fn wrong_type(&self, place: usize, sources: &[Source<'_>]) -> ParquetError {
        let field = self.field_at(place);
        ParquetError::Column {
            column: field.map(|field| field.name().to_owned()).unwrap_or_default(),
            found: sources.iter().map(|one| one.array.data_type().to_string()).collect(),
            expected: field.map_or("", |field| super::expected(field.kind())),
        }
    }
}

fn source((array, nulls): &Leaf, meaning: Meaning) -> Source<'_> {
    Source { array, nulls: nulls.as_ref(), meaning }
}

/// The arrays of single values, in the order of the schema, with the rows in which they, or what they
/// stand in, have none.
fn flatten(arrays: &[ArrayRef], outer: Option<&NullBuffer>, leaves: &mut Vec<Leaf>) {
    for array in arrays {
        let nulls = NullBuffer::union(outer, array.nulls());
        match array.as_struct_opt() {
            Some(one) => flatten(one.columns(), nulls.as_ref(), leaves),
            None => leaves.push((ArrayRef::clone(array), nulls)),
        }
    }
}

#[cfg(test)]
mod tests;
