//! Where tests may have the process die. Of a release build nothing of it is left.

/// The process dies here, if `SENTRAIL_FAULT` says so: `POINT:N`, at the `N`th time that it comes by.
#[cfg(debug_assertions)]
pub(crate) fn point(name: &str) {
    use std::sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    };
    /// Where, and how many times it may still come by.
    static ASKED: OnceLock<Option<(String, AtomicU64)>> = OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "no setting: only tests know of it")]
    let asked = ASKED.get_or_init(|| {
        let text = std::env::var("SENTRAIL_FAULT").ok()?;
        let (point, n) = text.split_once(':')?;
        Some((point.to_owned(), AtomicU64::new(n.parse().ok()?)))
    });
    if let Some((point, left)) = asked
        && point == name
        && left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        // Nothing is tidied up, as when the kernel kills it.
        std::process::abort();
    }
}

/// Nothing.
#[cfg(not(debug_assertions))]
pub(crate) fn point(_: &str) {}
