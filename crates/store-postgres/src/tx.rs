//! One transaction of a worker.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use rollbook_domain::{DocumentRef, FactRef, ProcessorName, Reads, Seen, State};
use rollbook_store::{Batch, StoreError, Tx};
use sqlx::{Postgres, Transaction};

use crate::fault::{Complaint, store_error};
use crate::patience::Patience;
use crate::{load, write};

pub struct PostgresTx {
    transaction: Transaction<'static, Postgres>,
    patience: Patience,
    /// Documents that a load did not find. Their decision took them for absent, so they are
    /// inserted and not upserted: an upsert would overwrite what another worker wrote since.
    absent: BTreeSet<DocumentRef>,
    /// A statement began and did not end well. PostgreSQL would answer a commit with a rollback,
    /// and call that success.
    broken: bool,
}

impl PostgresTx {
    pub fn new(transaction: Transaction<'static, Postgres>, patience: Patience) -> Self {
        Self { transaction, patience, absent: BTreeSet::new(), broken: false }
    }

    /// For the time of one call: whoever cancels or fails it leaves the transaction broken.
    fn start(&mut self) -> Result<(), StoreError> {
        if std::mem::replace(&mut self.broken, true) {
            return Err(StoreError::Refused(Complaint::Broken.into()));
        }
        Ok(())
    }
}

#[async_trait]
impl Tx for PostgresTx {
    async fn seen(
        &mut self,
        processor: &ProcessorName,
        facts: &BTreeSet<FactRef>,
    ) -> Result<HashMap<FactRef, Seen>, StoreError> {
        self.start()?;
        let seen = self.patience.with(load::seen(&mut self.transaction, processor, facts)).await?;
        self.broken = false;
        Ok(seen)
    }

    async fn load(&mut self, processor: &ProcessorName, reads: &Reads) -> Result<State, StoreError> {
        self.start()?;
        let state = self.patience.with(load::state(&mut self.transaction, processor, reads)).await?;
        for document in &reads.documents {
            if state.documents.contains_key(document) {
                self.absent.remove(document);
            } else {
                self.absent.insert(document.clone());
            }
        }
        self.broken = false;
        Ok(state)
    }

    async fn write(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.start()?;
        self.patience.with(write::batch(&mut self.transaction, batch, &self.absent)).await?;
        // What was absent is there now, and ours.
        self.absent.clear();
        self.broken = false;
        Ok(())
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        self.start()?;
        let Self { transaction, patience, .. } = *self;
        patience.with(async { transaction.commit().await.map_err(store_error) }).await
    }
}
