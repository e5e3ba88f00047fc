//! Everything that needs more than one crate: the tree's own rules, the real binary end to end, and
//! the binary killed at every point.

mod configuration;
mod crash;
mod end_to_end;
mod people;
mod privacy;
mod requests;
mod tidy;
