//! What a store must tell of the ledger, read from the rows of one in memory.

use jiff::Timestamp;
use rollbook_ledger::model::{Members, Tables};
use rollbook_ledger::{
    Account, Answer, Asset, Balance, Command, Due, Hold, HoldId, HoldState, Kind, Leg, Lot, Owner, Place, Transaction,
};

use crate::{Counterpart, HistoryFilter, HistoryRow, Standing};

pub struct Memory {
    pub tables: Tables,
    /// When each transaction was recorded, in the order of `rows.transactions`.
    recorded: Vec<Timestamp>,
}

impl Memory {
    pub fn new(members: Members) -> Self {
        Self { tables: Tables::new(members), recorded: Vec::new() }
    }

    /// One by one, as if there were no batches.
    pub fn run(&mut self, commands: &[Command], now: Timestamp) -> Vec<Answer> {
        let answers = commands.iter().map(|command| self.tables.run_one(command.clone())).collect();
        self.recorded.resize(self.tables.rows.transactions.len(), now);
        answers
    }

    pub fn standing(&self, asset: Asset, owner: Owner) -> Standing {
        self.sum(|account| account.asset == asset && account.place.owner() == Some(owner))
    }

    pub fn outstanding(&self, asset: Asset) -> Standing {
        self.sum(|account| account.asset == asset)
    }

    fn sum(&self, of: impl Fn(Account) -> bool) -> Standing {
        let mut standing = Standing::default();
        for Balance { account, sums, .. } in self.tables.rows.balances.iter().filter(|balance| of(balance.account)) {
            if let Place::Owed(_) = account.place {
                standing.owed -= sums.posted;
            } else {
                standing.sums.posted += sums.posted;
                standing.sums.held += sums.held;
            }
        }
        standing
    }

    pub fn open_holds(&self, asset: Asset, owner: Owner) -> Vec<Hold> {
        let account = Account::available(asset, owner);
        let placed = self.tables.rows.transactions.iter();
        let holds = placed.filter_map(|one| self.tables.rows.holds.iter().find(|hold| hold.id.0 == one.id.0));
        holds.filter(|hold| hold.account == account && hold.state == HoldState::Open).copied().collect()
    }

    pub fn open_lots(&self, asset: Asset, owner: Option<Owner>) -> Vec<Lot> {
        let own = |lot: &&Lot| {
            let place = lot.account.place;
            lot.account.asset == asset && owner.is_none_or(|owner| place.owner() == Some(owner)) && lot.remaining > 0
        };
        let mut lots: Vec<_> = self.tables.rows.lots.iter().filter(own).copied().collect();
        lots.sort_by_key(|lot| lot.id);
        lots
    }

    pub fn due(&self, by: Timestamp) -> Vec<Due> {
        let holds = self.tables.rows.holds.iter().filter(|hold| hold.state == HoldState::Open);
        let holds = holds.filter_map(|hold| Some((hold.expires_at?, Due::Hold(hold.id))));
        let lots = self.tables.rows.lots.iter().filter(|lot| lot.free() > 0);
        let all = holds.chain(lots.map(|lot| (lot.expires_at, Due::Lot(lot.id))));
        let mut due: Vec<_> = all.filter(|(date, _)| *date <= by).collect();
        due.sort_unstable();
        due.into_iter().map(|(_, due)| due).collect()
    }

    pub fn history(&self, filter: &HistoryFilter) -> Vec<HistoryRow> {
        let mut told = Vec::new();
        let (mut posted, mut available) = (0, 0);
        for (transaction, recorded_at) in self.tables.rows.transactions.iter().zip(&self.recorded) {
            for mut row in self.told(transaction, *recorded_at, filter) {
                posted += row.amount;
                available += row.amount - row.held;
                (row.posted, row.available) = (Some(posted), available);
                told.push(row);
            }
        }
        told.retain(|row| {
            filter.since.is_none_or(|since| row.at >= since) && filter.until.is_none_or(|until| row.at < until)
        });
        let most = filter.limit.map_or(told.len(), |limit| usize::try_from(limit).expect("a size"));
        told.split_off(told.len().saturating_sub(most))
    }

    fn told(&self, transaction: &Transaction, recorded_at: Timestamp, filter: &HistoryFilter) -> Vec<HistoryRow> {
        let available = Account::available(filter.asset, filter.owner);
        let hold = self.hold_of(transaction, available);
        let row = HistoryRow {
            transaction: transaction.id,
            kind: transaction.kind,
            at: transaction.at,
            recorded_at,
            amount: 0,
            owed: 0,
            posted: None,
            hold: hold.map(|hold| hold.id),
            held: 0,
            available: 0,
            other: None,
            actor: transaction.actor.person(),
            memo: transaction.memo.clone(),
            reason: transaction.reason().cloned(),
            detail: transaction.refusal().map(|refusal| refusal.detail.clone()),
        };
        let reserved = hold.filter(|_| transaction.is_applied()).map_or(0, |hold| hold.amount);
        let pinned = if transaction.kind == Kind::Hold { reserved } else { -reserved };
        let legs: Vec<_> = self.tables.rows.legs.iter().filter(|leg| leg.transaction == transaction.id).collect();
        if legs.is_empty() && transaction.account == Some(available) {
            return vec![HistoryRow { held: pinned, ..row }];
        }
        let mut rows: Vec<_> = legs
            .into_iter()
            .filter_map(|leg| of_leg(&row, leg, available, Account::owed(filter.asset, filter.owner)))
            .collect();
        if let Some(first) = rows.first_mut() {
            first.held = pinned;
        }
        rows
    }

    /// The hold that it placed, resolved or was to resolve, if it lies in `account`.
    fn hold_of(&self, transaction: &Transaction, account: Account) -> Option<&Hold> {
        let id = if transaction.kind == Kind::Hold { HoldId(transaction.id.0) } else { transaction.hold? };
        self.tables.rows.holds.iter().find(|hold| hold.id == id && hold.account == account)
    }
}

fn of_leg(row: &HistoryRow, leg: &Leg, available: Account, owed: Account) -> Option<HistoryRow> {
    let other = if [available, owed].contains(&leg.from) {
        leg.to
    } else if [available, owed].contains(&leg.to) {
        leg.from
    } else {
        return None;
    };
    let side = |account| i64::from(leg.to == account) - i64::from(leg.from == account);
    let other = match other.place {
        Place::Available(owner) | Place::Owed(owner) => Counterpart::Owner(owner),
        Place::Issued => Counterpart::Issued,
        Place::Redeemed => Counterpart::Redeemed,
        Place::Expired => Counterpart::Expired,
    };
    Some(HistoryRow {
        amount: leg.amount * side(available),
        owed: -leg.amount * side(owed),
        other: Some(other),
        ..row.clone()
    })
}
