//! A store in memory. One transaction at a time, like SQLite.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use rollbook_domain::{EnvelopeId, FactRef, Outcome, ProcessorName, Reads, Seen, State};
use rollbook_store::{
    Batch, DeadLetter, DeadLetterFailure, DeadLetterFilter, DeadLetterGroup, DeadLetters, Kept, Outbox, OutboxItem,
    Store, StoreError, Tx, WorkerId, WorkerRow, Workers,
};
use tokio::sync::OwnedMutexGuard;

#[derive(Clone, Default)]
pub(crate) struct FakeStore {
    turn: Arc<tokio::sync::Mutex<()>>,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
pub(crate) struct Inner {
    pub state: State,
    pub processed: HashMap<FactRef, Seen>,
    pub envelopes: HashSet<EnvelopeId>,
    pub kept: Vec<Kept>,
    pub outbox: Vec<OutboxItem>,
    pub batches: Vec<Batch>,
    pub script: Script,
    /// What each worker said last, and how often anybody said something.
    pub workers: BTreeMap<(WorkerId, ProcessorName), u64>,
    pub told: u32,
    pub kept_for: Duration,
    pub begun: u32,
    pub probed: u32,
}

/// How the store is to fail.
#[derive(Default)]
pub(crate) struct Script {
    /// Nothing answers.
    pub away: bool,
    /// Nothing answers, not even with an error.
    pub stuck: bool,
    /// The schema does not fit.
    pub schema: bool,
    /// Commits that another writer beats.
    pub conflicts: u32,
    /// Event keys whose rows are refused.
    pub refused: HashSet<String>,
    /// Event keys whose rows fail while a probe does not.
    pub unanswered: HashSet<String>,
    /// Transactions whose records cannot be read.
    pub corrupt: HashSet<String>,
    /// How long a commit takes after it has happened.
    pub slow: Duration,
    /// Outbox removals that fail.
    pub failing_done: u32,
}

impl FakeStore {
    pub(crate) fn look(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub(crate) fn script(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.look().script);
    }

    pub(crate) fn outcome(&self, key: &str) -> Option<Outcome> {
        let fact = FactRef { account: "merchant".into(), key: key.into() };
        self.look().processed.get(&fact).map(|seen| seen.outcome)
    }

    async fn answering(&self) {
        let stuck = self.look().script.stuck;
        if stuck {
            std::future::pending::<()>().await;
        }
    }

    fn reachable(&self) -> Result<(), StoreError> {
        if self.look().script.away { Err(StoreError::Unavailable("on purpose".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl Store for FakeStore {
    async fn begin(&self) -> Result<Box<dyn Tx>, StoreError> {
        self.look().begun += 1;
        self.answering().await;
        self.reachable()?;
        if self.look().script.schema {
            return Err(StoreError::Schema("run `rollbook migrate`".to_owned()));
        }
        let turn = Arc::clone(&self.turn).lock_owned().await;
        Ok(Box::new(FakeTx { store: self.clone(), _turn: turn, written: None }))
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.look().probed += 1;
        self.answering().await;
        self.reachable()
    }
}

struct FakeTx {
    store: FakeStore,
    _turn: OwnedMutexGuard<()>,
    written: Option<Batch>,
}

#[async_trait]
impl Tx for FakeTx {
    async fn seen(
        &mut self,
        _: &ProcessorName,
        facts: &BTreeSet<FactRef>,
    ) -> Result<HashMap<FactRef, Seen>, StoreError> {
        let inner = self.store.look();
        Ok(facts.iter().filter_map(|fact| Some((fact.clone(), inner.processed.get(fact)?.clone()))).collect())
    }

    async fn load(&mut self, _: &ProcessorName, reads: &Reads) -> Result<State, StoreError> {
        let inner = self.store.look();
        if let Some(bad) = reads.payments.iter().find(|read| inner.script.corrupt.contains(&read.transaction)) {
            return Err(StoreError::Corrupt { table: "payment", column: "amount", row: bad.transaction.clone() });
        }
        let mut state = State::default();
        reads.payments.iter().filter_map(|read| inner.state.payments.get(read)).for_each(|payment| {
            state.add_payment(payment.clone());
        });
        Ok(state)
    }

    async fn write(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let mut inner = self.store.look();
        let rows: BTreeSet<&FactRef> = batch.settled.iter().map(|row| &row.fact).collect();
        assert_eq!(rows.len(), batch.settled.len(), "a batch must not write a row twice");
        if inner.script.conflicts > 0 {
            inner.script.conflicts -= 1;
            return Err(StoreError::Conflict("on purpose".into()));
        }
        let among = |keys: &HashSet<String>| rows.iter().any(|fact| keys.contains(fact.key.as_str()));
        if among(&inner.script.refused) {
            return Err(StoreError::Refused("on purpose".into()));
        }
        if among(&inner.script.unanswered) {
            return Err(StoreError::Unavailable("on purpose".into()));
        }
        self.written = Some(batch.clone());
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        self.store.reachable()?;
        self.store.record(self.written.expect("a commit without a write"));
        let slow = self.store.look().script.slow;
        tokio::time::sleep(slow).await;
        Ok(())
    }
}

impl FakeStore {
    fn record(&self, batch: Batch) {
        let mut inner = self.look();
        inner.envelopes.extend(batch.envelopes.iter().map(|envelope| envelope.id));
        for row in &batch.settled {
            row.changes.iter().for_each(|change| inner.state.apply(change));
            let was =
                inner.processed.insert(row.fact.clone(), Seen { outcome: row.outcome, digest: row.digest.clone() });
            assert_eq!(was.map(|seen| seen.outcome), row.redecided.then_some(Outcome::Ignored), "{:?}", row.fact);
        }
        for out in &batch.outgoing {
            let id = i64::try_from(inner.outbox.len()).unwrap();
            inner.outbox.push(OutboxItem { id, envelope: out.envelope.clone(), to: out.to.clone(), redecide: false });
        }
        inner.batches.push(batch);
    }
}

#[async_trait]
impl DeadLetters for FakeStore {
    async fn keep(&self, letters: &[Kept]) -> Result<(), StoreError> {
        self.answering().await;
        self.reachable()?;
        let mut inner = self.look();
        if letters.iter().any(|letter| inner.script.refused.contains(&letter.event_key)) {
            return Err(StoreError::Refused("on purpose".into()));
        }
        inner.kept.extend_from_slice(letters);
        Ok(())
    }

    async fn dead_letters(&self, _: &DeadLetterFilter) -> Result<Vec<DeadLetter>, StoreError> {
        Ok(Vec::new())
    }

    async fn dead_letter_history(&self, _: i64) -> Result<Vec<DeadLetterFailure>, StoreError> {
        Ok(Vec::new())
    }

    async fn dead_letter_groups(&self, _: &DeadLetterFilter) -> Result<Vec<DeadLetterGroup>, StoreError> {
        self.reachable()?;
        Ok(Vec::new())
    }

    async fn replay(&self, _: &DeadLetterFilter, _: bool) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn discard(&self, _: &DeadLetterFilter) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn open_dead_letters(&self) -> Result<u64, StoreError> {
        Ok(self.look().kept.len() as u64)
    }
}

#[async_trait]
impl Outbox for FakeStore {
    async fn outbox_next(&self, limit: u32) -> Result<Vec<OutboxItem>, StoreError> {
        self.reachable()?;
        Ok(self.look().outbox.iter().take(limit as usize).cloned().collect())
    }

    async fn outbox_done(&self, ids: &[i64]) -> Result<(), StoreError> {
        let mut inner = self.look();
        if inner.script.failing_done > 0 {
            inner.script.failing_done -= 1;
            return Err(StoreError::Unavailable("on purpose".into()));
        }
        inner.outbox.retain(|item| !ids.contains(&item.id));
        Ok(())
    }

    async fn outbox_depth(&self) -> Result<u64, StoreError> {
        Ok(self.look().outbox.len() as u64)
    }
}

#[async_trait]
impl Workers for FakeStore {
    async fn tell(
        &self,
        worker: WorkerId,
        in_flight: &[(ProcessorName, u64)],
        keep: Duration,
    ) -> Result<(), StoreError> {
        self.look().told += 1;
        self.answering().await;
        self.reachable()?;
        let rows = in_flight.iter().map(|(queue, held)| ((worker, queue.clone()), *held));
        let mut inner = self.look();
        inner.workers.extend(rows);
        inner.kept_for = keep;
        Ok(())
    }

    async fn goodbye(&self, worker: WorkerId) -> Result<(), StoreError> {
        self.answering().await;
        self.reachable()?;
        self.look().workers.retain(|(name, _), _| *name != worker);
        Ok(())
    }

    async fn workers(&self) -> Result<Vec<WorkerRow>, StoreError> {
        Ok(Vec::new())
    }
}
