//! One transaction of a worker.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use rollbook_domain::{FactRef, ProcessorName, Reads, Seen, State};
use rollbook_store::{Batch, StoreError, Tx};

use crate::fault::Complaint;
use crate::writer::Writing;
use crate::{load, write};

pub struct SqliteTx {
    writing: Writing,
    /// A write began and did not end well: nothing of it may be committed.
    half_written: bool,
}

impl SqliteTx {
    pub fn new(writing: Writing) -> Self {
        Self { writing, half_written: false }
    }
}

#[async_trait]
impl Tx for SqliteTx {
    async fn seen(
        &mut self,
        processor: &ProcessorName,
        facts: &BTreeSet<FactRef>,
    ) -> Result<HashMap<FactRef, Seen>, StoreError> {
        load::seen(self.writing.connection(), processor, facts).await
    }

    async fn load(&mut self, processor: &ProcessorName, reads: &Reads) -> Result<State, StoreError> {
        load::state(self.writing.connection(), processor, reads).await
    }

    async fn write(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let earlier_failed = std::mem::replace(&mut self.half_written, true);
        write::batch(self.writing.connection(), batch).await?;
        self.half_written = earlier_failed;
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        if self.half_written {
            self.writing.roll_back().await;
            return Err(StoreError::Refused(Complaint::HalfWritten.into()));
        }
        self.writing.commit().await
    }
}
