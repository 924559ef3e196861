//! The clock. What judges never asks it: a person who says something says it on a day, and a time that is
//! still to come is nobody's.
#![expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]

use baseline::Day;
use rustix::time::{ClockId, clock_gettime};
use std::time::{SystemTime, UNIX_EPOCH};

/// Now. Unit: milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// For how long the machine has run, whether or not this process did; where the system has such a clock, the time in
/// which the machine slept counts, too. Unit: milliseconds.
pub(crate) fn since_boot_ms() -> u64 {
    #[cfg(target_os = "linux")]
    let clock = ClockId::Boottime;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    let since = clock_gettime(clock);
    let ms = since.tv_sec.saturating_mul(1_000).saturating_add(since.tv_nsec / 1_000_000);
    u64::try_from(ms).unwrap_or_default()
}

/// The UTC day that it is.
pub(crate) fn today() -> Day {
    Day::of(now_ms())
}
