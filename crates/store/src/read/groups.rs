//! Groups, their members, their invitations and their journal.

use rollbook_domain::PersonId;
use rollbook_ledger::{GroupId, Role};

use crate::cells::{Cells, Columns};
use crate::{Group, GroupDigest, GroupEntry, GroupHistoryRow, GroupKind, GroupMember, Offer, Place, Said, StoreError};

pub fn group(row: &impl Columns) -> Result<Group, StoreError> {
    let cells = Cells::of("ledger_group", row);
    Ok(Group { id: cells.get("id")?, name: cells.get("name")?, created_at: cells.get("created_at")? })
}

pub fn group_member(row: &impl Columns) -> Result<GroupMember, StoreError> {
    let cells = Cells::of("group_member", row);
    Ok(GroupMember {
        person: cells.get("person")?,
        email: address(&cells, "email")?,
        role: cells.read("role", Role::parse)?,
        joined_at: cells.get("joined_at")?,
        left_at: cells.get("left_at")?,
    })
}

fn address(cells: &Cells<'_, impl Columns>, column: &'static str) -> Result<Option<String>, StoreError> {
    Ok(cells.get::<Option<&str>>(column)?.map(|address| address.trim().to_owned()))
}

/// A line of the journal.
pub fn group_change(row: &impl Columns) -> Result<GroupHistoryRow, StoreError> {
    let cells = Cells::of("group_change", row);
    let said = Said::new(cells.get("id")?, cells.get("happened_at")?, cells.get::<Option<PersonId>>("actor")?.into());
    let reason: Option<&str> = cells.get("reason")?;
    Ok(GroupHistoryRow {
        said: said.because(reason.unwrap_or_default()).map_err(|_| cells.corrupt("reason"))?,
        entry: entry(&cells)?,
        email: address(&cells, "email")?,
        actor_email: address(&cells, "actor_email")?,
    })
}

fn entry(cells: &Cells<'_, impl Columns>) -> Result<GroupEntry, StoreError> {
    let role = |text| Role::parse(text).ok_or_else(|| cells.corrupt("role"));
    Ok(GroupEntry {
        group: cells.get("group_id")?,
        kind: cells.read("kind", GroupKind::parse)?,
        person: cells.get("person")?,
        role: cells.get::<Option<&str>>("role")?.map(role).transpose()?,
        invitation: cells.get("invitation")?,
    })
}

/// The group that an order of before was about, and what it asked for.
pub fn change_before(row: &impl Columns) -> Result<(GroupId, GroupDigest), StoreError> {
    let cells = Cells::of("group_change", row);
    Ok((cells.get("group_id")?, GroupDigest(cells.digest("digest")?)))
}

pub fn place(row: &impl Columns) -> Result<Place, StoreError> {
    let cells = Cells::of("group_member", row);
    Ok(Place {
        role: cells.read("role", Role::parse)?,
        left: cells.get::<Option<jiff::Timestamp>>("left_at")?.is_some(),
        others: cells.count("others")?,
        other_owners: cells.count("other_owners")?,
    })
}

pub fn offer(row: &impl Columns) -> Result<Offer, StoreError> {
    let cells = Cells::of("group_invitation", row);
    Ok(Offer {
        id: cells.get("id")?,
        group: cells.get("group_id")?,
        role: cells.read("role", Role::parse)?,
        expires_at: cells.get("expires_at")?,
        used_by: cells.get("used_by")?,
    })
}

/// What a member may do.
pub fn role(row: &impl Columns) -> Result<((GroupId, PersonId), Role), StoreError> {
    let cells = Cells::of("group_member", row);
    Ok(((cells.get("group_id")?, cells.get("person")?), cells.read("role", Role::parse)?))
}
