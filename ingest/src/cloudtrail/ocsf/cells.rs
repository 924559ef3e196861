//! One row of a batch as JSON. In: Arrow arrays of whatever type a column has. Out: words, numbers, truths, times
//! in milliseconds since the Unix epoch, and lists and structures of them; nothing for any other type.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Fields, TimeUnit};
use serde_json::Value;

use crate::cloudtrail::RECORD_BYTES_MAX;

/// Most items of lists and entries of maps in one record: a few bytes can stand for any number of them. Unit:
/// values. A call names some ten resources, and has some hundred values without a column.
pub(super) const LISTED_MAX: usize = 4_096;

/// A row of a batch by the names of its columns; nothing if it is larger than a record may be.
pub(super) fn row(batch: &RecordBatch, row: usize) -> Option<Value> {
    let mut room = Room { listed: Some(LISTED_MAX), bytes: Some(RECORD_BYTES_MAX) };
    let fields = batch.schema_ref().fields();
    let value = room.parts(fields, batch.columns(), row);
    value.filter(|_| room.listed.is_some() && room.bytes.is_some())
}

/// What a record may still have; nothing left once it had too much.
#[derive(Debug)]
struct Room {
    /// Unit: values.
    listed: Option<usize>,
    /// Words are counted as often as they stand in the record, however often they were written.
    bytes: Option<usize>,
}

fn take(left: &mut Option<usize>, n: usize) -> Option<()> {
    *left = left.and_then(|left| left.checked_sub(n));
    left.map(drop)
}

impl Room {
    /// The value of a row.
    fn cell(&mut self, array: &ArrayRef, row: usize) -> Value {
        if row >= array.len() || array.is_null(row) {
            return Value::Null;
        }
        self.read(array, row).unwrap_or(Value::Null)
    }

    fn parts(&mut self, fields: &Fields, columns: &[ArrayRef], row: usize) -> Option<Value> {
        take(&mut self.bytes, fields.iter().map(|field| field.name().len()).sum())?;
        let names = fields.iter().map(|field| field.name().clone());
        Some(names.zip(columns.iter().map(|one| self.cell(one, row))).collect())
    }

    fn read(&mut self, array: &ArrayRef, row: usize) -> Option<Value> {
        Some(match array.data_type() {
            DataType::Utf8 => self.word(array.as_string_opt::<i32>()?.value(row))?,
            DataType::LargeUtf8 => self.word(array.as_string_opt::<i64>()?.value(row))?,
            DataType::Binary => {
                let bytes = array.as_binary_opt::<i32>()?.value(row);
                take(&mut self.bytes, bytes.len())?;
                String::from_utf8_lossy(bytes).into()
            }
            DataType::Dictionary(_, _) => {
                let words = array.as_dictionary_opt::<Int32Type>()?;
                let key = usize::try_from(words.keys().value(row)).ok()?;
                self.cell(words.values(), key)
            }
            DataType::Boolean => array.as_boolean_opt()?.value(row).into(),
            DataType::Int32 => array.as_primitive_opt::<Int32Type>()?.value(row).into(),
            DataType::Int64 => array.as_primitive_opt::<Int64Type>()?.value(row).into(),
            DataType::Timestamp(unit, _) => time_ms(array, *unit, row)?.into(),
            DataType::Struct(fields) => {
                self.parts(fields, array.as_struct_opt()?.columns(), row)?
            }
            DataType::List(_) => {
                let items = array.as_list_opt::<i32>()?.value(row);
                take(&mut self.listed, items.len())?;
                (0..items.len()).map(|item| self.cell(&items, item)).collect()
            }
            DataType::Map(_, _) => {
                let entries = array.as_map_opt()?.value(row);
                let [names, values] = entries.columns() else { return None };
                take(&mut self.listed, entries.len())?;
                let entry = |item| {
                    let Value::String(name) = self.cell(names, item) else { return None };
                    Some((name, self.cell(values, item)))
                };
                Value::Object((0..entries.len()).filter_map(entry).collect())
            }
            _ => return None,
        })
    }

    fn word(&mut self, word: &str) -> Option<Value> {
        take(&mut self.bytes, word.len())?;
        Some(word.into())
    }
}

fn time_ms(array: &ArrayRef, unit: TimeUnit, row: usize) -> Option<i64> {
    Some(match unit {
        TimeUnit::Second => {
            array.as_primitive_opt::<TimestampSecondType>()?.value(row).saturating_mul(1_000)
        }
        TimeUnit::Millisecond => array.as_primitive_opt::<TimestampMillisecondType>()?.value(row),
        TimeUnit::Microsecond => {
            array.as_primitive_opt::<TimestampMicrosecondType>()?.value(row).div_euclid(1_000)
        }
        TimeUnit::Nanosecond => {
            array.as_primitive_opt::<TimestampNanosecondType>()?.value(row).div_euclid(1_000_000)
        }
    })
}
