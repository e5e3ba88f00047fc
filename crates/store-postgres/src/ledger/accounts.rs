//! The accounts of a batch, by the ids of their rows; made and locked.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_ledger::{Account, Balance, Place, Sums};
use rollbook_store::StoreError;
use sqlx::PgConnection;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::cells::Cells;
use crate::statements::{Query, column, execute, fetch, sql};

/// Where legs of every asset may lead. These have no floor, so nobody locks them.
const SYSTEM: [Place; 3] = [Place::Issued, Place::Redeemed, Place::Expired];

/// In the order of ids, which is the order of every lock.
pub struct Accounts(BTreeMap<Uuid, Account>);

impl Accounts {
    pub fn of(accounts: BTreeSet<Account>) -> Self {
        Self(accounts.into_iter().map(|account| (account.id().0, account)).collect())
    }

    /// Inserts those that are missing, with zeros. They stay even if nothing comes of the batch.
    pub async fn make(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let assets: BTreeSet<_> = self.0.values().map(|account| account.asset).collect();
        let system = assets.into_iter().flat_map(|asset| SYSTEM.map(|place| Account::system(asset, place)));
        let system = system.map(|account| (account.id().0, account));
        let all: Vec<_> = self.0.iter().map(|(id, account)| (*id, *account)).chain(system).collect();
        execute(connection, insert(&all)).await?;
        Ok(())
    }

    /// Locks them all in one statement, and tells what stood there when the last of them was free.
    pub async fn lock(&self, connection: &mut PgConnection) -> Result<Vec<Balance>, StoreError> {
        if self.0.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<_> = self.0.keys().copied().collect();
        let rows = fetch(connection, sqlx::query(sql!("ledger_accounts_lock")).bind(ids)).await?;
        rows.iter().map(|row| self.balance(row)).collect()
    }

    fn balance(&self, row: &PgRow) -> Result<Balance, StoreError> {
        let cells = Cells::of("ledger_account", row);
        let account = *self.0.get(&cells.get("id")?).ok_or_else(|| cells.corrupt("id"))?;
        let sums = Sums { posted: cells.get("posted")?, held: cells.get("held")? };
        Ok(Balance { account, sums, version: cells.get("version")? })
    }
}

fn insert(accounts: &[(Uuid, Account)]) -> Query {
    sqlx::query(sql!("ledger_account_insert"))
        .bind(column(accounts, |(id, _)| *id))
        .bind(column(accounts, |(_, account)| account.asset.as_str()))
        .bind(column(accounts, |(_, account)| account.owner().0))
        .bind(column(accounts, |(_, account)| account.owner().1))
        .bind(column(accounts, |(_, account)| account.place.as_str()))
}
