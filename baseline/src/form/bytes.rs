//! Bytes that are written and read, and what stands in them once.

use super::{CHECKSUM_BYTES, FORM, Form, FormError, checksum, sealed};
use crate::{
    evidence::{Call, Evidence},
    numbered::{Names, Numbered},
    place::Place,
    value::{HashKey, Value},
};
use std::{collections::HashSet, sync::Arc};

/// Bytes that are being written.
#[derive(Debug)]
pub struct Writer {
    pub(super) bytes: Vec<u8>,
    texts: Numbered<Arc<str>>,
    pub(crate) calls: Numbered<Arc<Call>>,
    pub(crate) records: Numbered<Evidence>,
    pub(super) before: Before,
    /// Whether other blobs hold most values of the dimension that was written last as well.
    pub(super) is_vocabulary: bool,
    /// Where values stand that other blobs hold as well; of those in files nobody knows.
    names: Option<Names>,
}

/// What was written or read last.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// Unit: milliseconds since the Unix epoch.
    pub(super) time_ms: i64,
    place: Option<Place>,
}

/// What stands for a text that was not in the blob so far: its length and bytes follow, or its number
/// among the names.
const HERE: u64 = 0;
const NAMED: u64 = 1;
/// What stands for the first text of a blob, once it is there.
const FIRST: u64 = 2;

/// Unit: milliseconds.
const SECOND_MS: i64 = 1_000;

impl Default for Writer {
    fn default() -> Self {
        Self { bytes: vec![FORM], ..Self::of(None) }
    }
}

impl Writer {
    fn of(names: Option<Names>) -> Self {
        Self {
            bytes: Vec::new(),
            texts: Numbered::default(),
            calls: Numbered::default(),
            records: Numbered::default(),
            before: Before::default(),
            is_vocabulary: false,
            names,
        }
    }

    /// For blobs that stay in this process: values that several of them hold stand in `names`.
    pub(crate) fn among(names: Names) -> Self {
        Self::of(Some(names))
    }

    /// What was written, with its checksum.
    pub fn finish(self) -> Vec<u8> {
        sealed(self.bytes)
    }

    /// What was written, and begins anew.
    pub(crate) fn take(&mut self) -> Box<[u8]> {
        let bytes = self.bytes.as_slice().into();
        self.bytes.clear();
        self.texts.clear();
        self.calls.clear();
        self.records.clear();
        self.before = Before::default();
        bytes
    }

    pub(crate) fn names(&self) -> Option<&Names> {
        self.names.as_ref()
    }

    /// Writes the number of a text that is there already, or gives it one.
    fn is_there(&mut self, text: &Arc<str>) -> bool {
        let known = self.texts.known(text);
        if let Ok(number) = known {
            (number + FIRST).write(self);
        }
        known.is_ok()
    }

    pub(super) fn text(&mut self, text: &Arc<str>) {
        if !self.is_there(text) {
            HERE.write(self);
            (text.len() as u64).write(self);
            self.bytes.extend_from_slice(text.as_bytes());
        }
    }

    pub(super) fn value(&mut self, value: &Value) {
        if self.names.is_none() || !self.is_vocabulary {
            self.text(&value.text);
        } else if !self.is_there(&value.text) {
            NAMED.write(self);
            let known = self.names.as_mut().map(|names| names.known(value));
            let (Ok(number) | Err(number)) = known.unwrap_or(Ok(0));
            number.write(self);
        }
    }

    /// Writes a moment. CloudTrail tells time by the second.
    pub(crate) fn time(&mut self, time_ms: i64) {
        let distance_ms = time_ms.wrapping_sub(self.before.time_ms);
        self.before.time_ms = time_ms;
        let (seconds, rest_ms) =
            (distance_ms.div_euclid(SECOND_MS), distance_ms.rem_euclid(SECOND_MS));
        (seconds << 1 | i64::from(rest_ms != 0)).write(self);
        if rest_ms != 0 {
            rest_ms.write(self);
        }
    }

    /// Whether `place` is that which came before it.
    pub(crate) fn is_same_place(&mut self, place: &Place) -> bool {
        let is_same = self.before.place.as_ref() == Some(place);
        if !is_same {
            self.before.place = Some(place.clone());
        }
        is_same
    }
}

/// Texts that several blobs hold: each is kept in memory once.
#[derive(Debug, Default)]
pub struct Texts(HashSet<Arc<str>>);

impl Texts {
    /// Longer texts are hardly shared. Unit: bytes.
    const SHARED_BYTES_MAX: usize = 128;
    /// When so many were met they are forgotten: many are of one blob only. Unit: texts.
    const TEXTS_MAX: usize = 1 << 18;

    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        if self.0.len() >= Self::TEXTS_MAX {
            self.0.clear();
        }
        if text.len() <= Self::SHARED_BYTES_MAX {
            self.0.insert(Arc::clone(&new));
        }
        new
    }
}

/// Bytes that are being read.
#[derive(Debug)]
pub struct Reader<'b> {
    bytes: &'b [u8],
    form: u8,
    values: Vec<Value>,
    calls: Vec<Arc<Call>>,
    records: Vec<Evidence>,
    pub(super) before: Before,
    key: &'b HashKey,
    shared: Shared<'b>,
}

/// What other blobs hold as well.
#[derive(Debug)]
enum Shared<'b> {
    Texts(&'b mut Texts),
    Names(&'b Names),
}

impl<'b> Reader<'b> {
    /// Begins to read what [`Writer::finish`] gave, once the checksum says that it is that.
    pub fn new(bytes: &'b [u8], key: &'b HashKey, texts: &'b mut Texts) -> Result<Self, FormError> {
        let at = bytes.len().checked_sub(CHECKSUM_BYTES).ok_or(FormError::Damaged)?;
        let (written, sum) = bytes.split_at_checked(at).ok_or(FormError::Damaged)?;
        if checksum(written) != sum {
            return Err(FormError::Damaged);
        }
        match written.split_first() {
            Some((&form @ 1..=FORM, bytes)) => {
                Ok(Self { form, ..Self::of(bytes, key, Shared::Texts(texts)) })
            }
            Some((&form, _)) if form > FORM => Err(FormError::Newer(form)),
            _ => Err(FormError::Damaged),
        }
    }

    fn of(bytes: &'b [u8], key: &'b HashKey, shared: Shared<'b>) -> Self {
        let (values, calls, records) = (Vec::new(), Vec::new(), Vec::new());
        Self { bytes, form: FORM, values, calls, records, before: Before::default(), key, shared }
    }

    /// Begins to read what [`Writer::take`] gave.
    pub(crate) fn among(names: &'b Names, bytes: &'b [u8], key: &'b HashKey) -> Self {
        Self::of(bytes, key, Shared::Names(names))
    }

    /// Whether it is of the first form.
    pub(crate) fn is_form_1(&self) -> bool {
        self.form == 1
    }

    /// Whether it is of a form before this one.
    pub fn is_before(&self, form: u8) -> bool {
        self.form < form
    }

    /// Sees that nothing is left.
    pub fn finish(self) -> Result<(), FormError> {
        if self.bytes.is_empty() { Ok(()) } else { Err(FormError::Damaged) }
    }

    fn take(&mut self, n: usize) -> Result<&'b [u8], FormError> {
        let (taken, rest) = self.bytes.split_at_checked(n).ok_or(FormError::Damaged)?;
        self.bytes = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], FormError> {
        self.take(N)?.try_into().map_err(|_| FormError::Damaged)
    }

    pub(super) fn value(&mut self) -> Result<Value, FormError> {
        let number = u64::read(self)?;
        let first = if self.is_form_1() { HERE + 1 } else { FIRST };
        if let Some(number) = number.checked_sub(first) {
            let number = usize::try_from(number).map_err(|_| FormError::Damaged)?;
            return self.values.get(number).cloned().ok_or(FormError::Damaged);
        }
        let value = if number == HERE { self.value_here()? } else { self.named()? };
        self.values.push(value.clone());
        Ok(value)
    }

    fn value_here(&mut self) -> Result<Value, FormError> {
        let n_bytes = usize::read(self)?;
        let text = std::str::from_utf8(self.take(n_bytes)?).map_err(|_| FormError::Damaged)?;
        let text = match &mut self.shared {
            Shared::Texts(texts) => texts.shared(text),
            Shared::Names(_) => text.into(),
        };
        Ok(self.key.value_of(text))
    }

    fn named(&mut self) -> Result<Value, FormError> {
        let number = usize::read(self)?;
        match &self.shared {
            Shared::Names(names) => names.get(number).cloned().ok_or(FormError::Damaged),
            Shared::Texts(_) => Err(FormError::Damaged),
        }
    }

    /// The call of this number, which was read before.
    pub(crate) fn call(&self, number: u64) -> Result<Arc<Call>, FormError> {
        let number = usize::try_from(number).map_err(|_| FormError::Damaged)?;
        self.calls.get(number).cloned().ok_or(FormError::Damaged)
    }

    /// Reads a call that was not there before.
    pub(crate) fn new_call(&mut self) -> Result<Arc<Call>, FormError> {
        let call = Arc::new(Call::read(self)?);
        self.calls.push(Arc::clone(&call));
        Ok(call)
    }

    /// The record of this number, which was read before.
    pub(crate) fn record(&self, number: u64) -> Result<Evidence, FormError> {
        let number = usize::try_from(number).map_err(|_| FormError::Damaged)?;
        self.records.get(number).cloned().ok_or(FormError::Damaged)
    }

    /// Notes a record that was not there before.
    pub(crate) fn note_record(&mut self, record: &Evidence) {
        self.records.push(record.clone());
    }

    /// Reads a moment. Unit: milliseconds since the Unix epoch.
    pub(crate) fn time(&mut self) -> Result<i64, FormError> {
        let distance = i64::read(self)?;
        if self.is_form_1() {
            return Ok(distance);
        }
        let rest_ms = if distance & 1 != 0 { i64::read(self)? } else { 0 };
        let distance_ms = (distance >> 1).wrapping_mul(SECOND_MS).wrapping_add(rest_ms);
        self.before.time_ms = self.before.time_ms.wrapping_add(distance_ms);
        Ok(self.before.time_ms)
    }

    /// The place that was read last.
    pub(crate) fn same_place(&self) -> Result<Place, FormError> {
        self.before.place.clone().ok_or(FormError::Damaged)
    }

    /// Notes the place that was read last.
    pub(crate) fn note_place(&mut self, place: &Place) {
        self.before.place = Some(place.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_texts_all_are_forgotten_and_kept_again() {
        let mut texts = Texts::default();
        let first = texts.shared("first");
        assert!(Arc::ptr_eq(&first, &texts.shared("first")));
        for n in 1..=Texts::TEXTS_MAX {
            assert_eq!(&*texts.shared(&n.to_string()), n.to_string());
            assert!(texts.0.len() <= Texts::TEXTS_MAX);
        }
        let again = texts.shared("first");
        assert!(!Arc::ptr_eq(&first, &again) && first == again);
    }
}
