//! A naive ledger, written independently: every unit is a thing of its own that lies in a purse.
//!
//! It knows no balances, legs, versions or batches. A command is tried on a copy and thrown away if
//! it cannot be done.

mod standing;
mod undo;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rollbook_ledger::{
    Account, Actor, Asset, Command, Destination, Due, HoldId, HoldState, LotId, Move, Order, Owner, Role, Sums,
    TransactionId, reasons,
};

pub use standing::of_tables;

use crate::tables::Tables;

type PurseId = (Asset, Owner);
type No = &'static str;

/// One unit. Sorted as it is to be spent: soonest first, what never expires last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unit {
    lot: Option<(Timestamp, LotId)>,
    held: Option<HoldId>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Purse {
    units: Vec<Unit>,
    debt: i64,
}

#[derive(Clone, Debug)]
struct Held {
    purse: PurseId,
    amount: i64,
    state: HoldState,
    expires_at: Option<Timestamp>,
}

/// What a transaction did, to be undone.
#[derive(Clone, Debug)]
enum Deed {
    PaidDebt(PurseId, i64),
    Gave(PurseId, i64, Option<LotId>),
    /// The units as they were, and the lots they came into.
    Took(PurseId, Option<PurseId>, Vec<(Unit, Option<LotId>)>),
    /// The units as they were, and what became a debt.
    TookBack(PurseId, Vec<Unit>, i64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub reason: Option<String>,
    pub left: Option<Sums>,
}

#[derive(Clone, Default)]
pub struct Model {
    tables: Tables,
    purses: BTreeMap<PurseId, Purse>,
    holds: BTreeMap<HoldId, Held>,
    /// What was asked (times taken out) and told.
    told: BTreeMap<TransactionId, (String, Told)>,
    deeds: BTreeMap<TransactionId, Vec<Deed>>,
    /// Whose accounts a transaction's legs touched, the payer of the first first.
    moved: BTreeMap<TransactionId, Vec<PurseId>>,
    /// Posts and settles that were done.
    undoable: BTreeSet<TransactionId>,
    reversed: BTreeSet<TransactionId>,
    lapsed: BTreeSet<LotId>,
    /// What lies where expired units go.
    expired: BTreeMap<LotId, Vec<Unit>>,
    lots_made: u32,
}

impl Model {
    /// Only the roles are taken from `tables`.
    pub fn new(tables: &Tables) -> Self {
        Self { tables: tables.clone(), ..Self::default() }
    }

    pub fn run(&mut self, command: &Command) -> Told {
        let body = body(command);
        if let Some((asked, told)) = self.told.get(&command.id()) {
            let conflict = Told { reason: Some("conflicting_duplicate".to_owned()), left: None };
            return if *asked == body { told.clone() } else { conflict };
        }
        let purses = self.purses_of(command);
        self.expire_due(&purses, command.at());
        if let Order::Expire(due) = command.order() {
            return self.swept(command, *due);
        }
        let mut copy = self.clone();
        copy.lots_made = 0;
        let result = copy.carry_out(command);
        if result.is_ok() {
            *self = copy;
            if matches!(command.order(), Order::Post { .. } | Order::Settle { .. }) {
                self.undoable.insert(command.id());
            }
            self.drop_overdue(&purses, command.at(), command.id());
        }
        let may_know = result != Err("not_a_spender");
        let left = self.subject(command).filter(|_| may_know).map(|of| self.sums(of));
        let told = Told { reason: result.err().map(str::to_owned), left };
        self.told.insert(command.id(), (body, told.clone()));
        told
    }

    fn purse(&mut self, id: PurseId) -> &mut Purse {
        self.purses.entry(id).or_default()
    }

    pub fn sums(&self, id: PurseId) -> Sums {
        let units = self.purses.get(&id).map_or(&[][..], |purse| &purse.units);
        let held = units.iter().filter(|unit| unit.held.is_some()).count();
        Sums { posted: i64::try_from(units.len()).unwrap(), held: i64::try_from(held).unwrap() }
    }

    fn purses_of(&self, command: &Command) -> Vec<PurseId> {
        let held = |hold: &HoldId| self.holds.get(hold).map(|hold| hold.purse);
        match command.order() {
            Order::Post { asset, moves } => moves.iter().flat_map(|step| ends(*asset, *step)).collect(),
            Order::Hold { from, .. } => vec![purse_of(*from)],
            Order::Settle { hold, shares } => held(hold).map_or_else(Vec::new, |purse| {
                let to = shares.iter().filter_map(|share| target(purse.0, share.to));
                to.chain([purse]).collect()
            }),
            Order::Void { hold } | Order::Expire(Due::Hold(hold)) => held(hold).into_iter().collect(),
            Order::Expire(Due::Lot(lot)) => self.purse_with(*lot).into_iter().collect(),
            Order::Reverse { transaction } => self.moved.get(transaction).cloned().unwrap_or_default(),
        }
    }

    /// An empty lot has nothing that could be due, wherever it was.
    fn purse_with(&self, lot: LotId) -> Option<PurseId> {
        let mut all = self.deeds.values().flatten();
        all.find_map(|deed| match deed {
            Deed::Gave(to, _, Some(made)) if *made == lot => Some(*to),
            Deed::Took(_, Some(to), units) if units.iter().any(|(_, made)| *made == Some(lot)) => Some(*to),
            _ => None,
        })
    }

    fn subject(&self, command: &Command) -> Option<PurseId> {
        match command.order() {
            Order::Post { asset, moves } => Some((*asset, moves[0].subject())),
            Order::Hold { from, .. } => Some(purse_of(*from)),
            Order::Settle { hold, .. } | Order::Void { hold } => self.holds.get(hold).map(|hold| hold.purse),
            Order::Reverse { transaction } => self.moved.get(transaction)?.first().copied(),
            Order::Expire(_) => None,
        }
    }

    fn swept(&self, command: &Command, due: Due) -> Told {
        if let Some((_, told)) = self.told.get(&command.id()) {
            return told.clone();
        }
        let reason = match due {
            Due::Hold(hold) => match self.holds.get(&hold).map(|hold| hold.state) {
                None => "unknown_hold",
                Some(HoldState::Open) => "not_due",
                Some(HoldState::Settled) => "hold_settled",
                Some(HoldState::Voided) => "hold_voided",
                Some(HoldState::Expired) => "hold_expired",
            },
            Due::Lot(lot) if self.purse_with(lot).is_none() => "unknown_lot",
            Due::Lot(_) => "not_due",
        };
        Told { reason: Some(reason.to_owned()), left: None }
    }

    /// Day by day, so to speak: whatever comes first.
    fn expire_due(&mut self, purses: &[PurseId], at: Timestamp) {
        loop {
            let holds =
                self.holds.iter().filter(|(_, hold)| hold.state == HoldState::Open && purses.contains(&hold.purse));
            let holds = holds.filter_map(|(id, hold)| Some((hold.expires_at?, 0, id.0, hold.purse)));
            let units = purses
                .iter()
                .flat_map(|id| self.purses.get(id).into_iter().flat_map(move |p| p.units.iter().map(move |u| (id, u))));
            let lots = units.filter(|(_, unit)| unit.held.is_none());
            let lots = lots.filter_map(|(id, unit)| unit.lot.map(|(date, lot)| (date, 1, lot.0, *id)));
            let Some((date, what, uuid, purse)) = holds.chain(lots).min().filter(|next| next.0 <= at) else { return };
            if what == 0 {
                self.expire_hold(HoldId(uuid), purse, date);
            } else {
                self.expire_lot(LotId(uuid), purse, date);
            }
        }
    }

    fn expire_hold(&mut self, hold: HoldId, purse: PurseId, date: Timestamp) {
        let command = Command::expiring(Due::Hold(hold), date);
        self.holds.get_mut(&hold).unwrap().state = HoldState::Expired;
        let returned: Vec<_> = self.release(hold, purse).into_iter().filter_map(|unit| unit.lot).collect();
        for (_, lot) in returned.into_iter().filter(|lot| lot.0 <= date) {
            // Others of this moment follow on their own.
            let lapsed = self.lapsed.insert(lot);
            self.drop_overdue(&[purse], Timestamp::MIN, command.id());
            if lapsed {
                self.lapsed.remove(&lot);
            }
        }
        self.drop_overdue(&[purse], Timestamp::MIN, command.id());
        let told = Told { reason: None, left: Some(self.sums(purse)) };
        self.told.insert(command.id(), (body(&command), told));
    }

    fn expire_lot(&mut self, lot: LotId, purse: PurseId, date: Timestamp) {
        let command = Command::expiring(Due::Lot(lot), date);
        self.lapsed.insert(lot);
        self.drop_overdue(&[purse], Timestamp::MIN, command.id());
        let told = Told { reason: None, left: Some(self.sums(purse)) };
        self.told.insert(command.id(), (body(&command), told));
    }

    /// Free units whose date has passed or whose lot has lapsed are gone.
    fn drop_overdue(&mut self, purses: &[PurseId], at: Timestamp, by: TransactionId) {
        for id in purses {
            let lapsed = self.lapsed.clone();
            let gone = |unit: &Unit| {
                unit.held.is_none() && unit.lot.is_some_and(|(date, lot)| date <= at || lapsed.contains(&lot))
            };
            let all = std::mem::take(&mut self.purse(*id).units);
            let (gone, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(gone);
            self.purse(*id).units = kept;
            for unit in &gone {
                self.expired.entry(unit.lot.unwrap().1).or_default().push(*unit);
            }
            if !gone.is_empty() {
                self.moved.entry(by).or_default().push(*id);
            }
        }
    }

    fn release(&mut self, hold: HoldId, purse: PurseId) -> Vec<Unit> {
        let own = self.purse(purse).units.iter_mut().filter(|unit| unit.held == Some(hold));
        own.map(|unit| {
            unit.held = None;
            *unit
        })
        .collect()
    }

    fn carry_out(&mut self, command: &Command) -> Result<(), No> {
        match command.order() {
            Order::Post { asset, moves } => self.post(command, *asset, moves),
            Order::Hold { from, amount, expires_at } => self.hold(command, purse_of(*from), *amount, *expires_at),
            Order::Void { hold } => {
                let purse = self.open(command, *hold)?.purse;
                self.holds.get_mut(hold).unwrap().state = HoldState::Voided;
                self.release(*hold, purse);
                Ok(())
            }
            Order::Settle { hold, shares } => {
                let held = self.open(command, *hold)?;
                if shares.iter().map(|share| share.amount).sum::<i64>() > held.amount {
                    return Err("exceeds_hold");
                }
                if shares.iter().any(|share| target(held.purse.0, share.to) == Some(held.purse)) {
                    return Err("to_itself");
                }
                self.holds.get_mut(hold).unwrap().state = HoldState::Settled;
                for share in shares {
                    self.take(command.id(), held.purse, share.to, share.amount, Some(*hold))?;
                }
                self.release(*hold, held.purse);
                Ok(())
            }
            Order::Reverse { transaction } => self.reverse(command, *transaction),
            Order::Expire(_) => unreachable!("done by then"),
        }
    }

    fn may(&self, command: &Command, purse: PurseId) -> Result<(), No> {
        match (command.actor(), purse.1) {
            (Actor::Person(person), Owner::Group(group)) => match self.tables.members.get(&(group, person)) {
                Some(Role::Owner | Role::Spender) => Ok(()),
                _ => Err("not_a_spender"),
            },
            _ => Ok(()),
        }
    }

    fn open(&self, command: &Command, hold: HoldId) -> Result<Held, No> {
        let found = self.holds.get(&hold).ok_or("unknown_hold")?;
        self.may(command, found.purse)?;
        match found.state {
            HoldState::Open => Ok(found.clone()),
            HoldState::Settled => Err("hold_settled"),
            HoldState::Voided => Err("hold_voided"),
            HoldState::Expired => Err("hold_expired"),
        }
    }

    fn post(&mut self, command: &Command, asset: Asset, moves: &[Move]) -> Result<(), No> {
        for step in moves {
            if let Move::Spend { from, .. } = step {
                self.may(command, (asset, *from))?;
            }
        }
        for step in moves {
            match *step {
                Move::Award { to, amount, expires_at } => self.award(command.id(), (asset, to), amount, expires_at),
                Move::Spend { from, to, amount } => self.take(command.id(), (asset, from), to, amount, None)?,
                Move::TakeBack { from, amount, of } => self.claw(command.id(), (asset, from), amount, of),
            }
        }
        Ok(())
    }

    fn new_lot(&mut self, by: TransactionId) -> LotId {
        self.lots_made += 1;
        LotId::of(by, self.lots_made - 1)
    }

    fn note(&mut self, by: TransactionId, deed: Deed) {
        let (first, second) = match &deed {
            Deed::PaidDebt(purse, _) | Deed::Gave(purse, ..) | Deed::TookBack(purse, ..) => (*purse, None),
            Deed::Took(from, to, _) => (*from, *to),
        };
        self.moved.entry(by).or_default().extend([first].into_iter().chain(second));
        self.deeds.entry(by).or_default().push(deed);
    }

    fn award(&mut self, by: TransactionId, to: PurseId, amount: i64, expires_at: Option<Timestamp>) {
        let paid = amount.min(self.purse(to).debt);
        if paid > 0 {
            self.purse(to).debt -= paid;
            self.note(by, Deed::PaidDebt(to, paid));
        }
        if amount > paid {
            let lot = expires_at.map(|date| (date, self.new_lot(by)));
            let units = (paid..amount).map(|_| Unit { lot, held: None });
            self.purse(to).units.extend(units);
            self.note(by, Deed::Gave(to, amount - paid, lot.map(|lot| lot.1)));
        }
    }

    /// Units in the order in which they are spent, of those that are free or in one hold.
    fn draw(&mut self, purse: PurseId, amount: i64, held: Option<HoldId>) -> Result<Vec<Unit>, No> {
        let purse = self.purse(purse);
        purse.units.sort_by_key(|unit| (unit.lot.is_none(), unit.lot));
        let (mut drawn, mut kept) = (Vec::new(), Vec::new());
        for unit in purse.units.drain(..) {
            let wanted = unit.held == held && i64::try_from(drawn.len()).unwrap() < amount;
            if wanted { drawn.push(unit) } else { kept.push(unit) }
        }
        purse.units = kept;
        if i64::try_from(drawn.len()).unwrap() < amount { Err("insufficient") } else { Ok(drawn) }
    }

    fn take(
        &mut self,
        by: TransactionId,
        from: PurseId,
        to: Destination,
        amount: i64,
        held: Option<HoldId>,
    ) -> Result<(), No> {
        let short = if from.0 == Asset::Points { "insufficient_points" } else { "insufficient_minutes" };
        let units = self.draw(from, amount, held).map_err(|_| short)?;
        let to = target(from.0, to);
        let mut went: Vec<(Unit, Option<LotId>)> = Vec::new();
        for unit in units {
            let unit = Unit { held: None, ..unit };
            let same = went.last().filter(|(before, _)| before.lot == unit.lot).map(|(_, new)| *new);
            let new = match (same, unit.lot, to) {
                (Some(new), ..) => new,
                (None, Some(_), Some(_)) => Some(self.new_lot(by)),
                _ => None,
            };
            if let Some(to) = to {
                let lot = unit.lot.map(|(date, _)| (date, new.unwrap()));
                self.purse(to).units.push(Unit { lot, held: None });
            }
            went.push((unit, new));
        }
        self.note(by, Deed::Took(from, to, went));
        Ok(())
    }

    fn hold(
        &mut self,
        command: &Command,
        purse: PurseId,
        amount: i64,
        expires_at: Option<Timestamp>,
    ) -> Result<(), No> {
        self.may(command, purse)?;
        let short = if purse.0 == Asset::Points { "insufficient_points" } else { "insufficient_minutes" };
        let units = self.draw(purse, amount, None).map_err(|_| short)?;
        let hold = HoldId::placed_by(command.id());
        self.purse(purse).units.extend(units.into_iter().map(|unit| Unit { held: Some(hold), ..unit }));
        self.holds.insert(hold, Held { purse, amount, state: HoldState::Open, expires_at });
        Ok(())
    }
}

fn purse_of(account: Account) -> PurseId {
    (account.asset, account.place.owner().unwrap())
}

fn target(asset: Asset, to: Destination) -> Option<PurseId> {
    match to {
        Destination::Redeemed => None,
        Destination::Owner(owner) => Some((asset, owner)),
    }
}

fn ends(asset: Asset, step: Move) -> Vec<PurseId> {
    match step {
        Move::Award { to: owner, .. } | Move::TakeBack { from: owner, .. } => vec![(asset, owner)],
        Move::Spend { from, to, .. } => [(asset, from)].into_iter().chain(target(asset, to)).collect(),
    }
}

/// What is asked, without times.
fn body(command: &Command) -> String {
    let mut order = command.order().clone();
    match &mut order {
        Order::Hold { expires_at, .. } => *expires_at = None,
        Order::Post { moves, .. } => {
            for step in moves {
                if let Move::Award { expires_at, .. } = step {
                    *expires_at = None;
                }
            }
        }
        _ => {}
    }
    format!("{:?} {order:?}", command.actor())
}

/// The words the model says are those of the ledger.
#[test]
fn the_words_are_stable() {
    let words = [
        (reasons::INSUFFICIENT_POINTS, "insufficient_points"),
        (reasons::INSUFFICIENT_MINUTES, "insufficient_minutes"),
        (reasons::NOT_A_SPENDER, "not_a_spender"),
        (reasons::CONFLICTING_DUPLICATE, "conflicting_duplicate"),
    ];
    for (reason, word) in words {
        assert_eq!(reason.as_str(), word);
    }
}
