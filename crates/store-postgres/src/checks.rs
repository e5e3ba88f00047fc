//! The invariants that are relations between rows: a file in `sql/` each, counted in one view.
//!
//! Most of them the database refuses already by a key or a trigger. They are counted all the same:
//! `verify` exists for tables that something else has touched.

use rollbook_store::{Check, StoreError};
use sqlx::PgConnection;

use crate::cells::Cells;
use crate::fault::store_error;

macro_rules! checks {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../sql/check_", $name, ".sql")))),*]
    };
}

const CHECKS: [(&str, &str); 24] = checks![
    "applied_payments_are_recorded",
    "recorded_payments_were_applied",
    "applied_adjustments_are_recorded",
    "recorded_adjustments_were_applied",
    "applied_documents_are_recorded",
    "recorded_documents_were_applied",
    "one_term_per_payment",
    "one_payment_per_term",
    "terms_end_after_they_start",
    "term_journals_are_unbroken",
    "term_journals_end_at_their_term",
    "one_waiver_per_document",
    "document_journals_end_at_their_document",
    "one_registration_per_person",
    "people_have_an_address",
    "people_have_an_effect",
    "addresses_name_one_person",
    "outcomes_have_their_reason",
    "settled_facts_left_the_dead_letters",
    "resolved_dead_letters_are_settled",
    "unsettled_dead_letters_can_be_replayed",
    "outbox_rows_can_be_sent",
    "references_hold",
    "database_is_sound",
];

pub async fn all(connection: &mut PgConnection) -> Result<Vec<Check>, StoreError> {
    let mut checks = Vec::with_capacity(CHECKS.len());
    for (name, sql) in CHECKS {
        let row = sqlx::query(sql).fetch_one(&mut *connection).await.map_err(store_error)?;
        let cells = Cells::of("check", &row);
        checks.push(Check { name: name.to_owned(), checked: cells.count("checked")?, broken: cells.count("broken")? });
    }
    Ok(checks)
}
