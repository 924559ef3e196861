//! When an epoch ends: soon when there is nothing more to read, and more seldom the longer a commit takes.

use std::time::{Duration, Instant};

/// The shortest epoch, and that of whoever has caught up.
const EPOCH_MIN: Duration = Duration::from_secs(2);
/// The longest.
const EPOCH_MAX: Duration = Duration::from_secs(30);
/// A commit takes at most this share of an epoch that may be longer.
const COMMIT_SHARE: u32 = 20;
/// What one epoch reads. Unit: bytes, inflated.
pub(super) const EPOCH_BYTES_MAX: u64 = 256 << 20;

/// Of the epoch that is open.
#[derive(Debug)]
pub(super) struct Pace {
    begun: Instant,
    inflated_bytes: u64,
    /// What the last commit took.
    commit: Duration,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self { begun: now, inflated_bytes: 0, commit: Duration::ZERO }
    }

    /// So much was read. Unit: bytes, inflated.
    pub(super) fn took(&mut self, inflated_bytes: u64) {
        self.inflated_bytes += inflated_bytes;
    }

    /// Whether the epoch ends at `now`.
    pub(super) fn is_due(&self, now: Instant, is_caught_up: bool) -> bool {
        let long = (self.commit * COMMIT_SHARE).clamp(EPOCH_MIN, EPOCH_MAX);
        let least = if is_caught_up { EPOCH_MIN } else { long };
        self.inflated_bytes >= EPOCH_BYTES_MAX || now.saturating_duration_since(self.begun) >= least
    }

    /// When it ends if nothing more comes.
    pub(super) fn next(&self) -> Instant {
        self.begun + EPOCH_MIN
    }

    /// A commit began, and ended `now`.
    pub(super) fn committed(&mut self, begun: Instant, now: Instant) {
        *self = Self { commit: now.saturating_duration_since(begun), ..Self::new(now) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(pace: &Pace, seconds: u64, is_caught_up: bool) -> bool {
        pace.is_due(pace.begun + Duration::from_secs(seconds), is_caught_up)
    }

    #[test]
    fn an_epoch_ends_after_two_seconds_when_there_is_nothing_more() {
        let pace = Pace::new(Instant::now());
        assert!(!after(&pace, 1, true));
        assert!(after(&pace, 2, true));
        assert_eq!(pace.next(), pace.begun + Duration::from_secs(2));
    }

    #[test]
    fn what_takes_long_is_done_seldom() {
        let mut pace = Pace::new(Instant::now());
        let begun = pace.begun;
        pace.committed(begun, begun + Duration::from_millis(500));
        assert!(!after(&pace, 9, false));
        assert!(after(&pace, 10, false));
        assert!(after(&pace, 2, true));
        pace.committed(begun, begun + Duration::from_secs(10));
        assert!(!after(&pace, 29, false));
        assert!(after(&pace, 30, false));
    }

    #[test]
    fn an_epoch_holds_no_more_than_its_bytes() {
        let mut pace = Pace::new(Instant::now());
        pace.took(EPOCH_BYTES_MAX - 1);
        assert!(!after(&pace, 0, false));
        pace.took(1);
        assert!(after(&pace, 0, false));
        pace.committed(pace.begun, pace.begun);
        assert!(!after(&pace, 0, false));
    }
}
