//! Pruning against a store that only counts.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use rollbook_domain::{Email, Envelope, EnvelopeId, PersonId, ProcessorName};
use rollbook_store::{EventFilter, EventRow, MemberRow, PersonRecords, Snapshot};

use super::*;
use crate::fakes;

/// `old` envelopes that are still there, and the limit of every deletion.
#[derive(Default)]
struct Cellar {
    old: Mutex<u64>,
    asked: Mutex<Vec<(Timestamp, u32)>>,
}

#[async_trait]
impl Records for Cellar {
    async fn person(&self, _: &Email) -> Result<Option<PersonRecords>, StoreError> {
        Ok(None)
    }

    async fn members(&self, _: Option<u32>) -> Result<Vec<MemberRow>, StoreError> {
        Ok(Vec::new())
    }

    async fn addresses(&self, _: &[PersonId]) -> Result<BTreeMap<PersonId, String>, StoreError> {
        Ok(BTreeMap::new())
    }

    async fn events(&self, _: &EventFilter) -> Result<Vec<EventRow>, StoreError> {
        Ok(Vec::new())
    }

    async fn envelope(&self, _: EnvelopeId) -> Result<Option<Envelope>, StoreError> {
        Ok(None)
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        Err(StoreError::Unavailable("not asked for here".into()))
    }

    async fn replay_events(&self, _: &EventFilter, _: Option<&ProcessorName>, _: bool) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn prune_envelopes(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.asked.lock().unwrap().push((before, limit));
        let mut old = self.old.lock().unwrap();
        let deleted = (*old).min(u64::from(limit));
        *old -= deleted;
        Ok(deleted)
    }
}

#[tokio::test(start_paused = true)]
async fn the_old_go_in_small_batches() {
    let cellar = Cellar { old: Mutex::new(1200), ..Cellar::default() };
    prune(&cellar, &fakes::context(), &CancellationToken::new()).await.unwrap();
    let before = "2024-12-01T12:00:00Z".parse().unwrap();
    assert_eq!(*cellar.asked.lock().unwrap(), [(before, BATCH); 3], "90 days before noon of the test");
    assert_eq!(*cellar.old.lock().unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn it_comes_back_every_hour_and_ends_with_the_token() {
    let (cellar, shutdown) = (Arc::new(Cellar::default()), CancellationToken::new());
    let records: Arc<dyn Records> = Arc::clone(&cellar) as _;
    let pruning = tokio::spawn(run_prune(records, Arc::new(fakes::context()), shutdown.clone()));
    tokio::time::sleep(Duration::from_mins(150)).await;
    shutdown.cancel();
    pruning.await.unwrap();
    assert_eq!(cellar.asked.lock().unwrap().len(), 3);
}
