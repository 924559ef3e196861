//! The clock. What judges never asks it: a person who says something says it on a day, and a time that is
//! still to come is nobody's.
#![expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]

use baseline::Day;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now. Unit: milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The UTC day that it is.
pub(crate) fn today() -> Day {
    Day::of(now_ms())
}
