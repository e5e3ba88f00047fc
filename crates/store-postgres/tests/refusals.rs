//! What the database itself refuses, whoever writes to it; and what is never said about it.

use std::fmt::Write as _;

use rollbook_store::conformance::Harness as _;
use rollbook_store::{DeadLetterFilter, DeadLetters as _, Store as _, StoreError};
use rollbook_store_postgres::{Options, PostgresStore};
use sqlx::AssertSqlSafe;

use super::sample::{batch, letter, membership, newcomer};
use super::{World, make};

/// One row of everything.
const ROWS: &str = "
    INSERT INTO processed (processor, account, event_key, outcome, reason, kind, source, envelope, rules, digest,
        occurred_at, processed_at)
    SELECT 'membership', 'club', key, outcome, reason, 'payment_captured', 's', gen_random_uuid(), 'r', '1:a', now(),
        now()
    FROM (VALUES ('paid', 'applied', NULL), ('rented', 'ignored', 'rental'), ('no', 'rejected', 'late'))
        AS r (key, outcome, reason);
    INSERT INTO person (id, fact) VALUES ('00000000-0000-0000-0000-000000000000', 1);
    INSERT INTO person_email VALUES ('ada@example.org', 1, 0);
    INSERT INTO payment (account, transaction_id, fact, event_key, person, paid_at, paid_on, amount_minor, currency,
        category, renewal_window_days)
    VALUES ('club', 't', 1, 'paid', 1, now(), '2025-01-01', 1500, 'USD', 'MU', 40);
    INSERT INTO adjustment VALUES (1, 1, 'dispute_opened', NULL, now(), '2025-01-02');
    INSERT INTO term VALUES (1, '2025-01-01', '2026-01-01', NULL, NULL);
    INSERT INTO term_journal (payment, starts, expires, fact, written_at)
    VALUES (1, '2025-01-01', '2026-01-01', 1, now());
    INSERT INTO document (account, document_id, person, signed_at, expires)
    VALUES ('club', 'd', 1, '2025-01-01T00:00:00Z', '2026-01-01');
    INSERT INTO document_journal (document, fact, written_at) VALUES (1, 1, now());
    INSERT INTO envelope VALUES (gen_random_uuid(), 's', 'k', now(), '[]', NULL, '\\x00');
    INSERT INTO dead_letter (processor, account, event_key, source, reason, detail, attempts, failures, first_seen,
        last_seen, state, envelope)
    SELECT 'membership', 'club', 'other', 's', 'r', '', 1, 1, now(), now(), 'open', id FROM envelope;
    INSERT INTO dead_letter_failure (letter, envelope, reason, detail, failed_at, attempts)
    SELECT id, envelope, reason, detail, last_seen, attempts FROM dead_letter;";

async fn run(world: &World, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut world.fresh.connect().await).await.map(drop)
}

async fn code(world: &World, sql: &str) -> String {
    let error = run(world, sql).await.expect_err(sql);
    let error = error.as_database_error().expect(sql);
    error.code().expect(sql).into_owned()
}

#[tokio::test]
async fn facts_and_journals_are_append_only() {
    let world = make().await;
    run(&world, ROWS).await.unwrap();
    for sql in [
        "DELETE FROM processed",
        "DELETE FROM processed WHERE outcome = 'ignored'",
        "TRUNCATE processed CASCADE",
        "UPDATE processed SET rules = 'x' WHERE outcome = 'applied'",
        "UPDATE processed SET outcome = 'applied', reason = NULL WHERE outcome = 'rejected'",
        "UPDATE processed SET event_key = 'another' WHERE outcome = 'ignored'",
        "UPDATE payment SET amount_minor = 1",
        "DELETE FROM payment",
        "TRUNCATE payment CASCADE",
        "UPDATE adjustment SET happened_at = now()",
        "DELETE FROM adjustment",
        "TRUNCATE adjustment",
        "DELETE FROM term",
        "TRUNCATE term CASCADE",
        "UPDATE term_journal SET starts = '2025-01-02'",
        "DELETE FROM term_journal",
        "TRUNCATE term_journal",
        "UPDATE document SET person = NULL, signed_at = NULL, expires = NULL, voided_at = now()",
        "DELETE FROM document",
        "TRUNCATE document CASCADE",
        "UPDATE document_journal SET voided_at = now()",
        "DELETE FROM document_journal",
        "TRUNCATE document_journal",
        "UPDATE person SET fact = 2",
        "DELETE FROM person",
        "TRUNCATE person CASCADE",
        "UPDATE envelope SET body = '\\x01'",
        "DELETE FROM envelope",
        "TRUNCATE envelope CASCADE",
        "DELETE FROM dead_letter",
        "TRUNCATE dead_letter CASCADE",
        "UPDATE dead_letter_failure SET envelope = gen_random_uuid()",
        "DELETE FROM dead_letter_failure",
        "TRUNCATE dead_letter_failure",
        "TRUNCATE ledger_account CASCADE",
        "TRUNCATE ledger_transaction CASCADE",
        "TRUNCATE leg CASCADE",
        "TRUNCATE hold CASCADE",
        "TRUNCATE lot CASCADE",
        "TRUNCATE lot_movement",
        "TRUNCATE hold_pin",
        "UPDATE lot SET expires_at = now()",
        "UPDATE lot SET amount = amount + 1",
        "DELETE FROM ledger_group",
        "TRUNCATE ledger_group CASCADE",
        "TRUNCATE group_member",
        "TRUNCATE group_change CASCADE",
        "DELETE FROM group_invitation",
        "TRUNCATE group_invitation",
    ] {
        assert_eq!(code(&world, sql).await, "23001", "{sql}");
    }
    run(&world, "UPDATE processed SET outcome = 'applied', reason = NULL WHERE outcome = 'ignored'").await.unwrap();
    run(&world, "UPDATE term SET ended_on = '2025-02-01', end_reason = 'refunded'").await.unwrap();
}

#[tokio::test]
async fn rows_that_cannot_be_true_are_refused() {
    let world = make().await;
    run(&world, ROWS).await.unwrap();
    let payment = |values: &str| {
        format!(
            "INSERT INTO payment (account, transaction_id, fact, event_key, person, paid_at, paid_on, amount_minor,
                currency, category, renewal_window_days) VALUES ({values})"
        )
    };
    let document = |values: &str| {
        format!("INSERT INTO document (account, document_id, person, signed_at, expires, voided_at) VALUES ({values})")
    };
    for sql in [
        "INSERT INTO term VALUES (1, '2025-01-01', '2026-01-01', NULL, NULL)",
        "INSERT INTO term VALUES (2, '2025-01-01', '2026-01-01', NULL, NULL)",
        "UPDATE term SET expires = starts",
        "UPDATE term SET ended_on = '2025-02-01'",
        "UPDATE term SET end_reason = 'refunded'",
        "INSERT INTO person_email VALUES ('ada@example.org', 1, 1)",
        "INSERT INTO person_email VALUES ('Bob@example.org', 1, 1)",
        "INSERT INTO person_email VALUES ('bob', 1, 1)",
        "INSERT INTO person_email VALUES ('bob@example.org', 2, 0)",
        "INSERT INTO person (id, fact) VALUES ('00000000-0000-0000-0000-000000000000', 2)",
        "INSERT INTO person (id, fact) VALUES (gen_random_uuid(), 1)",
        "INSERT INTO person (id, fact) VALUES (gen_random_uuid(), 99)",
        &payment("'club', 't', 2, 'k', 1, now(), '2025-01-01', 1, 'USD', '', 4"),
        &payment("'club', 'u', 1, 'k', 1, now(), '2025-01-01', 1, 'USD', '', 4"),
        &payment("'club', 'u', 99, 'k', 1, now(), '2025-01-01', 1, 'USD', '', 4"),
        &payment("'club', 'u', 2, 'k', 99, now(), '2025-01-01', 1, 'USD', '', 4"),
        &payment("'club', 'u', 2, 'k', 1, now(), '2025-01-01', 1, 'usd', '', 4"),
        &payment("'club', 'u', 2, 'k', 1, now(), '2025-01-01', -1, 'USD', '', 4"),
        "INSERT INTO adjustment VALUES (2, 1, 'refunded', NULL, now(), '2025-01-02')",
        "INSERT INTO adjustment VALUES (2, 99, 'dispute_won', NULL, now(), '2025-01-02')",
        "INSERT INTO adjustment VALUES (1, 1, 'dispute_won', NULL, now(), '2025-01-02')",
        &document("'club', 'e', NULL, NULL, NULL, NULL"),
        &document("'club', 'e', 1, now(), NULL, NULL"),
        "UPDATE document SET expires = '1970-01-01'",
        &document("'club', 'd', NULL, NULL, NULL, now()"),
        "INSERT INTO outbox (envelope, processor) VALUES (gen_random_uuid(), 'waiver')",
        "UPDATE dead_letter SET state = 'lost'",
        "UPDATE envelope SET id = id",
    ] {
        let code = code(&world, sql).await;
        assert!(code.starts_with("23"), "{sql}: {code}");
    }
    // Letters beyond ASCII stay as they are, whatever the server's language calls lower case.
    run(&world, "INSERT INTO person_email VALUES ('ÉVA@example.org'::text COLLATE \"C\", 1, 1)").await.unwrap_err();
    run(&world, "INSERT INTO person_email VALUES ('Éva@example.org'::text COLLATE \"C\", 1, 1)").await.unwrap();
}

#[tokio::test]
async fn every_reference_is_counted_by_its_check() {
    let world = make().await;
    let sql = "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace";
    let keys: i64 = sqlx::query_scalar(sql).fetch_one(&mut world.fresh.connect().await).await.unwrap();
    let mut snapshot = world.store().snapshot().await.unwrap();
    let check = snapshot.checks().await.unwrap().into_iter().find(|check| check.name == "references_hold").unwrap();
    // Four of a leg and one of a command are kept by triggers.
    assert_eq!(check.checked, keys.unsigned_abs() + 5);
}

#[tokio::test]
async fn a_guard_that_was_switched_off_is_found() {
    let world = make().await;
    for sql in [
        "ALTER TABLE payment DISABLE TRIGGER payment_is_never_changed",
        "ALTER TABLE outbox DROP CONSTRAINT outbox_envelope_fkey; \
         ALTER TABLE outbox ADD FOREIGN KEY (envelope) REFERENCES envelope (id) NOT VALID",
    ] {
        run(&world, sql).await.unwrap();
        let checks = world.store().snapshot().await.unwrap().checks().await.unwrap();
        let broken: Vec<_> = checks.iter().filter(|check| check.broken > 0).map(|check| check.name.as_str()).collect();
        assert_eq!(broken, ["database_is_sound"], "{sql}");
        run(&world, "ALTER TABLE payment ENABLE TRIGGER payment_is_never_changed").await.unwrap();
    }
}

#[tokio::test]
async fn a_value_that_cannot_be_read_is_named() {
    let world = make().await;
    run(&world, ROWS).await.unwrap();
    world.tamper("UPDATE dead_letter SET state = 'lost' WHERE id = 1").await;
    let error = world.store.dead_letters(&DeadLetterFilter::default()).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { table: "dead_letter", column: "state", .. }), "{error:?}");
    assert_eq!(error.to_string(), "dead_letter.state of row 1 cannot be read");
}

/// Translation strips it; should it come all the same, the row is at fault and nothing panics.
#[tokio::test]
async fn the_character_that_postgresql_has_not_is_refused() {
    let world = make().await;
    let mut event = newcomer("ada@example.org", "paid");
    event.fact.key = "pa\0id".into();
    let mut tx = world.store.begin().await.unwrap();
    let refused = tx.write(&batch(membership(), vec![event])).await.unwrap_err();
    assert!(matches!(refused, StoreError::Refused(_)), "{refused:?}");
    drop(tx);
    let mut bad = letter("other");
    bad.envelope.headers = vec![("x".to_owned(), "\0".to_owned())];
    let refused = world.store.keep(&[bad]).await.unwrap_err();
    assert!(matches!(refused, StoreError::Refused(_)), "{refused:?}");
    world.store.keep(&[letter("other")]).await.unwrap();
}

/// A server quotes the row that it refuses; the row may hold an address.
#[tokio::test]
async fn an_error_never_quotes_a_row() {
    let world = make().await;
    let email = "private-person@example.org";
    let commit = async |event| {
        let mut tx = world.store.begin().await?;
        tx.write(&batch(membership(), vec![event])).await?;
        tx.commit().await
    };
    commit(newcomer(email, "paid")).await.unwrap();
    let taken = commit(newcomer(email, "paid again")).await.unwrap_err();
    let mut odd = newcomer(email, "pa\0id");
    odd.source = email.into();
    let impossible = commit(odd).await.unwrap_err();
    for error in [taken, impossible] {
        let mut said = format!("{error:?} {error}");
        let mut source = std::error::Error::source(&error);
        while let Some(inner) = source {
            write!(said, " {inner:?} {inner}").unwrap();
            source = inner.source();
        }
        assert!(!said.contains("private"), "{said}");
    }
}

/// A disk that fails may show it at a commit and at nothing before.
#[tokio::test]
async fn a_probe_is_committed() {
    let world = make().await;
    let mut stranger = world.fresh.connect().await;
    let mut number =
        async || -> i64 { sqlx::query_scalar("SELECT number FROM probe").fetch_one(&mut stranger).await.unwrap() };
    let before = number().await;
    world.store.probe().await.unwrap();
    assert_ne!(number().await, before);
}

#[test]
fn options_do_not_show_the_password() {
    let shown = format!("{:?}", Options::new("postgres://rollbook:secret@localhost/rollbook"));
    assert!(!shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn a_url_that_cannot_be_one_is_told_without_itself() {
    for url in ["", "postgres", "postgres://me:secret@host:port/db"] {
        let Err(StoreError::Schema(told)) = PostgresStore::connect(&Options::new(url)) else { panic!("{url}") };
        assert!(told.starts_with("store.url is no PostgreSQL URL") && !told.contains("secret"), "{told}");
    }
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told_with_the_command() {
    let world = make().await;
    let options = Options::new(world.fresh.url.replace(&world.fresh.name, "rollbook_nobody_made_this"));
    let error = PostgresStore::connect_existing(&options).await.err().unwrap();
    assert!(matches!(&error, StoreError::Schema(told) if told.contains("`createdb`")), "{error:?}");
}
