//! The teller: every command of a process goes through it to the ledger.
//!
//! Callers hand in commands at the same time; one task takes what is waiting, lets the store decide
//! it in one transaction, and answers each caller. So sixty-four callers at one hot account cost one
//! commit and wait for no lock of each other. While one batch commits the next gathers: nobody waits
//! for a batch to become full.
//!
//! # What holds
//! - **A command is not begun or wholly decided**, whatever becomes of its caller: one who stops
//!   waiting (a time-out, a lost connection) asks again with the same id and gets the same answer.
//! - **A command that the store will not take hurts no neighbour**: the batch is halved until it
//!   stands alone.
//! - **First come, first served.** What is not answered yet has a bound; beyond it callers wait their
//!   turn with their own deadlines.
//!
//! # Choices
//! - *One task commits.* With two, batches are half as large and on two processors PostgreSQL needs
//!   40 % more for each command: fewer commands a second on one hot account (0.6 times) and on many
//!   (0.9 times). Several processes, each with a teller of its own, do commit side by side.
//! - *A refusal by the ledger is an answer, an error is none.* Whoever gets an error may ask again with
//!   the same id; what is never done is taking trouble with the database for a lack of points.
//! - *No retry of a store that is away.* Callers have deadlines of their own; they are told at once.

mod batch;
mod commit;
mod error;
mod inbox;
mod meters;
mod options;
mod sweep;
mod teller;

#[cfg(test)]
mod fakes;
#[cfg(test)]
mod tests;

pub use error::{SweepError, TellerError};
pub use options::{Context, Options, Random};
pub use sweep::{Pace, Sweep, Swept};
pub use teller::Teller;
