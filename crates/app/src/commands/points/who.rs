//! Whose points: what an operator writes for an owner, an actor or a group, and whether it is there.

use rollbook_domain::{Email, PersonId};
use rollbook_ledger::{Actor, Asset, GroupId, Owner};
use rollbook_store::{Database, HistoryFilter};

use crate::exit::Failure;

/// An owner, and how they were written.
#[derive(Clone, Debug)]
pub struct Named {
    pub owner: Owner,
    /// The address in its normal form, or `group:` and the id.
    pub name: String,
}

impl Named {
    /// Wrong usage if this names nobody.
    pub fn parse(written: &str) -> Result<Self, Failure> {
        if let Some(id) = written.trim().strip_prefix("group:") {
            let group = group_id(id)?;
            return Ok(Self { owner: Owner::Group(group), name: format!("group:{group}") });
        }
        let wrong =
            || anyhow::anyhow!("`{written}` is no owner: give an e-mail address, or `group:` and the id of a group");
        let email = Email::parse(written).ok_or_else(|| Failure::usage(wrong()))?;
        Ok(Self { owner: Owner::Person(PersonId::of_first_address(&email)), name: email.to_string() })
    }
}

pub fn email(written: &str) -> Result<Email, Failure> {
    let wrong = || anyhow::anyhow!("`{written}` is no e-mail address; give that of a member");
    Email::parse(written).ok_or_else(|| Failure::usage(wrong()))
}

/// With or without `group:` in front.
pub fn group_id(written: &str) -> Result<GroupId, Failure> {
    let id = written.trim().trim_start_matches("group:");
    let wrong = || anyhow::anyhow!("`{written}` is no id of a group; `rollbook groups list` shows them");
    uuid::Uuid::parse_str(id).map(GroupId).map_err(|_| Failure::usage(wrong()))
}

/// Who asks: a member, or the operator.
pub fn actor(written: Option<&str>) -> Result<Actor, Failure> {
    let Some(written) = written else { return Ok(Actor::System) };
    Ok(Actor::Person(PersonId::of_first_address(&email(written)?)))
}

/// What the records know of an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Known,
    /// Nobody registered under this address yet, nor did points ever move.
    Unregistered,
    NoSuchGroup,
}

pub async fn standing(store: &dyn Database, named: &Named) -> Result<Standing, Failure> {
    match named.owner {
        Owner::Group(group) => match store.group(group).await? {
            Some(_) => Ok(Standing::Known),
            None => Ok(Standing::NoSuchGroup),
        },
        Owner::Person(_) => person(store, named).await,
    }
}

async fn person(store: &dyn Database, named: &Named) -> Result<Standing, Failure> {
    if let Some(email) = Email::parse(&named.name)
        && store.person(&email).await?.is_some()
    {
        return Ok(Standing::Known);
    }
    let owner = named.owner;
    let any = HistoryFilter { asset: Asset::Points, owner, since: None, until: None, limit: Some(1) };
    let moved = !store.history(&any).await?.is_empty();
    Ok(if moved { Standing::Known } else { Standing::Unregistered })
}

/// The sentence about an owner who is not there.
pub fn missing(standing: Standing, named: &Named) -> String {
    match standing {
        Standing::NoSuchGroup => {
            format!("there is no group {}; `rollbook groups list` shows them", named.name.trim_start_matches("group:"))
        }
        Standing::Known | Standing::Unregistered => {
            format!("nobody with the address {}; `rollbook members list` shows who there is", named.name)
        }
    }
}
