//! A tiny seeded generator, the same on every platform and in every version of the toolchain.

const LETTERS_AND_DIGITS: &[u8; 62] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const CAPITALS_AND_DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEX: &[u8; 16] = b"0123456789abcdef";

const UUID_BYTES: usize = 36;
/// Letters drawn before they are appended to a text.
const WRITTEN_BYTES: usize = 96;

/// `SplitMix64` (Steele, Lea, Flood 2014): good enough for stories, useless for secrets.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// The same seed gives the same story.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound` - 1; 0 where `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.bits().checked_rem(bound).unwrap_or(0)
    }

    /// A number from `first` to `last`, both included; `first` where the range is empty.
    pub fn between(&mut self, first: i64, last: i64) -> i64 {
        let width = u64::try_from(last - first + 1).unwrap_or(1);
        first + i64::try_from(self.below(width)).unwrap_or(0)
    }

    /// True once in `n` draws.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of `choices`, or `None` where there is none.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        let length = u64::try_from(choices.len()).unwrap_or(u64::MAX);
        choices.get(usize::try_from(self.below(length)).unwrap_or(0))
    }

    /// Letters and digits, as at the end of an object's name.
    pub fn suffix(&mut self, length: usize) -> String {
        self.text(LETTERS_AND_DIGITS, length)
    }

    /// Capitals and digits, as in access keys, principal ids and request ids of S3.
    pub fn capitals(&mut self, length: usize) -> String {
        self.text(CAPITALS_AND_DIGITS, length)
    }

    /// Base64 without padding.
    pub fn base64(&mut self, length: usize) -> String {
        self.text(BASE64, length)
    }

    /// Lower-case hexadecimal digits.
    pub fn hex(&mut self, length: usize) -> String {
        self.text(HEX, length)
    }

    /// Decimal digits, as in account ids and one-time codes.
    pub fn digits(&mut self, length: usize) -> String {
        self.text(b"0123456789", length)
    }

    /// A random UUID of version 4.
    pub fn uuid(&mut self) -> String {
        let mut text = String::with_capacity(UUID_BYTES);
        self.write_uuid(&mut text);
        text
    }

    /// Appends a random UUID of version 4.
    pub fn write_uuid(&mut self, out: &mut String) {
        let mut uuid = *b"xxxxxxxx-xxxx-4xxx-Nxxx-xxxxxxxxxxxx";
        for byte in &mut uuid {
            match *byte {
                b'x' => *byte = self.letter(HEX),
                b'N' => *byte = self.letter(b"89ab"),
                _ => {}
            }
        }
        out.push_str(str::from_utf8(&uuid).unwrap_or_default());
    }

    /// Appends capitals and digits, as `capitals` gives them.
    pub fn write_capitals(&mut self, length: usize, out: &mut String) {
        self.write(CAPITALS_AND_DIGITS, length, out);
    }

    fn text<const N: usize>(&mut self, alphabet: &[u8; N], length: usize) -> String {
        let mut text = String::with_capacity(length);
        self.write(alphabet, length, &mut text);
        text
    }

    fn write<const N: usize>(&mut self, alphabet: &[u8; N], length: usize, out: &mut String) {
        let mut left = length;
        let mut letters = [0; WRITTEN_BYTES];
        while left > 0 {
            let some = left.min(WRITTEN_BYTES);
            let part = letters.get_mut(..some).unwrap_or_default();
            for letter in part.iter_mut() {
                *letter = self.letter(alphabet);
            }
            out.push_str(str::from_utf8(part).unwrap_or_default());
            left -= some;
        }
    }

    /// One draw for a letter: with a length that is known to the compiler it costs no division.
    fn letter<const N: usize>(&mut self, alphabet: &[u8; N]) -> u8 {
        let place = self.bits() % N as u64;
        usize::try_from(place).ok().and_then(|place| alphabet.get(place)).copied().unwrap_or(b'0')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_published_sequence() {
        // The reference implementation (https://prng.di.unimi.it/splitmix64.c) from state 0.
        let mut rng = Rng::new(0);
        assert_eq!(rng.bits(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(rng.bits(), 0x6e78_9e6a_a1b9_65f4);
    }

    #[test]
    fn stays_within_the_range() {
        let mut rng = Rng::new(7);
        assert!((0..500).all(|_| (3..=5).contains(&rng.between(3, 5))));
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.pick::<u8>(&[]), None);
    }

    #[test]
    fn identifiers_have_the_shape_of_aws() {
        let mut rng = Rng::new(7);
        let uuid = rng.uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert_eq!(rng.suffix(16).len(), 16);
    }
}
