//! Does a second command with this id ask for the same thing?

use rollbook_ledger::Actor;
use sha2::{Digest as _, Sha256};

use super::GroupOrder;

/// A versioned digest over the order and who asked, as `rollbook_ledger::RequestDigest` is. Times and
/// the reason are not in it, nor the code of an invitation, which is made anew each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupDigest(pub [u8; 16]);

/// To be raised with every change of the words below. It is the first byte of a digest.
const VERSION: u8 = 1;

impl GroupDigest {
    pub fn of(order: &GroupOrder, actor: Actor) -> Self {
        let mut hash = Sha256::new();
        let actor = match actor {
            Actor::System => "system".to_owned(),
            Actor::Person(person) => person.to_string(),
        };
        for word in [vec![actor], words(order)].concat() {
            hash.update(word);
            // No text contains this byte, so that none runs into the next.
            hash.update([0xff]);
        }
        let mut digest = [VERSION; 16];
        digest[1..].copy_from_slice(&hash.finalize()[..15]);
        Self(digest)
    }

    /// Whether both are of one version and differ.
    pub fn contradicts(&self, other: &Self) -> bool {
        self.0[0] == other.0[0] && self != other
    }
}

fn words(order: &GroupOrder) -> Vec<String> {
    match order {
        GroupOrder::Create { name, owner } => {
            let owner = owner.map_or_else(|| "nobody".to_owned(), |owner| owner.to_string());
            vec!["create".to_owned(), name.clone(), owner]
        }
        GroupOrder::Join { group, person, role } => {
            vec!["join".to_owned(), group.to_string(), person.to_string(), role.to_string()]
        }
        GroupOrder::Leave { group, person } => vec!["leave".to_owned(), group.to_string(), person.to_string()],
        GroupOrder::Invite(invitation) => {
            vec!["invite".to_owned(), invitation.group.to_string(), invitation.role.to_string()]
        }
        GroupOrder::Accept { digest, person } => {
            let digest = digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
            vec!["accept".to_owned(), digest, person.to_string()]
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use rollbook_domain::PersonId;
    use rollbook_ledger::{GroupId, Role};
    use uuid::Uuid;

    use super::super::Invitation;
    use super::*;

    const ADA: PersonId = PersonId(Uuid::from_u128(1));
    const GROUP: GroupId = GroupId(Uuid::from_u128(2));

    fn orders() -> Vec<GroupOrder> {
        let create = |name: &str, owner| GroupOrder::Create { name: name.to_owned(), owner };
        let invitation = Invitation { digest: [3; 32], group: GROUP, role: Role::Viewer, expires_at: Timestamp::MAX };
        vec![
            create("Hiking", Some(ADA)),
            create("Hiking", None),
            create("Alpine", None),
            GroupOrder::Join { group: GROUP, person: ADA, role: Role::Viewer },
            GroupOrder::Join { group: GROUP, person: ADA, role: Role::Owner },
            GroupOrder::Leave { group: GROUP, person: ADA },
            GroupOrder::Invite(invitation),
            GroupOrder::Accept { digest: [3; 32], person: ADA },
        ]
    }

    #[test]
    fn another_order_or_actor_is_another_request() {
        let actors = [Actor::System, Actor::Person(ADA)];
        let all = orders();
        let digests: Vec<_> = all.iter().flat_map(|order| actors.map(|actor| GroupDigest::of(order, actor))).collect();
        for (n, one) in digests.iter().enumerate() {
            assert!(digests[n + 1..].iter().all(|other| one.contradicts(other)), "{n}");
        }
        let mut newer = digests[0];
        newer.0[0] += 1;
        assert!(!newer.contradicts(&digests[1]), "two versions are never compared");
    }

    #[test]
    fn asking_later_is_asking_the_same() {
        let later = Invitation { digest: [9; 32], group: GROUP, role: Role::Viewer, expires_at: Timestamp::MIN };
        let (first, again) = (&orders()[6], GroupOrder::Invite(later));
        assert_eq!(GroupDigest::of(first, Actor::System), GroupDigest::of(&again, Actor::System));
    }

    /// These stand in tables: what they are made of may change only together with `VERSION`.
    #[test]
    fn a_digest_is_stable() {
        let digests = orders().iter().fold(0, |sum: u128, order| {
            sum.rotate_left(1) ^ u128::from_be_bytes(GroupDigest::of(order, Actor::System).0)
        });
        assert_eq!(digests, 0xb243_1904_05e3_7116_2c86_accf_2991_7966, "{digests:x}");
    }
}
