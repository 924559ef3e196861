//! How many objects are fetched at a time. In: whether what was asked for had come when it was needed. Out: a
//! number. It knows no clock: who has to wait fetches more at a time, who never waits fetches fewer.

/// The fewest, with which it begins. Unit: objects.
pub(crate) const FETCHES_MIN: usize = 16;
/// The most: at 50 ms an answer 2,560 a second, half of what S3 gives a prefix. Unit: objects.
pub(crate) const FETCHES_MAX: usize = 128;

/// Objects that are fetched at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fetches(usize);

impl Default for Fetches {
    fn default() -> Self {
        Self(FETCHES_MIN)
    }
}

impl Fetches {
    /// The engine has to wait for an object: how many more to fetch at a time.
    pub(super) fn more(&mut self) -> usize {
        let before = self.0;
        self.0 = (before + 1).min(FETCHES_MAX);
        self.0 - before
    }

    /// All of a batch was there before it was needed: how many fewer to fetch at a time.
    pub(super) fn fewer(self) -> usize {
        (self.0 / 4).min(self.0.saturating_sub(FETCHES_MIN))
    }

    /// So many fewer are fetched: some may still be under way.
    pub(super) fn less(&mut self, n: usize) {
        self.0 -= n.min(self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_fetches_more_and_who_never_waits_fetches_fewer() {
        let mut fetches = Fetches::default();
        assert_eq!(fetches.fewer(), 0);
        let n_more: usize = (0..200).map(|_| fetches.more()).sum();
        assert_eq!((n_more, fetches), (FETCHES_MAX - FETCHES_MIN, Fetches(FETCHES_MAX)));
        assert_eq!(fetches.fewer(), 32);
        // As many as could be.
        fetches.less(10);
        assert_eq!(fetches, Fetches(118));
        for _ in 0..20 {
            let fewer = fetches.fewer();
            fetches.less(fewer);
        }
        assert_eq!(fetches, Fetches(FETCHES_MIN));
    }
}
