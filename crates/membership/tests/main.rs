//! The membership rules as tables, and the promise of any order as properties.

mod any_order;
mod rules;
mod world;
