//! A club that keeps a ledger: what the stories do, in a word each.

use rollbook_ledger::model::{Tables, World, at};
use rollbook_ledger::{
    Account, Actor, Answer, Asset, Command, Destination, Due, HoldId, Move, Order, Owner, Share, Sums, TransactionId,
    Verdict,
};

pub const WORLD: World = World(0);

pub fn owner(n: usize) -> Owner {
    WORLD.owner(n)
}

pub fn id(n: usize) -> TransactionId {
    WORLD.id(n)
}

/// A ledger, the number of the next command and the time.
pub struct Club {
    pub tables: Tables,
    pub next: usize,
    pub now: i64,
    pub by: Actor,
}

impl Club {
    pub fn new() -> Self {
        Self { tables: Tables::new(WORLD.members()), next: 0, now: 0, by: Actor::System }
    }

    pub fn order(&mut self, order: Order) -> Answer {
        self.next += 1;
        let answer = self.tables.run_one(Command::new(id(self.next), at(self.now), self.by, order).unwrap());
        self.tables.assert_sound();
        answer
    }

    /// Awards and tells the transaction, to be reversed.
    pub fn award(&mut self, to: usize, amount: i64, expires: Option<i64>) -> TransactionId {
        let moves = vec![Move::Award { to: owner(to), amount, expires_at: expires.map(at) }];
        applied(&self.order(Order::Post { asset: Asset::Points, moves }))
    }

    pub fn spend(&mut self, from: usize, to: Destination, amount: i64) -> Answer {
        let moves = vec![Move::Spend { from: owner(from), to, amount }];
        self.order(Order::Post { asset: Asset::Points, moves })
    }

    pub fn redeem(&mut self, from: usize, amount: i64) -> Answer {
        self.spend(from, Destination::Redeemed, amount)
    }

    pub fn transfer(&mut self, from: usize, to: usize, amount: i64) -> Answer {
        self.spend(from, Destination::Owner(owner(to)), amount)
    }

    pub fn hold(&mut self, from: usize, amount: i64, expires: Option<i64>) -> Answer {
        let from = Account::available(Asset::Points, owner(from));
        self.order(Order::Hold { from, amount, expires_at: expires.map(at) })
    }

    pub fn settle(&mut self, hold: HoldId, to: Destination, amount: i64) -> Answer {
        self.order(Order::Settle { hold, shares: vec![Share { to, amount }] })
    }

    pub fn reverse(&mut self, transaction: TransactionId) -> Answer {
        self.order(Order::Reverse { transaction })
    }

    pub fn take_back(&mut self, from: usize, amount: i64, of: Option<TransactionId>) -> TransactionId {
        let moves = vec![Move::TakeBack { from: owner(from), amount, of, expiring: None }];
        applied(&self.order(Order::Post { asset: Asset::Points, moves }))
    }

    pub fn until(&mut self, now: i64) -> &mut Self {
        self.now = now;
        self
    }

    /// Lets everything expire that is due.
    pub fn sweep(&mut self) {
        let lots: Vec<_> = self.tables.rows.lots.iter().map(|lot| Due::Lot(lot.id)).collect();
        let holds: Vec<_> = self.tables.rows.holds.iter().map(|hold| Due::Hold(hold.id)).collect();
        for due in lots.into_iter().chain(holds) {
            self.tables.run_one(Command::expiring(due, at(self.now)));
        }
        self.tables.assert_sound();
    }

    pub fn sums(&self, account: Account) -> Sums {
        let found = self.tables.rows.balances.iter().find(|row| row.account == account);
        found.map_or_else(Sums::default, |row| row.sums)
    }

    pub fn has(&self, n: usize) -> i64 {
        self.sums(Account::available(Asset::Points, owner(n))).posted
    }

    pub fn owes(&self, n: usize) -> i64 {
        -self.sums(Account::owed(Asset::Points, owner(n))).posted
    }
}

pub fn applied(answer: &Answer) -> TransactionId {
    assert_eq!(answer.verdict, Verdict::Applied);
    answer.id
}

pub fn hold_of(answer: &Answer) -> HoldId {
    HoldId::placed_by(applied(answer))
}

pub fn refusal(answer: &Answer) -> (&str, &str) {
    match &answer.verdict {
        Verdict::Applied => panic!("was applied"),
        Verdict::Rejected(refusal) => (refusal.reason.as_str(), &refusal.detail),
    }
}
