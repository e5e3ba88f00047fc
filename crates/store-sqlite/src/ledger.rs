//! The ledger: commands are decided in memory, in the one transaction that also writes them.

mod load;
mod reads;
mod write;

use async_trait::async_trait;
use jiff::Timestamp;
use rollbook_ledger::{
    Answer, Asset, Command, Due, Hold, HoldId, Lot, LotId, Needs, Owner, TransactionId, Wanted, accounts_of, decide,
};
use rollbook_store::{HistoryFilter, HistoryRow, Ledger, Standing, StoreError};
use sqlx::SqliteConnection;

use crate::SqliteStore;

/// Decides these commands and writes what they come to. The caller has begun the transaction, which
/// is the lock, and commits it.
pub async fn execute(
    connection: &mut SqliteConnection,
    commands: &[Command],
    now: Timestamp,
) -> Result<Vec<Answer>, StoreError> {
    if commands.is_empty() {
        return Ok(Vec::new());
    }
    let known = load::known(connection, &Wanted::by(commands)).await?;
    let accounts = accounts_of(commands, &known);
    let needs = Needs::of(commands, &known);
    let loaded = load::needed(connection, known, &accounts, &needs).await?;
    let (answers, changes) = decide(loaded, commands);
    write::changes(connection, &changes, now).await?;
    Ok(answers)
}

#[async_trait]
impl Ledger for SqliteStore {
    async fn execute(&self, commands: &[Command], now: Timestamp) -> Result<Vec<Answer>, StoreError> {
        let mut writing = self.writer.begin().await?;
        let answers = execute(writing.connection(), commands, now).await?;
        writing.commit().await?;
        Ok(answers)
    }

    async fn standing(&self, asset: Asset, owner: Owner) -> Result<Standing, StoreError> {
        reads::standing(&self.readers, asset, owner).await
    }

    async fn decided(&self, id: TransactionId) -> Result<Option<Answer>, StoreError> {
        let found = load::transactions(&mut *self.reader().await?, &[id].into()).await?;
        Ok(found.first().map(|transaction| Answer::of(transaction, true)))
    }

    async fn hold(&self, id: HoldId) -> Result<Option<Hold>, StoreError> {
        let needs = Needs { holds: [id].into(), ..Needs::default() };
        Ok(load::holds(&mut *self.reader().await?, &needs).await?.pop())
    }

    async fn history(&self, filter: &HistoryFilter) -> Result<Vec<HistoryRow>, StoreError> {
        reads::history(&self.readers, filter).await
    }

    async fn open_holds(&self, asset: Asset, owner: Owner) -> Result<Vec<Hold>, StoreError> {
        reads::open_holds(&self.readers, asset, owner).await
    }

    async fn open_lots(
        &self,
        asset: Asset,
        owner: Option<Owner>,
        after: Option<LotId>,
        limit: u32,
    ) -> Result<Vec<Lot>, StoreError> {
        reads::open_lots(&self.readers, asset, owner, after, limit).await
    }

    async fn outstanding(&self, asset: Asset) -> Result<Standing, StoreError> {
        reads::outstanding(&self.readers, asset).await
    }

    async fn due(&self, by: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError> {
        reads::due(&self.readers, by, limit).await
    }
}
