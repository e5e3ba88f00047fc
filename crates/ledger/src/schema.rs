//! The tables that this crate asks for: a design for the stores, executed on both databases.
//!
//! # Who does what
//! The code decides, and the database refuses what must not be, whatever the code does: an overdraft
//! (`no_overdraft`), a leg across assets (foreign keys over `(id, asset)`), a second settlement
//! (`one_resolution_a_hold`, and a hold changes once), a second reversal or expiry, a reversal of what
//! was taken back, a leg that is changed or deleted. Balances are moved by triggers on legs and holds, so that a leg which
//! somebody inserts by hand cannot leave its balance behind.
//!
//! # Order of writing
//! Checks hold after every statement, so a batch writes: transactions; holds that were open before and
//! are resolved; legs, in their order; new holds (resolved in the same batch: with their final state);
//! lots; lot movements; pins. Releasing first and holding last keeps every step within the floor:
//! holds that stay open throughout are the least that was held at any moment of the batch.
//! [`crate::Changes::balances`] are then what the accounts must say; a store may compare.
//!
//! # Order of locking
//! Insert missing accounts with zeros (`ON CONFLICT DO NOTHING`), then lock all of
//! [`crate::accounts_of`] that have a balance in one statement, ordered by id, `FOR NO KEY UPDATE`
//! (a foreign key's share lock does not wait for it). Read [`crate::Needs`] afterwards, in statements
//! of their own: only those see what was committed while this one waited. A unique violation on
//! `ledger_transaction` means that another process decided the same id meanwhile: roll back, run
//! the batch again. SQLite has one writer, `BEGIN IMMEDIATE`.
//!
//! Instants are whole microseconds in both databases: cut them off before a command is made.
//!
//! # PostgreSQL
//! ```sql
#![doc = include_str!("../../../migrations/postgres/0010_ledger.sql")]
//! ```
//!
//! # SQLite
//! ```sql
#![doc = include_str!("../../../migrations/sqlite/0010_ledger.sql")]
//! ```
