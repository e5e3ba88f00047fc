//! The rules as stories, and the promise of any order as properties.

mod any_order;
mod groups;
mod history;
mod stories;
mod world;
