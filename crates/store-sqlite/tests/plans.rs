//! No statement of a batch may scan a table: at a million records it would still be right, and useless.

use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

use super::make;

macro_rules! statements {
    ($($name:literal),* $(,)?) => { &[$(($name, include_str!(concat!("../sql/", $name, ".sql")))),*] };
}

const RECORDS: &[(&str, &str)] = statements![
    "seen",
    "person_ids",
    "person_ids_after",
    "person_emails",
    "person_details",
    "person_payments",
    "person_adjustments",
    "person_terms",
    "person_documents",
    "documents",
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
    "envelope",
    "envelope_prune",
    "events_of_envelope",
    "outbox_done",
    "person_insert",
    "person_email_insert",
    "person_detail_upsert",
    "payment_insert",
    "adjustment_insert",
    "term_upsert",
    "term_journal_insert",
    "document_upsert",
    "document_journal_insert",
];

/// Not the inserts of what others refer to: they plan a scan of those, and skip it while nothing dangles.
const LEDGER: &[(&str, &str)] = statements![
    "ledger_hold_accounts",
    "ledger_lot_accounts",
    "ledger_transactions",
    "ledger_legs",
    "ledger_lot_movements",
    "ledger_balances",
    "ledger_reversed",
    "ledger_taken_back",
    "ledger_holds",
    "ledger_pins",
    "ledger_lots",
    "ledger_free_lots",
    "ledger_members",
    "hold_insert",
    "hold_resolve",
    "hold_pin_insert",
    "lot_movement_insert",
    "ledger_standing",
    "ledger_history",
    "ledger_history_newest",
    "ledger_open_holds",
    "ledger_open_lots",
    "ledger_open_lots_of_owner",
    "ledger_due",
    "group",
    "groups_of_person",
    "group_members",
    "group_change",
    "group_history",
    "group_member",
    "group_member_upsert",
    "group_member_leave",
    "group_invitation",
    "group_invitation_use",
];

/// Lists that the caller gave, steps of a statement, and the index that holds unsettled letters alone.
const ALLOWED: [&str; 15] = [
    "json_each",
    "new",
    "wanted",
    "settled",
    "kept",
    "chosen",
    "CONSTANT",
    "dead_letter_unsettled",
    "dead_letter_needs",
    "walk",
    "own",
    "told",
    "line",
    "newest",
    "(subquery-",
];

async fn use_keys(connection: &mut SqliteConnection, statements: &[(&str, &'static str)]) {
    for (name, sql) in statements {
        let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).fetch_all(&mut *connection).await;
        for step in plan.expect("a plan") {
            let step: String = step.get("detail");
            let scans = step.starts_with("SCAN") && !ALLOWED.iter().any(|name| step.contains(name));
            assert!(!scans, "{name}: {step}");
        }
    }
}

#[tokio::test]
async fn statements_of_the_hot_path_use_keys() {
    let file = make().await;
    let mut connection = file.connect().await;
    use_keys(&mut connection, RECORDS).await;
    use_keys(&mut connection, LEDGER).await;
}
