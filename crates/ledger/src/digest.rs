//! The request digest: does a second command with this id ask for the same thing?

use sha2::{Digest as _, Sha256};

use crate::{Account, Actor, Asset, Command, Destination, Due, Move, Order, Owner};

/// A versioned digest over the order and who asked. Times are not in it: whoever asks again asks
/// later, and what expires after 24 months then expires later, too. Nor is the memo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestDigest(pub [u8; 16]);

/// To be raised with every change of the words below. It is the first byte of a digest.
const VERSION: u8 = 1;

impl RequestDigest {
    pub fn of(command: &Command) -> Self {
        let mut words = Words(Sha256::new());
        words.actor(command.actor);
        words.order(&command.order);
        let sum = words.0.finalize();
        let mut digest = [VERSION; 16];
        digest[1..].copy_from_slice(&sum[..15]);
        Self(digest)
    }

    /// Whether both are of one version and differ.
    pub fn contradicts(&self, other: &Self) -> bool {
        self.0[0] == other.0[0] && self != other
    }
}

/// Every word ends with a byte that no word contains, so that none runs into the next.
struct Words(Sha256);

impl Words {
    fn word(&mut self, word: &str) {
        self.0.update(word.as_bytes());
        self.0.update([0]);
    }

    fn actor(&mut self, actor: Actor) {
        match actor {
            Actor::System => self.word("system"),
            Actor::Person(person) => self.word(&person.to_string()),
        }
    }

    fn order(&mut self, order: &Order) {
        match order {
            Order::Post { asset, moves } => self.moves(*asset, moves),
            Order::Hold { from, amount, .. } => self.hold(*from, *amount),
            Order::Settle { hold, shares } => {
                self.named("settle", &hold.to_string());
                for share in shares {
                    self.spend(share.to, share.amount);
                }
            }
            Order::Void { hold } => self.named("void", &hold.to_string()),
            Order::Expire(Due::Hold(hold)) => self.named("expire_hold", &hold.to_string()),
            Order::Expire(Due::Lot(lot)) => self.named("expire_lot", &lot.to_string()),
            Order::Reverse { transaction } => self.named("reverse", &transaction.to_string()),
        }
    }

    fn named(&mut self, order: &str, what: &str) {
        self.word(order);
        self.word(what);
    }

    fn moves(&mut self, asset: Asset, moves: &[Move]) {
        self.named("post", asset.as_str());
        for step in moves {
            match *step {
                Move::Award { to, amount, .. } => {
                    self.word("award");
                    self.owner(to);
                    self.word(&amount.to_string());
                }
                Move::Spend { from, to, amount } => {
                    self.word("spend");
                    self.owner(from);
                    self.spend(to, amount);
                }
                Move::TakeBack { from, amount, of, .. } => {
                    self.word("take_back");
                    self.owner(from);
                    self.word(&amount.to_string());
                    self.word(&of.map_or_else(|| "any".to_owned(), |of| of.to_string()));
                }
            }
        }
    }

    fn hold(&mut self, from: Account, amount: i64) {
        self.named("hold", &from.id().to_string());
        self.word(&amount.to_string());
    }

    fn spend(&mut self, to: Destination, amount: i64) {
        match to {
            Destination::Redeemed => self.word("redeemed"),
            Destination::Owner(owner) => self.owner(owner),
        }
        self.word(&amount.to_string());
    }

    fn owner(&mut self, owner: Owner) {
        self.named(owner.kind(), &owner.uuid().to_string());
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use rollbook_domain::{Email, PersonId};

    use super::*;
    use crate::TransactionId;

    fn at(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
    }

    fn person(name: &str) -> PersonId {
        PersonId::of_first_address(&Email::parse(&format!("{name}@example.org")).unwrap())
    }

    fn digest(second: i64, actor: Actor, moves: Vec<Move>) -> RequestDigest {
        let order = Order::Post { asset: Asset::Points, moves };
        RequestDigest::of(&Command::new(TransactionId::of_key("k"), at(second), actor, order).unwrap())
    }

    fn award(amount: i64, expires: i64) -> Move {
        Move::Award { to: Owner::Person(person("ada")), amount, expires_at: Some(at(expires)) }
    }

    #[test]
    fn asking_later_is_asking_the_same() {
        let now = digest(0, Actor::System, vec![award(5, 10)]);
        assert_eq!(now, digest(3, Actor::System, vec![award(5, 13)]));
    }

    #[test]
    fn another_amount_order_or_actor_is_another_request() {
        let one = digest(0, Actor::System, vec![award(1, 9), award(23, 9)]);
        let others = [
            digest(0, Actor::System, vec![award(12, 9), award(3, 9)]),
            digest(0, Actor::System, vec![award(1, 9)]),
            digest(0, Actor::Person(person("bea")), vec![award(1, 9), award(23, 9)]),
        ];
        assert!(others.iter().all(|other| one.contradicts(other)));
        let mut newer = others[0];
        newer.0[0] += 1;
        assert!(!one.contradicts(&newer), "two versions are never compared");
    }

    /// These stand in tables: what they are made of may change only together with `VERSION`.
    #[test]
    fn a_digest_is_stable() {
        let from = Owner::Person(person("ada"));
        let take_back = |of| Move::TakeBack { from, amount: 5, of, expiring: None };
        let moves = [award(5, 10), take_back(None), take_back(Some(TransactionId::of_key("k")))];
        let digests = moves.map(|step| u128::from_be_bytes(digest(0, Actor::System, vec![step]).0));
        let stored = [
            0x01c9_7358_ad70_a00d_e7eb_2446_c55e_cc62,
            0x01ed_4ee4_75c5_67f5_0364_f287_e5db_2370,
            0x01d6_2f6a_f204_e30f_b581_61c1_394d_5cac,
        ];
        assert_eq!(digests, stored, "{digests:x?}");
    }
}
