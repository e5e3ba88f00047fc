//! Real servers and processes are hurt while callbacks stream in. Nothing that was answered with 2xx is
//! lost and nothing is applied twice, by the sender's own record and by `verify`; and whoever works
//! goes on by itself soon after the cause is gone.
//!
//! Each test owns its servers, and tries one fault after another on them: to start servers takes longer
//! than most faults last. Each fault has a fleet, a database and names at the broker of its own.

mod broker;
mod cluster;
mod postgres;
mod processes;
mod scene;
mod soak;
