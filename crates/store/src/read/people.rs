//! People, with their addresses and details.

use std::collections::BTreeMap;

use rollbook_domain::{Detail, DetailField, Email, Person, PersonId, Stamp, State};

use crate::cells::{Cells, Columns};
use crate::{MemberRow, StoreError};

/// People by their number in this store; nothing outside of it knows that number.
pub type Known = BTreeMap<i64, PersonId>;

pub fn number(row: &impl Columns) -> Result<(i64, PersonId), StoreError> {
    let cells = Cells::of("person", row);
    Ok((cells.get("number")?, cells.get("id")?))
}

/// These people, whose addresses come in the order of their positions.
pub fn people<R: Columns>(known: &Known, emails: &[R], details: &[R]) -> Result<State, StoreError> {
    let empty = |id: PersonId| Person { id, emails: Vec::new(), name: None, address: None, category: None };
    let mut people: BTreeMap<_, _> = known.values().map(|id| (*id, empty(*id))).collect();
    for row in emails {
        let cells = Cells::of("person_email", row);
        let email = cells.read("email", Email::parse)?;
        if let Some(person) = people.get_mut(&whose(&cells, known)?) {
            person.emails.push(email);
        }
    }
    for row in details {
        let cells = Cells::of("person_detail", row);
        let stamp = Stamp { at: cells.get("said_at")?, key: cells.get("said_by")? };
        if let Some(person) = people.get_mut(&whose(&cells, known)?) {
            let field = cells.read("field", DetailField::parse)?;
            person.set(field, Detail { value: cells.get("value")?, stamp });
        }
    }
    let mut state = State::default();
    for person in people.into_values() {
        state.add_person(person);
    }
    Ok(state)
}

pub(super) fn whose(cells: &Cells<'_, impl Columns>, known: &Known) -> Result<PersonId, StoreError> {
    known.get(&cells.get("person")?).copied().ok_or_else(|| cells.corrupt("person"))
}

/// A person and their first address.
pub fn address(row: &impl Columns) -> Result<(PersonId, String), StoreError> {
    let cells = Cells::of("person", row);
    Ok((cells.get("id")?, cells.get::<&str>("email")?.trim().to_owned()))
}

pub fn member(row: &impl Columns) -> Result<MemberRow, StoreError> {
    let cells = Cells::of("person", row);
    let shown = cells.get::<Option<&str>>("address")?.map(|address| address.trim().to_owned());
    Ok(MemberRow {
        id: cells.get("id")?,
        name: cells.get("name")?,
        email: shown.map_or_else(|| cells.get("normal"), Ok)?,
        membership_expires: cells.get("membership_expires")?,
        waiver_expires: cells.get("waiver_expires")?,
    })
}
