//! The store on SQLite: one file, nothing beside it.
//!
//! One connection writes; workers take turns at it, first come first served, each with a whole
//! batch in one transaction. Readers have connections of their own and never wait for it (WAL).
//! Statements are files in `sql/`, named as in every other adapter; lists go in as one JSON value,
//! rows as multi-row statements, so that a batch costs a constant number of statements. Rejected:
//! `INSERT OR REPLACE` (it deletes rows without their triggers) and a cache of records (a second
//! process may write at any time).

mod dead_letters;
mod earnings;
mod envelopes;
mod fault;
mod groups;
mod json;
mod ledger;
mod load;
mod migrate;
mod outbox;
mod records;
mod row;
mod snapshot;
mod statements;
mod store;
mod tx;
mod workers;
mod write;
mod writer;

pub use store::SqliteStore;
