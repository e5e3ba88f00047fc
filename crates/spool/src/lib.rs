//! The spool: callbacks wait in a file of this host while the broker cannot take them.
//!
//! To whoever publishes it is a [`Publisher`](rollbook_queue::Publisher) like any other. It offers
//! each message to the broker for a bounded time and keeps in the file what the broker did not
//! confirm. After a few failures the broker counts as away: then messages go straight to the file,
//! and only what already waits there is offered to the broker, one at a time, to find out when it is
//! back. From then on new messages go to the broker again and the file drains beside them.
//!
//! What is known only to be unconfirmed may be with the broker, too. It then arrives twice with the
//! same id, and every effect has its key.
//!
//! One file a process: the first free name beside the configured one. A file that a process left
//! behind is found by the next one on this host and drained like its own.
//!
//! Rejected: one file for all processes (the embedded queue has one writer), a queue a processor
//! inside the file (one that is no longer configured would be stranded there, and one callback would
//! count twice), a probe that is no callback (the port has none, and a broker that takes something
//! else need not take callbacks), and a broker that is asked for each callback while it is away (each
//! answer would wait for it).

mod drain;
mod files;
mod health;
mod options;
mod parcel;
mod room;
mod spool;

pub use files::inspect;
pub use options::{OpenError, Options};
pub use spool::{Spool, SpoolState};
