//! The pure core of the ledger: its words, and the decision on a command.
//!
//! Nothing here does I/O, reads a clock or draws randomness. A store runs a batch of commands so:
//! 1. [`Wanted::by`] names the rows that never change and lead to the accounts; it reads them ([`Known`]).
//! 2. [`accounts_of`] names the accounts; it locks them all at once, in that order.
//! 3. [`Needs::of`] says what else to read under the locks ([`Loaded`]).
//! 4. [`decide`] decides all commands in memory, a later one seeing the earlier ones.
//! 5. It writes the [`Changes`] in bulk, commits, and gives each caller their [`Answer`].
//!
//! # What holds
//! - **Sums are zero by shape.** A leg moves one amount from one account to another of one asset.
//! - **The floor is over posted minus held**, so that a hold is as good as spent while it is open.
//! - **The same id gives the same answer**, also a refusal; the same id for another command is
//!   [`reasons::CONFLICTING_DUPLICATE`] and changes nothing.
//! - **Ids are derived** from the command's, so that any process arrives at the same ones.
//! - **Time is the command's `at`.** Holds and lots due by then expire first, soonest first, each as
//!   a transaction of its own with its own id and date. A sweep issues the same commands, so it does
//!   not matter when it runs.
//!
//! # Choices
//! - *Only points that expire stand in lots.* What never expires needs no row to say so; a hot
//!   account without expiry has no lots at all. A balance is its lots plus an undated rest, and the
//!   rest is spent last.
//! - *A hold pins lots* when it is placed, soonest first, and pinned points outlive their date until
//!   the hold is resolved: who was promised a discount in time gets it. What comes back after its
//!   date leaves in the same transaction. Holding a mere amount was rejected: the points that are
//!   left to expire would then depend on which lot one thinks of.
//! - *A reversal takes back the very points it gave*, then others, then makes a debt (`owed`). Points
//!   of it that expired unspent are no debt. The next award pays the debt first.
//! - *A take-back does so for a part*, such as a partial refund, and may be repeated. What it finds among
//!   the expired comes back for the moment of being taken, so that parts take as much as the whole.
//! - *Nothing is undone twice.* A take-back finds nothing of a transaction that was reversed, and what was
//!   taken back, if only in part, is not reversed until the take-back is. Reversing what is left was
//!   rejected: what was taken is told by its amount and not by its lots, so a reversal would have to
//!   guess which of its legs are still to be undone.
//! - *System accounts have no balance row.* They have no floor, so nothing needs their lock.
//! - *A refused command leaves its row and nothing else*, except what was due by its `at`.

mod account;
mod answer;
mod books;
mod clawback;
mod command;
mod decide;
mod digest;
mod due;
mod earning;
mod hold;
mod ids;
mod invariants;
mod lots;
#[cfg(feature = "model")]
pub mod model;
mod post;
mod reads;
mod refusals;
mod reverse;
mod rows;
pub mod schema;

pub use account::{Account, Asset, Place};
pub use answer::{Answer, Refusal, Verdict, reasons};
pub use books::Loaded;
pub use command::{Actor, Command, Destination, Due, LARGEST, Malformed, Move, Order, Share, memo};
pub use decide::decide;
pub use digest::RequestDigest;
pub use ids::{AccountId, HoldId, LotId, TransactionId};
pub use invariants::{Check, INVARIANTS, Rows, examine};
pub use reads::{Known, Need, Needs, Wanted, accounts_of};
pub use rollbook_domain::{GroupId, Owner};
pub use rows::{
    Balance, Changes, Hold, HoldState, Kind, Leg, Lot, LotMovement, Pin, Role, Sums, TakenBack, Transaction,
};
