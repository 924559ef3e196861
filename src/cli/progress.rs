//! A reading that only learns: how far it is, and what could not be read.

use super::complain;
use crate::{pipeline::Observer, terminal};
use indicatif::ProgressBar;

/// Shows how far it is.
pub(super) struct Progress {
    bar: ProgressBar,
    is_quiet: bool,
    tells_trouble: bool,
}

impl Progress {
    /// Of a reading; `tells_trouble` unless another one of the same follows, which does.
    pub(super) fn new(is_quiet: bool, tells_trouble: bool) -> Self {
        Self { bar: ProgressBar::hidden(), is_quiet, tells_trouble }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Progress {
    fn begin(&mut self, bytes: u64) {
        self.bar = terminal::progress(bytes, !self.is_quiet);
        self.bar.set_message("learning");
    }

    fn read(&mut self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn trouble(&mut self, object: &str, what: &str) {
        if self.tells_trouble {
            let what = format!("{}: {}", alerts::escape(object), alerts::escape(what));
            self.bar.suspend(|| complain(&what));
        }
    }
}
