//! Blocks of bytes to bit masks, lowest bit first. [`wide`] compares sixteen bytes at once with
//! what the compilation target surely has (SSE2, NEON) and needs no `unsafe` here.

use wide::u8x16;

/// Bytes looked at in one step inside containers.
pub(crate) const BLOCK_BYTES: usize = 64;
/// Bytes looked at in one step inside strings.
pub(crate) const STRING_BYTES: usize = 32;

/// Which bytes of a block matter to nesting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Masks {
    pub(crate) quotes: u64,
    pub(crate) backslashes: u64,
    /// `{`, `}`, `[` and `]`.
    pub(crate) brackets: u64,
}

impl Masks {
    #[inline]
    pub(crate) fn of(block: &[u8; BLOCK_BYTES]) -> Self {
        let mut masks = Self { quotes: 0, backslashes: 0, brackets: 0 };
        let (lanes, _) = block.as_chunks::<16>();
        for (index, lane) in lanes.iter().enumerate() {
            let lane = Lane::of(lane);
            let shift = 16 * index;
            masks.quotes |= u64::from(lane.equal(b'"')) << shift;
            masks.backslashes |= u64::from(lane.equal(b'\\')) << shift;
            masks.brackets |= u64::from(lane.brackets()) << shift;
        }
        masks
    }
}

/// Quotes and backslashes of a piece of a string.
#[inline]
pub(crate) fn string_masks(chunk: &[u8; STRING_BYTES]) -> (u32, u32) {
    let (mut quotes, mut backslashes) = (0, 0);
    let (lanes, _) = chunk.as_chunks::<16>();
    for (index, lane) in lanes.iter().enumerate() {
        let lane = Lane::of(lane);
        quotes |= lane.equal(b'"') << (16 * index);
        backslashes |= lane.equal(b'\\') << (16 * index);
    }
    (quotes, backslashes)
}

/// Which bytes a backslash escapes, where runs of backslashes pair up from the left. `carry` is 1
/// when the first byte is escaped by the block before, and is left so for the next.
/// After Langdale and Lemire, "Parsing Gigabytes of JSON per Second" (2019), section 3.1.1.
#[inline]
pub(crate) fn escaped(backslashes: u64, carry: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let backslashes = backslashes & !*carry;
    let follows = backslashes << 1 | *carry;
    let odd_starts = backslashes & !EVEN & !follows;
    let (runs, overflow) = odd_starts.overflowing_add(backslashes);
    *carry = u64::from(overflow);
    (EVEN ^ (runs << 1)) & follows
}

/// Bit i of the result is the parity of bits 0 to i: 1 from an opening quote up to its closing one.
#[inline]
pub(crate) fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// Sixteen bytes.
#[derive(Clone, Copy)]
struct Lane(u8x16);

impl Lane {
    #[inline]
    fn of(bytes: &[u8; 16]) -> Self {
        Self(u8x16::new(*bytes))
    }

    #[inline]
    fn equal(self, byte: u8) -> u32 {
        self.0.simd_eq(u8x16::splat(byte)).to_bitmask()
    }

    /// `[` and `{`, `]` and `}` differ in the bit 0x20 only.
    #[inline]
    fn brackets(self) -> u32 {
        let folded = self.0 | u8x16::splat(0x20);
        let open = folded.simd_eq(u8x16::splat(b'{'));
        (open | folded.simd_eq(u8x16::splat(b'}'))).to_bitmask()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lanes_mark_the_bytes_asked_for(bytes in any::<[u8; 16]>(), byte in any::<u8>()) {
            let wide = |test: &dyn Fn(u8) -> bool| {
                bytes.iter().rev().fold(0u32, |mask, byte| mask << 1 | u32::from(test(*byte)))
            };
            let brackets = wide(&|byte| b"[]{}".contains(&byte));
            prop_assert_eq!(Lane::of(&bytes).equal(byte), wide(&|other| other == byte));
            prop_assert_eq!(Lane::of(&bytes).brackets(), brackets);
        }

        #[test]
        fn backslashes_escape_in_pairs(text in r#"[\\ab"]{128}"#) {
            let mut escape = false;
            let mut carry = 0;
            for block in text.as_bytes().chunks(64) {
                let mask = Masks::of(block.try_into().unwrap());
                let found = escaped(mask.backslashes, &mut carry);
                for (index, byte) in block.iter().enumerate() {
                    prop_assert_eq!(found >> index & 1 == 1, escape);
                    escape = !escape && *byte == b'\\';
                }
            }
        }
    }
}
