use sqlx::AssertSqlSafe;

use super::*;
use crate::fixture::Fresh;
use crate::{Options, PostgresStore};

/// Rows that could be there after the migration of the same index, and before the next one. Each
/// is one statement list; they build upon each other.
const ROWS: [&str; 12] = [
    "INSERT INTO processed (processor, account, event_key, outcome, reason, kind, source, envelope, rules, digest,
        occurred_at, processed_at)
     VALUES ('membership', 'club', 'paid', 'applied', NULL, 'payment_captured', 's', gen_random_uuid(), 'r', '1:a',
            now(), now()),
        ('membership', 'club', 'rented', 'ignored', 'rental', 'payment_captured', 's', gen_random_uuid(), 'r', '1:b',
            now(), now())",
    "INSERT INTO person (id, fact) VALUES (gen_random_uuid(), 1);
     INSERT INTO person_email VALUES ('ada@example.org', 1, 0);
     INSERT INTO person_detail VALUES (1, 'name', 'Ada', now(), 'paid')",
    "INSERT INTO payment (account, transaction_id, fact, event_key, person, paid_at, paid_on, amount_minor, currency,
        category, renewal_window_days)
     VALUES ('club', 't', 1, 'paid', 1, now(), '2025-01-01', 15, 'USD', 'MU', 40);
     INSERT INTO adjustment VALUES (1, 1, 'refunded', 5, now(), '2025-01-02');
     INSERT INTO term VALUES (1, '2025-01-01', '2026-01-01', NULL, NULL);
     INSERT INTO term_journal (payment, starts, expires, fact, written_at)
     VALUES (1, '2025-01-01', '2026-01-01', 1, now())",
    "INSERT INTO document (account, document_id, person, signed_at, expires, category, voided_at)
     VALUES ('club', 'd', 1, '2025-01-01T00:00:00Z', '2026-01-01', 'MU', NULL);
     INSERT INTO document_journal (document, fact, written_at) VALUES (1, 1, now())",
    "INSERT INTO envelope VALUES (gen_random_uuid(), 's', 'k', now(), '[]', NULL, '\\x00')",
    "INSERT INTO dead_letter (processor, account, event_key, source, reason, detail, attempts, failures, first_seen,
        last_seen, state, envelope)
     SELECT 'membership', 'club', 'other', 's', 'r', '', 1, 1, now(), now(), 'open', id FROM envelope;
     INSERT INTO dead_letter_failure (letter, envelope, reason, detail, failed_at, attempts)
     SELECT id, envelope, reason, detail, last_seen, attempts FROM dead_letter",
    "INSERT INTO outbox (envelope, processor) SELECT id, 'waiver' FROM envelope",
    "UPDATE probe SET number = number + 1",
    "INSERT INTO worker VALUES (gen_random_uuid(), 'membership', 3, now(), now())",
    "INSERT INTO ledger_account (id, asset, owner_kind, owner, place)
     SELECT n::uuid, 'points', kind, n::uuid, place
     FROM (VALUES ('00000000-0000-0000-0000-000000000000', 'system', 'issued'),
        ('00000000-0000-0000-0000-000000000001', 'person', 'available')) AS a (n, kind, place);
     INSERT INTO ledger_transaction (id, kind, digest, outcome, happened_at, recorded_at)
     SELECT n::uuid, kind, decode(repeat('00', 16), 'hex'), 'applied', now(), now()
     FROM (VALUES ('00000000-0000-0000-0000-000000000002', 'post'),
        ('00000000-0000-0000-0000-000000000003', 'hold')) AS t (n, kind);
     INSERT INTO leg
     VALUES ('00000000-0000-0000-0000-000000000002', 0, 'points', '00000000-0000-0000-0000-000000000000',
        '00000000-0000-0000-0000-000000000001', 5, NULL, 1);
     INSERT INTO hold
     VALUES ('00000000-0000-0000-0000-000000000003', '00000000-0000-0000-0000-000000000001', 2, 'open', 0, now());
     INSERT INTO lot
     VALUES ('00000000-0000-0000-0000-000000000004', '00000000-0000-0000-0000-000000000001',
        '00000000-0000-0000-0000-000000000002', 0, NULL, now(), 5, 5, 2, 0, false);
     INSERT INTO lot_movement (transaction_id, n, lot, amount)
     VALUES ('00000000-0000-0000-0000-000000000002', 0, '00000000-0000-0000-0000-000000000004', 5);
     INSERT INTO hold_pin
     VALUES ('00000000-0000-0000-0000-000000000003', '00000000-0000-0000-0000-000000000004', 2)",
    "INSERT INTO ledger_group VALUES (gen_random_uuid(), 'Household', now());
     INSERT INTO group_member SELECT id, gen_random_uuid(), 'owner', now(), NULL FROM ledger_group;
     INSERT INTO group_change (id, group_id, kind, digest, role, happened_at, reason)
     SELECT id, id, 'invited', decode(repeat('00', 16), 'hex'), 'spender', now(), 'a flatmate' FROM ledger_group;
     INSERT INTO group_invitation
     SELECT decode(repeat('00', 32), 'hex'), id, id, 'spender', now(), now() + '1 day', NULL, NULL FROM ledger_group",
    "INSERT INTO earning VALUES (1, 'dues', 1, 'person', gen_random_uuid(), 'club', 't', 15, 'USD', 0, 10000, NULL,
        '2025-01-01', '2025-01-31', 100, 6, 5, '00000000-0000-0000-0000-000000000002', now(), now());
     INSERT INTO earner SELECT owner FROM earning",
];

async fn counts(connection: &mut PgConnection) -> Vec<(String, i64)> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
            AND relname <> 'schema_migration'
         ORDER BY oid",
    )
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let mut counts = Vec::new();
    for table in tables {
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        counts.push((table, sqlx::query_scalar(sql).fetch_one(&mut *connection).await.unwrap()));
    }
    counts
}

async fn to(connection: &mut PgConnection, migrations: &[Migration]) -> Result<(), StoreError> {
    let mut transaction = sqlx::Connection::begin(connection).await.unwrap();
    migrate(&mut transaction, migrations).await?;
    transaction.commit().await.map_err(store_error)
}

#[test]
fn numbers_follow_each_other_and_are_in_the_names() {
    for (index, migration) in (1..).zip(MIGRATIONS) {
        assert_eq!(migration.number, index);
        assert!(migration.name.starts_with(&format!("{index:04}_")), "{}", migration.name);
    }
    assert_eq!(ROWS.len(), MIGRATIONS.len(), "a new migration needs rows of its own");
}

#[tokio::test]
async fn each_migration_keeps_the_data_of_the_version_before_it() {
    let fresh = Fresh::new().await;
    let mut connection = fresh.connect().await;
    for (version, rows) in (1..).zip(ROWS) {
        let before = if version == 1 { Vec::new() } else { counts(&mut connection).await };
        to(&mut connection, &MIGRATIONS[..version]).await.unwrap();
        let after = counts(&mut connection).await;
        assert_eq!(after[..before.len()], before, "migration {version}");
        sqlx::raw_sql(rows).execute(&mut connection).await.unwrap();
    }
    check(&mut connection).await.unwrap();
    assert!(counts(&mut connection).await.iter().all(|(_, rows)| *rows > 0), "every table had rows");
}

#[tokio::test]
async fn a_second_run_finds_nothing_to_do() {
    let fresh = Fresh::new().await;
    let mut connection = fresh.connect().await;
    to(&mut connection, MIGRATIONS).await.unwrap();
    to(&mut connection, MIGRATIONS).await.unwrap();
    assert!(pending(&mut connection).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_that_start_at_once_migrate_once() {
    let fresh = Fresh::new().await;
    let stores: Vec<_> = (0..10).map(|_| PostgresStore::connect(&Options::new(&fresh.url)).unwrap()).collect();
    let starts: Vec<_> = stores
        .into_iter()
        .map(|store| {
            tokio::spawn(async move {
                store.migrate().await?;
                store.check_schema().await
            })
        })
        .collect();
    for start in starts {
        start.await.unwrap().unwrap();
    }
    // Ten migrations of their own would have failed at the first table; one transaction wrote all.
    let sql = "SELECT count(*), count(DISTINCT xmin::text) FROM schema_migration";
    let told: (i64, i64) = sqlx::query_as(sql).fetch_one(&mut fresh.connect().await).await.unwrap();
    assert_eq!(told, (i64::try_from(MIGRATIONS.len()).unwrap(), 1));
}

#[tokio::test]
async fn other_schemas_are_refused_with_the_command_to_run() {
    let fresh = Fresh::new().await;
    let connection = &mut fresh.connect().await;
    let said = async |connection: &mut PgConnection| check(connection).await.unwrap_err().to_string();
    assert_eq!(said(connection).await, "the store has no tables yet; run `rollbook migrate`");
    assert_eq!(pending(connection).await.unwrap().len(), MIGRATIONS.len());

    to(connection, &MIGRATIONS[..3]).await.unwrap();
    let older = format!(
        "the store's schema is at migration 3 and this binary needs {}; run `rollbook migrate`",
        MIGRATIONS.len()
    );
    assert_eq!(said(connection).await, older);
    let missing: Vec<_> = MIGRATIONS[3..].iter().map(|migration| migration.name).collect();
    assert_eq!(pending(connection).await.unwrap(), missing);

    to(connection, MIGRATIONS).await.unwrap();
    sqlx::raw_sql("INSERT INTO schema_migration (number, name, checksum) VALUES (9999, '9999_later', 'x')")
        .execute(&mut *connection)
        .await
        .unwrap();
    let newer = said(connection).await;
    assert!(newer.contains("at migration 9999") && newer.contains("install the newer rollbook"), "{newer}");
    assert!(matches!(to(connection, MIGRATIONS).await, Err(StoreError::Schema(_))), "a newer one stays");
    assert!(matches!(pending(connection).await, Err(StoreError::Schema(_))));

    sqlx::raw_sql("UPDATE schema_migration SET checksum = 'x' WHERE number = 2")
        .execute(&mut *connection)
        .await
        .unwrap();
    assert!(said(connection).await.contains("0002_people was applied with another text"));
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing() {
    let fresh = Fresh::new().await;
    let broken = [
        Migration { number: 1, name: "0001_good", sql: "CREATE TABLE good (a int)" },
        Migration { number: 2, name: "0002_bad", sql: "CREATE TABLE bad (a int); SELECT no_such_thing" },
    ];
    to(&mut fresh.connect().await, &broken).await.unwrap_err();
    let store = PostgresStore::connect(&Options::new(&fresh.url)).unwrap();
    store.migrate().await.unwrap();
    assert!(counts(&mut fresh.connect().await).await.iter().all(|(table, _)| table != "good" && table != "bad"));
}

#[tokio::test]
async fn who_may_not_make_tables_is_told_what_to_grant() {
    let fresh = Fresh::new().await;
    let mut connection = fresh.connect().await;
    let role = format!("{}_poor", fresh.name);
    let before = format!("CREATE ROLE {role}; REVOKE CREATE ON SCHEMA public FROM PUBLIC; SET ROLE {role}");
    sqlx::raw_sql(AssertSqlSafe(before)).execute(&mut connection).await.unwrap();
    let told = to(&mut connection, MIGRATIONS).await.unwrap_err();
    let after = format!("RESET ROLE; DROP ROLE {role}");
    sqlx::raw_sql(AssertSqlSafe(after)).execute(&mut connection).await.unwrap();
    assert!(matches!(&told, StoreError::Schema(text) if text.contains("GRANT CREATE ON SCHEMA public")), "{told:?}");
}
