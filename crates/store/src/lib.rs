//! The store port: what Rollbook asks of any database, in its own words.
//!
//! A trait a use: [`Store`] and [`Tx`] for workers, [`DeadLetters`] for the keeper and the operator,
//! [`Outbox`] for the relay, [`Workers`] for what each process holds, [`Ledger`] and [`Groups`] for
//! points, [`Records`] for whoever only reads. SQL executes; it never decides. Every adapter passes
//! the conformance suite of this crate.

mod batch;
pub mod cells;
mod checks;
#[cfg(feature = "conformance")]
pub mod conformance;
mod dead_letters;
mod error;
mod groups;
mod ledger;
pub mod migrations;
mod outbox;
pub mod read;
mod records;
pub mod rows;
mod tx;
pub mod views;
mod workers;

pub use batch::{Batch, SettledEvent};
pub use dead_letters::{
    DeadLetter, DeadLetterFailure, DeadLetterFilter, DeadLetterGroup, DeadLetterState, DeadLetters, Kept,
};
pub use error::StoreError;
pub use groups::{
    ChangeId, Group, GroupChange, GroupDigest, GroupEntry, GroupHistoryRow, GroupKind, GroupMember, GroupOrder,
    GroupRows, Groups, Invitation, Offer, Place, Said, change_group,
};
pub use ledger::{Counterpart, HistoryFilter, HistoryRow, Ledger, Standing};
pub use outbox::{Outbox, OutboxItem, Outgoing};
pub use records::{Check, EventFilter, EventRow, MemberRow, PersonRecords, Records, Snapshot};
pub use tx::{Store, Tx};
pub use workers::{STALE_AFTER_S, WorkerId, WorkerRow, Workers, alive, in_flight};

/// Everything a store offers, as one object for wiring.
pub trait Database: Store + DeadLetters + Outbox + Records + Workers + Ledger + Groups {}

impl<T: Store + DeadLetters + Outbox + Records + Workers + Ledger + Groups> Database for T {}
