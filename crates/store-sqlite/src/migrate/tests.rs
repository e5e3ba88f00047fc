use rollbook_sqlite::{Database, Mode};
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

use super::*;

/// Rows that could be there after the migration of the same index, and before the next one. Each
/// is one statement list; they build upon each other.
const ROWS: [&str; 12] = [
    "INSERT INTO processed (processor, account, event_key, outcome, reason, kind, source, envelope, rules, digest,
        occurred_at, processed_at)
     VALUES ('membership', 'club', 'paid', 'applied', NULL, 'payment_captured', 's', zeroblob(16), 'r', '1:a', 1, 1),
        ('membership', 'club', 'rented', 'ignored', 'rental', 'payment_captured', 's', zeroblob(16), 'r', '1:b', 2, 2)",
    "INSERT INTO person VALUES (1, zeroblob(16), 1);
     INSERT INTO person_email VALUES ('ada@example.org', 1, 0);
     INSERT INTO person_detail VALUES (1, 'name', 'Ada', 1, 'paid')",
    "INSERT INTO payment VALUES (1, 'club', 't', 1, 'paid', 1, 1, '2025-01-01', 15, 'USD', 'MU', 40);
     INSERT INTO adjustment VALUES (1, 1, 'refunded', 5, 1, '2025-01-02');
     INSERT INTO term VALUES (1, '2025-01-01', '2026-01-01', NULL, NULL);
     INSERT INTO term_journal (payment, starts, expires, fact, written_at)
     VALUES (1, '2025-01-01', '2026-01-01', 1, 1)",
    "INSERT INTO document VALUES (1, 'club', 'd', 1, 1000000, '2026-01-01', 'MU', NULL);
     INSERT INTO document_journal (document, fact, written_at) VALUES (1, 1, 1)",
    "INSERT INTO envelope VALUES (zeroblob(16), 's', 'k', 1, '[]', NULL, x'00')",
    "INSERT INTO dead_letter (processor, account, event_key, source, reason, detail, attempts, failures, first_seen,
        last_seen, state, envelope)
     VALUES ('membership', 'club', 'other', 's', 'r', '', 1, 1, 1, 1, 'open', zeroblob(16));
     INSERT INTO dead_letter_failure (letter, envelope, reason, detail, failed_at, attempts)
     VALUES (1, zeroblob(16), 'r', '', 1, 1)",
    "INSERT INTO outbox (envelope, processor) VALUES (zeroblob(16), 'waiver')",
    "UPDATE probe SET number = 7",
    "INSERT INTO worker VALUES (zeroblob(16), 'membership', 3, 1, 2)",
    "INSERT INTO ledger_account (id, asset, owner_kind, owner, place)
     VALUES (zeroblob(16), 'points', 'system', zeroblob(16), 'issued'),
        (x'01010101010101010101010101010101', 'points', 'person', zeroblob(16), 'available');
     INSERT INTO ledger_transaction (id, kind, digest, outcome, happened_at, recorded_at)
     VALUES (x'02020202020202020202020202020202', 'post', zeroblob(16), 'applied', 1, 2),
        (x'03030303030303030303030303030303', 'hold', zeroblob(16), 'applied', 1, 2);
     INSERT INTO leg VALUES (x'02020202020202020202020202020202', 0, 'points', zeroblob(16),
        x'01010101010101010101010101010101', 5, NULL, 1, NULL);
     INSERT INTO hold VALUES (x'03030303030303030303030303030303', x'01010101010101010101010101010101', 2, 'open', 0,
        9);
     INSERT INTO lot VALUES (x'04040404040404040404040404040404', x'01010101010101010101010101010101',
        x'02020202020202020202020202020202', 0, NULL, 9, 5, 5, 2, 0, 0);
     INSERT INTO lot_movement VALUES (1, x'02020202020202020202020202020202', 0, x'04040404040404040404040404040404', 5);
     INSERT INTO hold_pin VALUES (x'03030303030303030303030303030303', x'04040404040404040404040404040404', 2)",
    "INSERT INTO ledger_group VALUES (zeroblob(16), 'Household', 1);
     INSERT INTO group_member VALUES (zeroblob(16), zeroblob(16), 'owner', 1, NULL);
     INSERT INTO group_change VALUES (1, zeroblob(16), zeroblob(16), 'created', zeroblob(16), zeroblob(16), 'owner',
        NULL, 1, NULL, NULL),
        (2, x'01010101010101010101010101010101', zeroblob(16), 'invited', zeroblob(16), NULL, 'spender', NULL, 1,
        zeroblob(16), 'a flatmate');
     INSERT INTO group_invitation
     VALUES (zeroblob(32), x'01010101010101010101010101010101', zeroblob(16), 'spender', 1, 2, NULL, NULL)",
    "INSERT INTO earning VALUES (1, 'dues', 1, 'person', zeroblob(16), 'club', 't', 15, 'USD', 0, 10000, NULL,
        '2025-01-01', '2025-01-31', 100, 6, 5, x'02020202020202020202020202020202', 1, 9)",
];

async fn file() -> (TempDir, Database) {
    let folder = tempfile::tempdir().unwrap();
    let database = rollbook_sqlite::open(&folder.path().join("rollbook.db"), Mode::Create).await.unwrap();
    (folder, database)
}

async fn counts(connection: &mut SqliteConnection) -> Vec<(String, i64)> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_migration'
         ORDER BY rowid",
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
    let (_folder, mut database) = file().await;
    let connection = &mut database.writer;
    for (version, rows) in (1..).zip(ROWS) {
        let before = if version == 1 { Vec::new() } else { counts(connection).await };
        migrate(connection, &MIGRATIONS[..version]).await.unwrap();
        let after = counts(connection).await;
        assert_eq!(after[..before.len()], before, "migration {version}");
        sqlx::raw_sql(rows).execute(&mut *connection).await.unwrap();
        let broken: i64 = sqlx::query_scalar("SELECT count(*) FROM pragma_foreign_key_check")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        assert_eq!(broken, 0, "migration {version}");
    }
    check(connection).await.unwrap();
    assert!(counts(connection).await.iter().all(|(_, rows)| *rows > 0), "every table had rows");
}

#[tokio::test]
async fn a_second_run_finds_nothing_to_do() {
    let (_folder, mut database) = file().await;
    migrate(&mut database.writer, MIGRATIONS).await.unwrap();
    migrate(&mut database.writer, MIGRATIONS).await.unwrap();
    assert!(pending(&mut database.writer).await.unwrap().is_empty());
}

#[tokio::test]
async fn ten_that_start_at_once_migrate_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rollbook.db");
    crate::SqliteStore::open(&path).await.unwrap();
    let starts = (0..10).map(|_| {
        let path = path.clone();
        tokio::spawn(async move { crate::SqliteStore::open(&path).await?.migrate().await })
    });
    for start in starts.collect::<Vec<_>>() {
        start.await.unwrap().unwrap();
    }
    crate::SqliteStore::open_existing(&path).await.unwrap();
}

#[tokio::test]
async fn other_schemas_are_refused_with_the_command_to_run() {
    let (_folder, mut database) = file().await;
    let connection = &mut database.writer;
    let said = async |connection: &mut SqliteConnection| check(connection).await.unwrap_err().to_string();
    assert_eq!(said(connection).await, "the store has no tables yet; run `rollbook migrate`");

    migrate(connection, &MIGRATIONS[..3]).await.unwrap();
    assert_eq!(
        said(connection).await,
        format!(
            "the store's schema is at migration 3 and this binary needs {}; run `rollbook migrate`",
            MIGRATIONS.len()
        )
    );

    migrate(connection, MIGRATIONS).await.unwrap();
    sqlx::raw_sql("INSERT INTO schema_migration (number, name, checksum) VALUES (9999, '9999_later', 'x')")
        .execute(&mut *connection)
        .await
        .unwrap();
    let newer = said(connection).await;
    assert!(newer.contains("at migration 9999") && newer.contains("install the newer rollbook"), "{newer}");
    assert!(matches!(migrate(connection, MIGRATIONS).await, Err(StoreError::Schema(_))), "a newer one stays");

    sqlx::raw_sql("UPDATE schema_migration SET checksum = 'x' WHERE number = 2")
        .execute(&mut *connection)
        .await
        .unwrap();
    assert!(said(connection).await.contains("0002_people was applied with another text"));
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = crate::SqliteStore::open(&folder.path().join("rollbook.db")).await.unwrap();
    let broken = [
        Migration { number: 1, name: "0001_good", sql: "CREATE TABLE good (a)" },
        Migration { number: 2, name: "0002_bad", sql: "CREATE TABLE bad (a); SELECT no_such_thing" },
    ];
    let mut writing = store.writer.begin().await.unwrap();
    migrate(writing.connection(), &broken).await.unwrap_err();
    drop(writing);
    store.migrate().await.unwrap();
    let mut reader = store.reader().await.unwrap();
    assert!(counts(&mut reader).await.iter().all(|(table, _)| table != "good" && table != "bad"));
}
