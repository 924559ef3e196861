//! Where the values of many lines end, found 64 bytes at a time. With these marks each column can
//! be read by itself: no value waits for the end of the one before it.

use memchr::memchr_iter;
use wide::u8x16;

/// Most marks at once; they and their text then stay in the processor's first caches.
const MARKS_MAX: usize = 8_192;

/// Bytes that are looked at together.
const STEP_BYTES: usize = 64;

/// Most separators of a step that are written without asking how many there are.
const USUAL_MARKS: usize = 10;

/// The separators behind the values of whole lines.
#[derive(Debug)]
pub(super) struct Marks {
    /// Places in the text; the first is that before the first line.
    places: Vec<u32>,
    fields: usize,
    rows: usize,
    rows_met: usize,
}

impl Default for Marks {
    fn default() -> Self {
        Self { places: vec![0; MARKS_MAX], fields: 1, rows: 0, rows_met: 0 }
    }
}

impl Marks {
    /// Marks the lines of `fields` values from `start` on, at most `rows_max` of them; a byte must
    /// stand before them. It ends before a line that has tabs, empty values, or another number of
    /// values.
    pub(super) fn mark(&mut self, text: &[u8], start: usize, fields: usize, rows_max: usize) {
        (self.fields, self.rows, self.rows_met) = (fields.max(1), 0, 0);
        let marks_max = rows_max.saturating_mul(self.fields).min(MARKS_MAX - STEP_BYTES);
        let (Some(before), Ok(_)) = (start.checked_sub(1), u32::try_from(text.len())) else {
            return;
        };
        if let Some(first) = self.places.first_mut() {
            *first = narrow(before);
        }
        let (steps, rest) = text.get(start..).unwrap_or_default().as_chunks();
        let mut end = [b'x'; STEP_BYTES];
        end.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        let (mut n_marks, mut empty, mut after_separator) = (1, 0, 1);
        for (at, step) in (start..).step_by(STEP_BYTES).zip(steps.iter().chain([&end])) {
            let free = self.places.get_mut(n_marks..).and_then(|free| free.first_chunk_mut());
            let Some(free) = free.filter(|_| n_marks <= marks_max) else { break };
            let separators = separators(step);
            empty |= separators & (separators << 1 | after_separator);
            after_separator = separators >> 63;
            write(free, separators, narrow(at));
            n_marks += separators.count_ones() as usize;
        }
        self.rows_met = (n_marks - 1).min(marks_max) / self.fields;
        self.rows = if empty == 0 && self.are_lines(text) {
            self.rows_met
        } else {
            (0..self.rows_met).take_while(|row| self.is_line(text, *row)).count()
        };
    }

    /// Whether all values met are those of whole lines, provided that none is empty.
    fn are_lines(&self, text: &[u8]) -> bool {
        let lines = text.get(self.line(0)..self.line(self.rows_met)).unwrap_or_default();
        let ends = self.places.get(1..).unwrap_or_default().chunks_exact(self.fields);
        let is_newline = |place: u32| text.get(place as usize) == Some(&b'\n');
        memchr_iter(b' ', lines).count() == self.rows_met * (self.fields - 1)
            && ends.take(self.rows_met).all(|marks| marks.last().copied().is_some_and(is_newline))
    }

    /// Whether the values met at `row` are those of a whole line.
    fn is_line(&self, text: &[u8], row: usize) -> bool {
        let marks = self.places.get(row * self.fields..).unwrap_or_default();
        let marks = marks.get(..=self.fields).unwrap_or_default();
        (1..).zip(marks.windows(2)).all(|(place, value)| {
            let &[before, end] = value else { return false };
            let separator = if place == self.fields { b'\n' } else { b' ' };
            before + 1 < end && text.get(end as usize) == Some(&separator)
        })
    }

    /// How many lines were marked.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// How many lines were looked at.
    pub(super) fn rows_met(&self) -> usize {
        self.rows_met
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
fn write(free: &mut [u32; STEP_BYTES], mut bits: u64, at: u32) {
    let (usual, more) = free.split_at_mut(USUAL_MARKS);
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

/// Which of 64 bytes are space or below, the first byte lowest.
#[inline]
fn separators(step: &[u8; STEP_BYTES]) -> u64 {
    let (lanes, _) = step.as_chunks::<16>();
    lanes.iter().rev().fold(0, |all, lane| {
        let lane = u8x16::new(*lane);
        all << 16 | u64::from(lane.min(u8x16::splat(b' ')).simd_eq(lane).to_bitmask())
    })
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
            ("\na\nb c\n", 0),
            ("\na b c d\n", 0),
            ("\n a b c\n", 0),
            ("\na  b c\n", 0),
            ("\na b c \n", 0),
            ("\n b c\n", 0),
            ("\na  c\n", 0),
            ("\na b \n", 0),
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
