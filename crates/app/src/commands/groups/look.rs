//! What groups there are, who belongs to them, and what happened to them.

use std::process::ExitCode;

use rollbook_domain::PersonId;
use rollbook_ledger::{Asset, GroupId, Owner};
use rollbook_store::{Database, Group, GroupHistoryRow, GroupMember};
use serde::Serialize;

use crate::commands::Session;
use crate::commands::points::{Balance, who};
use crate::exit::{Done, FAILED, Failure};
use crate::output;

#[derive(Serialize)]
struct Listed {
    id: String,
    name: String,
    created_at: jiff::Timestamp,
}

impl From<Group> for Listed {
    fn from(Group { id, name, created_at }: Group) -> Self {
        Self { id: id.to_string(), name, created_at }
    }
}

pub async fn list(session: &Session, email: Option<&str>) -> Done {
    let of = email.map(who::email).transpose()?.map(|email| PersonId::of_first_address(&email));
    let groups: Vec<Listed> = session.store().await?.groups_of(of).await?.into_iter().map(Into::into).collect();
    if session.json {
        output::json(&groups)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = output::table(&["GROUP", "NAME"]);
    for group in &groups {
        table.add_row([format!("group:{}", group.id), group.name.clone()]);
    }
    output::line(table);
    output::line(output::count(groups.len() as u64, "group", "groups"));
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Member {
    person: PersonId,
    email: Option<String>,
    role: &'static str,
    joined_at: jiff::Timestamp,
    left_at: Option<jiff::Timestamp>,
}

impl From<GroupMember> for Member {
    fn from(member: GroupMember) -> Self {
        let GroupMember { person, email, role, joined_at, left_at } = member;
        Self { person, email, role: role.as_str(), joined_at, left_at }
    }
}

/// The address of somebody, or that nobody registered with theirs.
fn shown(person: Option<PersonId>, email: Option<&str>) -> String {
    match (email, person) {
        (Some(email), _) => email.to_owned(),
        (None, Some(person)) => format!("(not registered) {person}"),
        (None, None) => String::new(),
    }
}

async fn found(store: &dyn Database, group: &str) -> Result<Option<Group>, Failure> {
    let id = who::group_id(group)?;
    let found = store.group(id).await?;
    if found.is_none() {
        eprintln!("rollbook: there is no group {id}; `rollbook groups list` shows them");
    }
    Ok(found)
}

async fn members_of(store: &dyn Database, group: GroupId) -> Result<Vec<Member>, Failure> {
    Ok(store.group_members(group).await?.into_iter().map(Into::into).collect())
}

pub async fn members(session: &Session, group: &str) -> Done {
    let store = session.store().await?;
    let Some(group) = found(store.as_ref(), group).await? else { return Ok(ExitCode::from(FAILED)) };
    let members = members_of(store.as_ref(), group.id).await?;
    if session.json {
        output::json(&members)?;
    } else {
        print(&members);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(members: &[Member]) {
    let mut table = output::table(&["E-MAIL", "ROLE", "JOINED", "LEFT"]);
    for member in members {
        table.add_row([
            shown(Some(member.person), member.email.as_deref()),
            member.role.to_owned(),
            member.joined_at.strftime("%F").to_string(),
            member.left_at.map_or_else(|| "–".to_owned(), |at| at.strftime("%F").to_string()),
        ]);
    }
    output::line(table);
}

pub async fn show(session: &Session, group: &str) -> Done {
    let store = session.store().await?;
    let Some(group) = found(store.as_ref(), group).await? else { return Ok(ExitCode::from(FAILED)) };
    let standing = store.standing(Asset::Points, Owner::Group(group.id)).await?;
    let balance = Balance::of(&format!("group:{}", group.id), standing);
    let members = members_of(store.as_ref(), group.id).await?;
    if session.json {
        let Group { id, name, created_at } = group;
        let told = serde_json::json!({ "id": id.to_string(), "name": name, "created_at": created_at, "members": members, "balance": balance });
        output::json(&told)?;
        return Ok(ExitCode::SUCCESS);
    }
    output::line(format!("{}, since {}", group.name, group.created_at.strftime("%F")));
    balance.print();
    print(&members);
    Ok(ExitCode::SUCCESS)
}

/// One line of `groups history --json`.
#[derive(Serialize)]
struct Change {
    id: String,
    kind: &'static str,
    /// Whom it is about.
    person: Option<PersonId>,
    email: Option<String>,
    /// That they have after it, or had when they left; that of an invitation.
    role: Option<&'static str>,
    /// The id of the command that made the invitation with which they joined.
    invitation: Option<String>,
    at: jiff::Timestamp,
    /// Who asked; none: the operator.
    actor: Option<PersonId>,
    actor_email: Option<String>,
    reason: Option<String>,
}

impl From<GroupHistoryRow> for Change {
    fn from(row: GroupHistoryRow) -> Self {
        let GroupHistoryRow { said, entry, email, actor_email } = row;
        Self {
            id: said.id.to_string(),
            kind: entry.kind.as_str(),
            person: entry.person,
            email,
            role: entry.role.map(rollbook_ledger::Role::as_str),
            invitation: entry.invitation.map(|id| id.to_string()),
            at: said.at,
            actor: said.actor.person(),
            actor_email,
            reason: said.reason().map(ToOwned::to_owned),
        }
    }
}

pub async fn history(session: &Session, group: &str) -> Done {
    let store = session.store().await?;
    let Some(group) = found(store.as_ref(), group).await? else { return Ok(ExitCode::from(FAILED)) };
    let changes: Vec<Change> = store.group_history(group.id).await?.into_iter().map(Into::into).collect();
    if session.json {
        output::json(&changes)?;
    } else {
        print_changes(&changes);
    }
    Ok(ExitCode::SUCCESS)
}

fn print_changes(changes: &[Change]) {
    let mut table = output::table(&["WHEN", "WHAT", "WHO", "ROLE", "ASKED BY", "REASON", "ID"]);
    for change in changes {
        let by = if change.invitation.is_some() { " (by invitation)" } else { "" };
        table.add_row([
            change.at.strftime("%F %T").to_string(),
            format!("{}{by}", change.kind.replace('_', " ")),
            shown(change.person, change.email.as_deref()),
            change.role.unwrap_or_default().to_owned(),
            shown(change.actor, change.actor_email.as_deref()),
            change.reason.clone().unwrap_or_default(),
            change.id.clone(),
        ]);
    }
    output::line(table);
    output::line(output::count(changes.len() as u64, "line", "lines"));
}
