//! Owners: whose points these are.
//!
//! A processor says who earns and the ledger who has, so the word stands below both.

use std::fmt;

use uuid::Uuid;

use crate::PersonId;

/// A household, team or club section that owns points together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub Uuid);

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Who has a balance of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    Person(PersonId),
    Group(GroupId),
}

impl Owner {
    /// `person` or `group`, as the tables have it.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Group(_) => "group",
        }
    }

    /// What [`Self::kind`] and [`Self::uuid`] told.
    pub fn read(kind: &str, id: Uuid) -> Option<Self> {
        match kind {
            "person" => Some(Self::Person(PersonId(id))),
            "group" => Some(Self::Group(GroupId(id))),
            _ => None,
        }
    }

    pub fn uuid(self) -> Uuid {
        match self {
            Self::Person(person) => person.0,
            Self::Group(group) => group.0,
        }
    }
}
