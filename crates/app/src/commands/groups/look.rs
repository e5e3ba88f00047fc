//! `rollbook groups`: households, teams and club sections that own points together.

use std::process::ExitCode;

use rollbook_domain::PersonId;
use rollbook_ledger::{Asset, GroupId, Owner, Role};
use rollbook_store::{Database, Group, GroupChange, GroupMember, Invitation};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::Session;
use super::points::{expiry, who};
use crate::cli::points::GroupsCommand;
use crate::exit::{Done, FAILED, Failure};
use crate::{output, wiring};

pub async fn run(session: &Session, command: GroupsCommand) -> Done {
    match command {
        GroupsCommand::Create { name, email, id } => create(session, &name, email.as_deref(), id.as_deref()).await,
        GroupsCommand::List { email } => list(session, email.as_deref()).await,
        GroupsCommand::Show { group } => show(session, &group).await,
        GroupsCommand::Members { group } => members(session, &group).await,
        GroupsCommand::Join { group, email, role } => join(session, &group, &email, role.as_deref()).await,
        GroupsCommand::Leave { group, email } => leave(session, &group, &email).await,
        GroupsCommand::Invite { group, role, expires } => invite(session, &group, &role, &expires).await,
    }
}

/// What the commands that change a group print with `--json`.
#[derive(Serialize)]
struct Changed {
    id: String,
    /// `applied`, or `rejected` with its reason. The same again is applied and changes nothing.
    outcome: &'static str,
    reason: Option<&'static str>,
}

/// Says what became of it; exit 1 if it was refused.
fn tell(session: &Session, group: GroupId, change: GroupChange, said: &str) -> Done {
    let refused = refusal(change);
    if session.json {
        let outcome = if refused.is_none() { "applied" } else { "rejected" };
        output::json(&Changed { id: group.to_string(), outcome, reason: refused.map(|(word, _)| word) })?;
    } else {
        output::line(refused.map_or_else(|| said.to_owned(), |(_, sentence)| format!("rejected: {sentence}")));
    }
    Ok(if refused.is_none() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// The stable word and a sentence.
fn refusal(change: GroupChange) -> Option<(&'static str, &'static str)> {
    Some(match change {
        GroupChange::Done | GroupChange::Unchanged => return None,
        GroupChange::UnknownGroup => ("unknown_group", "there is no such group; `rollbook groups list` shows them"),
        GroupChange::Conflicting => {
            ("conflicting_duplicate", "this id belongs to a group of another name; take a new id")
        }
        GroupChange::NotAMember => {
            ("not_a_member", "they do not belong to this group; `groups members` shows who does")
        }
        GroupChange::LastOwner => {
            ("last_owner", "they are its last owner and others belong to it; make somebody else an owner first")
        }
        GroupChange::UnknownInvitation => ("unknown_invitation", "nobody made this code; ask for a new invitation"),
        GroupChange::InvitationExpired => ("invitation_expired", "the invitation has expired; ask for a new one"),
        GroupChange::InvitationUsed => {
            ("invitation_used", "somebody else has used this invitation; ask for one of your own")
        }
    })
}

async fn create(session: &Session, name: &str, owner: Option<&str>, id: Option<&str>) -> Done {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 200 || name.contains(char::is_control) {
        let wrong = "a name has 1 to 200 characters and no line breaks";
        return Err(Failure::usage(anyhow::anyhow!(wrong)));
    }
    let id = id.map_or_else(random_id, |key| Ok(chosen_id(key)))?;
    let owner = owner.map(person).transpose()?;
    let group = Group { id, name: name.to_owned(), created_at: (wiring::clock())() };
    let change = session.store().await?.create_group(&group, owner).await?;
    tell(session, id, change, &format!("group:{id}  {name}"))
}

fn random_id() -> Result<GroupId, Failure> {
    Ok(GroupId(uuid::Builder::from_random_bytes(random()?).into_uuid()))
}

fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness from the operating system: {error}"))?;
    Ok(bytes)
}

/// A UUID is the group's id; other words lead to one.
fn chosen_id(key: &str) -> GroupId {
    let key = key.trim();
    GroupId(uuid::Uuid::parse_str(key).unwrap_or_else(|_| {
        let name = format!("rollbook/group|{key}");
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, name.as_bytes())
    }))
}

fn person(written: &str) -> Result<PersonId, Failure> {
    Ok(PersonId::of_first_address(&who::email(written)?))
}

async fn join(session: &Session, group: &str, email: &str, role: Option<&str>) -> Done {
    let (joining, now) = (person(email)?, (wiring::clock())());
    let store = session.store().await?;
    // An id has the form of a UUID, a code has not.
    if uuid::Uuid::parse_str(group.trim().trim_start_matches("group:")).is_err() {
        let (change, joined) = store.accept_invitation(digest(group), joining, now).await?;
        let id = joined.unwrap_or(GroupId(uuid::Uuid::nil()));
        return tell(session, id, change, &format!("{email} has joined group:{id}"));
    }
    let (id, role) = (who::group_id(group)?, parse_role(role.unwrap_or("spender"))?);
    let change = store.join_group(id, joining, role, now).await?;
    tell(session, id, change, &format!("{email} is in group:{id} as {}", role.as_str()))
}

async fn leave(session: &Session, group: &str, email: &str) -> Done {
    let id = who::group_id(group)?;
    let change = session.store().await?.leave_group(id, person(email)?, (wiring::clock())()).await?;
    tell(session, id, change, &format!("{email} has left group:{id}; its points stay"))
}

fn parse_role(written: &str) -> Result<Role, Failure> {
    let wrong = || anyhow::anyhow!("`{written}` is no role; it is owner, spender or viewer");
    Role::parse(written).ok_or_else(|| Failure::usage(wrong()))
}

/// The store keeps only this, so that nobody who reads it can join.
fn digest(code: &str) -> [u8; 32] {
    Sha256::digest(code.trim().as_bytes()).into()
}

async fn invite(session: &Session, group: &str, role: &str, expires: &str) -> Done {
    let (id, role, now) = (who::group_id(group)?, parse_role(role)?, (wiring::clock())());
    let expires_at = expiry(expires, now, &session.config.zone)?;
    let code = hex::encode(random::<16>()?);
    // A bare UUID would be taken for the id of a group.
    let code = format!("join-{code}");
    let invitation = Invitation { digest: digest(&code), group: id, role, made_at: now, expires_at };
    let change = session.store().await?.invite(&invitation).await?;
    if session.json && refusal(change).is_none() {
        let told = serde_json::json!({ "id": id.to_string(), "outcome": "applied", "reason": null, "code": code, "expires_at": expires_at });
        output::json(&told)?;
        return Ok(ExitCode::SUCCESS);
    }
    let said = format!("{code}\none person may join with it until {expires_at}: rollbook groups join {code} EMAIL");
    tell(session, id, change, &said)
}

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

async fn list(session: &Session, email: Option<&str>) -> Done {
    let of = email.map(person).transpose()?;
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

async fn members(session: &Session, group: &str) -> Done {
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
            member.email.clone().unwrap_or_else(|| format!("(not registered) {}", member.person)),
            member.role.to_owned(),
            member.joined_at.strftime("%F").to_string(),
            member.left_at.map_or_else(|| "–".to_owned(), |at| at.strftime("%F").to_string()),
        ]);
    }
    output::line(table);
}

async fn show(session: &Session, group: &str) -> Done {
    use super::points::Balance;
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
