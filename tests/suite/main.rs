//! Everything that needs more than one crate: the tree's own rules, the real binary end to end, and
//! the binary killed at every point.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::disallowed_methods, reason = "a test plays the outside world, which has a clock")]

mod configuration;
mod crash;
mod discounts;
mod doctor;
mod earning;
mod end_to_end;
mod faults;
mod groups;
mod people;
mod points;
mod privacy;
mod requests;
mod roles;
mod soak;
mod tidy;
