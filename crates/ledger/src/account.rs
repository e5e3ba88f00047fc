//! Accounts: whose, of what, and for which purpose.

use std::collections::BTreeSet;

use rollbook_domain::{GroupId, Owner, PersonId};
use uuid::Uuid;

use crate::AccountId;

/// What is counted. Amounts are whole units of it; nothing moves from one asset to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asset {
    Points,
    Minutes,
}

impl Asset {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Points => "points",
            Self::Minutes => "minutes",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Points, Self::Minutes].into_iter().find(|asset| asset.as_str() == text)
    }
}

/// Where units lie. Shape keeps what must not be: the system holds no debts, an owner issues nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// What an owner may spend. Never below zero, open holds counted.
    Available(Owner),
    /// What an owner must give back before they earn again: zero or below.
    Owed(Owner),
    /// The system's: where awards come from.
    Issued,
    /// The system's: where spent units go.
    Redeemed,
    /// The system's: where expired units go.
    Expired,
}

impl Place {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available(_) => "available",
            Self::Owed(_) => "owed",
            Self::Issued => "issued",
            Self::Redeemed => "redeemed",
            Self::Expired => "expired",
        }
    }

    pub fn owner(self) -> Option<Owner> {
        match self {
            Self::Available(owner) | Self::Owed(owner) => Some(owner),
            Self::Issued | Self::Redeemed | Self::Expired => None,
        }
    }
}

/// An account of the ledger (not [`rollbook_domain::Account`], which is a merchant's).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    pub asset: Asset,
    pub place: Place,
}

/// Changing this would give every owner a second account.
const ACCOUNTS: Uuid = Uuid::from_u128(0x94c7_1b2e_6fd0_5843_9b65_e0a2_d71c_38f6);

impl Account {
    pub fn available(asset: Asset, owner: Owner) -> Self {
        Self { asset, place: Place::Available(owner) }
    }

    pub fn owed(asset: Asset, owner: Owner) -> Self {
        Self { asset, place: Place::Owed(owner) }
    }

    pub fn system(asset: Asset, place: Place) -> Self {
        Self { asset, place }
    }

    /// The system's, of the assets of these accounts: where their legs may lead.
    pub fn of_system(accounts: &BTreeSet<Self>) -> impl Iterator<Item = Self> {
        let assets: BTreeSet<_> = accounts.iter().map(|account| account.asset).collect();
        let places = [Place::Issued, Place::Redeemed, Place::Expired];
        assets.into_iter().flat_map(move |asset| places.map(|place| Self::system(asset, place)))
    }

    /// As the tables have it. None: nobody wrote this.
    pub fn read(asset: &str, owner_kind: &str, owner: Uuid, place: &str) -> Option<Self> {
        let place = match (owner_kind, place) {
            ("person", "available") => Place::Available(Owner::Person(PersonId(owner))),
            ("group", "available") => Place::Available(Owner::Group(GroupId(owner))),
            ("person", "owed") => Place::Owed(Owner::Person(PersonId(owner))),
            ("group", "owed") => Place::Owed(Owner::Group(GroupId(owner))),
            ("system", "issued") => Place::Issued,
            ("system", "redeemed") => Place::Redeemed,
            ("system", "expired") => Place::Expired,
            _ => return None,
        };
        Some(Self { asset: Asset::parse(asset)?, place })
    }

    /// `person`, `group` or `system`, and whose it is: nil for the system.
    pub fn owner(self) -> (&'static str, Uuid) {
        self.place.owner().map_or(("system", Uuid::nil()), |owner| (owner.kind(), owner.uuid()))
    }

    pub fn id(self) -> AccountId {
        let (kind, of) = self.owner();
        let name = format!("{}|{kind}|{of}|{}", self.asset.as_str(), self.place.as_str());
        AccountId(Uuid::new_v5(&ACCOUNTS, name.as_bytes()))
    }

    /// Whether it has a row with a balance, to be locked. The system's accounts have none: their
    /// balance is the sum of their legs.
    pub fn has_balance(self) -> bool {
        self.place.owner().is_some()
    }

    /// The least that posted minus held may be.
    pub fn floor(self) -> Option<i64> {
        matches!(self.place, Place::Available(_)).then_some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_as_it_was_written() {
        let (person, group) = (Owner::Person(PersonId(Uuid::from_u128(1))), Owner::Group(GroupId(Uuid::from_u128(1))));
        let owners = [person, group].into_iter().flat_map(|owner| [Place::Available(owner), Place::Owed(owner)]);
        for place in owners.chain([Place::Issued, Place::Redeemed, Place::Expired]) {
            for asset in [Asset::Points, Asset::Minutes] {
                let account = Account { asset, place };
                let (kind, owner) = account.owner();
                assert_eq!(Account::read(asset.as_str(), kind, owner, place.as_str()), Some(account));
            }
        }
        assert_eq!(Account::read("points", "system", Uuid::nil(), "available"), None);
        assert_eq!(Account::read("points", "person", Uuid::nil(), "issued"), None);
        assert_eq!(Account::read("miles", "system", Uuid::nil(), "issued"), None);
    }
}
