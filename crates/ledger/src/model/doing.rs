//! Commands, unit by unit.

use jiff::Timestamp;

use super::{Deed, Held, Model, No, PurseId, Unit, count, purse_of, target};
use crate::{Actor, Asset, Command, Destination, HoldId, HoldState, LotId, Move, Order, Owner, Role, TransactionId};

impl Model {
    pub(super) fn carry_out(&mut self, command: &Command) -> Result<(), No> {
        match command.order() {
            Order::Post { asset, moves } => self.post(command, *asset, moves),
            Order::Hold { from, amount, expires_at } => self.hold(command, purse_of(*from), *amount, *expires_at),
            Order::Void { hold } => {
                let purse = self.open(command, *hold)?.purse;
                self.set_state(*hold, HoldState::Voided);
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
                self.set_state(*hold, HoldState::Settled);
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
            (Actor::Person(person), Owner::Group(group)) => match self.members.get(&(group, person)) {
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

    pub(super) fn set_state(&mut self, hold: HoldId, state: HoldState) {
        self.holds.get_mut(&hold).expect("a hold is never forgotten").state = state;
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
                Move::TakeBack { from, amount, of, expiring } => {
                    self.claw(command.id(), (asset, from), amount, (of, expiring));
                }
            }
        }
        Ok(())
    }

    fn new_lot(&mut self, by: TransactionId) -> LotId {
        self.lots_made += 1;
        LotId::of(by, self.lots_made - 1)
    }

    pub(super) fn note(&mut self, by: TransactionId, deed: Deed) {
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
            let wanted = unit.held == held && count(drawn.len()) < amount;
            if wanted { drawn.push(unit) } else { kept.push(unit) }
        }
        purse.units = kept;
        if count(drawn.len()) < amount { Err("insufficient") } else { Ok(drawn) }
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
                let lot = unit.lot.zip(new).map(|((date, _), new)| (date, new));
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
