//! What the file itself refuses, whoever writes to it.

use rollbook_store::conformance::Harness as _;
use rollbook_store::{DeadLetters as _, Store as _, StoreError};
use rollbook_store_sqlite::SqliteStore;
use sqlx::AssertSqlSafe;

use super::{File, make};

/// One row of everything.
const ROWS: &str = "
    INSERT INTO processed (processor, account, event_key, outcome, reason, kind, source, envelope, rules, digest,
        occurred_at, processed_at)
    VALUES ('membership', 'club', 'paid', 'applied', NULL, 'payment_captured', 's', zeroblob(16), 'r', '1:a', 1, 1),
        ('membership', 'club', 'rented', 'ignored', 'rental', 'payment_captured', 's', zeroblob(16), 'r', '1:b', 1, 1),
        ('membership', 'club', 'no', 'rejected', 'late', 'payment_captured', 's', zeroblob(16), 'r', '1:c', 1, 1);
    INSERT INTO person VALUES (1, zeroblob(16), 1);
    INSERT INTO person_email VALUES ('ada@example.org', 1, 0);
    INSERT INTO payment VALUES (1, 'club', 't', 1, 'paid', 1, 1, '2025-01-01', 1500, 'USD', 'MU', 40);
    INSERT INTO adjustment VALUES (1, 1, 'dispute_opened', NULL, 1, '2025-01-02');
    INSERT INTO term VALUES (1, '2025-01-01', '2026-01-01', NULL, NULL);
    INSERT INTO term_journal (payment, starts, expires, fact, written_at)
    VALUES (1, '2025-01-01', '2026-01-01', 1, 1);
    INSERT INTO document VALUES (1, 'club', 'd', 1, 1000000, '2026-01-01', NULL, NULL);
    INSERT INTO document_journal (document, fact, written_at) VALUES (1, 1, 1);
    INSERT INTO envelope VALUES (zeroblob(16), 's', 'k', 1, '[]', NULL, x'00');
    INSERT INTO dead_letter (processor, account, event_key, source, reason, detail, attempts, failures, first_seen,
        last_seen, state, envelope)
    VALUES ('membership', 'club', 'other', 's', 'r', '', 1, 1, 1, 1, 'open', zeroblob(16));
    INSERT INTO dead_letter_failure (letter, envelope, reason, detail, failed_at, attempts)
    VALUES (1, zeroblob(16), 'r', '', 1, 1);";

/// An account with a lot, and a hold that was voided by what a reversal then named; a group with a
/// member who was invited.
const BOOKS: &str = "
    INSERT INTO ledger_account (id, asset, owner_kind, owner, place)
    VALUES (zeroblob(16), 'points', 'system', zeroblob(16), 'issued'),
        (x'01010101010101010101010101010101', 'points', 'person', zeroblob(16), 'available');
    INSERT INTO ledger_transaction (id, kind, digest, outcome, hold, reverses, happened_at, recorded_at)
    VALUES (x'02020202020202020202020202020202', 'post', zeroblob(16), 'applied', NULL, NULL, 1, 2),
        (x'03030303030303030303030303030303', 'hold', zeroblob(16), 'applied', NULL, NULL, 1, 2),
        (x'05050505050505050505050505050505', 'void', zeroblob(16), 'applied', x'03030303030303030303030303030303',
            NULL, 1, 2),
        (x'06060606060606060606060606060606', 'reverse', zeroblob(16), 'applied', NULL,
            x'02020202020202020202020202020202', 1, 2);
    INSERT INTO leg VALUES (x'02020202020202020202020202020202', 0, 'points', zeroblob(16),
        x'01010101010101010101010101010101', 5, NULL, 1, NULL);
    INSERT INTO hold VALUES (x'03030303030303030303030303030303', x'01010101010101010101010101010101', 2, 'voided', 0,
        9);
    INSERT INTO lot VALUES (x'04040404040404040404040404040404', x'01010101010101010101010101010101',
        x'02020202020202020202020202020202', 0, NULL, 9, 5, 5, 0, 0, 0);
    INSERT INTO lot_movement VALUES (1, x'02020202020202020202020202020202', 0, x'04040404040404040404040404040404', 5);
    INSERT INTO hold_pin VALUES (x'03030303030303030303030303030303', x'04040404040404040404040404040404', 2);
    INSERT INTO ledger_group VALUES (zeroblob(16), 'Household', 1);
    INSERT INTO group_change VALUES
        (1, zeroblob(16), zeroblob(16), 'invited', zeroblob(16), NULL, 'viewer', NULL, 1, NULL, NULL),
        (2, randomblob(16), zeroblob(16), 'joined', zeroblob(16), randomblob(16), 'viewer', zeroblob(16), 1, NULL,
        NULL);";

async fn run(file: &File, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut file.connect().await).await.map(drop)
}

#[tokio::test]
async fn facts_and_journals_are_append_only() {
    let file = make().await;
    run(&file, ROWS).await.unwrap();
    for sql in [
        "DELETE FROM processed",
        "DELETE FROM processed WHERE outcome = 'ignored'",
        "UPDATE processed SET rules = 'x' WHERE outcome = 'applied'",
        "UPDATE processed SET outcome = 'applied', reason = NULL WHERE outcome = 'rejected'",
        "UPDATE processed SET event_key = 'another' WHERE outcome = 'ignored'",
        "UPDATE payment SET amount_minor = 1",
        "DELETE FROM payment",
        "UPDATE adjustment SET happened_at = 2",
        "DELETE FROM adjustment",
        "DELETE FROM term",
        "UPDATE term_journal SET starts = '2025-01-02'",
        "DELETE FROM term_journal",
        "UPDATE document SET person = NULL, signed_at = NULL, expires = NULL, voided_at = 1",
        "DELETE FROM document",
        "UPDATE document_journal SET voided_at = 1",
        "DELETE FROM document_journal",
        "UPDATE person SET fact = 2",
        "DELETE FROM person",
        "UPDATE envelope SET body = x'01'",
        "DELETE FROM envelope",
        "DELETE FROM dead_letter",
        "UPDATE dead_letter_failure SET envelope = randomblob(16)",
        "DELETE FROM dead_letter_failure",
    ] {
        let refused = run(&file, sql).await.unwrap_err().to_string();
        assert!(refused.contains("(code: 1811)"), "{sql}: {refused}");
    }
    run(&file, "UPDATE processed SET outcome = 'applied', reason = NULL WHERE outcome = 'ignored'").await.unwrap();
    run(&file, "UPDATE term SET ended_on = '2025-02-01', end_reason = 'refunded'").await.unwrap();
}

#[tokio::test]
async fn rows_that_cannot_be_true_are_refused() {
    let file = make().await;
    run(&file, ROWS).await.unwrap();
    for sql in [
        "INSERT INTO term VALUES (1, '2025-01-01', '2026-01-01', NULL, NULL)",
        "INSERT INTO term VALUES (2, '2025-01-01', '2026-01-01', NULL, NULL)",
        "UPDATE term SET expires = starts",
        "UPDATE term SET expires = '2026-02-30'",
        "UPDATE term SET ended_on = '2025-02-01'",
        "UPDATE term SET end_reason = 'refunded'",
        "INSERT INTO person_email VALUES ('ada@example.org', 1, 1)",
        "INSERT INTO person_email VALUES ('Bob@example.org', 1, 1)",
        "INSERT INTO person_email VALUES ('bob@example.org', 2, 0)",
        "INSERT INTO person VALUES (2, randomblob(15), 2)",
        "INSERT INTO person VALUES (2, zeroblob(16), 2)",
        "INSERT INTO person VALUES (2, randomblob(16), 1)",
        "INSERT INTO person VALUES (2, randomblob(16), 99)",
        "INSERT INTO payment VALUES (2, 'club', 't', 2, 'k', 1, 1, '2025-01-01', 1, 'USD', '', 4)",
        "INSERT INTO payment VALUES (2, 'club', 'u', 1, 'k', 1, 1, '2025-01-01', 1, 'USD', '', 4)",
        "INSERT INTO payment VALUES (2, 'club', 'u', 99, 'k', 1, 1, '2025-01-01', 1, 'USD', '', 4)",
        "INSERT INTO payment VALUES (2, 'club', 'u', 2, 'k', 99, 1, '2025-01-01', 1, 'USD', '', 4)",
        "INSERT INTO payment VALUES (2, 'club', 'u', 2, 'k', 1, 1, '2025-01-01', 1, 'usd', '', 4)",
        "INSERT INTO payment VALUES (2, 'club', 'u', 2, 'k', 1, 'x', '2025-01-01', 1, 'USD', '', 4)",
        "INSERT INTO adjustment VALUES (2, 1, 'refunded', NULL, 1, '2025-01-02')",
        "INSERT INTO adjustment VALUES (2, 99, 'dispute_won', NULL, 1, '2025-01-02')",
        "INSERT INTO adjustment VALUES (1, 1, 'dispute_won', NULL, 1, '2025-01-02')",
        "INSERT INTO document VALUES (2, 'club', 'e', NULL, NULL, NULL, NULL, NULL)",
        "INSERT INTO document VALUES (2, 'club', 'e', 1, 1, NULL, NULL, NULL)",
        "UPDATE document SET expires = '1970-01-01'",
        "INSERT INTO document VALUES (2, 'club', 'd', NULL, NULL, NULL, NULL, 1)",
        "INSERT INTO outbox (envelope, processor) VALUES (randomblob(16), 'waiver')",
        "UPDATE dead_letter SET state = 'lost'",
    ] {
        let refused = run(&file, sql).await.expect_err(sql);
        let code = refused.as_database_error().and_then(|error| error.code().map(|code| code.parse::<u32>().unwrap()));
        assert_eq!(code.map(|code| code & 0xff), Some(19), "{sql}: {refused}");
    }
}

/// `INSERT OR REPLACE` would delete a row without the trigger that refuses it.
#[tokio::test]
async fn nothing_of_the_ledger_is_replaced() {
    let file = make().await;
    run(&file, BOOKS).await.unwrap();
    for sql in [
        "INSERT OR REPLACE INTO ledger_account (id, asset, owner_kind, owner, place)
         SELECT id, asset, owner_kind, owner, place FROM ledger_account WHERE posted > 0",
        "INSERT OR REPLACE INTO ledger_account (id, asset, owner_kind, owner, place)
         SELECT randomblob(16), asset, owner_kind, owner, place FROM ledger_account WHERE posted > 0",
        "INSERT OR REPLACE INTO ledger_transaction SELECT * FROM ledger_transaction",
        "INSERT OR REPLACE INTO ledger_transaction (number, id, kind, digest, outcome, happened_at, recorded_at)
         SELECT number, randomblob(16), kind, digest, outcome, 3, 3 FROM ledger_transaction WHERE kind = 'reverse'",
        "INSERT OR REPLACE INTO ledger_transaction (id, kind, digest, outcome, hold, happened_at, recorded_at)
         SELECT randomblob(16), kind, digest, outcome, hold, 3, 3 FROM ledger_transaction WHERE kind = 'void'",
        "INSERT OR REPLACE INTO ledger_transaction (id, kind, digest, outcome, reverses, happened_at, recorded_at)
         SELECT randomblob(16), kind, digest, outcome, reverses, 3, 3 FROM ledger_transaction WHERE kind = 'reverse'",
        "INSERT OR REPLACE INTO leg
         SELECT transaction_id, n, asset, from_account, to_account, amount + 1, NULL, to_version + 1, NULL FROM leg",
        "INSERT OR REPLACE INTO leg
         SELECT transaction_id, n + 1, asset, from_account, to_account, amount + 1, NULL, to_version, NULL FROM leg",
        "INSERT OR REPLACE INTO hold SELECT id, account, amount, 'open', 0, NULL FROM hold",
        "INSERT OR REPLACE INTO lot SELECT id, account, transaction_id, n, source, expires_at + 1, amount, remaining,
            held, expired, lapsed FROM lot",
        "INSERT OR REPLACE INTO lot_movement SELECT number, transaction_id, n, lot, amount - 1 FROM lot_movement",
        "INSERT OR REPLACE INTO lot_movement SELECT NULL, transaction_id, n, lot, amount - 1 FROM lot_movement",
        "INSERT OR REPLACE INTO hold_pin SELECT hold, lot, amount - 1 FROM hold_pin",
        "INSERT OR REPLACE INTO group_change (id, group_id, kind, digest, person, role, happened_at)
         SELECT id, group_id, 'left', digest, group_id, role, 2 FROM group_change WHERE number = 1",
        "INSERT OR REPLACE INTO group_change (number, id, group_id, kind, digest, person, role, happened_at)
         SELECT number, randomblob(16), group_id, 'left', digest, group_id, role, 2 FROM group_change WHERE number = 1",
        "INSERT OR REPLACE INTO group_change (id, group_id, kind, digest, person, role, invitation, happened_at)
         SELECT randomblob(16), group_id, kind, digest, group_id, role, invitation, 2 FROM group_change
         WHERE number = 2",
    ] {
        let refused = run(&file, sql).await.expect_err(sql).to_string();
        assert!(refused.contains("(code: 1811)"), "{sql}: {refused}");
    }
}

#[tokio::test]
async fn a_value_that_cannot_be_read_is_named() {
    let file = make().await;
    run(&file, ROWS).await.unwrap();
    file.tamper("UPDATE dead_letter SET state = 'lost' WHERE id = 1").await;
    let error = file.store.dead_letters(&rollbook_store::DeadLetterFilter::default()).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { table: "dead_letter", column: "state", .. }), "{error:?}");
    assert_eq!(error.to_string(), "dead_letter.state of row 1 cannot be read");
}

#[tokio::test]
async fn the_command_line_works_beside_a_service_and_makes_no_files() {
    let file = make().await;
    let beside = SqliteStore::open_existing(&file.path()).await.unwrap();
    run(&file, ROWS).await.unwrap();
    assert_eq!(beside.open_dead_letters().await.unwrap(), 1);
    assert_eq!(beside.discard(&rollbook_store::DeadLetterFilter::default()).await.unwrap(), 1);
    assert_eq!(file.store.open_dead_letters().await.unwrap(), 0);

    let missing = file.path().with_file_name("missing.db");
    let error = SqliteStore::open_existing(&missing).await.err().unwrap();
    assert!(matches!(error, StoreError::Schema(_)), "{error:?}");
    assert!(error.to_string().contains("`rollbook up`"), "{error}");
    assert!(!missing.exists());
}

/// A disk that fails may show it at a commit and at nothing before.
#[tokio::test]
async fn a_probe_reaches_the_disk() {
    let file = make().await;
    let mut stranger = file.connect().await;
    let mut version =
        async || -> i64 { sqlx::query_scalar("PRAGMA data_version").fetch_one(&mut stranger).await.unwrap() };
    let before = version().await;
    assert_eq!(version().await, before);
    file.store.probe().await.unwrap();
    assert_ne!(version().await, before, "something was committed");
}

#[tokio::test]
async fn whoever_gave_up_waiting_for_a_locked_file_leaves_it_usable() {
    let file = make().await;
    let mut stranger = file.connect().await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut stranger).await.unwrap();
    for _ in 0..3 {
        let waiting = tokio::time::timeout(std::time::Duration::from_millis(20), file.store.probe());
        waiting.await.unwrap_err();
    }
    sqlx::raw_sql("ROLLBACK").execute(&mut stranger).await.unwrap();
    file.store.probe().await.unwrap();
    run(&file, ROWS).await.unwrap();
}
