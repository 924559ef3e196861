//! What was learned as bytes, and back. In: memories. Out: one blob for each entity, group or watch: the
//! number of the form, the fields in their order, a checksum. Profiles at rest are kept in the same form
//! (`profiles.rs`), but for what stands around the fields, and for the values that they share.
//!
//! Numbers are varints (LEB128, signed ones zigzag). A text stands in its blob once, and a value is its
//! text: its hash is worked out again, so the key must be the one that it was written with. What calls tell
//! stands once as well, and a record. Days, slots and times are told by their distance from the one before.
//! Names of dimensions and the like are written as tags, since their places in their lists may change.
//!
//! Form 1 told days, slots and times from 1970 on, and calls, records and places each time anew. Form 2 had
//! no talks, form 3 no amounts of facts, form 4 no flow logs that took the place of others.

use crate::{
    dimension::Dimension,
    identity::{Entity, Kind},
    impact::{Impact, Track},
    time::{Day, Hour, Slot},
    value::{Value, stable_hash},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

mod bytes;
mod resting;

pub use bytes::{Reader, Texts, Writer};
pub use resting::Resting;

/// The form that is written. A form that was published stays readable: what changes the fields of
/// anything that is written makes a new one.
pub const FORM: u8 = 5;

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
    ($($name:ty, $is_vocabulary:expr;)*) => {$(
        impl Form for $name {
            fn write(&self, to: &mut Writer) {
                to.is_vocabulary = $is_vocabulary(*self);
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

named! {
    Dimension, Self::is_vocabulary;
    Impact, |_| false;
    Kind, |_| false;
}

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
        to.value(self);
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

/// Grains of time, by their distance from that which holds the moment before.
macro_rules! grains {
    ($($name:ident),*) => {$(
        impl Form for $name {
            fn write(&self, to: &mut Writer) {
                let Self(before) = Self::of(to.before.time_ms);
                (i64::from(self.0) - i64::from(before)).write(to);
                to.before.time_ms = self.start_ms();
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, FormError> {
                if from.is_form_1() {
                    return i32::read(from).map(Self);
                }
                let Self(before) = Self::of(from.before.time_ms);
                let grain = i64::from(before).checked_add(i64::read(from)?);
                let grain = grain.and_then(|grain| i32::try_from(grain).ok());
                let grain = Self(grain.ok_or(FormError::Damaged)?);
                from.before.time_ms = grain.start_ms();
                Ok(grain)
            }
        }
    )*};
}

grains!(Day, Hour, Slot);

form! {
    Track { impact, is_s3 }
    Entity { account, kind, key }
}

#[cfg(test)]
mod tests;
