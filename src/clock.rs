//! The clock. What judges never asks it: a person who says something says it on a day.
#![expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]

use baseline::Day;
use std::time::{SystemTime, UNIX_EPOCH};

/// The UTC day that it is.
pub(crate) fn today() -> Day {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Day::of(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
