//! One value of a batch as JSON. In: an Arrow array of whatever type a column has. Out: words, numbers, truths,
//! times in milliseconds since the Unix epoch, and lists and structures of them; nothing for any other type.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use serde_json::Value;

/// The value of a row.
pub(super) fn cell(array: &ArrayRef, row: usize) -> Value {
    if row >= array.len() || array.is_null(row) {
        return Value::Null;
    }
    read(array, row).unwrap_or(Value::Null)
}

fn read(array: &ArrayRef, row: usize) -> Option<Value> {
    Some(match array.data_type() {
        DataType::Utf8 => array.as_string_opt::<i32>()?.value(row).into(),
        DataType::LargeUtf8 => array.as_string_opt::<i64>()?.value(row).into(),
        DataType::Binary => {
            String::from_utf8_lossy(array.as_binary_opt::<i32>()?.value(row)).into()
        }
        DataType::Dictionary(_, _) => {
            let words = array.as_dictionary_opt::<Int32Type>()?;
            let key = usize::try_from(words.keys().value(row)).ok()?;
            cell(words.values(), key)
        }
        DataType::Boolean => array.as_boolean_opt()?.value(row).into(),
        DataType::Int32 => array.as_primitive_opt::<Int32Type>()?.value(row).into(),
        DataType::Int64 => array.as_primitive_opt::<Int64Type>()?.value(row).into(),
        DataType::Timestamp(unit, _) => time_ms(array, *unit, row)?.into(),
        DataType::Struct(_) => {
            let parts = array.as_struct_opt()?;
            let names = parts.fields().iter().map(|field| field.name().clone());
            names.zip(parts.columns().iter().map(|one| cell(one, row))).collect()
        }
        DataType::List(_) => {
            let items = array.as_list_opt::<i32>()?.value(row);
            (0..items.len()).map(|item| cell(&items, item)).collect()
        }
        DataType::Map(_, _) => {
            let entries = array.as_map_opt()?.value(row);
            let [names, values] = entries.columns() else { return None };
            let entry = |item| Some((cell(names, item).as_str()?.to_owned(), cell(values, item)));
            Value::Object((0..entries.len()).filter_map(entry).collect())
        }
        _ => return None,
    })
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
