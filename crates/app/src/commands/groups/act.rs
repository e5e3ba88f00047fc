//! The commands that change a group.

use std::process::ExitCode;

use jiff::Timestamp;
use rollbook_domain::PersonId;
use rollbook_ledger::{GroupId, Role};
use rollbook_store::{ChangeId, GroupChange, GroupOrder, Invitation, Said, StoreError};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::cli::points::AskArgs;
use crate::commands::Session;
use crate::commands::points::{expiry, now, who};
use crate::exit::{Done, FAILED, Failure};
use crate::{output, wiring};

pub async fn create(session: &Session, name: &str, owner: Option<&str>, ask: &AskArgs) -> Done {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 200 || name.contains(char::is_control) {
        let wrong = "a name has 1 to 200 characters and no line breaks";
        return Err(Failure::usage(anyhow::anyhow!(wrong)));
    }
    let owner = owner.map(person).transpose()?;
    let asking = Asking { session, said: said(ask, now())?, invited: None };
    let told = |group| format!("group:{group}  {name}");
    asking.of(&GroupOrder::Create { name: name.to_owned(), owner }, told).await
}

pub async fn join(session: &Session, group: &str, email: &str, role: Option<&str>, ask: &AskArgs) -> Done {
    let (person, asking) = (person(email)?, Asking { session, said: said(ask, now())?, invited: None });
    // An id has the form of a UUID, a code has not.
    if uuid::Uuid::parse_str(group.trim().trim_start_matches("group:")).is_err() {
        let order = GroupOrder::Accept { digest: digest(group), person };
        return asking.of(&order, |group| format!("{email} has joined group:{group}")).await;
    }
    let (group, role) = (who::group_id(group)?, parse_role(role.unwrap_or("spender"))?);
    let told = |group| format!("{email} is in group:{group} as {role}");
    asking.of(&GroupOrder::Join { group, person, role }, told).await
}

pub async fn leave(session: &Session, group: &str, email: &str, ask: &AskArgs) -> Done {
    let order = GroupOrder::Leave { group: who::group_id(group)?, person: person(email)? };
    let told = |group| format!("{email} has left group:{group}; its points stay");
    Asking { session, said: said(ask, now())?, invited: None }.of(&order, told).await
}

pub async fn invite(session: &Session, group: &str, role: &str, expires: &str, ask: &AskArgs) -> Done {
    let (group, role, now) = (who::group_id(group)?, parse_role(role)?, now());
    let expires_at = expiry(expires, now, &session.config.zone)?;
    // A bare UUID would be taken for the id of a group.
    let code = format!("join-{}", hex::encode(wiring::random::<16>()?));
    let told = |_| format!("{code}\none person may join with it until {expires_at}: rollbook groups join {code} EMAIL");
    let order = GroupOrder::Invite(Invitation { digest: digest(&code), group, role, expires_at });
    let invited = Some(Invited { code: Some(code.clone()), expires_at: Some(expires_at) });
    Asking { session, said: said(ask, now)?, invited }.of(&order, told).await
}

fn person(written: &str) -> Result<PersonId, Failure> {
    Ok(PersonId::of_first_address(&who::email(written)?))
}

fn parse_role(written: &str) -> Result<Role, Failure> {
    let wrong = || anyhow::anyhow!("`{written}` is no role; it is owner, spender or viewer");
    Role::parse(written).ok_or_else(|| Failure::usage(wrong()))
}

/// The store keeps only this, so that nobody who reads it can join.
fn digest(code: &str) -> [u8; 32] {
    Sha256::digest(code.trim().as_bytes()).into()
}

fn said(ask: &AskArgs, now: Timestamp) -> Result<Said, Failure> {
    let id = match &ask.id {
        Some(written) => key(written),
        None => ChangeId(uuid::Builder::from_random_bytes(wiring::random()?).into_uuid()),
    };
    let said = Said::new(id, now, who::actor(ask.actor.as_deref())?);
    said.because(ask.reason.as_deref().unwrap_or_default()).map_err(Failure::usage)
}

/// An id as it was printed, or the words that somebody chose for one.
fn key(written: &str) -> ChangeId {
    let written = written.trim();
    ChangeId(uuid::Uuid::parse_str(written).unwrap_or_else(|_| {
        let name = format!("rollbook/group|{written}");
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, name.as_bytes())
    }))
}

/// One order on its way.
struct Asking<'a> {
    session: &'a Session,
    said: Said,
    /// What is told of an invitation that was made now.
    invited: Option<Invited>,
}

impl Asking<'_> {
    /// `words` are told if it is applied.
    async fn of(self, order: &GroupOrder, words: impl FnOnce(GroupId) -> String) -> Done {
        let id = self.said.id;
        let store = self.session.store().await?;
        let (change, group) = store.change_group(order, &self.said).await.map_err(|error| ask_again(error, id))?;
        let refusal = refusal(change);
        if self.session.json {
            output::json(&self.told(change, group))?;
        } else {
            output::line(match refusal {
                Some((_, sentence)) => format!("rejected: {sentence}"),
                None => self.sentence(change, words(group.unwrap_or(GroupId(id.0)))),
            });
            output::line(format!("id       {id}"));
        }
        Ok(if refusal.is_none() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
    }

    fn sentence(&self, change: GroupChange, words: String) -> String {
        match change {
            GroupChange::Repeated if self.invited.is_some() => {
                "already applied before, nothing new happened: the code was told then and is not kept; if it is lost, \
                 invite with another id"
                    .to_owned()
            }
            GroupChange::Repeated => format!("already applied before, nothing new happened: {words}"),
            GroupChange::Unchanged => format!("{words} (it was so already)"),
            _ => words,
        }
    }

    fn told(self, change: GroupChange, group: Option<GroupId>) -> Told {
        let refused = refusal(change);
        let made = change == GroupChange::Done;
        Told {
            id: self.said.id.to_string(),
            group: group.map(|group| group.to_string()),
            outcome: if refused.is_none() { "applied" } else { "rejected" },
            reason: refused.map(|(word, _)| word),
            detail: refused.map(|(_, sentence)| sentence),
            repeated: change == GroupChange::Repeated,
            invited: self.invited.map(|invited| if made { invited } else { Invited::default() }),
        }
    }
}

/// Whether it happened may be open, so the id matters more than ever.
fn ask_again(error: StoreError, id: ChangeId) -> Failure {
    match error {
        StoreError::Unavailable(_) | StoreError::Conflict(_) => {
            Failure::failed(anyhow::Error::from(error).context(format!("no answer to `--id {id}`; ask again with it")))
        }
        StoreError::Refused(_) | StoreError::Corrupt { .. } | StoreError::Schema(_) => Failure::failed(error),
    }
}

/// What `--json` prints of a command.
#[derive(Serialize)]
struct Told {
    /// The idempotency key. A group has the id of the command that made it.
    id: String,
    group: Option<String>,
    /// `applied`, or `rejected` with its reason.
    outcome: &'static str,
    reason: Option<&'static str>,
    /// One sentence about the reason.
    detail: Option<&'static str>,
    /// It was applied before under this id, and nothing happened now.
    repeated: bool,
    #[serde(flatten)]
    invited: Option<Invited>,
}

/// Only whoever made it is told, once.
#[derive(Default, Serialize)]
struct Invited {
    code: Option<String>,
    expires_at: Option<Timestamp>,
}

/// The stable word and a sentence.
fn refusal(change: GroupChange) -> Option<(&'static str, &'static str)> {
    Some(match change {
        GroupChange::Done | GroupChange::Unchanged | GroupChange::Repeated => return None,
        GroupChange::UnknownGroup => ("unknown_group", "there is no such group; `rollbook groups list` shows them"),
        GroupChange::Conflicting => {
            ("conflicting_duplicate", "this id belongs to a command that asked for something else; take a new id")
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
