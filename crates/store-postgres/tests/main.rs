//! The store against the suite of its port, and what only PostgreSQL can get wrong.

mod commands;
mod earning;
mod examining;
mod fixture;
mod outages;
mod plans;
mod racing;
mod refusals;
mod sample;

use std::sync::Arc;

use async_trait::async_trait;
use rollbook_store::conformance::Harness;
use rollbook_store::{Database, store_conformance};
use rollbook_store_postgres::{Options, PostgresStore};
use sqlx::AssertSqlSafe;

use fixture::Fresh;

struct World {
    store: PostgresStore,
    fresh: Fresh,
}

async fn make() -> World {
    let fresh = Fresh::new().await;
    let store = PostgresStore::connect(&Options::new(&fresh.url)).expect("a store");
    store.migrate().await.expect("migrated");
    World { store, fresh }
}

#[async_trait]
impl Harness for World {
    fn store(&self) -> Arc<dyn Database> {
        Arc::new(self.store.clone())
    }

    async fn tamper(&self, sql: &str) {
        let mut connection = self.fresh.connect().await;
        let drops: String = sqlx::query_scalar(
            "SELECT coalesce(string_agg(format('ALTER TABLE %s DROP CONSTRAINT %I;', conrelid::regclass, conname), ''), '')
             FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace AND conrelid <> 0",
        )
        .fetch_one(&mut connection)
        .await
        .expect("PostgreSQL");
        // A replica applies what it is sent: neither triggers nor foreign keys are asked.
        let script = format!("{drops} SET session_replication_role = replica; {sql}");
        sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut connection).await.expect("PostgreSQL");
    }

    async fn attempt(&self, sql: &str) -> Result<(), String> {
        let mut connection = self.fresh.connect().await;
        // One message is one transaction.
        let Err(error) = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await else { return Ok(()) };
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code).expect(sql).into_owned();
        // integrity_constraint_violation and its like
        assert!(code.starts_with("23"), "{sql}: {error}");
        Err(error.to_string())
    }
}

store_conformance!(make);
