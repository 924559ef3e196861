//! Where the values of many lines end, found 64 bytes at a time. With these marks each column can
//! be read by itself: no value waits for the end of the one before it.

use wide::u8x16;

/// Most marks at once; they and their text then stay in the processor's first caches.
const MARKS_MAX: usize = 8_192;

/// Bytes that are looked at together.
const STEP_BYTES: usize = 64;

/// Most separators of a step that are written without asking how many there are.
const USUAL_MARKS: usize = 12;

/// The separators behind the values of whole lines.
#[derive(Debug)]
pub(super) struct Marks {
    /// Places in the text; the first is that before the first line.
    places: Vec<u32>,
    fields: usize,
    rows: usize,
}

impl Default for Marks {
    fn default() -> Self {
        Self { places: vec![0; MARKS_MAX], fields: 1, rows: 0 }
    }
}

impl Marks {
    /// Marks the lines of `fields` values from `start` on, at most `rows_max` of them; a byte must
    /// stand before them. It ends before a line that has tabs, empty values, or another number of
    /// values.
    pub(super) fn mark(&mut self, text: &[u8], start: usize, fields: usize, rows_max: usize) {
        (self.fields, self.rows) = (fields.max(1), 0);
        let rows_max = rows_max.min((MARKS_MAX - STEP_BYTES) / self.fields);
        let (Some(before), Ok(_)) = (start.checked_sub(1), u32::try_from(text.len())) else {
            return;
        };
        if let Some(first) = self.places.first_mut() {
            *first = narrow(before);
        }
        let mut n_marks = 1;
        let mut at = start;
        let mut after_separator = 1;
        while self.rows < rows_max && at < text.len() {
            let rest = text.get(at..).unwrap_or_default();
            let found = if let Some(step) = rest.first_chunk() {
                Separators::of(step)
            } else {
                let mut step = [b'x'; STEP_BYTES];
                step.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
                Separators::of(&step)
            };
            let wrong = found.odd | found.all & (found.all << 1 | after_separator);
            // All bits below the first wrong one.
            let good = wrong.wrapping_sub(1) & !wrong;
            let all = found.all & good;
            after_separator = all >> 63;
            let Some(free) = self.places.get_mut(n_marks..n_marks + STEP_BYTES) else { return };
            write(free, all, narrow(at));
            n_marks += all.count_ones() as usize;
            let mut newlines = found.newlines & good;
            while newlines != 0 && self.rows < rows_max {
                let newline = narrow(at) + newlines.trailing_zeros();
                let place = (self.rows + 1) * self.fields;
                if place >= n_marks || self.places.get(place) != Some(&newline) {
                    return;
                }
                self.rows += 1;
                newlines &= newlines - 1;
            }
            if wrong != 0 {
                return;
            }
            at += STEP_BYTES;
        }
    }

    /// How many lines were marked.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Where line `row` starts.
    pub(super) fn line(&self, row: usize) -> usize {
        self.places.get(row * self.fields).map_or(0, |before| *before as usize + 1)
    }

    /// Start and end of the value at `place` in each of the first `rows` lines.
    #[inline]
    pub(super) fn values(
        &self,
        place: usize,
        rows: usize,
    ) -> impl ExactSizeIterator<Item = (usize, usize)> {
        let each = |from: usize| {
            let all = self.places.get(from..from + rows.min(self.rows) * self.fields);
            all.unwrap_or_default().chunks_exact(self.fields)
        };
        let first = |marks: &[u32]| marks.first().copied().unwrap_or(0) as usize;
        each(place).zip(each(place + 1)).map(move |(before, end)| (first(before) + 1, first(end)))
    }
}

/// A place in a text of less than 4 GiB.
#[expect(clippy::cast_possible_truncation, reason = "asked of the text's length at the start")]
#[inline]
fn narrow(place: usize) -> u32 {
    place as u32
}

/// Writes the places of the bits that are set; what stands behind them is overwritten too.
#[inline]
fn write(free: &mut [u32], mut bits: u64, at: u32) {
    let (usual, more) = free.split_at_mut(USUAL_MARKS.min(free.len()));
    for slot in usual {
        // Known to be non-zero, counting zeros is one instruction.
        *slot = at + (bits | 1 << 63).trailing_zeros();
        bits &= bits.wrapping_sub(1);
    }
    for slot in more {
        if bits == 0 {
            return;
        }
        *slot = at + bits.trailing_zeros();
        bits &= bits - 1;
    }
}

/// The separators among 64 bytes, the first byte lowest.
struct Separators {
    /// Spaces and newlines.
    all: u64,
    newlines: u64,
    /// Other bytes below space.
    odd: u64,
}

impl Separators {
    #[inline]
    fn of(step: &[u8; STEP_BYTES]) -> Self {
        let (mut all, mut newlines, mut odd) = (0, 0, u8x16::splat(0));
        let (lanes, _) = step.as_chunks::<16>();
        for (lane, shift) in lanes.iter().zip([0, 16, 32, 48]) {
            let lane = u8x16::new(*lane);
            let newline = lane.simd_eq(u8x16::splat(b'\n'));
            let either = newline | lane.simd_eq(u8x16::splat(b' '));
            odd |= lane.min(u8x16::splat(b' ')).simd_eq(lane) ^ either;
            all |= u64::from(either.to_bitmask()) << shift;
            newlines |= u64::from(newline.to_bitmask()) << shift;
        }
        let odd = if odd.to_bitmask() == 0 { 0 } else { odd_bytes(step) };
        Self { all, newlines, odd }
    }
}

/// Which bytes are below space, and no newline.
#[cold]
fn odd_bytes(step: &[u8; STEP_BYTES]) -> u64 {
    let is_odd = |byte: &u8| *byte < b' ' && *byte != b'\n';
    step.iter().rev().fold(0, |bits, byte| bits << 1 | u64::from(is_odd(byte)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The values of the lines that are marked, from the second line on.
    fn marked(text: &str, fields: usize, rows_max: usize) -> Vec<Vec<&str>> {
        let start = text.find('\n').unwrap() + 1;
        let mut marks = Marks::default();
        marks.mark(text.as_bytes(), start, fields, rows_max);
        let columns: Vec<Vec<&str>> = (0..fields)
            .map(|place| {
                marks.values(place, rows_max).map(|(a, b)| text.get(a..b).unwrap()).collect()
            })
            .collect();
        (0..marks.rows()).map(|row| columns.iter().map(|column| column[row]).collect()).collect()
    }

    #[test]
    fn odd_lines_end_the_marks() {
        for (text, rows) in [
            ("\n", 0),
            ("\na b c\n", 1),
            ("\na b c", 0),
            ("\na b\na b c\n", 0),
            ("\na b c d\n", 0),
            ("\n a b c\n", 0),
            ("\na  b c\n", 0),
            ("\na b c \n", 0),
        ] {
            assert_eq!(marked(text, 3, 9).len(), rows, "{text:?}");
        }
        let line = "a".repeat(60) + " b c\n";
        for tail in ["a b\n", "a b\tc d\n", "a b c d\n", "a b c\r\n", "\n", "a b c"] {
            assert_eq!(marked(&format!("\n{}{tail}", line.repeat(3)), 3, 9).len(), 3, "{tail:?}");
        }
        assert_eq!(marked(&format!("\n{}", "a b c\n".repeat(99)), 3, 7).len(), 7);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn lines_come_back_as_written(
            (fields, lines) in (1_usize..9).prop_flat_map(|fields| {
                let line = proptest::collection::vec("[!-~]{1,9}|[!-~]{60,70}", fields);
                (Just(fields), proptest::collection::vec(line, 0..40))
            }),
        ) {
            let text: String = lines.iter().map(|line| line.join(" ") + "\n").collect();
            let text = format!("\n{text}");
            prop_assert_eq!(marked(&text, fields, 100), lines);
        }

        #[test]
        fn marked_lines_have_the_values_asked_for(
            text in "\n([ab]{1,3}[ \n\t]){0,60}", fields in 1_usize..4,
        ) {
            let got = marked(&text, fields, 100);
            for (line, got) in text.lines().skip(1).zip(got) {
                prop_assert_eq!(line.split(' ').collect::<Vec<_>>(), got);
            }
        }
    }
}
