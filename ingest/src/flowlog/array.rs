//! One column of a batch from an Arrow array. In: arrays of what writers of Parquet choose for a field.
//! Out: the values that the text of the same record would have given, and the rows that have none.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, DictionaryArray, PrimitiveArray};
use arrow_buffer::NullBuffer;
use arrow_schema::DataType;

use super::columns::{Column, Dictionary, ip};
use super::json::token;
use super::words::{NULL, any_integer};
use crate::flow::Values;

/// Largest whole number that every smaller one can be told from in a float. Unit: 1.
const FLOAT_MAX: f64 = 9_007_199_254_740_992.0;

/// A word that has not been met in this batch.
const UNSEEN: u32 = u32::MAX - 1;

/// What a place in a dictionary, or a number, is for a field.
#[derive(Debug, Clone, Copy)]
enum Cell {
    Value(u128),
    Null,
    Bad,
}

/// How values of another schema become those of a field.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Meaning {
    /// They are the same.
    #[default]
    Same,
    /// Times without a unit are milliseconds.
    Milliseconds,
    /// Words are others.
    Words(fn(&[u8]) -> &[u8]),
}

/// What is kept of a column from batch to batch.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The dictionary that `cells` are of.
    words: Option<ArrayRef>,
    cells: Vec<Cell>,
    /// Where each word of the dictionary is in the batch.
    keys: Vec<u32>,
}

/// An array to be appended.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) array: &'a ArrayRef,
    /// Rows without a value, by the array or by a column that it stands in.
    pub(super) nulls: Option<&'a NullBuffer>,
    pub(super) meaning: Meaning,
}

impl Source<'_> {
    fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }
}

impl Column {
    /// Appends the values of an array, and where it has none those of the next, which only words have; the
    /// rows of `bad` have a value that is none of the field. `None` if all of it is of a type that the
    /// field is never written in.
    pub(super) fn append(
        &mut self,
        sources: &[Source<'_>],
        memories: &mut [Memory],
        bad: &mut Vec<usize>,
    ) -> Option<()> {
        let (source, memory) = (*sources.first()?, memories.first_mut()?);
        match self {
            Self::Skip => Some(()),
            Self::Text(words) => append_words(words, sources, memories, bad),
            Self::Address(values) => {
                let words = |word: &[u8]| ip(word).map_or(Cell::Bad, Cell::Value);
                by_word(values, source, memory, (words, Some), bad)
            }
            Self::Int32(values) => {
                if is_words(source.array) {
                    let number = |cell: u128| i32::try_from(cell).ok();
                    return by_word(values, source, memory, (digits, number), bad);
                }
                by_number(values, source, |number| i32::try_from(number).ok(), bad)
            }
            Self::Int64(values) => {
                if is_words(source.array) {
                    let number = |cell: u128| i64::try_from(cell).ok();
                    return by_word(values, source, memory, (digits, number), bad);
                }
                by_number(values, source, Some, bad)
            }
        }
    }
}

fn digits(word: &[u8]) -> Cell {
    match any_integer(word) {
        Some(NULL) => Cell::Null,
        Some(number) => u128::try_from(number).map_or(Cell::Bad, Cell::Value),
        None => Cell::Bad,
    }
}

/// The word at a place of a dictionary.
fn word(words: &ArrayRef, place: usize) -> Option<&[u8]> {
    if place >= words.len() {
        return None;
    }
    if let Some(words) = words.as_string_opt::<i32>() {
        return Some(words.value(place).as_bytes());
    }
    Some(words.as_binary_opt::<i32>()?.value(place))
}

/// Words that stand for nothing.
fn is_nothing(word: &[u8]) -> bool {
    matches!(word, b"-" | b"")
}

/// Appends values that words are read as.
fn by_word<T: Copy + Default>(
    values: &mut Values<T>,
    source: Source<'_>,
    memory: &mut Memory,
    (read, number): (impl Fn(&[u8]) -> Cell, impl Fn(u128) -> Option<T>),
    bad: &mut Vec<usize>,
) -> Option<()> {
    let array = source.array.as_dictionary_opt::<Int32Type>()?;
    let words = array.values();
    let is_known = memory.words.as_ref().is_some_and(|known| {
        std::ptr::addr_eq(std::sync::Arc::as_ptr(known), std::sync::Arc::as_ptr(words))
    });
    if !is_known {
        let cell = |place| match word(words, place) {
            Some(word) if is_nothing(word) => Cell::Null,
            Some(word) => read(word),
            None => Cell::Bad,
        };
        memory.cells.clear();
        memory.cells.extend((0..words.len()).map(cell));
        memory.words = Some(std::sync::Arc::clone(words));
    }
    values.reserve(array.len());
    for (row, key) in array.keys().values().iter().enumerate() {
        let cell = usize::try_from(*key).ok().and_then(|key| memory.cells.get(key).copied());
        match cell {
            _ if source.is_null(row) => values.push_null(),
            Some(Cell::Null) => values.push_null(),
            Some(Cell::Value(cell)) if let Some(value) = number(cell) => values.push(value),
            _ => {
                bad.push(row);
                values.push_null();
            }
        }
    }
    Some(())
}

/// Appends words as they are.
fn append_words(
    own: &mut Dictionary,
    sources: &[Source<'_>],
    memories: &mut [Memory],
    bad: &mut Vec<usize>,
) -> Option<()> {
    let mut arrays = Vec::with_capacity(sources.len());
    for (source, memory) in sources.iter().zip(memories) {
        let array = source.array.as_dictionary_opt::<Int32Type>()?;
        memory.keys.clear();
        memory.keys.resize(array.values().len(), UNSEEN);
        arrays.push((*source, array, &mut memory.keys));
    }
    for row in 0..sources.first()?.array.len() {
        let mut found = Some(Dictionary::NULL);
        for (source, array, keys) in &mut arrays {
            if !source.is_null(row) {
                found = key_at(own, (*source, array), keys, row);
                if found != Some(Dictionary::NULL) {
                    break;
                }
            }
        }
        if let Some(key) = found {
            own.push_key(key);
        } else {
            bad.push(row);
            own.push_null();
        }
    }
    Some(())
}

/// The key of the word in a row.
fn key_at(
    own: &mut Dictionary,
    (source, array): (Source<'_>, &DictionaryArray<Int32Type>),
    keys: &mut [u32],
    row: usize,
) -> Option<u32> {
    let place = usize::try_from(*array.keys().values().get(row)?).ok()?;
    let known = keys.get_mut(place)?;
    if *known == UNSEEN {
        let word = word(array.values(), place)?;
        let word = if let Meaning::Words(other) = source.meaning { other(word) } else { word };
        *known = if is_nothing(word) { Dictionary::NULL } else { own.key_of(&plain(word))? };
    }
    Some(*known)
}

/// The word as it would stand in a line.
fn plain(word: &[u8]) -> Cow<'_, [u8]> {
    if word.iter().all(|byte| *byte > b' ') {
        return Cow::Borrowed(word);
    }
    Cow::Owned(token(&String::from_utf8_lossy(word)))
}

/// Appends numbers, of whatever type they are, and times in seconds.
fn by_number<T: Copy + Default>(
    values: &mut Values<T>,
    source: Source<'_>,
    number: impl Fn(i64) -> Option<T>,
    bad: &mut Vec<usize>,
) -> Option<()> {
    let array = source.array;
    let scale = if let Meaning::Milliseconds = source.meaning { 1_000 } else { 1 };
    macro_rules! append {
        ($($kind:ty => $whole:expr,)*) => {
            $(if let Some(array) = array.as_primitive_opt::<$kind>() {
                let read = |value| number($whole(value)?).filter(|_| $whole(value) >= Some(0));
                append_numbers(values, (array, source), read, bad);
                return Some(());
            })*
        };
    }
    append! {
        Int32Type => |value: i32| Some(i64::from(value)),
        Int64Type => |value: i64| Some(value / scale),
        TimestampMillisecondType => |value: i64| Some(value.div_euclid(1_000)),
        TimestampMicrosecondType => |value: i64| Some(value.div_euclid(1_000_000)),
        TimestampNanosecondType => |value: i64| Some(value.div_euclid(1_000_000_000)),
        TimestampSecondType => |value: i64| Some(value),
        Int16Type => |value: i16| Some(i64::from(value)),
        Int8Type => |value: i8| Some(i64::from(value)),
        UInt8Type => |value: u8| Some(i64::from(value)),
        UInt16Type => |value: u16| Some(i64::from(value)),
        UInt32Type => |value: u32| Some(i64::from(value)),
        UInt64Type => |value: u64| i64::try_from(value).ok(),
        Float64Type => whole,
    }
    None
}

/// The whole number that a float is; tables whose numbers may be missing are written with floats.
#[expect(
    clippy::cast_possible_truncation,
    reason = "it is whole, and within what a float can count"
)]
fn whole(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() <= FLOAT_MAX).then_some(value as i64)
}

fn append_numbers<P: ArrowPrimitiveType, T: Copy + Default>(
    values: &mut Values<T>,
    (array, source): (&PrimitiveArray<P>, Source<'_>),
    read: impl Fn(P::Native) -> Option<T>,
    bad: &mut Vec<usize>,
) {
    let numbers = array.values();
    values.reserve(numbers.len());
    for (row, number) in numbers.iter().enumerate() {
        if source.is_null(row) {
            values.push_null();
        } else if let Some(value) = read(*number) {
            values.push(value);
        } else {
            bad.push(row);
            values.push_null();
        }
    }
}

fn is_words(array: &ArrayRef) -> bool {
    matches!(array.data_type(), DataType::Dictionary(..))
}
