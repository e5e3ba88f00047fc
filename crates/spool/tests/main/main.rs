//! The spool on the embedded queue's real file, before a broker that does what a test says.

mod draining;
mod files;
mod keeping;
mod world;
