//! The outbox: what a commit must tell the queue, written in the commit itself.

use async_trait::async_trait;
use rollbook_domain::{Envelope, ProcessorName};

use crate::StoreError;

/// A row to be: this envelope to this processor.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub envelope: Envelope,
    pub to: ProcessorName,
}

/// A row that waits.
#[derive(Clone, Debug)]
pub struct OutboxItem {
    pub id: i64,
    pub envelope: Envelope,
    pub to: ProcessorName,
    pub redecide: bool,
}

#[async_trait]
pub trait Outbox: Send + Sync {
    /// The oldest rows, up to `limit`.
    async fn outbox_next(&self, limit: u32) -> Result<Vec<OutboxItem>, StoreError>;

    /// Removes rows that the queue has confirmed.
    async fn outbox_done(&self, ids: &[i64]) -> Result<(), StoreError>;

    async fn outbox_depth(&self) -> Result<u64, StoreError>;
}
