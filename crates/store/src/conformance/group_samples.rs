//! Orders about groups, each with an id of its own.

use std::sync::atomic::{AtomicU32, Ordering};

use jiff::Timestamp;
use rollbook_domain::PersonId;
use rollbook_ledger::{Actor, Role};
use uuid::Uuid;

use super::ledger_samples::{group_id, person};
use super::samples::at;
use crate::{ChangeId, Database, GroupChange, GroupOrder, Said};

/// The id of an order that is asked more than once.
pub fn change_id(number: u32) -> ChangeId {
    ChangeId(Uuid::from_u128(0x0a5c_0000_0000_4000_8000_0000_0000_0000 + u128::from(number)))
}

/// What the system says, with an id that nobody else has.
pub fn said_at(moment: Timestamp) -> Said {
    static NEXT: AtomicU32 = AtomicU32::new(1_000);
    Said::new(change_id(NEXT.fetch_add(1, Ordering::Relaxed)), moment, Actor::System)
}

pub fn said(second: u32) -> Said {
    said_at(at(second))
}

pub async fn ask(store: &dyn Database, order: &GroupOrder, said: &Said) -> GroupChange {
    store.change_group(order, said).await.expect("answered").0
}

/// Group `number`, at second 0.
pub async fn create(store: &dyn Database, number: u32, name: &str, owner: Option<PersonId>) -> GroupChange {
    let said = Said::new(ChangeId(group_id(number).0), at(0), Actor::System);
    ask(store, &GroupOrder::Create { name: name.to_owned(), owner }, &said).await
}

pub async fn join(store: &dyn Database, group: u32, member: u32, role: Role, second: u32) -> GroupChange {
    let order = GroupOrder::Join { group: group_id(group), person: person(member), role };
    ask(store, &order, &said(second)).await
}

pub async fn leave(store: &dyn Database, group: u32, member: u32, second: u32) -> GroupChange {
    let order = GroupOrder::Leave { group: group_id(group), person: person(member) };
    ask(store, &order, &said(second)).await
}
