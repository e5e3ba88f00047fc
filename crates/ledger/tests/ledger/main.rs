//! The ledger against a naive model of it, and the stories that its rules tell.

#![cfg(test)]

mod clawbacks;
mod club;
mod properties;
mod refusals;
mod shapes;
mod stories;
