//! What the terminal can show, and the progress bar on it.

use crate::config::is_coloured;
use alerts::Style;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal};

/// Columns where nobody tells how many there are.
const WIDTH_DEFAULT: usize = 100;

/// What standard output can show.
pub(crate) fn style() -> Style {
    let colour = is_coloured(is_for_a_person());
    let width = terminal_size::terminal_size().map_or(WIDTH_DEFAULT, |(width, _)| width.0.into());
    Style { colour, width }
}

/// Whether a person looks at standard output.
pub(crate) fn is_for_a_person() -> bool {
    io::stdout().is_terminal()
}

/// A bar on standard error that counts bytes, if a person looks at it.
pub(crate) fn progress(bytes: u64, is_wanted: bool) -> ProgressBar {
    if !is_wanted || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} left, {msg}";
    bar(bytes, template)
}

/// A bar on standard error that counts days, if a person looks at it.
pub(crate) fn days(n: i64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    bar(u64::try_from(n).unwrap_or(0), "{bar:30} day {pos} of {len}, {eta} left")
}

fn bar(length: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template);
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
