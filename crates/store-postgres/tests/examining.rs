//! What an operator is told of the server.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rollbook_domain::Clock;
use rollbook_store::{Store as _, StoreError};
use rollbook_store_postgres::{Examination, Options, PostgresStore};
use sqlx::AssertSqlSafe;

use super::fixture::Fresh;
use super::make;

#[expect(clippy::disallowed_methods, reason = "the server has the machine's clock, and is compared with it")]
fn clock_behind(by: SignedDuration) -> Clock {
    Arc::new(move || Timestamp::now() - by)
}

async fn examine(url: &str) -> Examination {
    let examined = PostgresStore::examine(&Options::new(url), &clock_behind(SignedDuration::ZERO)).await;
    examined.expect("the server answers")
}

async fn run(fresh: &Fresh, sql: &str) {
    let mut connection = fresh.connect().await;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("PostgreSQL");
}

/// The address of the same database for somebody else.
fn as_role(fresh: &Fresh, role: &str) -> String {
    let (_, rest) = fresh.url.split_once('@').expect("the URL names a user");
    format!("postgres://{role}:invented@{rest}")
}

#[tokio::test]
async fn a_migrated_store_lacks_nothing_and_an_empty_one_its_migrations() {
    let world = make().await;
    let found = examine(&world.fresh.url).await;
    assert_eq!((found.pending, found.lacking), (Ok(vec![]), vec![]));
    assert!(found.version_number >= 130_000 && found.room > 0 && found.taken > 0 && found.size_bytes > 0);
    assert!(!found.standby && !found.read_only && found.encoding == "UTF8");
    let empty = Fresh::new().await;
    let pending = examine(&empty.url).await.pending.expect("only older");
    assert_eq!(pending.first(), Some(&"0001_idempotency"));
}

#[tokio::test]
async fn a_schema_of_another_release_is_told_in_words() {
    let world = make().await;
    run(&world.fresh, "INSERT INTO schema_migration VALUES (99, '0099_future', 'x')").await;
    let sentence = examine(&world.fresh.url).await.pending.unwrap_err();
    assert!(sentence.contains("99") && sentence.contains("install"), "{sentence}");
}

/// With exactly what is asked for, a probe can be written.
#[tokio::test]
async fn missing_privileges_are_named_one_by_one() {
    let world = make().await;
    let role = format!("role_{}", world.fresh.name);
    let quoted = |sql: &str| sql.replace("ROLE_NAME", &role);
    run(&world.fresh, &quoted("CREATE ROLE ROLE_NAME LOGIN PASSWORD 'invented' CONNECTION LIMIT 7")).await;
    let url = as_role(&world.fresh, &role);
    run(&world.fresh, &quoted("GRANT SELECT ON schema_migration TO ROLE_NAME")).await;
    let found = examine(&url).await;
    assert!(!found.superuser && !found.may_create, "{found:?}");
    assert_eq!((found.role.as_str(), found.role_limit), (role.as_str(), Some(7)));
    assert!(found.lacking.contains(&"INSERT on envelope".to_owned()), "{:?}", found.lacking);
    let grants: String =
        found.lacking.iter().map(|lacking| quoted(&format!("GRANT {lacking} TO ROLE_NAME;"))).collect();
    run(&world.fresh, &grants).await;
    let found = examine(&url).await;
    assert_eq!(found.lacking, Vec::<String>::new());
    let store = PostgresStore::connect(&Options::new(&url)).expect("a store");
    store.probe().await.expect("a probe");
    store.close().await;
    for mending in [found.grant_tables(), found.grant_create(), found.let_write()] {
        run(&world.fresh, &mending).await;
    }
    assert!(examine(&url).await.may_create);
    run(&world.fresh, &quoted("DROP OWNED BY ROLE_NAME; DROP ROLE ROLE_NAME")).await;
}

#[tokio::test]
async fn a_clock_that_is_behind_is_measured() {
    let fresh = Fresh::new().await;
    let behind = SignedDuration::from_secs(90);
    let skew = PostgresStore::examine(&Options::new(&fresh.url), &clock_behind(behind)).await.expect("an answer").clock;
    assert!((skew.ahead - behind).abs() <= skew.give_or_take + SignedDuration::from_millis(1), "{skew:?}");
}

#[tokio::test]
async fn a_server_that_is_away_is_said_at_once_and_without_the_url() {
    let closed = Options::new("postgres://ada:s3cret@127.0.0.1:1/club");
    let error = PostgresStore::examine(&closed, &clock_behind(SignedDuration::ZERO)).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    let gone = Fresh::new().await.url.clone();
    let nowhere = Options::new(gone);
    let error = PostgresStore::examine(&nowhere, &clock_behind(SignedDuration::ZERO)).await.unwrap_err();
    assert!(matches!(error, StoreError::Schema(_)), "the database is gone: {error:?}");
}
