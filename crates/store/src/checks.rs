//! The invariants that are relations between rows: every store has a statement for each.

use crate::cells::{Cells, Columns};
use crate::{Check, StoreError};

/// Name and statement of each. The statements are files of the crate that calls this, so that a store
/// which lacks one does not compile.
///
/// Most of them a database refuses already by a key or a trigger. They are counted all the same:
/// `verify` exists for records that something else has touched. Those of the ledger are named as in
/// `rollbook_ledger::INVARIANTS`, which count the same over rows in memory.
#[macro_export]
macro_rules! checks {
    () => {
        $crate::checks! {
            "check_":
                "applied_payments_are_recorded",
                "recorded_payments_were_applied",
                "applied_adjustments_are_recorded",
                "recorded_adjustments_were_applied",
                "applied_documents_are_recorded",
                "recorded_documents_were_applied",
                "applied_registrations_are_recorded",
                "recorded_earnings_were_applied",
                "earnings_are_within_their_cap",
                "payments_keep_what_is_left_of_them",
                "earnings_were_posted",
                "group_journals_end_at_their_members",
                "groups_and_invitations_are_journalled",
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
                "database_is_sound";
            "check_ledger_":
                "legs_move_one_asset",
                "posted_is_the_sum_of_legs",
                "held_is_the_sum_of_open_holds",
                "no_balance_below_its_floor",
                "each_hold_resolved_once",
                "no_history_below_its_floor",
                "only_applied_transactions_move",
                "lots_are_the_sum_of_movements",
                "lots_within_their_balance",
                "pins_are_what_lots_hold",
                "each_lot_expires_once",
                "each_transaction_reversed_once",
                "liability_is_what_was_issued";
        }
    };
    ($($prefix:literal: $($name:literal),+;)+) => {
        &[$($(
            ($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/", $prefix, $name, ".sql"))),
        )+)+]
    };
}

impl Check {
    /// What the statement of this name counted.
    pub fn read(name: &str, row: &impl Columns) -> Result<Self, StoreError> {
        let cells = Cells::of("check", row);
        Ok(Self { name: name.to_owned(), checked: cells.count("checked")?, broken: cells.count("broken")? })
    }
}
