//! Who is given the points of a payment: whoever paid, or a group of theirs.

use rollbook_domain::{Amount, Capture, Event, Fault, GroupId, Owner, PersonId, State};
use uuid::Uuid;

use crate::earn::{fault, payer};
use crate::reasons::{BAD_GROUP, NOT_A_MEMBER};

#[derive(Clone, Copy)]
pub(crate) struct Payee {
    pub person: PersonId,
    pub group: Option<GroupId>,
}

impl Payee {
    pub fn alone(person: PersonId) -> Self {
        Self { person, group: None }
    }

    pub fn owner(self) -> Owner {
        self.group.map_or(Owner::Person(self.person), Owner::Group)
    }

    /// Whoever had left the group when they paid earns nothing for it, and neither does a stranger.
    pub fn may_earn(self, event: &Event, state: &State) -> bool {
        let Some(group) = self.group else { return true };
        let left_at = state.group_members.get(&(group, self.person));
        left_at.is_some_and(|left_at| left_at.is_none_or(|left_at| event.occurred_at < left_at))
    }
}

pub(crate) fn payee(capture: &Capture) -> Result<Payee, Fault> {
    let person = payer(capture)?;
    let group = capture.points_group().map(|text| group(text, &capture.amount)).transpose()?;
    Ok(Payee { person, group })
}

fn group(text: &str, amount: &Amount) -> Result<GroupId, Fault> {
    Uuid::try_parse(text).map(GroupId).map_err(|_| fault(BAD_GROUP, NO_GROUP_ID, Some(amount.clone())))
}

/// Waits, and is at last a dead letter that can be replayed once they have joined.
pub(crate) fn not_a_member(capture: &Capture) -> Fault {
    fault(NOT_A_MEMBER, NO_MEMBER, Some(capture.amount.clone()))
}

const NO_GROUP_ID: &str = "what names the group that the points are for is no id of a group; correct or empty it in \
                           the dead letter and replay, or see which field of the source holds it";
const NO_MEMBER: &str = "whoever paid is no member of the group that the points are for, or there is no such group; \
                         let them join it, or empty the group in the dead letter, and replay";
