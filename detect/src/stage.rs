//! What the stages of an engine cost: `make profile`. That takes the feature `profile`, which the shipped
//! program is built without; there `timed` does the work, and nothing of this is left.

#[cfg(feature = "profile")]
use std::cell::Cell;

/// A stage of an engine. Each is entered for a batch of chunks, a day, or an entity on a day, never for a
/// record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Tells which rows were there before.
    Duplicates,
    /// Sums rows by entity.
    Sums,
    /// Applies sums to profiles.
    Profiles,
    /// Puts matches of rules to those that they are about.
    Matches,
    /// Judges what rules matched on a day.
    Watches,
    /// Judges the hours of a day.
    Judge,
    /// Makes what a day teaches, of entities and of groups, part of what is known.
    Teach,
    /// Makes findings of what was told.
    Findings,
}

#[cfg(feature = "profile")]
impl Stage {
    const N: usize = Self::Findings as usize + 1;
}

#[cfg(feature = "profile")]
thread_local! {
    static CLOCK: Cell<Option<fn() -> f64>> = const { Cell::new(None) };
    static SPENT: Cell<[f64; Stage::N]> = const { Cell::new([0.0; Stage::N]) };
}

/// Measures the stages of engines of this thread from now on, by a clock that tells nanoseconds. Stages
/// that other threads work at are not seen.
#[cfg(feature = "profile")]
pub fn measure(clock: fn() -> f64) {
    CLOCK.set(Some(clock));
    SPENT.set([0.0; Stage::N]);
}

/// What a stage has cost. Unit: nanoseconds.
#[cfg(feature = "profile")]
pub fn spent(stage: Stage) -> f64 {
    SPENT.get().get(stage as usize).copied().unwrap_or(0.0)
}

/// Does the work of a stage.
#[cfg(feature = "profile")]
pub(crate) fn timed<T>(stage: Stage, work: impl FnOnce() -> T) -> T {
    let Some(clock) = CLOCK.get() else { return work() };
    let before = clock();
    let done = work();
    let mut spent = SPENT.get();
    if let Some(spent) = spent.get_mut(stage as usize) {
        *spent += clock() - before;
    }
    SPENT.set(spent);
    done
}

/// Does the work of a stage.
#[cfg(not(feature = "profile"))]
pub(crate) fn timed<T>(_: Stage, work: impl FnOnce() -> T) -> T {
    work()
}
