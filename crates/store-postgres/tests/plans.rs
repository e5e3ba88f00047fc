//! No statement of a batch may scan a table: at a million records it would still be right, and useless.

use sqlx::{AssertSqlSafe, PgConnection};

use super::make;

macro_rules! statements {
    ($($name:literal),* $(,)?) => { [$(($name, include_str!(concat!("../sql/", $name, ".sql")))),*] };
}

/// Something of everything, 20000 times.
const CLUB: &str = "
    INSERT INTO processed (processor, account, event_key, outcome, kind, source, envelope, rules, digest, occurred_at,
        processed_at)
    SELECT 'membership', 'club', 'paid:' || n, 'applied', 'payment_captured', 's', gen_random_uuid(), 'r', '1:a',
        to_timestamp(n), to_timestamp(n)
    FROM generate_series(1, 20000) AS n;
    INSERT INTO person (id, fact) SELECT gen_random_uuid(), id FROM processed;
    INSERT INTO person_email SELECT 'm' || number || '@example.org', number, 0 FROM person;
    INSERT INTO person_detail SELECT number, 'name', 'Ada', now(), 'k' FROM person;
    INSERT INTO payment (account, transaction_id, fact, event_key, person, paid_at, paid_on, amount_minor, currency,
        category, renewal_window_days)
    SELECT 'club', 't' || number, fact, 'k', number, now(), '2025-01-01', 1, 'USD', 'MU', 40 FROM person;
    INSERT INTO adjustment SELECT fact, number, 'dispute_won', NULL, now(), '2025-01-01' FROM payment;
    INSERT INTO term SELECT number, '2025-01-01', '2026-01-01', NULL, NULL FROM payment;
    INSERT INTO document (account, document_id, person, signed_at, expires)
    SELECT 'club', 'd' || number, number, '2025-01-01', '2026-01-01' FROM person;
    INSERT INTO envelope SELECT gen_random_uuid(), 's', 'k', now(), '[]', NULL, '\\x00' FROM generate_series(1, 20000);
    INSERT INTO dead_letter (processor, account, event_key, source, reason, detail, attempts, failures, first_seen,
        last_seen, state, envelope)
    SELECT 'membership', 'club', 'l' || row_number() OVER (), 's', 'r', '', 1, 1, now(), now(),
        CASE WHEN row_number() OVER () % 100 = 0 THEN 'open' ELSE 'resolved' END, id FROM envelope;
    INSERT INTO dead_letter_failure (letter, envelope, reason, detail, failed_at, attempts)
    SELECT id, envelope, reason, detail, last_seen, attempts FROM dead_letter;
    INSERT INTO outbox (envelope, processor) SELECT id, 'waiver' FROM envelope;
    INSERT INTO ledger_account (id, asset, owner_kind, owner, place)
    VALUES ('00000000-0000-0000-0000-000000000000', 'points', 'system', '00000000-0000-0000-0000-000000000000',
        'issued');
    INSERT INTO ledger_account (id, asset, owner_kind, owner, place)
    SELECT id, 'points', 'person', id, 'available' FROM person;
    INSERT INTO ledger_transaction (id, kind, digest, outcome, happened_at, recorded_at, legs, account)
    SELECT owner, 'post', decode(repeat('00', 16), 'hex'), 'applied', now(), now(), 1, id FROM ledger_account
    WHERE owner_kind = 'person';
    INSERT INTO ledger_transaction (id, kind, digest, outcome, happened_at, recorded_at, account)
    SELECT gen_random_uuid(), 'hold', digest, 'applied', now(), now(), account FROM ledger_transaction;
    INSERT INTO leg
    SELECT id, 0, 'points', '00000000-0000-0000-0000-000000000000', account, 9, NULL, 1 FROM ledger_transaction
    WHERE kind = 'post';
    INSERT INTO hold
    SELECT id, account, 3, CASE WHEN number % 10 = 0 THEN 'open' ELSE 'voided' END, 0, now() FROM ledger_transaction
    WHERE kind = 'hold';
    INSERT INTO lot
    SELECT transaction_id, to_account, transaction_id, 0, NULL, now(), 9, 9, 3, 0, false FROM leg;
    INSERT INTO lot_movement (transaction_id, n, lot, amount) SELECT transaction_id, n, id, amount FROM lot;
    INSERT INTO hold_pin SELECT h.id, l.id, 3 FROM hold AS h JOIN lot AS l ON l.account = h.account;
    INSERT INTO ledger_group SELECT id, 'Household', now() FROM person;
    INSERT INTO group_member SELECT id, id, 'owner', now(), NULL FROM person;
    INSERT INTO group_change (id, group_id, kind, digest, role, happened_at)
    SELECT id, id, 'invited', decode(repeat('00', 16), 'hex'), 'viewer', now() FROM ledger_group;
    INSERT INTO group_invitation
    SELECT sha256(id::text::bytea), id, id, 'viewer', now(), now() + '1 day', NULL, NULL FROM ledger_group;
    INSERT INTO earner SELECT id FROM person;
    INSERT INTO earning (fact, rule, award_of, owner_kind, owner, account, transaction_id, amount_minor, currency,
        returned_minor, award, period_first, period_last, cap, earned, moved, posted_by, happened_at)
    SELECT fact, 'dues', fact, 'person', id, 'club', 't' || number, 1, 'USD', 0, 9, '2025-01-01', '2025-12-31', 9, 9, 9,
        id, now()
    FROM person;";

/// Rows of a statement are looked up by key, one by one.
const WAYS_AROUND: [&str; 4] = ["Seq Scan", "Hash Join", "Hash Anti Join", "Merge Join"];

fn parameters(sql: &str) -> usize {
    (1..30).rev().find(|number| sql.contains(&format!("${number}"))).unwrap_or(0)
}

async fn plan(connection: &mut PgConnection, name: &str, sql: &str) -> Vec<String> {
    let nulls = vec!["NULL"; parameters(sql)].join(", ");
    let given = if nulls.is_empty() { String::new() } else { format!("({nulls})") };
    let prepare = AssertSqlSafe(format!("PREPARE {name}_plan AS {sql}"));
    sqlx::raw_sql(prepare).execute(&mut *connection).await.expect(name);
    let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE {name}_plan{given}"));
    let rows = sqlx::raw_sql(explain).fetch_all(&mut *connection).await.expect(name);
    let forget = AssertSqlSafe(format!("DEALLOCATE {name}_plan"));
    sqlx::raw_sql(forget).execute(connection).await.expect(name);
    rows.iter().map(|row| sqlx::Row::get(row, 0)).collect()
}

/// What batches, callers and pages run.
const HOT_PATH: [(&str, &str); 90] = statements![
    "seen",
    "person_ids",
    "person_ids_lock",
    "person_ids_after",
    "first_addresses",
    "person_emails",
    "person_details",
    "person_payments",
    "person_adjustments",
    "person_terms",
    "person_documents",
    "documents",
    "documents_lock",
    "processed_insert",
    "processed_redecide",
    "person_insert",
    "person_email_insert",
    "person_detail_upsert",
    "payment_insert",
    "adjustment_insert",
    "term_upsert",
    "term_journal_insert",
    "document_insert",
    "document_upsert",
    "document_journal_insert",
    "envelope_insert",
    "dead_letter_any_unsettled",
    "dead_letter_resolve",
    "dead_letter_resolve_settled",
    "dead_letter_resolve_envelopes",
    "dead_letter_failure_insert",
    "dead_letter_history",
    "event_replay_outbox",
    "dead_letter_replay",
    "dead_letter_replay_outbox",
    "dead_letter_discard",
    "dead_letter_upsert",
    "envelope",
    "events_of_envelope",
    "outbox_insert",
    "outbox_next",
    "outbox_done",
    "ledger_hold_accounts",
    "ledger_lot_accounts",
    "ledger_account_insert",
    "ledger_accounts_lock",
    "ledger_transactions",
    "ledger_legs",
    "ledger_lot_movements",
    "ledger_reversed",
    "ledger_taken_back",
    "ledger_holds",
    "ledger_pins",
    "ledger_lots",
    "ledger_free_lots",
    "ledger_members_lock",
    "ledger_transaction_insert",
    "leg_insert",
    "hold_insert",
    "hold_resolve",
    "hold_pin_insert",
    "lot_upsert",
    "lot_movement_insert",
    "ledger_standing",
    "ledger_history",
    "ledger_history_newest",
    "ledger_open_holds",
    "ledger_open_lots",
    "ledger_open_lots_of_owner",
    "ledger_due",
    "earner_insert",
    "earners_lock",
    "earnings_of_payments",
    "earnings_in_scopes",
    "earning_insert",
    "group_memberships",
    "group",
    "group_lock",
    "groups_of_person",
    "group_members",
    "group_member",
    "group_insert",
    "group_change",
    "group_change_insert",
    "group_history",
    "group_member_upsert",
    "group_member_leave",
    "group_invitation",
    "group_invitation_insert",
    "group_invitation_use",
];

/// What the statements of a batch do that is no look-up by key.
async fn ways_around(connection: &mut PgConnection) -> Vec<String> {
    let mut found = Vec::new();
    for (name, sql) in HOT_PATH {
        let plan = plan(connection, name, sql).await;
        if plan.iter().any(|step| WAYS_AROUND.iter().any(|way| step.contains(way))) {
            found.push(format!("{name}:\n{}\n", plan.join("\n")));
        }
    }
    found
}

/// A plan is kept for a while, so one that was made over empty or unknown tables must be good for
/// full ones.
#[tokio::test]
async fn statements_of_the_hot_path_use_keys_at_every_size() {
    for (rows, analysed) in [(0, false), (300, false), (2_000, false), (20_000, false), (20_000, true)] {
        let world = make().await;
        let mut connection = world.fresh.connect().await;
        let settings = "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan";
        let club = CLUB.replace("20000", &rows.to_string());
        let analyse = if analysed { "ANALYZE" } else { "" };
        let script = AssertSqlSafe(format!("{settings}; {club} {analyse}"));
        sqlx::raw_sql(script).execute(&mut connection).await.unwrap();
        let found = ways_around(&mut connection).await;
        assert!(found.is_empty(), "{rows} rows, analysed: {analysed}\n{}", found.join("\n"));
    }
}

/// So many commands about so many accounts.
fn legs(from: usize, to: usize) -> String {
    format!(
        "INSERT INTO ledger_transaction (id, kind, digest, outcome, happened_at, recorded_at, legs, account)
         SELECT md5('post' || n)::uuid, 'post', decode(repeat('00', 16), 'hex'), 'applied', now(), now(), 1,
            md5('owner' || n)::uuid
         FROM generate_series({from}, {to}) AS n;
         INSERT INTO leg
         SELECT md5('post' || n)::uuid, 0, 'points', '00000000-0000-0000-0000-000000000000', md5('owner' || n)::uuid,
            9, NULL, 1
         FROM generate_series({from}, {to}) AS n;"
    )
}

fn accounts(from: usize, to: usize) -> String {
    format!(
        "INSERT INTO ledger_account (id, asset, owner_kind, owner, place)
         SELECT md5('owner' || n)::uuid, 'points', 'person', md5('owner' || n)::uuid, 'available'
         FROM generate_series({from}, {to}) AS n;"
    )
}

/// The triggers of the ledger plan once a session: what was planned over three accounts must be good
/// for twenty thousand.
#[tokio::test]
async fn triggers_of_the_ledger_look_rows_up_by_key() {
    let world = make().await;
    let mut connection = world.fresh.connect().await;
    let small = "INSERT INTO ledger_account (id, asset, owner_kind, owner, place)
        VALUES ('00000000-0000-0000-0000-000000000000', 'points', 'system', '00000000-0000-0000-0000-000000000000',
            'issued');";
    let script = format!("{small} {} ANALYZE; {}", accounts(1, 2), legs(1, 2));
    sqlx::raw_sql(AssertSqlSafe(script)).execute(&mut connection).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(accounts(3, 20_000))).execute(&mut connection).await.unwrap();
    sqlx::raw_sql("BEGIN").execute(&mut connection).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(legs(1_001, 1_200))).execute(&mut connection).await.unwrap();
    let read = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'ledger_account'";
    let read: i64 = sqlx::query_scalar(read).fetch_one(&mut connection).await.unwrap();
    assert!((200..2_000).contains(&read), "{read} rows were read for 200 accounts");
}
