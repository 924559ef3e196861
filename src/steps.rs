//! When each step of an object's way through detection began and ended.

use ingest::time::Stretch;

/// Steps, as far as they were taken and the clock was looked at.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Steps {
    /// From the receipt of its message until it was asked for.
    pub(crate) waited: Option<Stretch>,
    pub(crate) got: Option<Stretch>,
    pub(crate) inflated: Option<Stretch>,
    pub(crate) parsed: Option<Stretch>,
    /// With all that was applied together.
    pub(crate) scored: Option<Stretch>,
}

impl Steps {
    /// What each is called, in order.
    pub(crate) fn named(self) -> impl Iterator<Item = (&'static str, Stretch)> {
        let Self { waited, got, inflated, parsed, scored } = self;
        let all = [waited, got, inflated, parsed, scored];
        let names = ["receive", "get", "inflate", "parse", "score"];
        names.into_iter().zip(all).filter_map(|(name, step)| Some((name, step?)))
    }
}
