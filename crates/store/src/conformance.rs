//! What every store must do, as cases that know the port alone.
//!
//! An adapter implements [`Harness`] and calls [`store_conformance!`](crate::store_conformance) in
//! its tests; each case becomes a test of its own. Together the cases execute every statement of an
//! adapter, because SQL that no test runs is checked by nobody. A case that leaves records behind
//! ends with the store's own checks.

mod dead_letters;
mod earnings;
mod failures;
mod group_history;
mod group_samples;
mod groups;
mod ledger;
mod ledger_history;
mod ledger_memory;
mod ledger_racing;
mod ledger_rate;
mod ledger_samples;
mod ledger_scripts;
mod ledger_tampering;
mod loading;
mod outbox;
mod racing;
mod rate;
mod reading;
mod samples;
mod snapshots;
mod tampering;
mod transactions;
mod workers;

use std::sync::Arc;

use async_trait::async_trait;

pub use dead_letters::*;
pub use earnings::*;
pub use failures::*;
pub use group_history::*;
pub use groups::*;
pub use ledger::*;
pub use ledger_history::*;
pub use ledger_racing::*;
pub use ledger_rate::ledger_rate;
pub use ledger_scripts::*;
pub use ledger_tampering::*;
pub use loading::*;
pub use outbox::*;
pub use racing::*;
pub use rate::rate;
pub use reading::*;
pub use snapshots::*;
pub use tampering::*;
pub use transactions::*;
pub use workers::*;

use crate::Database;

/// One store under test; migrated and empty when it is made.
#[async_trait]
pub trait Harness: Send + Sync {
    fn store(&self) -> Arc<dyn Database>;

    /// Executes raw SQL past every check, foreign key and trigger, as only a stranger would.
    async fn tamper(&self, sql: &str);

    /// Executes raw SQL with every check, foreign key and trigger in force, in one transaction; an
    /// error is what the database said when it refused a row. What it cannot even execute panics.
    async fn attempt(&self, sql: &str) -> Result<(), String>;
}

/// Makes a test of each case. `$make` is an async function without arguments that returns a fresh
/// [`Harness`](crate::conformance::Harness).
#[macro_export]
macro_rules! store_conformance {
    ($make:path) => {
        $crate::store_conformance! { @cases $make:
            every_change_comes_back
            a_dropped_transaction_leaves_nothing
            a_failed_write_cannot_be_committed
            a_fact_is_settled_once
            one_key_is_several_facts
            only_an_ignored_fact_is_decided_again
            the_greater_stamp_stands
            the_last_change_of_a_batch_stands
            a_person_registers_once
            what_must_not_be_is_refused
            a_probe_changes_nothing
            a_batch_may_hold_a_thousand_events
            a_batch_may_be_empty
            people_are_loaded_whole
            documents_come_alone
            names_that_nobody_has_load_nothing
            outcomes_are_of_one_processor
            odd_texts_come_back_as_they_were
            a_dead_letter_is_kept_with_its_envelope
            a_dead_letter_is_reopened_with_its_newest_reason
            dead_letters_are_filtered_by_each_part
            dead_letters_are_grouped_by_cause
            a_replay_waits_in_the_outbox
            a_replay_takes_the_states_that_it_names
            what_was_pruned_is_not_replayed
            an_effect_resolves_its_dead_letter
            a_contradiction_is_not_resolved_by_what_it_contradicts
            what_is_settled_already_is_kept_as_resolved
            discarded_letters_stay_until_they_fail_again
            an_unread_request_is_resolved_by_its_envelope
            every_failure_of_a_letter_is_kept
            a_letter_needs_all_of_its_envelopes
            what_was_ignored_meanwhile_stays_a_dead_letter
            events_are_replayed_by_their_envelopes
            nothing_takes_the_place_of_what_is_missing
            a_journal_keeps_the_order_of_its_batch
            the_outbox_keeps_its_order
            the_outbox_forgets_only_what_is_done
            a_person_is_shown_with_all_records
            members_are_listed_by_address
            events_are_filtered_by_each_part
            events_come_newest_first
            pruning_keeps_what_is_needed
            a_snapshot_does_not_move
            a_snapshot_pages_through_the_people
            a_snapshot_tells_outcomes_by_prefix
            clean_records_have_nothing_broken
            waiting_work_is_not_broken
            whatever_is_tampered_with_is_found
            two_workers_make_one_person
            many_workers_lose_nothing
            a_cancelled_worker_holds_nobody_up
            a_worker_is_known_by_what_it_said_last
            a_goodbye_removes_the_worker_and_nobody_else
            the_silent_are_forgotten_when_they_said_and_by_others
            a_silent_worker_keeps_its_figure
            many_workers_tell_at_once
            every_order_is_told_as_it_was_decided
            what_was_taken_back_is_not_reversed_until_that_is
            a_standing_tells_what_is_posted_held_and_owed
            a_hold_is_found_by_its_id_whatever_became_of_it
            the_same_id_has_the_same_answer
            another_command_with_the_same_id_changes_nothing
            a_history_runs_its_balance
            a_history_tells_what_is_held
            a_history_is_filtered_by_each_part
            lots_are_paged_and_due_soonest_first
            what_is_due_expires_first
            only_owners_and_spenders_spend
            a_batch_may_hold_a_thousand_commands
            a_batch_may_have_no_commands
            commands_are_written_with_their_batch
            a_refusal_says_why_the_second_time_too
            scripts_go_as_the_model_says_one_by_one
            scripts_go_as_the_model_says_in_small_batches
            scripts_go_as_the_model_says_in_large_batches
            the_last_points_are_redeemed_once
            an_award_reversed_and_taken_back_at_once_is_undone_once
            a_hold_settled_and_voided_at_once_is_resolved_once
            one_id_asked_by_many_is_decided_once
            a_group_is_spent_by_its_members_at_once
            whoever_leaves_spends_nothing_afterwards
            transfers_at_once_lose_nothing
            a_caller_who_gives_up_may_ask_again
            two_owners_who_leave_at_once_leave_one
            an_invitation_accepted_by_many_is_used_once
            the_database_refuses_what_must_not_be
            whatever_is_tampered_with_in_the_ledger_is_found
            a_group_is_made_once
            members_join_change_leave_and_come_back
            a_group_keeps_an_owner
            groups_are_listed_by_name
            members_are_shown_with_their_address
            an_invitation_is_for_one_person_and_for_a_time
            an_invitation_is_not_spent_on_a_member
            every_change_of_a_group_says_who_asked_and_why
            a_group_that_nobody_owns_yet_has_a_journal
            a_journal_shows_addresses
            the_same_change_again_changes_nothing
            an_id_belongs_to_one_change
            one_change_asked_by_many_happens_once
            whatever_is_tampered_with_in_groups_is_found
            earnings_come_by_whole_scopes
            a_refused_command_leaves_no_earning
            earnings_are_never_changed
            whatever_is_tampered_with_in_earnings_is_found
            whoever_earns_under_a_cap_waits_for_the_other
            former_members_of_groups_are_loaded_with_their_date
        }
    };
    (@cases $make:path: $($case:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::conformance::$case(&$make().await).await;
            }
        )*
    };
}
