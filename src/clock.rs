//! The one place that reads a clock: for how long something took, never for what is found.

use std::time::Instant;

/// Seconds since `start`.
pub(crate) fn seconds_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64()
}
