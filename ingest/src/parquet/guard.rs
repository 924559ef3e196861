//! The boundary to the crate `parquet`. It has assertions about bytes that anybody may have written: levels
//! that are shorter than their page says, or a page that asks for a dictionary that is not there, end in
//! a panic (release 60.1; the property test meets both). Here they are an error like any other, and
//! nobody is told of a panic.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// Longest text of others in an error. Unit: bytes.
const TOLD_BYTES_MAX: usize = 200;

thread_local! {
    static IS_GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// What the crate makes of it, or what it says is wrong.
pub(super) fn guarded<T, E: ToString>(work: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_GUARDED.get() {
                others(info);
            }
        }));
    });
    let before = IS_GUARDED.replace(true);
    // What was half changed is the crate's reader, which is not asked again.
    let done = catch_unwind(AssertUnwindSafe(work));
    IS_GUARDED.set(before);
    match done {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => {
            // The kinds of errors that it has say nothing to whoever reads them.
            let mut told = error.to_string();
            for kind in ["Parquet argument error: ", "Parquet error: "] {
                told = told.strip_prefix(kind).map(str::to_owned).unwrap_or(told);
            }
            Err(shortened(&told))
        }
        Err(_) => Err("expected values in the encoding that their page names".to_owned()),
    }
}

/// The start of a text that others wrote.
pub(super) fn shortened(text: &str) -> String {
    let end = text.floor_char_boundary(TOLD_BYTES_MAX);
    text.get(..end).unwrap_or_default().to_owned()
}
