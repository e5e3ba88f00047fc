//! One way to open a SQLite file, and to write many rows at once.
//!
//! Queue and store are separate files with the same needs: durable commits, one writer, readers
//! that never wait for it, and multi-row statements. They live here so that the two adapters cannot
//! drift apart. Nothing here knows a table.
//!
//! Rejected: a pool for writing (several write connections only wait for each other's lock, and a
//! group commit needs one), memory-mapped reads (an I/O error there is a signal that ends the
//! process instead of an error that a caller can handle), and the distribution's own library (older
//! ones have the WAL reset bug that SQLite 3.51.3 mends).

mod bulk;
mod fault;
mod lock;
mod lock_holder;
mod open;
mod time;

pub use bulk::{Bulk, BulkQuery};
pub use fault::{Fault, fault};
pub use lock::{LockError, ServiceLock, lock};
pub use lock_holder::lock_holder;
pub use open::{Database, Mode, OpenError, free_disk_bytes, open, readers};
pub use time::{from_micros, to_micros};
