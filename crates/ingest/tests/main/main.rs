//! The front as a sender meets it: real sockets, a made-up provider, a made-up queue.

#![expect(clippy::unwrap_used, reason = "a test that unwraps nothing is a failed test")]

mod answers;
mod crowd;
mod envelopes;
mod limits;
mod logs;
mod queue;
mod stopping;
mod toy;
mod wire;
mod world;
