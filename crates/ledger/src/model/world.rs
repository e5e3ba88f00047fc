//! A small world: three persons and two groups.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rollbook_domain::{Email, PersonId};
use uuid::Uuid;

use crate::{GroupId, Owner, Role, TransactionId};

/// Who may do what in which group.
pub type Members = BTreeMap<(GroupId, PersonId), Role>;

/// Two worlds have nothing in common, so that one store can hold several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct World(pub u32);

/// With microseconds, which every store keeps.
pub fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_micros(second * 1_000_001)
}

impl World {
    pub fn person(self, n: usize) -> PersonId {
        let address = format!("member{n}@world{}.example.org", self.0);
        PersonId::of_first_address(&Email::parse(&address).expect("this is an address"))
    }

    pub fn group(self, n: usize) -> GroupId {
        GroupId(Uuid::from_u128((u128::from(self.0) << 32) + 0x6006 + n as u128))
    }

    /// Three persons, then two groups.
    pub fn owner(self, n: usize) -> Owner {
        if n < 3 { Owner::Person(self.person(n)) } else { Owner::Group(self.group(n - 3)) }
    }

    /// Of the `n`-th command.
    pub fn id(self, n: usize) -> TransactionId {
        TransactionId::of_key(&format!("world {} command {n}", self.0))
    }

    /// To be joined in a store before anything is run.
    pub fn members(self) -> Members {
        let roles = [(0, 0, Role::Owner), (0, 1, Role::Spender), (0, 2, Role::Viewer), (1, 1, Role::Owner)];
        roles.into_iter().map(|(of, who, role)| ((self.group(of), self.person(who)), role)).collect()
    }
}
