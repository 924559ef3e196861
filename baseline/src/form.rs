//! What was learned as bytes, and back. In: memories. Out: one blob for each entity, group or watch: the
//! number of the form, the fields in their order, a checksum.
//!
//! Numbers are varints (LEB128, signed ones zigzag). A text stands in its blob once, and a value is its
//! text: its hash is worked out again, so the key must be the one that it was written with. Names of
//! dimensions and the like are written as tags, since their places in their lists may change.

use crate::{
    dimension::Dimension,
    identity::{Entity, Kind},
    impact::{Impact, Track},
    time::{Day, Slot},
    value::{HashKey, Value, stable_hash},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    net::IpAddr,
    sync::Arc,
};

/// The form that is written. A form that was published stays readable: what changes the fields of
/// anything that is written makes a new one.
pub const FORM: u8 = 1;

/// Unit: bytes.
const CHECKSUM_BYTES: usize = 8;

/// Why bytes are not what was learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// They are not what was written.
    #[error("its bytes are not what was written")]
    Damaged,
    /// A later program wrote them.
    #[error(
        "it has form {0} (expected at most {FORM}); use the sentrail that wrote it, or a newer one"
    )]
    Newer(u8),
    /// A later program wrote them: they name what this one does not know.
    #[error(
        "it holds a memory that this sentrail does not know; use the one that wrote it, or a newer one"
    )]
    Unknown,
}

/// Something that has a form.
pub trait Form: Sized {
    /// Appends it.
    fn write(&self, to: &mut Writer);
    /// Takes it.
    fn read(from: &mut Reader<'_>) -> Result<Self, FormError>;
}

/// Fields of structs, in the order in which they are written. A field that is forgotten does not compile.
#[macro_export]
macro_rules! form {
    ($($name:ty { $($field:tt),* })*) => {$(
        impl $crate::form::Form for $name {
            fn write(&self, to: &mut $crate::form::Writer) {
                $crate::form!(@each self, $name, $($field),*);
                $($crate::form::Form::write(&self.$field, to);)*
            }

            fn read(
                from: &mut $crate::form::Reader<'_>,
            ) -> Result<Self, $crate::form::FormError> {
                Ok(Self { $($field: $crate::form::Form::read(from)?),* })
            }
        }
    )*};
    (@each $self:ident, $name:ty, $($field:tt),*) => {
        let Self { $($field: _),* } = $self;
    };
}

/// Bytes that are being written.
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    texts: HashMap<Arc<str>, u64>,
}

impl Default for Writer {
    fn default() -> Self {
        Self { bytes: vec![FORM], texts: HashMap::new() }
    }
}

impl Writer {
    /// What was written, with its checksum.
    pub fn finish(self) -> Vec<u8> {
        sealed(self.bytes)
    }

    fn text(&mut self, text: &Arc<str>) {
        if let Some(&number) = self.texts.get(text) {
            number.write(self);
            return;
        }
        0_u64.write(self);
        (text.len() as u64).write(self);
        self.bytes.extend_from_slice(text.as_bytes());
        let number = self.texts.len() as u64 + 1;
        self.texts.insert(Arc::clone(text), number);
    }
}

/// Texts that several blobs hold: each is kept in memory once.
#[derive(Debug, Default)]
pub struct Texts(HashSet<Arc<str>>);

impl Texts {
    /// Longer texts are hardly shared. Unit: bytes.
    const SHARED_BYTES_MAX: usize = 128;

    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
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
    values: Vec<Value>,
    key: &'b HashKey,
    texts: &'b mut Texts,
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
            Some((&FORM, bytes)) => Ok(Self { bytes, values: Vec::new(), key, texts }),
            Some((&form, _)) if form > FORM => Err(FormError::Newer(form)),
            _ => Err(FormError::Damaged),
        }
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

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FormError> {
        self.take(N)?.try_into().map_err(|_| FormError::Damaged)
    }

    fn value(&mut self) -> Result<Value, FormError> {
        let number = usize::read(self)?;
        if let Some(number) = number.checked_sub(1) {
            return self.values.get(number).cloned().ok_or(FormError::Damaged);
        }
        let n_bytes = usize::read(self)?;
        let text = std::str::from_utf8(self.take(n_bytes)?).map_err(|_| FormError::Damaged)?;
        let value = self.key.value_of(self.texts.shared(text));
        self.values.push(value.clone());
        Ok(value)
    }
}

/// `bytes`, which begin with the number of their form, with their checksum.
pub fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = checksum(&bytes);
    bytes.extend(checksum);
    bytes
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let [low @ .., _, _, _, _, _, _, _, _] = stable_hash(&[bytes]).to_le_bytes();
    low
}

/// What stands for a name.
fn tag(name: &str) -> u16 {
    let [low, high, ..] = stable_hash(&[name.as_bytes()]).to_le_bytes();
    u16::from_le_bytes([low, high])
}

macro_rules! named {
    ($($name:ty),*) => {$(
        impl Form for $name {
            fn write(&self, to: &mut Writer) {
                to.bytes.extend(tag(self.name()).to_le_bytes());
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
                let of = u16::from_le_bytes(from.array()?);
                let found = Self::ALL.iter().find(|one| tag(one.name()) == of);
                found.copied().ok_or(FormError::Unknown)
            }
        }
    )*};
}

named!(Dimension, Impact, Kind);

impl Form for u64 {
    fn write(&self, to: &mut Writer) {
        let mut rest = *self;
        while rest >= 0x80 {
            to.bytes.push(u8::try_from(rest & 0x7f).unwrap_or(0) | 0x80);
            rest >>= 7;
        }
        to.bytes.push(u8::try_from(rest).unwrap_or(0));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        let mut number = 0;
        for shift in (0..Self::BITS).step_by(7) {
            let [byte] = from.array()?;
            let bits = Self::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(FormError::Damaged)
    }
}

macro_rules! smaller {
    ($($name:ty as $wide:ty),*) => {$(
        impl Form for $name {
            fn write(&self, to: &mut Writer) {
                <$wide>::try_from(*self).unwrap_or_default().write(to);
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
                <$wide>::read(from)?.try_into().map_err(|_| FormError::Damaged)
            }
        }
    )*};
}

smaller!(u16 as u64, u32 as u64, usize as u64, i32 as i64);

impl Form for i64 {
    fn write(&self, to: &mut Writer) {
        ((self << 1) ^ (self >> 63)).cast_unsigned().write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        let zigzag = u64::read(from)?;
        Ok((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
    }
}

impl Form for u8 {
    fn write(&self, to: &mut Writer) {
        to.bytes.push(*self);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        let [byte] = from.array()?;
        Ok(byte)
    }
}

impl Form for bool {
    fn write(&self, to: &mut Writer) {
        to.bytes.push(u8::from(*self));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        match from.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(FormError::Damaged),
        }
    }
}

impl Form for u128 {
    fn write(&self, to: &mut Writer) {
        to.bytes.extend(self.to_le_bytes());
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        Ok(Self::from_le_bytes(from.array()?))
    }
}

impl Form for IpAddr {
    fn write(&self, to: &mut Writer) {
        self.is_ipv6().write(to);
        match self {
            Self::V4(address) => to.bytes.extend(address.octets()),
            Self::V6(address) => to.bytes.extend(address.octets()),
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        let is_v6 = bool::read(from)?;
        Ok(if is_v6 { from.array::<16>()?.into() } else { from.array::<4>()?.into() })
    }
}

impl Form for Arc<str> {
    fn write(&self, to: &mut Writer) {
        to.text(self);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        Ok(from.value()?.text)
    }
}

impl Form for Value {
    fn write(&self, to: &mut Writer) {
        to.text(&self.text);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        from.value()
    }
}

impl<T: Form> Form for Option<T> {
    fn write(&self, to: &mut Writer) {
        self.is_some().write(to);
        if let Some(one) = self {
            one.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        bool::read(from)?.then(|| T::read(from)).transpose()
    }
}

impl<T: Form> Form for Box<T> {
    fn write(&self, to: &mut Writer) {
        T::write(self, to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        T::read(from).map(Self::new)
    }
}

impl<T: Form + Copy + Default, const N: usize> Form for [T; N] {
    fn write(&self, to: &mut Writer) {
        for one in self {
            one.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        let mut all = [T::default(); N];
        for one in &mut all {
            *one = T::read(from)?;
        }
        Ok(all)
    }
}

macro_rules! tuples {
    ($(($($name:ident $at:tt),*))*) => {$(
        impl<$($name: Form),*> Form for ($($name,)*) {
            fn write(&self, to: &mut Writer) {
                $(self.$at.write(to);)*
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
                Ok(($($name::read(from)?,)*))
            }
        }
    )*};
}

tuples! { (A 0, B 1) (A 0, B 1, C 2) }

/// As many as the first number says: each is there, or the number is wrong, which must not be believed.
fn several<T: Form, All: FromIterator<T>>(from: &mut Reader<'_>) -> Result<All, FormError> {
    let n = usize::read(from)?;
    (0..n).map(|_| T::read(from)).collect()
}

impl<T: Form> Form for Vec<T> {
    fn write(&self, to: &mut Writer) {
        self.len().write(to);
        for one in self {
            one.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        let mut all: Self = several(from)?;
        all.shrink_to_fit();
        Ok(all)
    }
}

impl<K: Form + Ord, V: Form> Form for BTreeMap<K, V> {
    fn write(&self, to: &mut Writer) {
        self.len().write(to);
        for (key, value) in self {
            key.write(to);
            value.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        several::<(K, V), _>(from)
    }
}

impl<T: Form + Ord> Form for BTreeSet<T> {
    fn write(&self, to: &mut Writer) {
        self.len().write(to);
        for one in self {
            one.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
        several(from)
    }
}

form! {
    Day { 0 }
    Slot { 0 }
    Track { impact, is_s3 }
    Entity { account, kind, key }
}

#[cfg(test)]
mod tests;
