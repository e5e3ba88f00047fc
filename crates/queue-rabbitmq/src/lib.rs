//! The fleet's queue: RabbitMQ from 3.10 to 4.x, through lapin, without plugins.
//!
//! What is promised rests on quorum queues and on confirms that are really checked. Three tasks
//! share the work, and each owns what it uses: a supervisor holds one connection and comes back to
//! any node of a list; one publisher task owns the only publishing channel; every consumer has a
//! task that owns its channel. Publishing and consuming have connections of their own, because a
//! broker in need of memory stops reading from whoever publishes, acknowledgements included.
//!
//! Rejected: the library's own recovery (it knows one node and gives up), its `wait_for_confirms`
//! (it hides refusals), a channel shared by publishing tasks (confirms change owners), and
//! `nack` as a way to retry (the broker counts it, and differently in each version).

mod consumer;
mod declare;
mod depths;
mod examine;
mod greeting;
mod inbox;
mod link;
mod options;
mod publisher;
mod pump;
mod queue;
mod remove;
mod settle;
#[cfg(test)]
mod tests;
mod topology;
mod trouble;
mod unrouted;
mod wire;

pub use declare::TopologyError;
pub use examine::{Examination, Inside, Node, NodeTrouble, Rights, examine};
pub use greeting::Greeting;
pub use options::{ConnectError, Options};
pub use queue::RabbitQueue;
pub use remove::remove;
pub use topology::UNROUTED;
