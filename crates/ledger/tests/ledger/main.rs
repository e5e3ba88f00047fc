//! The ledger against a naive model of it, and the stories that its rules tell.

#![cfg(test)]

mod model;
mod properties;
mod scripts;
mod stories;
mod tables;
