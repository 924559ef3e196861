//! References to the records that a count rests on.

use crate::{
    few, form,
    form::{Form, FormError, Reader, Writer},
};
use std::{mem, slice, sync::Arc};

/// `eventID`: nearly always a UUID, which takes 16 bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventId {
    /// A UUID in its usual form, lower case.
    Uuid(Uuid),
    /// Anything else, as the log had it.
    Text(Arc<str>),
}

/// 128 bits in two words, which need no more than the alignment of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid {
    high: u64,
    low: u64,
}

impl EventId {
    /// Reads an `eventID`.
    pub fn new(text: &str) -> Self {
        uuid(text.as_bytes()).map_or_else(|| Self::Text(text.into()), Self::from)
    }
}

impl From<u128> for EventId {
    /// The id of these 128 bits.
    fn from(bits: u128) -> Self {
        let low = u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
        let high = u64::try_from(bits >> 64).unwrap_or_default();
        Self::Uuid(Uuid { high, low })
    }
}

impl Uuid {
    /// Any bits of it.
    pub(crate) fn hashed(self) -> u64 {
        self.high ^ self.low
    }

    fn bits(self) -> u128 {
        u128::from(self.high) << 64 | u128::from(self.low)
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Uuid(uuid) => {
                let uuid = uuid.bits();
                let group = |shift: u32, digits: u32| (uuid >> shift) & ((1 << (4 * digits)) - 1);
                write!(
                    f,
                    "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
                    group(96, 8),
                    group(80, 4),
                    group(64, 4),
                    group(48, 4),
                    group(0, 12)
                )
            }
        }
    }
}

/// The 128 bits that an `eventID` mostly is: those of `8-4-4-4-12` lower-case hexadecimal digits; `None` for
/// any other text.
pub fn uuid(text: &[u8]) -> Option<u128> {
    let text: &[u8; 36] = text.try_into().ok()?;
    if [8, 13, 18, 23].into_iter().any(|at| text.get(at) != Some(&b'-')) {
        return None;
    }
    let four = |at: usize| text.get(at..)?.first_chunk().copied().map(u32::from_be_bytes);
    let eight = |a, b| digits_of(u64::from(four(a)?) << 32 | u64::from(four(b)?));
    let high = u64::from(eight(0, 4)?) << 32 | u64::from(eight(9, 14)?);
    let low = u64::from(eight(19, 24)?) << 32 | u64::from(eight(28, 32)?);
    Some(u128::from(high) << 64 | u128::from(low))
}

/// Eight lower-case hexadecimal digits, all at once: every record has dozens of them, and no branch could guess
/// which are letters. The first is the highest byte.
#[inline]
fn digits_of(text: u64) -> Option<u32> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let digits = (text & (0x0f * EACH)) + (text >> 6 & EACH) * 9;
    let letters = (digits + 6 * EACH) >> 4 & EACH;
    // What is no digit is none of those that would be written so.
    if digits & (0xf0 * EACH) != 0 || digits + u64::from(b'0') * EACH + letters * 0x27 != text {
        return None;
    }
    let pairs = (digits >> 4 | digits) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs >> 8 | pairs) & 0x0000_ffff_0000_ffff;
    u32::try_from((fours >> 16 | fours) & 0xffff_ffff).ok()
}

/// A record that a count rests on: enough to name it and to say from where it came.
/// Ordered by time and id, so that the first k do not depend on any order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Evidence {
    /// Event time. Unit: milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// Which record.
    pub id: EventId,
    /// What it tells of the call: many records tell the same.
    pub call: Arc<Call>,
    /// How much of the counted dimension the record holds: 10 for a call that asks for ten secrets.
    pub amount: u64,
}

/// What was called, from where and by whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// What was called, for example `s3:PutObject`.
    pub api: Arc<str>,
    /// `sourceIPAddress`.
    pub address: Option<Arc<str>>,
    /// `accessKeyId`.
    pub access_key: Option<Arc<str>>,
    /// `awsRegion`.
    pub region: Option<Arc<str>>,
    /// Who it was in full: the ARN, session name included.
    pub actor: Option<Arc<str>>,
}

impl Evidence {
    /// The same, in one piece of memory with the first of `others` that tells the same of its call.
    pub(crate) fn shared<'e>(self, others: impl IntoIterator<Item = &'e Self>) -> Self {
        match others.into_iter().find(|other| other.call == self.call) {
            Some(same) => Self { call: Arc::clone(&same.call), ..self },
            None => self,
        }
    }
}

/// The k records smallest by (time, id), and the time of the last one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Records(Held);

/// In boxes, since most counts have no records, or one.
#[derive(Debug, Clone, Default, PartialEq)]
enum Held {
    #[default]
    None,
    /// One, which is the last one too.
    One(Box<Evidence>),
    Several(Box<Kept>),
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Kept {
    first: Vec<Evidence>,
    last_ms: i64,
}

impl Records {
    /// Records kept per slot and dimension. Unit: records.
    pub(crate) const MAX: usize = 128;

    /// Adds one record, and keeps the first `max`; a record that is there already changes nothing. Unit of
    /// `max`: records.
    pub fn add(&mut self, record: Evidence, max: usize) {
        self.0 = match mem::take(&mut self.0) {
            Held::None => Held::One(Box::new(record)),
            Held::One(one) if *one == record => Held::One(one),
            Held::One(one) => {
                let mut kept = Kept { last_ms: one.time_ms, first: vec![*one] };
                kept.add(record, max);
                Held::Several(Box::new(kept))
            }
            Held::Several(mut kept) => {
                kept.add(record, max);
                Held::Several(kept)
            }
        };
    }

    /// Keeps `record` alone, if it is the first: for counts of which nobody hands over every record.
    pub fn keep_first(&mut self, record: Evidence) {
        if self.iter().next().is_none_or(|first| record < *first) {
            self.0 = Held::One(Box::new(record));
        }
    }

    /// Adds all of another set.
    pub(crate) fn merge(&mut self, other: &Self, max: usize) {
        other.iter().for_each(|record| self.add(record.clone(), max));
        // Of one record the last is the record itself.
        if let (Held::Several(ours), Held::Several(theirs)) = (&mut self.0, &other.0) {
            ours.last_ms = ours.last_ms.max(theirs.last_ms);
        }
    }

    /// In order of time.
    pub fn iter(&self) -> impl Iterator<Item = &Evidence> {
        let kept = match &self.0 {
            Held::None => &[],
            Held::One(one) => slice::from_ref(&**one),
            Held::Several(kept) => &*kept.first,
        };
        kept.iter()
    }

    /// Time of the last record, kept or not. Unit: milliseconds since the Unix epoch.
    pub fn last_ms(&self) -> Option<i64> {
        match &self.0 {
            Held::None => None,
            Held::One(one) => Some(one.time_ms),
            Held::Several(kept) => Some(kept.last_ms),
        }
    }
}

impl Kept {
    fn add(&mut self, record: Evidence, max: usize) {
        let Self { first, last_ms } = self;
        *last_ms = record.time_ms.max(*last_ms);
        if first.len() >= max && first.last().is_some_and(|last| *last < record) {
            return;
        }
        if let Err(at) = first.binary_search(&record) {
            few::insert(first, at, record);
            first.truncate(max);
        }
    }
}

form! {
    Call { api, address, access_key, region, actor }
}

impl Records {
    /// How many are kept. Unit: records.
    pub(crate) fn len(&self) -> usize {
        self.iter().count()
    }

    /// Writes them, but for their number.
    pub(crate) fn write_kept(&self, to: &mut Writer) {
        self.iter().for_each(|record| record.write(to));
        if let Held::Several(kept) = &self.0 {
            to.time(kept.last_ms);
        }
    }

    /// Reads what [`Self::write_kept`] wrote of so many.
    pub(crate) fn read_kept(n: usize, from: &mut Reader<'_>) -> Result<Self, FormError> {
        let read: Result<Vec<_>, _> = (0..n).map(|_| Evidence::read(from)).collect();
        let mut first = read?;
        first.shrink_to_fit();
        let has_last = from.is_form_1() || first.len() > 1;
        let last_ms = has_last.then(|| from.time()).transpose()?;
        Ok(Self(match (first.pop(), last_ms) {
            (None, _) => Held::None,
            (Some(one), _) if first.is_empty() => Held::One(one.into()),
            (Some(last), last_ms) => {
                let last_ms = last_ms.unwrap_or(last.time_ms);
                first.push(last);
                Held::Several(Box::new(Kept { first, last_ms }))
            }
        }))
    }
}

impl Form for Records {
    fn write(&self, to: &mut Writer) {
        self.len().write(to);
        self.write_kept(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        if from.is_form_1() && !bool::read(from)? {
            return Ok(Self::default());
        }
        let n = usize::read(from)?;
        Self::read_kept(n, from)
    }
}

/// One number says which record it is of those that are there, or else which call it is of, and what kind of
/// id and amount follow.
impl Form for Evidence {
    fn write(&self, to: &mut Writer) {
        let Self { time_ms, id, call, amount } = self;
        if let Ok(number) = to.records.known(self) {
            (number << 1 | 1).write(to);
            return;
        }
        let known = to.calls.known(call).ok();
        let (is_text, is_many) = (matches!(id, EventId::Text(_)), *amount != 1);
        let head = known.map_or(0, |number| number + 1);
        (head << 3 | u64::from(is_text) << 2 | u64::from(is_many) << 1).write(to);
        if known.is_none() {
            call.write(to);
        }
        match id {
            EventId::Uuid(uuid) => uuid.bits().write(to),
            EventId::Text(text) => text.write(to),
        }
        if is_many {
            amount.write(to);
        }
        to.time(*time_ms);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        if from.is_form_1() {
            let (time_ms, id) = (from.time()?, EventId::read(from)?);
            return Ok(Self { time_ms, id, call: from.new_call()?, amount: Form::read(from)? });
        }
        let head = u64::read(from)?;
        if head & 1 != 0 {
            return from.record(head >> 1);
        }
        let call = match (head >> 3).checked_sub(1) {
            Some(number) => from.call(number)?,
            None => from.new_call()?,
        };
        let is_text = head & 4 != 0;
        let id = if is_text { EventId::Text(Form::read(from)?) } else { u128::read(from)?.into() };
        let amount = if head & 2 != 0 { Form::read(from)? } else { 1 };
        let record = Self { time_ms: from.time()?, id, call, amount };
        from.note_record(&record);
        Ok(record)
    }
}

impl Form for EventId {
    fn write(&self, to: &mut Writer) {
        let (uuid, text) = match self {
            Self::Uuid(uuid) => (Some(uuid.bits()), None),
            Self::Text(text) => (None, Some(Arc::clone(text))),
        };
        uuid.write(to);
        if let Some(text) = text {
            text.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        match Form::read(from)? {
            Some(uuid) => Ok(u128::into(uuid)),
            None => Form::read(from).map(Self::Text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::any;

    fn record(time_ms: i64) -> Evidence {
        let id = EventId::new(&format!("e-{time_ms}"));
        let (address, access_key, region, actor) = (None, None, None, None);
        let call = Call { api: "s3:PutObject".into(), address, access_key, region, actor };
        Evidence { time_ms, id, call: call.into(), amount: 1 }
    }

    #[test]
    fn ids_read_back_as_written() {
        for text in [
            "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
            "0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9",
            "00000000-0000-0000-0000-000000000000",
            "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f",
            "0a1b2c3d04e5f-6071-8293-a4b5c6d7e8f9",
            "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f90",
            "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8-9",
            "0a1b2c3g-4e5f-6071-8293-a4b5c6d7e8f9",
            "EXAMPLE",
            "",
        ] {
            assert_eq!(EventId::new(text).to_string(), text);
        }
        assert_eq!(
            EventId::new("0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"),
            0x0a1b_2c3d_4e5f_6071_8293_a4b5_c6d7_e8f9.into()
        );
    }

    proptest::proptest! {
        #[test]
        fn digits_are_those_of_the_standard_library(
            digits in any::<u32>(), other in any::<u8>(), place in 0..8_usize,
        ) {
            let mut text = *format!("{digits:08x}").as_bytes().first_chunk::<8>().unwrap();
            proptest::prop_assert_eq!(digits_of(u64::from_be_bytes(text)), Some(digits));
            text[place] = other;
            let is_hexadecimal = text.iter().all(|byte| b"0123456789abcdef".contains(byte));
            let read = std::str::from_utf8(&text).ok().filter(|_| is_hexadecimal);
            let read = read.map(|text| u32::from_str_radix(text, 16).unwrap());
            proptest::prop_assert_eq!(digits_of(u64::from_be_bytes(text)), read);
        }
    }

    #[test]
    fn the_first_are_kept_whatever_the_order() {
        let mut up = Records::default();
        let mut down = Records::default();
        for n in 0..200 {
            up.add(record(n), Records::MAX);
            down.add(record(199 - n), Records::MAX);
            up.add(record(n), Records::MAX);
        }
        assert_eq!(up, down);
        assert_eq!(up.iter().count(), Records::MAX);
        assert_eq!(up.iter().last().map(|last| last.time_ms), Some(127));
    }
}
