//! How fast an account may be called: AWS lets 10 calls a second through in each region, and 30 at once.

use std::{collections::BTreeMap, time::Duration};

/// From a call to the next, as soon as the burst is used up. Unit: milliseconds.
pub(super) const GAP_MS: u64 = 100;
/// Calls that need no gap after a rest. Unit: calls.
pub(super) const BURST: u32 = 30;

const GAP: Duration = Duration::from_millis(GAP_MS);

/// When each account has made up for what it has called. What has is not kept.
#[derive(Debug, Default)]
pub(super) struct Pace(BTreeMap<String, Duration>);

impl Pace {
    /// How long to wait before `account` is called; it counts as called then. `now` is the time since any moment that
    /// stays the same.
    pub(super) fn wait(&mut self, account: &str, now: Duration) -> Duration {
        self.0.retain(|_, rested| *rested > now);
        let rested = self.0.get(account).copied().unwrap_or(now);
        let wait = rested.saturating_sub(now).saturating_sub(GAP * (BURST - 1));
        self.0.insert(account.to_owned(), rested + GAP);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_at_once_and_the_rest_ten_a_second() {
        let mut pace = Pace::default();
        let (mut now, mut calls) = (Duration::ZERO, Vec::new());
        for _ in 0..130 {
            now += pace.wait("111122223333", now);
            calls.push(now.as_millis());
        }
        assert!(calls[..30].iter().all(|at| *at == 0), "{calls:?}");
        assert_eq!((calls[30], calls[129]), (100, 10_000));
        assert_eq!(pace.wait("444455556666", now), Duration::ZERO);
        // After three seconds of rest it may burst again, and nothing more is known of who has rested.
        now += Duration::from_secs(3);
        assert!((0..30).all(|_| pace.wait("111122223333", now).is_zero()));
        assert_eq!(pace.wait("111122223333", now), GAP);
        assert_eq!(pace.0.len(), 1);
    }
}
