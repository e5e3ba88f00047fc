//! The write side: one transaction a batch.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use rollbook_domain::{FactRef, ProcessorName, Reads, Seen, State};

use crate::{Batch, StoreError};

#[async_trait]
pub trait Store: Send + Sync {
    /// Opens a transaction that will write. Dropping it unfinished rolls back.
    async fn begin(&self) -> Result<Box<dyn Tx>, StoreError>;

    /// A small write transaction, committed: tells a sick database from a sick event. It is not
    /// rolled back, because a disk that fails often shows it first at the commit.
    async fn probe(&self) -> Result<(), StoreError>;
}

#[async_trait]
pub trait Tx: Send {
    /// Which of these facts this processor has settled for good.
    async fn seen(
        &mut self,
        processor: &ProcessorName,
        facts: &BTreeSet<FactRef>,
    ) -> Result<HashMap<FactRef, Seen>, StoreError>;

    /// Loads what `reads` asks for, by whole persons (see [`Reads`]), locked until the end of the
    /// transaction. `State::outcomes` answers `reads.outcomes` for this processor.
    async fn load(&mut self, processor: &ProcessorName, reads: &Reads) -> Result<State, StoreError>;

    /// Writes a whole batch. Each row of `processed` is inserted; one that is already there is a
    /// `Conflict` (except that an ignored row gives way to a redecided event).
    async fn write(&mut self, batch: &Batch) -> Result<(), StoreError>;

    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
