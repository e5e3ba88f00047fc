//! The store on PostgreSQL, for many processes at once.
//!
//! Workers run side by side, each batch in one READ COMMITTED transaction. Four rules keep them
//! right and keep them from waiting for each other in a circle:
//!
//! 1. What a decision reads and what exists is locked before it is read: people in the order of
//!    their numbers, then documents in the order of their keys, then whoever earns points, by id.
//! 2. What a decision took for absent is inserted plainly, in the order of keys. Whoever comes
//!    second waits for the first, finds the unique key taken, and gets `Conflict`: it loads and
//!    decides again. (See `tx` for documents, the one table that is otherwise upserted.)
//! 3. Dead letters and the facts they stand for change together or not at all: commits of workers
//!    share one advisory lock, and whatever else moves dead letters or deletes envelopes holds it
//!    alone for its few milliseconds.
//! 4. Accounts of the ledger are locked after everything else, in the order of their ids. Whoever
//!    holds them waits for nobody who could wait for an account (see `ledger`).
//!
//! Tables are written in one order, too, so that a circle needs two of these rules to be broken;
//! should there be one all the same, PostgreSQL ends it and the victim is a `Conflict`.
//!
//! Statements are files in `sql/`, named as in every other adapter; a file that only this adapter
//! has takes a lock or sets up a session. Rows go in as one array a column (`UNNEST`), so that a
//! batch costs a constant number of statements with constant texts. Rejected: SERIALIZABLE (it
//! fails whole batches for what two of their rows have in common), an advisory lock for every
//! address (the server's lock table is small and shared with everybody), `COPY` (it knows no
//! conflict), and `sqlx::Any` (no arrays, few types).

mod dead_letters;
mod earnings;
mod envelopes;
mod examine;
mod fault;
mod groups;
mod ledger;
mod load;
mod mending;
mod migrate;
mod options;
mod outbox;
mod patience;
mod records;
mod row;
mod schema;
mod snapshot;
mod statements;
mod store;
mod tx;
mod workers;
mod write;

pub use examine::{Examination, Skew};
pub use options::Options;
pub use store::PostgresStore;

#[cfg(test)]
#[path = "../tests/fixture.rs"]
mod fixture;
