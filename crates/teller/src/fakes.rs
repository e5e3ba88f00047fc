//! A ledger that fails on command, and commands to try it with. It decides nothing: every command is
//! applied. What a ledger decides is tried with a real store.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rollbook_domain::{Email, PersonId};
use rollbook_ledger::{
    Actor, Answer, Asset, Command, Due, Hold, HoldId, Lot, LotId, Move, Order, Owner, Sums, TransactionId, Verdict,
};
use rollbook_store::{HistoryFilter, HistoryRow, Ledger, Standing, StoreError};
use rollbook_telemetry::Metrics;
use tokio::sync::{Semaphore, watch};

use crate::{Context, Options, Teller};

pub(crate) fn noon() -> Timestamp {
    "2025-03-01T12:00:00Z".parse().unwrap()
}

/// Noon, so many days later.
pub(crate) fn days(count: i64) -> Timestamp {
    noon() + SignedDuration::from_hours(24 * count)
}

pub(crate) fn member(name: &str) -> Owner {
    Owner::Person(PersonId::of_first_address(&Email::parse(&format!("{name}@example.org")).unwrap()))
}

pub(crate) fn id(name: &str) -> TransactionId {
    TransactionId::of_key(name)
}

/// Of as many moves as that.
pub(crate) fn awards(name: &str, count: usize) -> Command {
    let moves = vec![Move::Award { to: member("ada"), amount: 1, expires_at: None }; count];
    Command::new(id(name), noon(), Actor::System, Order::Post { asset: Asset::Points, moves }).unwrap()
}

pub(crate) fn award(name: &str) -> Command {
    awards(name, 1)
}

/// Told by hand: `Command::expiring` gives its command the id that [`expiry`] tells.
pub(crate) fn due(name: &str) -> Due {
    Due::Hold(HoldId::placed_by(id(name)))
}

pub(crate) fn expiry(name: &str) -> TransactionId {
    Command::expiring(due(name), noon()).id()
}

pub(crate) fn context() -> Context {
    Context { clock: Arc::new(noon), random: Arc::new(|| 200), metrics: Arc::new(Metrics::new("0").unwrap()) }
}

pub(crate) struct FakeLedger {
    inner: Mutex<Inner>,
    /// How many transactions were begun.
    begun: watch::Sender<usize>,
    /// One permit lets one transaction through.
    gate: Semaphore,
}

#[derive(Default)]
pub(crate) struct Inner {
    /// What was committed, in its order.
    pub batches: Vec<Vec<TransactionId>>,
    pub decided: HashMap<TransactionId, Answer>,
    pub due: Vec<Due>,
    pub script: Script,
}

/// How it is to fail.
#[derive(Default)]
pub(crate) struct Script {
    pub gated: bool,
    pub store: Condition,
    /// So many transactions are beaten by another writer.
    pub conflicts: u32,
    pub refused: HashSet<TransactionId>,
    pub corrupt: HashSet<TransactionId>,
    pub panicking: HashSet<TransactionId>,
    /// Beaten every time.
    pub beaten: HashSet<TransactionId>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Condition {
    #[default]
    Well,
    Away,
    /// Commits, and the answer is lost.
    Deaf,
    OldSchema,
}

impl FakeLedger {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { inner: Mutex::default(), begun: watch::Sender::new(0), gate: Semaphore::new(0) })
    }

    pub(crate) fn teller(self: &Arc<Self>, options: Options) -> Teller {
        Teller::new(Arc::clone(self) as Arc<dyn Ledger>, context(), options)
    }

    pub(crate) fn look(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub(crate) fn script(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.look().script);
    }

    /// Everything that was committed, in its order.
    pub(crate) fn record(&self) -> Vec<TransactionId> {
        self.look().batches.concat()
    }

    pub(crate) fn sizes(&self) -> Vec<usize> {
        self.look().batches.iter().map(Vec::len).collect()
    }

    pub(crate) fn begun(&self) -> usize {
        *self.begun.borrow()
    }

    pub(crate) async fn until_begun(&self, count: usize) {
        self.begun.subscribe().wait_for(|begun| *begun >= count).await.unwrap();
    }

    pub(crate) fn let_through(&self, transactions: usize) {
        self.gate.add_permits(transactions);
    }

    fn fault(script: &mut Script, commands: &[Command]) -> Result<(), StoreError> {
        let among = |ids: &HashSet<TransactionId>| commands.iter().any(|command| ids.contains(&command.id()));
        match script.store {
            Condition::Away => return Err(StoreError::Unavailable("on purpose".into())),
            Condition::OldSchema => return Err(StoreError::Schema("run `rollbook migrate`".to_owned())),
            Condition::Well | Condition::Deaf => {}
        }
        if script.conflicts > 0 || among(&script.beaten) {
            script.conflicts = script.conflicts.saturating_sub(1);
            return Err(StoreError::Conflict("on purpose".into()));
        }
        if among(&script.refused) {
            return Err(StoreError::Refused("on purpose".into()));
        }
        if among(&script.corrupt) {
            return Err(StoreError::Corrupt { table: "hold", column: "state", row: String::new() });
        }
        Ok(())
    }

    fn commit(&self, commands: &[Command]) -> Result<Vec<Answer>, StoreError> {
        let mut inner = self.look();
        Self::fault(&mut inner.script, commands)?;
        let posted = |n: usize| Some(Sums { posted: i64::try_from(n).unwrap(), held: 0 });
        let mut answers = Vec::new();
        for command in commands {
            let known = inner.decided.get(&command.id()).cloned();
            let left = posted(inner.decided.len());
            let fresh = Answer { id: command.id(), verdict: Verdict::Applied, left, repeated: false };
            let answer = known.map_or(fresh, |known| Answer { repeated: true, ..known });
            inner.decided.insert(command.id(), answer.clone());
            answers.push(answer);
        }
        inner.batches.push(commands.iter().map(Command::id).collect());
        if inner.script.store == Condition::Deaf {
            return Err(StoreError::Unavailable("on purpose".into()));
        }
        Ok(answers)
    }
}

#[async_trait]
impl Ledger for FakeLedger {
    async fn execute(&self, commands: &[Command], _: Timestamp) -> Result<Vec<Answer>, StoreError> {
        self.begun.send_modify(|begun| *begun += 1);
        let (gated, panics) = {
            let script = &self.look().script;
            (script.gated, commands.iter().any(|command| script.panicking.contains(&command.id())))
        };
        if gated {
            self.gate.acquire().await.unwrap().forget();
        }
        assert!(!panics, "on purpose");
        self.commit(commands)
    }

    /// Those that were not expired, in their order.
    async fn due(&self, by: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError> {
        let inner = self.look();
        if inner.script.store == Condition::Away {
            return Err(StoreError::Unavailable("on purpose".into()));
        }
        let open = |due: &&Due| !inner.decided.contains_key(&Command::expiring(**due, by).id());
        Ok(inner.due.iter().filter(open).take(usize::try_from(limit).unwrap()).copied().collect())
    }

    async fn standing(&self, _: Asset, _: Owner) -> Result<Standing, StoreError> {
        Ok(Standing::default())
    }

    async fn decided(&self, id: TransactionId) -> Result<Option<Answer>, StoreError> {
        Ok(self.look().decided.get(&id).cloned())
    }

    async fn hold(&self, _: HoldId) -> Result<Option<Hold>, StoreError> {
        Ok(None)
    }

    async fn history(&self, _: &HistoryFilter) -> Result<Vec<HistoryRow>, StoreError> {
        Ok(Vec::new())
    }

    async fn open_holds(&self, _: Asset, _: Owner) -> Result<Vec<Hold>, StoreError> {
        Ok(Vec::new())
    }

    async fn open_lots(&self, _: Asset, _: Option<Owner>, _: Option<LotId>, _: u32) -> Result<Vec<Lot>, StoreError> {
        Ok(Vec::new())
    }

    async fn outstanding(&self, _: Asset) -> Result<Standing, StoreError> {
        Ok(Standing::default())
    }
}
