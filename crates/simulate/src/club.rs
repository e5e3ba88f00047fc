//! The soak of the ledger: members in groups who keep earning, spending, handing on and giving back.
//!
//! Several processes each play a [`Till`]: it makes commands, knows from their making what each moves
//! if it is applied, and writes down on a [`Slip`] what it asks before it asks and what it was told
//! afterwards. The [`tally`] then holds the ledger against the slips of all tills: every answer still
//! stands, what had no answer (its process was killed) is found or is not there, and every balance is
//! the sum of what was applied. None of this calls the rules of the ledger.

mod cast;
mod slip;
mod tally;
#[cfg(test)]
mod tests;
mod till;

pub use cast::Cast;
pub use slip::{Slip, SlipFault, Told, read_slips};
pub use tally::{Tally, tally};
pub use till::{Step, Till};
