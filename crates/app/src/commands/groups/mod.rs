//! `rollbook groups`: households, teams and club sections that own points together.
//!
//! As with points, a command is one order with one id, and whoever asks and why is kept with it.

mod act;
mod look;

use super::Session;
use crate::cli::points::GroupsCommand;
use crate::exit::Done;

pub async fn run(session: &Session, command: GroupsCommand) -> Done {
    use GroupsCommand::{Create, History, Invite, Join, Leave, List, Members, Show};
    match command {
        Create { name, email, ask } => act::create(session, &name, email.as_deref(), &ask).await,
        List { email } => look::list(session, email.as_deref()).await,
        Show { group } => look::show(session, &group).await,
        Members { group } => look::members(session, &group).await,
        History { group } => look::history(session, &group).await,
        Join { group, email, role, ask } => act::join(session, &group, &email, role.as_deref(), &ask).await,
        Leave { group, email, ask } => act::leave(session, &group, &email, &ask).await,
        Invite { group, role, expires, ask } => act::invite(session, &group, &role, &expires, &ask).await,
    }
}
