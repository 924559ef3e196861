//! The one currency: bits of surprise, `-log2 p`.

use crate::dimension::Dimension;
use std::{fmt, iter::Sum};

/// Bits of surprise, kept in hundredths: equal on every platform, and parts sum exactly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bits(u32);

impl Bits {
    /// Nothing surprising.
    pub const ZERO: Self = Self(0);
    /// The most that one part can say. Unit: bits.
    const MAX: f64 = 1000.0;

    /// The same as a plain number. Unit: bits.
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    /// Rounds `bits` to 0.01, within 0 and 1000; what is no number is 0. Unit: bits.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
    pub fn of(bits: f64) -> Self {
        Self((bits.clamp(0.0, Self::MAX) * 100.0).round() as u32)
    }

    /// Whole tenths of a bit.
    pub(crate) fn tenths(self) -> u64 {
        u64::from(self.0 / 10)
    }

    /// So many tenths of a bit.
    pub(crate) fn of_tenths(n: u64) -> Self {
        Self(u32::try_from(n).unwrap_or(u32::MAX).saturating_mul(10))
    }

    /// Multiplies them by `n` halves, and rounds down to hundredths: weights of tracks are in halves.
    #[must_use]
    pub fn halves(self, n: u32) -> Self {
        Self(self.0.saturating_mul(n) / 2)
    }

    /// The surprise at something of probability `p`.
    pub(crate) fn of_probability(p: f64) -> Self {
        Self::of(-log2(p))
    }
}

impl Sum for Bits {
    fn sum<I: Iterator<Item = Self>>(bits: I) -> Self {
        Self(bits.fold(0, |sum, one| sum.saturating_add(one.0)))
    }
}

impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02} bits", self.0 / 100, self.0 % 100)
    }
}

/// One term of a score. The score is the sum of its parts and nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The memory that it comes from.
    pub dimension: Dimension,
    /// How surprising.
    pub bits: Bits,
    /// What was seen, in words. Not escaped.
    pub observed: String,
    /// What was to be expected, in words. Not escaped.
    pub usual: String,
}

/// The logarithm of the whole program: one library, so one result on every platform.
pub(crate) fn log2(x: f64) -> f64 {
    libm::log2(x)
}
