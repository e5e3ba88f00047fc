//! The ledger: commands are decided in memory, in the one transaction that also writes them.
//!
//! The order is that of `rollbook_ledger::schema`: what never changes is read, accounts are made and
//! locked, what the locks guard is read in statements of their own, all is decided and written in
//! bulk. Nobody who has locked an account waits for anything but an account, the members of a group
//! and the id of a command; and whoever locks members waits for no account.

mod accounts;
mod load;
mod reads;
mod write;

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use rollbook_ledger::{
    Answer, Asset, Command, Due, Hold, HoldId, Lot, LotId, Owner, TransactionId, Wanted, accounts_of, decide,
};
use rollbook_store::{HistoryFilter, HistoryRow, Ledger, Standing, StoreError};
use sqlx::PgConnection;

use crate::PostgresStore;
use crate::fault::store_error;
use accounts::Accounts;

/// Decides these commands and writes what they come to, in the caller's transaction.
pub async fn run(
    connection: &mut PgConnection,
    commands: &[Command],
    now: Timestamp,
) -> Result<Vec<Answer>, StoreError> {
    if commands.is_empty() {
        return Ok(Vec::new());
    }
    let known = load::known(connection, &Wanted::by(commands)).await?;
    let accounts = Accounts::of(&accounts_of(commands, &known));
    accounts.make(connection).await?;
    let balances = accounts.lock(connection).await?;
    let loaded = load::under_locks(connection, commands, known, balances).await?;
    let (answers, changes) = decide(loaded, commands);
    write::changes(connection, &changes, now).await?;
    Ok(answers)
}

#[async_trait]
impl Ledger for PostgresStore {
    async fn execute(&self, commands: &[Command], now: Timestamp) -> Result<Vec<Answer>, StoreError> {
        let call = async {
            let mut transaction = self.transaction().await?;
            let answers = run(&mut transaction, commands, now).await?;
            transaction.commit().await.map_err(store_error)?;
            Ok(answers)
        };
        self.patience.with(call).await
    }

    async fn standing(&self, asset: Asset, owner: Owner) -> Result<Standing, StoreError> {
        reads::standing(self, asset, owner).await
    }

    async fn decided(&self, id: TransactionId) -> Result<Option<Answer>, StoreError> {
        let call = async {
            let mut connection = self.pool.acquire().await.map_err(store_error)?;
            load::transactions(&mut connection, &BTreeSet::from([id])).await
        };
        let found = self.patience.with(call).await?;
        Ok(found.first().map(|transaction| Answer::of(transaction, true)))
    }

    async fn hold(&self, id: HoldId) -> Result<Option<Hold>, StoreError> {
        reads::hold(self, id).await
    }

    async fn history(&self, filter: &HistoryFilter) -> Result<Vec<HistoryRow>, StoreError> {
        reads::history(self, filter).await
    }

    async fn open_holds(&self, asset: Asset, owner: Owner) -> Result<Vec<Hold>, StoreError> {
        reads::open_holds(self, asset, owner).await
    }

    async fn open_lots(
        &self,
        asset: Asset,
        owner: Option<Owner>,
        after: Option<LotId>,
        limit: u32,
    ) -> Result<Vec<Lot>, StoreError> {
        reads::open_lots(self, asset, owner, after, limit).await
    }

    async fn outstanding(&self, asset: Asset) -> Result<Standing, StoreError> {
        reads::outstanding(self, asset).await
    }

    async fn due(&self, by: Timestamp, limit: u32) -> Result<Vec<Due>, StoreError> {
        reads::due(self, by, limit).await
    }
}
