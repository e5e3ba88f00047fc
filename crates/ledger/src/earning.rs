//! From what an event earned to the one command that moves it.

use jiff::Timestamp;
use rollbook_domain::{Earning, FactRef};

use crate::{Actor, Asset, Command, Malformed, Move, Order, TransactionId};

impl TransactionId {
    /// Of the transaction that moves what a fact earned: one a fact, whatever the rules were.
    pub fn earned_by(fact: &FactRef) -> Self {
        Self::of_key(&format!("points|{}|{}", fact.account, fact.key))
    }

    /// The transaction that [`Command::earning`] makes of the fact. None where nothing moves.
    pub fn posting(earning: &Earning) -> Option<Self> {
        (earning.moved != 0).then(|| Self::earned_by(&earning.fact))
    }
}

impl Command {
    /// What one fact earned or took back, in the order given. None where nothing moves, as for a
    /// payment above a cap. Its memo names the rules.
    ///
    /// It happens when the fact did, but never later than `now`: a fact with a wrong date in the future
    /// would else let everything expire that its owner has.
    pub fn earning<'a>(
        earnings: impl IntoIterator<Item = &'a Earning>,
        now: Timestamp,
    ) -> Result<Option<Self>, Malformed> {
        let moving: Vec<&Earning> = earnings.into_iter().filter(|earning| earning.moved != 0).collect();
        let Some(first) = moving.first() else { return Ok(None) };
        let moves = moving.iter().map(|earning| step(earning)).collect();
        let order = Order::Post { asset: Asset::Points, moves };
        let command = Self::new(TransactionId::earned_by(&first.fact), first.at.min(now), Actor::System, order)?;
        command.with_memo(&memo(&moving)).map(Some)
    }
}

fn step(earning: &Earning) -> Move {
    let Earning { owner, moved, expires_at, .. } = *earning;
    if moved > 0 {
        return Move::Award { to: owner, amount: moved, expires_at };
    }
    let of = Some(TransactionId::earned_by(&earning.of));
    Move::TakeBack { from: owner, amount: moved.saturating_neg(), of, expiring: expires_at }
}

/// Each rule once. A filter may be longer than a line for people.
fn memo(moving: &[&Earning]) -> String {
    let mut rules: Vec<&str> = moving.iter().map(|earning| earning.rule.as_str()).collect();
    rules.dedup();
    let shown = rules.join(", ");
    shown.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect()
}

#[cfg(test)]
mod tests {
    use rollbook_domain::{Owner, PersonId, Rate};
    use uuid::Uuid;

    use super::*;

    fn fact(key: &str) -> FactRef {
        FactRef { account: "club".into(), key: key.into() }
    }

    fn earning(rule: &str, of: &str, moved: i64) -> Earning {
        Earning {
            fact: fact("k"),
            rule: rule.to_owned(),
            of: fact(of),
            owner: owner(),
            paid: None,
            rate: Rate::Award { points: 1 },
            capped: None,
            earned: 5,
            moved,
            at: Timestamp::UNIX_EPOCH,
            expires_at: Some(Timestamp::MAX),
        }
    }

    fn owner() -> Owner {
        Owner::Person(PersonId(Uuid::from_u128(7)))
    }

    #[test]
    fn what_a_fact_earned_is_one_command_with_a_move_a_rule() {
        let rows = [earning("a", "k", 3), earning("b", "k", 0), earning("c", "k", 2)];
        let command = Command::earning(&rows, Timestamp::MAX).unwrap().unwrap();
        let award = |amount| Move::Award { to: owner(), amount, expires_at: Some(Timestamp::MAX) };
        assert_eq!(command.order(), &Order::Post { asset: Asset::Points, moves: vec![award(3), award(2)] });
        assert_eq!((command.actor(), command.at()), (Actor::System, Timestamp::UNIX_EPOCH));
        assert_eq!(command.memo(), Some("a, c"));
    }

    #[test]
    fn what_is_taken_back_names_what_gave_it() {
        let rows = [earning("a", "first", -3), earning("a", "second", -1)];
        let command = Command::earning(&rows, Timestamp::MAX).unwrap().unwrap();
        let back = |amount, of| {
            let of = Some(TransactionId::earned_by(&fact(of)));
            Move::TakeBack { from: owner(), amount, of, expiring: Some(Timestamp::MAX) }
        };
        let moves = vec![back(3, "first"), back(1, "second")];
        assert_eq!(command.order(), &Order::Post { asset: Asset::Points, moves });
        assert_eq!(command.memo(), Some("a"));
    }

    #[test]
    fn nothing_moved_is_no_command() {
        assert_eq!(Command::earning(&[], Timestamp::MAX).unwrap(), None);
        assert_eq!(Command::earning(&[earning("a", "k", 0)], Timestamp::MAX).unwrap(), None);
    }

    #[test]
    fn a_fact_from_the_future_moves_points_now() {
        let now: Timestamp = "1969-12-31T00:00:00Z".parse().unwrap();
        let command = Command::earning(&[earning("a", "k", 3)], now).unwrap().unwrap();
        assert_eq!(command.at(), now);
    }

    /// The rules may change their order, their rates and their names: a fact earns once.
    #[test]
    fn the_id_is_that_of_the_fact_alone() {
        let id = TransactionId::earned_by(&fact("payment:1:captured"));
        assert_eq!(id, TransactionId::of_key("points|club|payment:1:captured"));
        let other = Command::earning(&[earning("z", "k", 9)], Timestamp::MAX).unwrap().unwrap();
        assert_eq!(other.id(), TransactionId::earned_by(&fact("k")));
    }

    #[test]
    fn a_memo_is_one_short_line_whatever_the_filters_are() {
        let rule = "payment_captured purpose=\"".to_owned() + &"ü\n".repeat(400);
        let command = Command::earning(&[earning(&rule, "k", 1)], Timestamp::MAX).unwrap().unwrap();
        let memo = command.memo().unwrap();
        assert!(memo.starts_with("payment_captured purpose=") && memo.chars().count() <= 500);
    }
}
