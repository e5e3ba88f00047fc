//! What the rows of each table mean: every store reads them so.
//!
//! A statement of an adapter names its columns as the functions here ask for them.

mod dead_letters;
mod documents;
mod earnings;
mod envelopes;
mod groups;
mod ledger;
mod outcomes;
mod payments;
mod people;
mod standings;
mod workers;

pub use dead_letters::{dead_letter, dead_letter_failure, dead_letter_group};
pub use documents::document;
pub use earnings::{earning, membership};
pub use envelopes::{envelope, headers, outbox_item};
pub use groups::{change_before, group, group_change, group_member, offer, place, role};
pub use ledger::{balance, hold, leg, lies, lot, movement, pin, reversed, taken_back, transaction};
pub use outcomes::{event, outcome, seen};
pub use payments::{adjustment, payment, term};
pub use people::{Known, address, member, number, people};
pub use standings::{due, history, standing};
pub use workers::worker;
