//! Who plays: invented members and the groups they belong to, the same in every process of a run.

use jiff::Timestamp;
use rollbook_domain::{Email, PersonId};
use rollbook_ledger::{Actor, GroupId, Owner, Role};
use rollbook_store::{ChangeId, GroupOrder, Groups, Said, StoreError};
use uuid::Uuid;

/// Groups that a member belongs to.
const EACH: usize = 2;

#[derive(Clone, Debug)]
pub struct Cast {
    tag: String,
    pub members: Vec<PersonId>,
    pub groups: Vec<GroupId>,
}

impl Cast {
    /// `tag` stands in every id and address, so that runs on one store do not meet.
    pub fn new(tag: &str, members: usize, groups: usize) -> Self {
        let member = |n| {
            let written = format!("soak-{tag}-{n}@example.org");
            Email::parse(&written).map_or(PersonId(Uuid::nil()), |email| PersonId::of_first_address(&email))
        };
        let group = |n| GroupId(Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("rollbook/soak/{tag}/{n}").as_bytes()));
        let (members, groups) = ((0..members.max(1)).map(member).collect(), (0..groups).map(group).collect());
        Self { tag: tag.to_owned(), members, groups }
    }

    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Makes the groups and lets the members join. Again it changes nothing.
    pub async fn seat(&self, store: &dyn Groups, at: Timestamp) -> Result<(), StoreError> {
        for (n, id) in self.groups.iter().enumerate() {
            let (name, owner) = (format!("Soak {} {n}", self.tag), Some(self.members[n % self.members.len()]));
            let said = Said::new(ChangeId(id.0), at, Actor::System);
            store.change_group(&GroupOrder::Create { name, owner }, &said).await?;
        }
        for (n, member) in self.members.iter().enumerate() {
            for (group, role) in self.places(n) {
                if role != Role::Owner {
                    let id = ChangeId(Uuid::new_v5(&group.0, member.0.as_bytes()));
                    let order = GroupOrder::Join { group, person: *member, role };
                    store.change_group(&order, &Said::new(id, at, Actor::System)).await?;
                }
            }
        }
        Ok(())
    }

    /// The groups of a member, by their number, with their role. One in four only looks.
    fn places(&self, member: usize) -> Vec<(GroupId, Role)> {
        let place = |k: usize| {
            let n = (member + k) % self.groups.len();
            let owner = member == n % self.members.len();
            let role = if owner {
                Role::Owner
            } else if (member + k) % 4 == 3 {
                Role::Viewer
            } else {
                Role::Spender
            };
            (self.groups[n], role)
        };
        (0..EACH.min(self.groups.len())).map(place).collect()
    }

    pub fn owners(&self) -> Vec<Owner> {
        let groups = self.groups.iter().map(|group| Owner::Group(*group));
        self.members.iter().map(|member| Owner::Person(*member)).chain(groups).collect()
    }

    /// A group of this member, whatever their role in it.
    pub fn group_of(&self, member: usize, choice: usize) -> Option<GroupId> {
        let places = self.places(member);
        (!places.is_empty()).then(|| places[choice % places.len()].0)
    }
}
