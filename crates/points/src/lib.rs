//! The points processor: what members pay and do earns points, and what is given back is taken back.
//!
//! It decides how many points move, from and to whom; the ledger moves them in the same transaction
//! of the database. It never asks for a balance: an award needs none, and what is to be taken back
//! becomes a debt where it is spent already. So two events of one member never wait for each other
//! to be decided, but where they share a cap.
//!
//! # Targets, not steps
//! Each fact leaves rows ([`rollbook_domain::Earning`]) that say what it earned and what was moved. A
//! fact moves the difference between what should have been moved by now and what was:
//! - A payment has earned by a rule what the rate makes of what is left of it: the amount less the
//!   greatest refund seen, nothing once a dispute is lost. An award is kept until all is given back.
//! - Under a cap, what was moved to an owner in a period is the lesser of the cap and of what they
//!   earned in it. Points above the cap move up when others are taken back.
//!
//! So the sums depend on which facts are known and not on the order in which they came. A row keeps
//! the rate and the cap that were in force; of the caps of one period the greatest holds. A changed
//! configuration therefore moves nothing old.
//!
//! # Dates
//! A lot expires counting from the event; under a cap, from the end of the period. Which payment
//! filled a cap depends on the order of arrival, and the date of its points must not.
//!
//! # Choices
//! - *Owners are persons by e-mail address*, registered or not: points may be earned by a rental, too.
//! - *The owner of a cap is the owner of the points.* A group counts as one member. A cap over all the
//!   owners to whom somebody's payments go was rejected: what is above it would have to move from
//!   one owner to another with every refund.
//! - *Whoever pays for a group must be a member.* Asked is whether they had left when they paid, not whether
//!   they are a member when the message comes: a late message gives the same answer. One who joins
//!   afterwards mends it.
//! - *Money in another currency than the organisation's earns nothing*: there is no rate to be right.
//! - *A fixed award is taken back when all of its payment is*, never in parts.

mod adjust;
mod earn;
mod payee;
mod period;
mod processor;
mod rate;
pub mod reasons;
mod rules;
mod share;

pub use period::{Every, Lifetime};
pub use processor::{NAME, Points};
pub use rate::LARGEST;
pub use rules::{Most, Rule, Rules, RulesFault, Trigger};
