//! The accounts of a batch, by the ids of their rows; made and locked.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_ledger::{Account, AccountId, Balance};
use rollbook_store::cells::Cells;
use rollbook_store::{StoreError, read};
use sqlx::PgConnection;

use crate::row::Row;
use crate::statements::{Query, column, fetch, many, sql};

/// In the order of ids, which is the order of every lock.
pub struct Accounts {
    locked: BTreeMap<AccountId, Account>,
    /// These have no floor, so nobody locks them.
    system: Vec<(AccountId, Account)>,
}

impl Accounts {
    pub fn of(accounts: &BTreeSet<Account>) -> Self {
        let with_id = |account: Account| (account.id(), account);
        let locked = accounts.iter().copied().map(with_id).collect();
        Self { locked, system: Account::of_system(accounts).map(with_id).collect() }
    }

    /// Inserts those that are missing, with zeros. They stay even if nothing comes of the batch.
    pub async fn make(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        let locked = self.locked.iter().map(|(id, account)| (*id, *account));
        let all: Vec<_> = locked.chain(self.system.iter().copied()).collect();
        many(connection, &all, insert).await.map(drop)
    }

    /// Locks them all in one statement, and tells what stood there when the last of them was free.
    pub async fn lock(&self, connection: &mut PgConnection) -> Result<Vec<Balance>, StoreError> {
        if self.locked.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<_> = self.locked.keys().map(|id| id.0).collect();
        let rows = fetch(connection, sqlx::query(sql!("ledger_accounts_lock")).bind(ids)).await?;
        rows.iter().map(|row| self.balance(row)).collect()
    }

    fn balance(&self, row: &Row) -> Result<Balance, StoreError> {
        let (id, sums, version) = read::balance(row)?;
        let account = self.locked.get(&id).ok_or_else(|| Cells::of("ledger_account", row).corrupt("id"))?;
        Ok(Balance { account: *account, sums, version })
    }
}

fn insert(accounts: &[(AccountId, Account)]) -> Query {
    sqlx::query(sql!("ledger_account_insert"))
        .bind(column(accounts, |(id, _)| id.0))
        .bind(column(accounts, |(_, account)| account.asset.as_str()))
        .bind(column(accounts, |(_, account)| account.owner().0))
        .bind(column(accounts, |(_, account)| account.owner().1))
        .bind(column(accounts, |(_, account)| account.place.as_str()))
}
