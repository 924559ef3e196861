//! Sets that only grow until a grain of time of them is forgotten, as they are kept: in pieces, so that to
//! keep what is added costs little more than itself.

use std::collections::{BTreeMap, BTreeSet};

/// Items of a piece: the last one of a grain is written anew until it is full. Unit: items.
const ITEMS_MAX: usize = 4_096;

/// What of a set is to be kept, by the number of its grain: an hour or a day.
#[derive(Debug)]
pub(crate) struct Pieces<T> {
    last: BTreeMap<i32, Piece<T>>,
    full: Vec<(u128, Vec<T>)>,
    gone: BTreeSet<u128>,
}

#[derive(Debug)]
struct Piece<T> {
    number: u32,
    items: Vec<T>,
    is_changed: bool,
}

/// What a piece is kept under.
fn key(grain: i32, number: u32) -> u128 {
    (u128::from(grain.cast_unsigned()) << 32) | u128::from(number)
}

impl<T: Clone> Pieces<T> {
    pub(crate) fn push(&mut self, grain: i32, item: T) {
        let new = || Piece { number: 0, items: Vec::new(), is_changed: false };
        let piece = self.last.entry(grain).or_insert_with(new);
        piece.items.push(item);
        piece.is_changed = true;
        if piece.items.len() >= ITEMS_MAX {
            self.full.push((key(grain, piece.number), std::mem::take(&mut piece.items)));
            piece.number += 1;
            piece.is_changed = false;
        }
    }

    /// Forgets a grain.
    pub(crate) fn forget(&mut self, grain: i32) {
        let Some(piece) = self.last.remove(&grain) else { return };
        let keys = key(grain, 0)..=key(grain, piece.number);
        self.full.retain(|(key, _)| !keys.contains(key));
        self.gone.extend((0..=piece.number).map(|number| key(grain, number)));
    }

    /// Keys that are not kept any more, since this was last asked.
    pub(crate) fn take_gone(&mut self) -> BTreeSet<u128> {
        std::mem::take(&mut self.gone)
    }

    /// The pieces that were changed since this was last asked, by their keys.
    pub(crate) fn take_changed(&mut self) -> Vec<(u128, Vec<T>)> {
        let mut changed = std::mem::take(&mut self.full);
        for (grain, piece) in &mut self.last {
            if std::mem::take(&mut piece.is_changed) {
                changed.push((key(*grain, piece.number), piece.items.clone()));
            }
        }
        changed
    }

    /// Takes back a piece; answers its grain.
    pub(crate) fn recall(&mut self, at: u128, items: Vec<T>) -> Option<i32> {
        let (grain, number) =
            (u32::try_from(at >> 32).ok()?, u32::try_from(at & 0xffff_ffff).ok()?);
        let grain = grain.cast_signed();
        let is_full = items.len() >= ITEMS_MAX;
        // After a full piece the next one begins, unless it is there already.
        let (number, items) =
            if is_full { (number.checked_add(1)?, Vec::new()) } else { (number, items) };
        let known = self.last.get(&grain).map(|piece| (piece.number, piece.items.len()));
        if known < Some((number, items.len())) || known.is_none() {
            self.last.insert(grain, Piece { number, items, is_changed: false });
        }
        Some(grain)
    }
}

impl<T> Default for Pieces<T> {
    fn default() -> Self {
        Self { last: BTreeMap::new(), full: Vec::new(), gone: BTreeSet::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What is kept, as a file would have it.
    type Kept = BTreeMap<u128, Vec<u32>>;

    fn keep(pieces: &mut Pieces<u32>, kept: &mut Kept) {
        for gone in pieces.take_gone() {
            kept.remove(&gone);
        }
        kept.extend(pieces.take_changed());
    }

    #[test]
    fn a_full_piece_is_written_once() {
        let (mut pieces, mut kept) = (Pieces::default(), Kept::new());
        for n in 0..ITEMS_MAX {
            pieces.push(-7, u32::try_from(n).unwrap());
        }
        keep(&mut pieces, &mut kept);
        pieces.push(-7, 1);
        let written = pieces.take_changed();
        assert_eq!((kept.len(), written), (1, vec![(key(-7, 1), vec![1])]));
    }

    #[derive(Debug, Clone)]
    enum Step {
        Push(i32, usize),
        Forget(i32),
        Keep,
        Restart,
    }

    fn step() -> impl Strategy<Value = Step> {
        let many =
            prop_oneof![1..9_usize, Just(ITEMS_MAX - 1), Just(ITEMS_MAX), Just(ITEMS_MAX + 1)];
        prop_oneof![
            4 => (-1..2_i32, many).prop_map(|(grain, n)| Step::Push(grain, n)),
            1 => (-1..2_i32).prop_map(Step::Forget),
            2 => Just(Step::Keep),
            1 => Just(Step::Restart),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn what_is_kept_is_what_was_added_and_not_forgotten(
            steps in prop::collection::vec(step(), 1..24)
        ) {
            let mut pieces = Pieces::default();
            let mut kept = Kept::new();
            let mut expected: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
            let mut n = 0;
            for step in steps.into_iter().chain([Step::Keep]) {
                match step {
                    Step::Push(grain, n_items) => {
                        for _ in 0..n_items {
                            pieces.push(grain, n);
                            expected.entry(grain).or_default().push(n);
                            n += 1;
                        }
                    }
                    Step::Forget(grain) => {
                        pieces.forget(grain);
                        expected.remove(&grain);
                    }
                    Step::Keep => keep(&mut pieces, &mut kept),
                    Step::Restart => {
                        keep(&mut pieces, &mut kept);
                        pieces = Pieces::default();
                        for (key, items) in kept.iter().rev() {
                            pieces.recall(*key, items.clone());
                        }
                    }
                }
            }
            let mut found: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
            for (key, items) in &kept {
                let grain = u32::try_from(key >> 32).unwrap().cast_signed();
                found.entry(grain).or_default().extend(items);
            }
            prop_assert_eq!(found, expected);
        }
    }
}
