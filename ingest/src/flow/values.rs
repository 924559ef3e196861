//! The values of the columns of a batch: how they are held, and how they are looked at.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, DictionaryArray, FixedSizeBinaryArray, Int32Array, Int64Array, StringArray,
};
use arrow_buffer::{Buffer, NullBuffer};
use arrow_schema::ArrowError;

/// One column.
#[derive(Debug)]
pub(crate) enum Data {
    Int32(Values<i32>),
    Int64(Values<i64>),
    Address(Values<u128>),
    Text(Words),
}

/// Values and the rows that have none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values<T> {
    values: Vec<T>,
    /// A bit for each row, up to the last that has none.
    nulls: Vec<u64>,
}

/// A value that is not as most are.
pub(crate) enum Other<T> {
    Value(T),
    Null,
}

impl<T: Copy + Default> Values<T> {
    #[inline]
    pub(crate) fn push(&mut self, value: T) {
        self.values.push(value);
    }

    pub(crate) fn push_null(&mut self) {
        set(&mut self.nulls, self.values.len());
        self.values.push(T::default());
    }

    /// Makes room for so many more.
    pub(crate) fn reserve(&mut self, rows: usize) {
        self.values.reserve(rows);
    }

    /// Appends what `read` makes of each place, and returns how many are good before the first that
    /// is not; those behind it are to be forgotten. `read` may leave rare ones to `other`.
    #[inline]
    pub(crate) fn extend(
        &mut self,
        places: impl ExactSizeIterator<Item = (usize, usize)>,
        read: impl Fn(usize, usize) -> Option<T>,
        other: impl Fn(usize, usize) -> Option<Other<T>>,
    ) -> usize {
        let Self { values, nulls } = self;
        let (before, mut good) = (values.len(), places.len());
        values.extend(places.enumerate().map(|(i, (start, end))| {
            if let Some(value) = read(start, end) {
                return value;
            }
            match other(start, end) {
                Some(Other::Value(value)) => return value,
                Some(Other::Null) => set(nulls, before + i),
                None => good = good.min(i),
            }
            T::default()
        }));
        good
    }

    pub(crate) fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.nulls.truncate(rows.div_ceil(64));
        if let Some(last) = self.nulls.get_mut(rows / 64) {
            *last &= (1 << (rows % 64)) - 1;
        }
    }

    /// Forgets the rows that are not to be kept.
    pub(crate) fn retain(&mut self, keep: &dyn Fn(usize) -> bool) {
        let all = std::mem::take(self);
        for row in (0..all.len()).filter(|row| keep(*row)) {
            match all.get(row) {
                Some(value) => self.push(value),
                None => self.push_null(),
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.values.clear();
        self.nulls.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// The value of row `i`; `None` for null and past the end.
    #[inline]
    pub(crate) fn get(&self, i: usize) -> Option<T> {
        let value = *self.values.get(i)?;
        (self.nulls_at(i) & 1 == 0).then_some(value)
    }

    /// Which of the rows from `i` to the next multiple of 64 have no value, row `i` lowest.
    #[inline]
    fn nulls_at(&self, i: usize) -> u64 {
        self.nulls.get(i / 64).map_or(0, |rows| rows >> (i % 64))
    }

    fn has_nulls(&self) -> bool {
        self.nulls.iter().any(|rows| *rows != 0)
    }

    fn valid(&self) -> Option<NullBuffer> {
        let valid = |i| self.nulls_at(i) & 1 == 0;
        self.has_nulls().then(|| (0..self.values.len()).map(valid).collect::<Vec<bool>>().into())
    }
}

/// Sets the bit of a row.
fn set(rows: &mut Vec<u64>, row: usize) {
    if rows.len() <= row / 64 {
        rows.resize(row / 64 + 1, 0);
    }
    if let Some(rows) = rows.get_mut(row / 64) {
        *rows |= 1 << (row % 64);
    }
}

/// Words by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Words {
    pub(crate) keys: Values<u32>,
    /// The distinct words one after the other.
    text: String,
    ends: Vec<usize>,
}

impl Words {
    /// Adds a word and returns its key; `None` if there are too many.
    pub(crate) fn add(&mut self, word: &str) -> Option<u32> {
        let key = u32::try_from(self.ends.len()).ok()?;
        self.text.push_str(word);
        self.ends.push(self.text.len());
        Some(key)
    }

    /// How many distinct words there are.
    pub(crate) fn count(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    pub(crate) fn word(&self, key: usize) -> Option<&str> {
        let start = key.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.text.get(start..*self.ends.get(key)?)
    }

    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        self.text.clear();
        self.ends.clear();
    }
}

impl Data {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Int32(values) => values.len(),
            Self::Int64(values) => values.len(),
            Self::Address(values) => values.len(),
            Self::Text(words) => words.keys.len(),
        }
    }

    /// The same as an Arrow array.
    pub(crate) fn array(&self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Int32(all) => {
                Arc::new(Int32Array::try_new(all.values.clone().into(), all.valid())?)
            }
            Self::Int64(all) => {
                Arc::new(Int64Array::try_new(all.values.clone().into(), all.valid())?)
            }
            Self::Address(all) => {
                let bytes: Vec<u8> = all.values.iter().flat_map(|one| one.to_be_bytes()).collect();
                Arc::new(FixedSizeBinaryArray::try_new(16, Buffer::from_vec(bytes), all.valid())?)
            }
            Self::Text(all) => {
                let keys = all.keys.values.iter().map(|key| key.cast_signed()).collect::<Vec<_>>();
                let keys = Int32Array::try_new(keys.into(), all.keys.valid())?;
                let words = Arc::new(StringArray::from_iter_values(Texts(all).words()));
                Arc::new(DictionaryArray::<Int32Type>::try_new(keys, words)?)
            }
        })
    }
}

/// A column of numbers.
#[derive(Debug, Clone, Copy)]
pub struct Numbers<'a, T>(pub(crate) &'a Values<T>);

impl<T: Copy + Default> Numbers<'_, T> {
    /// The number of row `i`; `None` for null and past the end.
    #[inline]
    pub fn get(self, i: usize) -> Option<T> {
        self.0.get(i)
    }

    /// The number of row `i`, 0 for null; `None` past the end.
    #[inline]
    pub(super) fn get_or_zero(self, i: usize) -> Option<T> {
        self.0.values.get(i).copied()
    }

    /// Which of the rows from `i` to the next multiple of 64 have no number, row `i` lowest.
    #[inline]
    pub(super) fn nulls_at(self, i: usize) -> u64 {
        self.0.nulls_at(i)
    }
}

/// A column of addresses. An address is a number: 128 bits, IPv4 mapped into `::ffff:0:0/96`.
pub type Addresses<'a> = Numbers<'a, u128>;

/// A column of words. Equal keys are equal words within a batch.
#[derive(Debug, Clone, Copy)]
pub struct Texts<'a>(pub(crate) &'a Words);

impl<'a> Texts<'a> {
    /// The word of row `i`; `None` for null and past the end.
    #[inline]
    pub fn get(self, i: usize) -> Option<&'a str> {
        self.0.word(self.key(i)?)
    }

    /// The place of row `i`'s word among [`Texts::words`].
    #[inline]
    pub(crate) fn key(self, i: usize) -> Option<usize> {
        self.0.keys.get(i).map(|key| key as usize)
    }

    /// Whether some row has none.
    pub(super) fn has_nulls(self) -> bool {
        self.0.keys.has_nulls()
    }

    /// The distinct words of the batch, in order of first appearance.
    pub(crate) fn words(self) -> impl ExactSizeIterator<Item = &'a str> {
        let words = self.0;
        (0..words.count()).map(|key| words.word(key).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
    use arrow_array::{Array, RecordBatch};
    use proptest::prelude::*;

    use super::*;
    use crate::flowlog::FlowReader;

    #[test]
    fn an_arrow_batch_holds_the_same() {
        let mut all: Vec<RecordBatch> = Vec::new();
        let text = "end interface-id srcaddr srcport\n1 eni-1 10.0.0.1 80\n2 eni-2 2001:db8::1 81\n\
            3 eni-1 - -\n- - 10.0.0.2 82\n";
        let mut visit = |batch: crate::flow::FlowBatch| all.push(batch.records().unwrap());
        FlowReader::default().read(text.as_bytes(), &mut visit);
        let column = |name| all[0].column_by_name(name).unwrap();
        let numbers: Vec<_> = column("srcport").as_primitive::<Int32Type>().iter().collect();
        assert_eq!(numbers, [Some(80), Some(81), None, Some(82)]);
        let ends: Vec<_> = column("end").as_primitive::<Int64Type>().iter().collect();
        assert_eq!(ends, [Some(1), Some(2), Some(3), None]);
        let addresses = column("srcaddr").as_fixed_size_binary();
        assert_eq!(addresses.value(0), [[0; 10].as_slice(), &[255, 255, 10, 0, 0, 1]].concat());
        assert_eq!(addresses.value(1)[..5], [0x20, 0x01, 0x0d, 0xb8, 0]);
        assert!(addresses.is_null(2) && addresses.is_valid(3));
        let words = column("interface_id").as_dictionary::<Int32Type>();
        let words: Vec<_> = words.downcast_dict::<StringArray>().unwrap().into_iter().collect();
        assert_eq!(words, [Some("eni-1"), Some("eni-2"), Some("eni-1"), None]);
    }

    proptest! {
        #[test]
        fn nulls_stay_where_they_are(
            rows in proptest::collection::vec(any::<Option<u8>>(), 0..200), kept in 0_usize..200,
        ) {
            let mut values = Values::default();
            let kept = kept.min(rows.len());
            let expected: Vec<_> = rows.iter().take(kept).chain(&rows).copied().collect();
            for (n, row) in rows.iter().chain(&rows).enumerate() {
                if n == rows.len() {
                    values.truncate(kept);
                }
                match row {
                    Some(value) => values.push(*value),
                    None => values.push_null(),
                }
            }
            let got: Vec<_> = (0..values.len()).map(|i| values.get(i)).collect();
            prop_assert_eq!(got, expected);
        }
    }
}
