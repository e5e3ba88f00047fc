//! Bodies of callbacks, shaped as the providers write them, about invented people.
//!
//! Built from field lists and not from recorded traffic: a recorded body belongs to somebody.

pub mod cybersource;
pub mod docusign;
pub mod docusign_xml;
mod person;
pub mod standard;
pub mod stripe;

pub use person::Person;

#[cfg(test)]
mod tests;
