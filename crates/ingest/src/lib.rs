//! Ingest: the HTTP front that verifies a callback and makes it durable.
//!
//! One request takes one road: route, gates, raw body, signature, publish, answer. Success is
//! answered only after the queue holds the bytes durably; everything else tells the sender to come
//! again or why it need not. No database and no configuration file stand here: the caller passes
//! plain options, a clock and a source of randomness.
//!
//! Built on hyper's HTTP/1 connection rather than on a web framework. There is one route, and what
//! matters are the limits *around* a request (slow heads, slow bodies, readers that never read,
//! answers that must arrive although the body was refused), which a framework hides.

mod body;
mod client;
mod connection;
mod envelope;
mod gates;
mod handle;
mod options;
mod outcome;
mod paced;
mod places;
mod publish;
mod route;
mod server;
mod throttle;
mod trace;

pub use gates::{ClientCerts, Gates};
pub use options::{Options, Random, Route, Verifier};
pub use server::{BindError, Ingest};
