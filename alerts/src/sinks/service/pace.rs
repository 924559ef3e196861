//! How fast an account may be called. In: calls. Out: the same, no faster than Security Hub lets through in each region:
//! 10 a second, and 30 at once. SNS and EventBridge let more through everywhere, and nobody reads that fast.

use super::answer::unreached;
use crate::sinks::Outcome;
use ingest::source::{
    calls::{Answer, Calls, Request},
    session::Session,
};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{Instant, sleep};

/// From a call to the next, as soon as the burst is used up. Unit: milliseconds.
pub(in crate::sinks) const GAP_MS: u64 = 100;
/// Calls that need no gap after a rest. Unit: calls.
pub(in crate::sinks) const BURST: u32 = 30;

const GAP: Duration = Duration::from_millis(GAP_MS);

/// Calls in one region.
#[derive(Debug)]
pub(in crate::sinks) struct Paced {
    pub(in crate::sinks) calls: Calls,
    pace: Pace,
    begun: Instant,
}

impl Paced {
    /// Calls in the session's region; `role` is the name of a role in other accounts.
    pub(in crate::sinks) fn new(session: &Session, role: Option<String>) -> Self {
        let calls = Calls::new(session, role);
        Self { calls, pace: Pace::default(), begun: Instant::now() }
    }

    /// Asks a service by the own credentials, whatever account that is, as soon as it may be called. `now_ms` reads the
    /// clock. Unit: milliseconds since the Unix epoch.
    pub(in crate::sinks) async fn ask(
        &mut self,
        request: Request<'_>,
        now_ms: fn() -> i64,
    ) -> Result<Answer, Outcome> {
        // Without a role there are no other credentials, and the name of the account does not matter.
        const OWN: &str = "";
        self.turn(OWN).await;
        self.post(OWN, request, now_ms()).await
    }

    /// Waits until `account` may be called.
    pub(in crate::sinks) async fn turn(&mut self, account: &str) {
        sleep(self.pace.wait(account, self.begun.elapsed())).await;
    }

    /// Asks a service as `account`. Unit of `now_ms`: milliseconds since the Unix epoch.
    pub(in crate::sinks) async fn post(
        &mut self,
        account: &str,
        request: Request<'_>,
        now_ms: i64,
    ) -> Result<Answer, Outcome> {
        let answer = self.calls.post(account, request, now_ms).await;
        let answer = answer.map_err(|error| unreached(&error))?;
        if (400..=403).contains(&answer.status) {
            // The credentials may have been taken back, or have ended.
            self.calls.forget(account);
        }
        Ok(answer)
    }
}

/// When each account has made up for what it has called. What has is not kept.
#[derive(Debug, Default)]
struct Pace(BTreeMap<String, Duration>);

impl Pace {
    /// How long to wait before `account` is called; it counts as called then. `now` is the time since any moment that
    /// stays the same.
    fn wait(&mut self, account: &str, now: Duration) -> Duration {
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
