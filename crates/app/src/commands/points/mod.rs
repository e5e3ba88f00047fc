//! `rollbook points`: what members and groups have, and the commands that move it.
//!
//! A command is one order with one id. The operator sees the id whether they gave it or not, because
//! with it they can ask again after a crash or a lost connection and get the same answer.

mod act;
mod due;
mod look;
mod statement;
pub(super) mod who;

use self::due::Expiry;
use super::Session;
use crate::cli::points::PointsCommand;
use crate::exit::Done;

pub use act::now;
pub use due::parse as expiry;
pub use look::Balance;

pub async fn run(session: &Session, command: PointsCommand) -> Done {
    use PointsCommand::{Award, Balance, History, Hold, Liability, Redeem, Reverse, Settle, Statement, Transfer, Void};
    match command {
        Balance { owner } => look::balance(session, &owner).await,
        History { owner, span, limit } => look::history(session, &owner, &span, limit).await,
        Statement { owner, span, csv } => statement::run(session, &owner, &span, csv).await,
        Liability => look::liability(session).await,
        Award { owner, amount, expires, never_expires, ask } => {
            act::award(session, &owner, amount, Expiry::of(expires.as_deref(), never_expires), &ask).await
        }
        Redeem { owner, amount, ask } => act::redeem(session, &owner, amount, &ask).await,
        Transfer { from, to, amount, ask } => act::transfer(session, &from, &to, amount, &ask).await,
        Hold { owner, amount, expires, never_expires, ask } => {
            act::hold(session, &owner, amount, Expiry::of(Some(&expires), never_expires), &ask).await
        }
        Settle { hold, amount, to, ask } => act::settle(session, &hold, amount, to.as_deref(), &ask).await,
        Void { hold, ask } => act::void(session, &hold, &ask).await,
        Reverse { transaction, ask } => act::reverse(session, &transaction, &ask).await,
    }
}
