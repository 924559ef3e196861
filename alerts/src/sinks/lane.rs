//! What a process knows of one sink: what is on the way, and for how long it is left alone. Nothing of it is
//! kept: after a crash what was on the way is sent again.

use super::{Outcome, Quiet};
use detect::{FindingId, Severity};
use std::collections::BTreeSet;

/// How long a sink is left alone after the first failure; twice as long after each further one. Unit:
/// milliseconds.
const PAUSE_MS: i64 = 1_000;
/// And no longer than this, so that a sink that is back is soon noticed. Unit: milliseconds (5 min).
const PAUSE_MS_MAX: i64 = 300_000;
/// Failures from the first to the next success over this time are a fault of the sink and not of the
/// messages that met it. Unit: milliseconds (1 min).
const OUTAGE_MS_MIN: i64 = 60_000;

/// The way to one sink.
#[derive(Debug)]
pub struct Lane {
    sink: String,
    /// By what they are about: a second message of a finding waits for the outcome of the first.
    on_way: BTreeSet<FindingId>,
    /// Failures without a success between them.
    n_failures: u32,
    failing_since_ms: i64,
    closed_until_ms: i64,
    is_gone: bool,
    /// From an outcome to the next message; 0 where several may be on the way.
    gap_ms: i64,
    /// Sooner than this it gets none.
    next_ms: i64,
    /// When it gets only what is critical.
    quiet: Option<Quiet>,
}

impl Lane {
    /// The way to the sink of this name, of which nothing is known yet.
    pub fn new(sink: &str) -> Self {
        Self {
            sink: sink.to_owned(),
            on_way: BTreeSet::new(),
            n_failures: 0,
            failing_since_ms: 0,
            closed_until_ms: 0,
            is_gone: false,
            gap_ms: 0,
            next_ms: 0,
            quiet: None,
        }
    }

    /// The same, but with one message at a time and so long between an outcome and the next message. Unit:
    /// milliseconds; 0: as before.
    #[must_use]
    pub fn paced(self, gap_ms: i64) -> Self {
        Self { gap_ms, ..self }
    }

    /// The same, with hours in which it gets only what is critical.
    #[must_use]
    pub fn quiet(self, quiet: Option<Quiet>) -> Self {
        Self { quiet, ..self }
    }

    /// What is less severe waits.
    pub(crate) fn least(&self, now_ms: i64) -> Severity {
        let is_quiet = self.quiet_ends_ms(now_ms).is_some();
        if is_quiet { Severity::Critical } else { Severity::Low }
    }

    /// When its quiet hours end, within them. Unit: milliseconds since the Unix epoch.
    pub fn quiet_ends_ms(&self, now_ms: i64) -> Option<i64> {
        self.quiet.as_ref()?.ends_ms(now_ms)
    }

    /// How long the sink is left alone though all is well. A clock that was put back does not make it
    /// longer. Unit: milliseconds.
    pub fn pause_ms(&self, now_ms: i64) -> Option<i64> {
        Some(self.next_ms.saturating_sub(now_ms)).filter(|ms| (1..=self.gap_ms).contains(ms))
    }

    /// The name of the sink.
    pub fn sink(&self) -> &str {
        &self.sink
    }

    /// Whether the sink said that it wants no message any more, which holds as long as the process runs.
    pub fn is_gone(&self) -> bool {
        self.is_gone
    }

    /// From when on it may get a message, as far as is known; `None`: it wants none any more. Unit: milliseconds since the
    /// Unix epoch.
    pub fn opens_ms(&self) -> Option<i64> {
        (!self.is_gone).then_some(self.closed_until_ms.max(self.next_ms))
    }

    /// Messages that were handed out and of which no outcome was told yet. Unit: messages.
    pub fn n_on_way(&self) -> usize {
        self.on_way.len()
    }

    /// How many more messages may be handed out where `most` may be on the way. A sink that failed is
    /// asked with one.
    pub(crate) fn room(&self, now_ms: i64, most: usize) -> usize {
        let most = match self.n_failures {
            _ if self.is_gone || now_ms < self.closed_until_ms => 0,
            _ if self.pause_ms(now_ms).is_some() => 0,
            0 if self.gap_ms == 0 => most,
            _ => most.min(1),
        };
        most.saturating_sub(self.on_way.len())
    }

    pub(crate) fn is_on_way(&self, finding: FindingId) -> bool {
        self.on_way.contains(&finding)
    }

    pub(crate) fn hand_out(&mut self, finding: FindingId) {
        self.on_way.insert(finding);
    }

    /// Notes what became of the message about `finding`; answers whether an outage has ended with it.
    pub(crate) fn note(&mut self, finding: FindingId, outcome: &Outcome, now_ms: i64) -> bool {
        self.on_way.remove(&finding);
        self.next_ms = now_ms.saturating_add(self.gap_ms);
        match outcome {
            Outcome::Delivered | Outcome::Refused { .. } | Outcome::Later { .. } => {
                let lasted_ms = now_ms.saturating_sub(self.failing_since_ms);
                let was_outage = self.n_failures > 0 && lasted_ms >= OUTAGE_MS_MIN;
                (self.n_failures, self.closed_until_ms) = (0, 0);
                was_outage
            }
            Outcome::Retry { after_ms, .. } => {
                self.fail(now_ms, after_ms.unwrap_or_default());
                false
            }
            Outcome::Gone { .. } => {
                self.is_gone = true;
                false
            }
        }
    }

    fn fail(&mut self, now_ms: i64, after_ms: i64) {
        // Several that were on the way together are one failure.
        if now_ms >= self.closed_until_ms {
            if self.n_failures == 0 {
                self.failing_since_ms = now_ms;
            }
            let doubled = 1_i64.checked_shl(self.n_failures).unwrap_or(PAUSE_MS_MAX);
            let pause_ms = PAUSE_MS.saturating_mul(doubled).clamp(PAUSE_MS, PAUSE_MS_MAX);
            self.closed_until_ms = now_ms.saturating_add(pause_ms);
            self.n_failures = self.n_failures.saturating_add(1);
        }
        self.closed_until_ms = self.closed_until_ms.max(now_ms.saturating_add(after_ms));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: FindingId = FindingId(1);
    const B: FindingId = FindingId(2);
    const C: FindingId = FindingId(3);

    fn failed(after_ms: Option<i64>) -> Outcome {
        Outcome::Retry { error: "status 503".to_owned(), after_ms }
    }

    #[test]
    fn a_sink_that_fails_is_left_alone_for_longer_and_longer() {
        let mut lane = Lane::new("siem");
        let mut now_ms = 0;
        let mut pauses = Vec::new();
        for _ in 0..70 {
            assert_eq!(lane.room(now_ms, 8), if now_ms == 0 { 8 } else { 1 });
            lane.hand_out(A);
            assert!(!lane.note(A, &failed(None), now_ms));
            let pause =
                (0..1_000).map(|s| s * 500).find(|ms| lane.room(now_ms + ms, 8) > 0).unwrap();
            pauses.push(pause / 500);
            now_ms += pause;
        }
        assert_eq!(pauses[..10], [2, 4, 8, 16, 32, 64, 128, 256, 512, 600]);
        assert_eq!(pauses[69], 600);
    }

    #[test]
    fn failures_at_once_are_one() {
        let mut lane = Lane::new("siem");
        for id in [A, B, C] {
            lane.hand_out(id);
        }
        assert_eq!((lane.room(0, 8), lane.n_on_way()), (5, 3));
        assert_eq!([A, B, C].map(|id| lane.note(id, &failed(None), 10)), [false; 3]);
        assert_eq!((lane.room(1_009, 8), lane.room(1_010, 8)), (0, 1));
    }

    #[test]
    fn a_success_opens_the_lane_and_tells_an_outage_from_a_slip() {
        for (at_ms, was_outage) in [(59_999, false), (60_000, true)] {
            let mut lane = Lane::new("siem");
            lane.note(A, &failed(None), 0);
            assert_eq!(lane.note(B, &Outcome::Delivered, at_ms), was_outage);
            assert_eq!(lane.room(at_ms, 8), 8);
            assert!(!lane.note(B, &Outcome::Delivered, at_ms * 9));
        }
    }

    #[test]
    fn the_wish_of_the_sink_is_kept() {
        let mut lane = Lane::new("siem");
        lane.note(A, &failed(Some(90_000)), 0);
        assert_eq!((lane.room(89_999, 8), lane.room(90_000, 8)), (0, 1));
    }

    #[test]
    fn a_sink_with_a_pace_gets_one_message_at_a_time() {
        let mut lane = Lane::new("chat").paced(1_000);
        assert_eq!((lane.room(0, 8), lane.pause_ms(0)), (1, None));
        lane.hand_out(A);
        assert_eq!(lane.room(5_000, 8), 0);
        lane.note(A, &Outcome::Delivered, 5_000);
        assert_eq!([5_000, 5_999, 6_000].map(|ms| lane.room(ms, 8)), [0, 0, 1]);
        assert_eq!([5_001, 6_000].map(|ms| lane.pause_ms(ms)), [Some(999), None]);
        // The clock was put back.
        assert_eq!((lane.room(3_999, 8), lane.pause_ms(3_999)), (1, None));
        lane.hand_out(B);
        lane.note(B, &failed(Some(90_000)), 6_000);
        assert_eq!((lane.room(95_999, 8), lane.room(96_000, 8)), (0, 1));
    }

    #[test]
    fn in_quiet_hours_a_sink_gets_only_what_is_critical() {
        let night = Quiet::new("22:00", "07:00", "UTC").unwrap();
        let lane = Lane::new("chat").quiet(Some(night));
        let hour_ms = 3_600_000;
        let least = [6, 7, 21, 22].map(|hour| lane.least(hour * hour_ms));
        let (critical, low) = (Severity::Critical, Severity::Low);
        assert_eq!(least, [critical, low, low, critical]);
        let ends = [6, 7, 22].map(|hour| lane.quiet_ends_ms(hour * hour_ms));
        assert_eq!(ends, [Some(7 * hour_ms), None, Some(31 * hour_ms)]);
        assert_eq!(Lane::new("siem").least(0), low);
    }

    #[test]
    fn a_sink_that_is_gone_is_asked_no_more() {
        let mut lane = Lane::new("siem");
        lane.note(A, &Outcome::Gone { error: "status 410".to_owned() }, 0);
        assert_eq!((lane.room(i64::MAX, 8), lane.is_gone()), (0, true));
    }
}
