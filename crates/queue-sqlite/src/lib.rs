//! The embedded queue: SQLite with group commit.
//!
//! One task owns the only write connection. It takes whatever commands wait (publish, claim,
//! settle, release), runs them as one transaction of multi-row statements, and answers each after
//! the commit is on the disk. So the cost of a sync is shared by everybody who waits for it.
//! Bodies are read by the consumers themselves on connections of their own, beside the writer.
//!
//! A lease is a mark without an end: only one service holds the file, so a lease can only be left
//! over from a process that is gone, and opening the file clears it. Rejected: leases that expire
//! (a slow batch would be handed out twice), a log of our own (it would need due times, counts and
//! an index by hand), and a claim without a commit (a crash must be counted, or nobody would ever
//! find out which callback kills the process).

mod consumer;
mod depths;
mod disk;
mod files;
mod group;
mod open;
mod queue;
mod refusal;
mod rows;
mod statements;
#[cfg(test)]
mod tests;
mod wakes;
mod writer;

pub use files::SqliteFiles;
pub use open::{OpenError, Options};
pub use queue::SqliteQueue;
