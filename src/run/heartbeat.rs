//! Tells the sinks that ask for it that the daemon is at work. In: what was read and told. Out: messages in the
//! outbox.

use super::Daemon;
use crate::clock;
use alerts::sinks::Heartbeat;
use anyhow::Result;

/// Whoever has more to catch up with says so. Unit: milliseconds (5 min).
const CATCHES_UP_MS: i64 = 300_000;

impl Daemon<'_> {
    /// Queues the heartbeats that are due; the first once there are numbers to tell.
    pub(super) fn beat(&mut self) -> Result<()> {
        let Self { summary, suppressed, since_ms, .. } = self;
        if !self.is_caught_up && clock::now_ms().saturating_sub(*since_ms) < CATCHES_UP_MS {
            return Ok(());
        }
        let intake = self.engine.intake();
        let heartbeat = Heartbeat {
            since_ms: *since_ms,
            n_objects: summary.n_read(),
            n_records: intake.n_records.saturating_add(intake.n_flows),
            newest_ms: intake.times_ms.map(|(_, last_ms)| last_ms),
            n_told: suppressed.n_told(),
            n_suppressed: suppressed.n_suppressed(),
            next_ms: 0,
        };
        self.sinks.beat(&mut self.file, &heartbeat, &self.desk.log)
    }
}
