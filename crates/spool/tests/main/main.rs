//! The spool on the embedded queue's real file, before a broker that does what a test says.

#![expect(clippy::unwrap_used, reason = "a test that unwraps nothing is a failed test")]

mod draining;
mod files;
mod keeping;
mod world;
