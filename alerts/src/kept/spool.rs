//! Files whose outbox is being emptied: a state, or what a replay has found. In: outcomes. Out: what they change, durable.

use super::{Keeper, KeptError, Outbox, StateFile, outbox};
use store::Store;

/// A file with an outbox.
pub trait Spool {
    /// What sinks have still to be told.
    fn outbox(&self) -> Outbox<'_>;

    /// Keeps what `work` does, all of it or nothing.
    fn change(
        &mut self,
        work: &mut dyn FnMut(&Outbox<'_>) -> Result<(), KeptError>,
    ) -> Result<(), KeptError>;
}

impl Spool for StateFile {
    fn outbox(&self) -> Outbox<'_> {
        self.outbox()
    }

    fn change(
        &mut self,
        work: &mut dyn FnMut(&Outbox<'_>) -> Result<(), KeptError>,
    ) -> Result<(), KeptError> {
        self.epoch(|file| work(&file.outbox()))
    }
}

/// The outbox of a file of findings, once these are durable.
#[derive(Debug)]
pub struct FindingsSpool {
    store: Store,
    through: i64,
}

impl FindingsSpool {
    pub(super) fn of(store: Store) -> Result<Self, KeptError> {
        let through = outbox::last_row(&store)?;
        Ok(Self { store, through })
    }
}

impl Spool for FindingsSpool {
    fn outbox(&self) -> Outbox<'_> {
        Outbox::of(&self.store, self.through)
    }

    fn change(
        &mut self,
        work: &mut dyn FnMut(&Outbox<'_>) -> Result<(), KeptError>,
    ) -> Result<(), KeptError> {
        self.store.begin()?;
        work(&self.outbox())?;
        let through = outbox::last_row(&self.store)?;
        self.store.commit()?;
        self.through = through;
        Ok(())
    }
}

impl Keeper {
    /// What sinks have to be told of the findings, within the transaction that keeps them: nothing is sent before it ends.
    pub fn outbox(&self) -> Outbox<'_> {
        Outbox::of(self.store(), 0)
    }
}
