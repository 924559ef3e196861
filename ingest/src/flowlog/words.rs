//! Numbers and addresses read from eight or sixteen bytes at once. Every reader returns where the
//! value ended: at the first byte up to space.

use std::num::NonZeroU64;

use wide::u8x16;

/// How many bytes behind a line must be readable for the readers here to work on it.
pub(super) const PADDING: usize = 32;

/// Eight times the same byte.
const fn bytes(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The eight bytes at `pos`, the first one lowest.
#[inline]
pub(super) fn word(text: &[u8], pos: usize) -> Option<u64> {
    text.get(pos..)?.first_chunk::<8>().map(|chunk| u64::from_le_bytes(*chunk))
}

/// Marks bytes up to space with their high bit. The lowest mark is exact, those above it may not be.
#[inline]
pub(super) fn ends(word: u64) -> u64 {
    word.wrapping_sub(bytes(0x21)) & !word & bytes(0x80)
}

/// Eight digits, the most significant in the lowest byte.
#[inline]
fn eight_digits(word: u64) -> Option<u64> {
    let high = bytes(0xf0);
    if (word & high) | ((word.wrapping_add(bytes(6)) & high) >> 4) != bytes(0x33) {
        return None;
    }
    let word = (word & bytes(0x0f)).wrapping_mul(2561) >> 8;
    let word = (word & 0x00ff_00ff_00ff_00ff).wrapping_mul(6_553_601) >> 16;
    Some((word & 0x0000_ffff_0000_ffff).wrapping_mul(42_949_672_960_001) >> 32)
}

/// The first `len` bytes of a word as a number; 1 to 7 of them.
#[inline]
fn few_digits(word: u64, len: u32) -> Option<u64> {
    let bits = len * 8;
    eight_digits((word << (64 - bits)) | (bytes(b'0') >> bits))
}

/// What [`integer`] returns for `-`; no number has a sign.
pub(super) const NULL: i64 = -1;

/// A number without a sign, or `-` as [`NULL`].
#[inline]
pub(super) fn integer(text: &[u8], pos: usize) -> Option<(i64, usize)> {
    let first = word(text, pos)?;
    // Known to be non-zero, counting zeros is one instruction.
    if let Some(stop) = NonZeroU64::new(ends(first)) {
        let len = stop.trailing_zeros() / 8;
        let end = pos + len as usize;
        if len == 0 {
            return None;
        }
        if first & 0xff == u64::from(b'-') {
            return (len == 1).then_some((NULL, end));
        }
        return Some((few_digits(first, len)?.cast_signed(), end));
    }
    let second = word(text, pos + 8)?;
    let stop = ends(second);
    let len = stop.trailing_zeros() / 8;
    let head = eight_digits(first)?;
    let tail = match len {
        0 => 0,
        8.. => return long_integer(text, pos),
        _ => few_digits(second, len)?,
    };
    let scale = *TENS.get(len as usize)?;
    Some(((head * scale + tail).cast_signed(), pos + 8 + len as usize))
}

/// The number of 1 to 16 digits from `start` to `end`; `None` for whatever else, and within the
/// first 16 bytes.
#[inline]
pub(super) fn integer_at(text: &[u8], start: usize, end: usize) -> Option<i64> {
    let (len, tail) = (end - start, word_before(text, end)?);
    // Shifted in are zeros, which is what digits are without their high half.
    let plain = |word: u64, len: usize| (word ^ bytes(b'0')) & (u64::MAX << (64 - 8 * len));
    if len.wrapping_sub(1) < 8 {
        return Some(eight_plain_digits(plain(tail, len))?.cast_signed());
    }
    if !(9..=16).contains(&len) {
        return None;
    }
    let head = eight_plain_digits(plain(word_before(text, end - 8)?, len - 8))?;
    Some((head * 100_000_000 + eight_plain_digits(tail ^ bytes(b'0'))?).cast_signed())
}

/// The eight bytes before `end`, the first one lowest.
#[inline]
fn word_before(text: &[u8], end: usize) -> Option<u64> {
    text.get(..end)?.last_chunk::<8>().map(|chunk| u64::from_le_bytes(*chunk))
}

/// [`eight_digits`] of digits whose high halves are zero.
#[inline]
fn eight_plain_digits(word: u64) -> Option<u64> {
    if (word | word.wrapping_add(bytes(6))) & bytes(0xf0) != 0 {
        return None;
    }
    let word = word.wrapping_mul(2561) >> 8;
    let word = (word & 0x00ff_00ff_00ff_00ff).wrapping_mul(6_553_601) >> 16;
    Some((word & 0x0000_ffff_0000_ffff).wrapping_mul(42_949_672_960_001) >> 32)
}

/// A number of any length, in any place, or `-` as [`NULL`].
#[cold]
pub(super) fn any_integer(token: &[u8]) -> Option<i64> {
    if token == b"-" {
        return Some(NULL);
    }
    let add = |value: i64, byte: &u8| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        value.checked_mul(10)?.checked_add(i64::from(digit))
    };
    if token.is_empty() { None } else { token.iter().try_fold(0, add) }
}

/// Powers of ten for up to eight more digits.
const TENS: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// 16 digits and more, up to `i64::MAX`.
#[cold]
fn long_integer(text: &[u8], pos: usize) -> Option<(i64, usize)> {
    let len = text.get(pos..)?.iter().position(|byte| *byte <= b' ')?;
    Some((any_integer(text.get(pos..pos + len)?)?, pos + len))
}

/// Dotted decimal without leading zeros; whatever else is `None`.
#[inline]
pub(super) fn ipv4(text: &[u8], pos: usize) -> Option<(u32, usize)> {
    let chunk = text.get(pos..)?.first_chunk::<16>()?;
    let lane = u8x16::new(*chunk);
    let digits = lane - u8x16::splat(b'0');
    let others = !digits.min(u8x16::splat(9)).simd_eq(digits).to_bitmask();
    let dots = lane.simd_eq(u8x16::splat(b'.')).to_bitmask();
    // The first byte that is neither digit nor dot ends the address.
    let stop = others & !dots;
    let end = stop.trailing_zeros();
    if end > 15 || text.get(pos + end as usize).is_none_or(|byte| *byte > b' ') {
        return None;
    }
    let dots = dots & ((1 << end) - 1);
    let first = dots.trailing_zeros();
    let rest = dots & dots.wrapping_sub(1);
    let second = rest.trailing_zeros();
    let rest = rest & rest.wrapping_sub(1);
    let third = rest.trailing_zeros();
    if rest == 0 || rest & (rest - 1) != 0 {
        return None;
    }
    let a = octet(text, pos, 0, first)?;
    let b = octet(text, pos, first + 1, second)?;
    let c = octet(text, pos, second + 1, third)?;
    let d = octet(text, pos, third + 1, end)?;
    if (a | b | c | d) > 255 {
        return None;
    }
    Some(((a << 24) | (b << 16) | (c << 8) | d, pos + end as usize))
}

/// [`ipv4`] of the bytes from `start` to `end`, behind a byte that is no digit; `None` also within
/// the first 18 bytes. The octets are summed up at once, each where its last digit stands.
#[inline]
pub(super) fn ipv4_at(text: &[u8], start: usize, end: usize) -> Option<u32> {
    let len = end - start;
    if !(7..=15).contains(&len) {
        return None;
    }
    let window: &[u8; 18] = text.get(..end)?.last_chunk()?;
    let ([_, _, lane @ ..], [_, one_before @ .., _], [two_before @ .., _, _]) =
        (window, window, window);
    let lane = u8x16::new(*lane);
    let ((ones, is_one), (tens, is_ten)) = (digits(lane), digits(u8x16::new(*one_before)));
    let (hundreds, _) = digits(u8x16::new(*two_before));
    let (tens, hundreds) = (ten_times(tens), ten_times(ten_times(hundreds & is_ten)));
    let low = ones + tens;
    let octets = low.saturating_add(hundreds);
    let fits = octets.simd_eq(low + hundreds) & hundreds.simd_eq(hundreds.min(u8x16::splat(200)));

    // The address is the last `len` of the 16 bytes.
    let own = 0xffff << (16 - len) & 0xffff;
    let dots = lane.simd_eq(u8x16::splat(b'.')).to_bitmask() & own;
    let digits = is_one.to_bitmask() & own;
    let last_digits = dots >> 1 | 1 << 15;
    let firsts = digits & !(digits << 1);
    let leading_zeros = firsts & digits >> 1 & ones.simd_eq(u8x16::splat(0)).to_bitmask();
    let long = digits & digits << 1 & digits << 2 & digits << 3;
    let rest = dots & dots.wrapping_sub(1);
    let last = rest & rest.wrapping_sub(1);
    let has_three_dots = last.is_power_of_two();
    let wrong = (own ^ (digits | dots))
        | (last_digits & !(digits & fits.to_bitmask()))
        | leading_zeros
        | long;
    if wrong != 0 || !has_three_dots {
        return None;
    }
    let octets = octets.to_array();
    let ends = [dots, rest, last, 1 << 16];
    ends.iter().try_fold(0, |address, after| {
        let octet = octets.get((after.trailing_zeros() as usize).wrapping_sub(1) & 15)?;
        Some(address << 8 | u32::from(*octet))
    })
}

/// IPv6 in groups of hexadecimal digits; whatever else, valid or not, is `None`.
pub(super) fn ipv6_groups(token: &[u8]) -> Option<u128> {
    const GROUPS: u32 = 8;
    let (mut address, mut n_groups, mut gap) = (0_u128, 0, None);
    let (mut group, mut n_digits, mut n_colons) = (0_u64, 0, 0);
    for byte in token {
        if let Some(digit) = char::from(*byte).to_digit(16) {
            // A single colon stands between groups only.
            if n_digits == 4 || n_colons == 1 && n_groups == 0 {
                return None;
            }
            group = group << 4 | u64::from(digit);
            (n_digits, n_colons) = (n_digits + 1, 0);
        } else if *byte != b':' {
            return None;
        } else if n_digits > 0 {
            address = address << 16 | u128::from(group);
            (n_groups, group, n_digits, n_colons) = (n_groups + 1, 0, 0, 1);
        } else {
            n_colons += 1;
            if n_colons == 2 && gap.replace(n_groups).is_some() || n_colons > 2 {
                return None;
            }
        }
    }
    if n_digits > 0 {
        address = address << 16 | u128::from(group);
        n_groups += 1;
    } else if n_colons != 2 {
        return None;
    }
    match gap {
        None => (n_groups == GROUPS).then_some(address),
        // A gap stands for one group at least.
        Some(before) if n_groups < GROUPS => {
            let behind = 16 * (n_groups - before);
            let low = address & !(u128::MAX << behind);
            Some((address >> behind).checked_shl(16 * (GROUPS - before)).unwrap_or(0) | low)
        }
        Some(_) => None,
    }
}

/// The values of digits, 0 for other bytes; and which are digits.
#[inline]
fn digits(lane: u8x16) -> (u8x16, u8x16) {
    let values = lane - u8x16::splat(b'0');
    let are_digits = values.simd_eq(values.min(u8x16::splat(9)));
    (values & are_digits, are_digits)
}

/// At most 255.
#[inline]
fn ten_times(lane: u8x16) -> u8x16 {
    let two = lane.saturating_add(lane);
    let four = two.saturating_add(two);
    four.saturating_add(four).saturating_add(two)
}

/// The one to three digits from `start` to `end` as a number; 256 for other lengths and for
/// leading zeros.
#[inline]
fn octet(text: &[u8], pos: usize, start: u32, end: u32) -> Option<u32> {
    let len = end.wrapping_sub(start);
    let word = u32::from_le_bytes(*text.get(pos + start as usize..)?.first_chunk::<4>()?);
    let wrong = (len.wrapping_sub(1) > 2) | ((len > 1) & (word & 0xff == u32::from(b'0')));
    let digits = (word << (32_u32.wrapping_sub(8 * len) & 31)) & 0x0f0f_0f0f;
    let value = (digits >> 24) + 10 * ((digits >> 16) & 0xff) + 100 * ((digits >> 8) & 0xff);
    Some(value | (u32::from(wrong) << 8))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn padded(token: &str) -> Vec<u8> {
        let mut text = token.as_bytes().to_vec();
        text.push(b' ');
        text.extend([b'7'; PADDING]);
        text
    }

    #[track_caller]
    fn check_integer(token: &str) {
        let expected = if token == "-" {
            Some(NULL)
        } else {
            token.parse::<i64>().ok().filter(|_| !token.starts_with(['-', '+']))
        };
        let got = integer(&padded(token), 0);
        assert_eq!(got.map(|(value, _)| value), expected, "{token}");
        assert!(got.is_none_or(|(_, end)| end == token.len()), "{token}");
        assert_eq!(any_integer(token.as_bytes()), expected, "{token}");
        let behind = "x".repeat(16) + token;
        let got = integer_at(behind.as_bytes(), 16, behind.len());
        let short = (1..=16).contains(&token.len()) && token != "-";
        assert_eq!(got, expected.filter(|_| short), "{token}");
    }

    #[track_caller]
    fn check_ipv4(token: &str) {
        let expected = token.parse::<std::net::Ipv4Addr>().ok().map(u32::from);
        let got = ipv4(&padded(token), 0);
        assert_eq!(got.map(|(value, _)| value), expected, "{token}");
        assert!(got.is_none_or(|(_, end)| end == token.len()), "{token}");
        for before in ["1x", "1.", "1 "] {
            let behind = before.repeat(9) + token;
            assert_eq!(ipv4_at(behind.as_bytes(), 18, behind.len()), expected, "{token}");
        }
    }

    #[test]
    fn integers_of_every_length() {
        let digits = "12345678901234567890123";
        for len in 0..digits.len() {
            check_integer(&digits.chars().take(len).collect::<String>());
            check_integer(&"9".repeat(len));
            check_integer(&"0".repeat(len));
        }
        for token in [
            "-",
            "-5",
            "+5",
            "1x",
            "x",
            "1234567:",
            "12345678/",
            "1 2",
            "é",
            "9223372036854775807",
            "9223372036854775808",
        ] {
            check_integer(token.split(' ').next().unwrap());
        }
    }

    #[test]
    fn addresses_at_the_edges() {
        for token in [
            "0.0.0.0",
            "255.255.255.255",
            "1.2.3.4",
            "10.0.1.20",
            "256.1.1.1",
            "1.2.3",
            "1.2.3.4.5",
            "01.2.3.4",
            "1..2.3",
            ".1.2.3",
            "1.2.3.",
            "1.2.3.4/8",
            "1.2.3.1234",
            "::1",
            "",
            "-",
            "a.b.c.d",
        ] {
            check_ipv4(token);
        }
        assert_eq!(ipv4(b"1.2.3.4", 0), None);
    }

    proptest! {
        #[test]
        fn integers_agree_with_the_standard_library(token in "[0-9:/x-]{1,20}") {
            check_integer(&token);
        }

        #[test]
        fn addresses_agree_with_the_standard_library(
            bits in any::<u32>(), junk in "[0-9.]{0,16}", tail in "[ -~]{0,2}",
        ) {
            let ip = std::net::Ipv4Addr::from(bits);
            for token in [ip.to_string(), junk, format!("{ip}{tail}")] {
                let token = token.split(' ').next().unwrap_or_default();
                check_ipv4(token);
            }
        }

        #[test]
        fn groups_agree_with_the_standard_library(
            bits in any::<[u16; 8]>(), zeros in any::<u8>(), junk in "[0-9a-fA-F:]{1,20}|(1?:){0,9}1?",
        ) {
            let groups = (0..8).zip(bits).map(|(n, group)| if zeros >> n & 1 == 1 { 0 } else { group });
            let groups: Vec<u16> = groups.collect();
            let ip = std::net::Ipv6Addr::from(<[u16; 8]>::try_from(groups).unwrap());
            let ip = ip.to_string();
            for token in [ip.as_str(), &ip.to_uppercase(), &junk] {
                if !token.contains('.') {
                    let expected = token.parse().ok().map(std::net::Ipv6Addr::to_bits);
                    prop_assert_eq!(ipv6_groups(token.as_bytes()), expected, "{}", token);
                }
            }
        }
    }
}
