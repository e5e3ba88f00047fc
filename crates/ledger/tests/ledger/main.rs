//! The ledger against a naive model of it, and the stories that its rules tell.

#![cfg(test)]

mod properties;
mod stories;
