//! Reversals and take-backs, unit by unit.

use jiff::Timestamp;

use super::{Deed, Model, No, PurseId, Unit, count};
use crate::{Command, LotId, TransactionId};

impl Model {
    pub(super) fn reverse(&mut self, command: &Command, of: TransactionId) -> Result<(), No> {
        let Some((_, told)) = self.told.get(&of) else { return Err("unknown_transaction") };
        let deeds = self.deeds.get(&of).cloned().unwrap_or_default();
        if told.reason.is_some() || !self.undoable.contains(&of) {
            return Err("not_reversible");
        }
        if !self.reversed.insert(of) {
            return Err("already_reversed");
        }
        if self.taken_back.get(&of).into_iter().flatten().any(|by| !self.reversed.contains(by)) {
            return Err("already_taken_back");
        }
        for deed in deeds {
            self.undo(command.id(), deed);
        }
        Ok(())
    }

    fn undo(&mut self, by: TransactionId, deed: Deed) {
        let mut moved = Vec::new();
        match deed {
            Deed::PaidDebt(purse, amount) => {
                self.purse(purse).debt += amount;
                moved.push(purse);
            }
            Deed::Gave(to, amount, lot) => {
                let undated = if lot.is_none() { amount } else { 0 };
                let gone = lot.map_or(0, |lot| self.expired_of(lot));
                self.take_back(to, amount - gone, &lot.into_iter().collect::<Vec<_>>(), undated);
                moved.extend((amount > gone).then_some(to));
            }
            Deed::Took(from, to, mut units) => {
                if let Some(to) = to {
                    let undated = units.iter().filter(|(_, new)| new.is_none()).count();
                    let mut own: Vec<_> = units.iter().filter_map(|(_, new)| *new).collect();
                    own.dedup();
                    for lot in &own {
                        let mut gone = self.expired_of(*lot);
                        units.retain(|(_, new)| {
                            *new != Some(*lot) || {
                                gone -= 1;
                                gone < 0
                            }
                        });
                    }
                    self.take_back(to, count(units.len()), &own, count(undated));
                }
                moved.extend(to.filter(|_| !units.is_empty()));
                moved.extend((!units.is_empty()).then_some(from));
                self.purse(from).units.extend(units.into_iter().map(|(unit, _)| unit));
            }
            Deed::TookBack(from, units, debt) => {
                let purse = self.purse(from);
                let paid_meanwhile = debt - debt.min(purse.debt);
                purse.debt -= debt - paid_meanwhile;
                purse.units.extend(units);
                purse.units.extend((0..paid_meanwhile).map(|_| Unit { lot: None, held: None }));
                moved.push(from);
            }
        }
        if !moved.is_empty() {
            self.moved.entry(by).or_default().extend(moved);
        }
    }

    /// When the units of a lot expire, or did, if there are any.
    fn expires(&self, lot: LotId) -> Option<Timestamp> {
        let there = self.purses.values().flat_map(|purse| &purse.units);
        let mut units = there.chain(self.expired.values().flatten());
        units.find_map(|unit| unit.lot.filter(|(_, id)| *id == lot)).map(|(expires_at, _)| expires_at)
    }

    /// What of it expired is found first, then as with a reversal.
    pub(super) fn claw(
        &mut self,
        by: TransactionId,
        from: PurseId,
        amount: i64,
        (of, expiring): (Option<TransactionId>, Option<Timestamp>),
    ) {
        let of = of.filter(|of| self.undoable.contains(of));
        let gifts: Vec<_> = of.into_iter().flat_map(|of| self.deeds.get(&of).cloned().unwrap_or_default()).collect();
        let to_me = |deed: &Deed| match deed {
            Deed::PaidDebt(to, _) | Deed::Gave(to, ..) | Deed::Took(_, Some(to), _) => *to == from,
            Deed::Took(_, None, _) | Deed::TookBack(..) => false,
        };
        let gifts: Vec<_> = gifts.into_iter().filter(to_me).collect();
        if let Some(of) = of.filter(|_| !gifts.is_empty()) {
            if self.reversed.contains(&of) {
                return;
            }
            self.taken_back.entry(of).or_default().push(by);
        }
        let (mut own, mut undated) = (Vec::new(), 0);
        for gift in gifts {
            match gift {
                Deed::Gave(_, amount, None) => undated += amount,
                Deed::Gave(_, _, Some(lot)) => own.push(lot),
                Deed::Took(_, _, units) => {
                    undated += count(units.iter().filter(|(_, new)| new.is_none()).count());
                    own.extend(units.iter().filter_map(|(_, new)| *new));
                }
                Deed::PaidDebt(..) | Deed::TookBack(..) => {}
            }
        }
        if let Some(expiring) = expiring {
            own.retain(|lot| self.expires(*lot) == Some(expiring));
            undated = 0;
        }
        let mut units: Vec<_> =
            self.expired.iter().filter(|(lot, _)| own.contains(lot)).flat_map(|(_, all)| all.clone()).collect();
        units.sort_by_key(|unit| unit.lot);
        units.truncate(usize::try_from(amount).unwrap_or(usize::MAX));
        for unit in &units {
            self.expired.entry(unit.lot.expect("only dated units expire").1).or_default().pop();
        }
        let rest = amount - count(units.len());
        let (taken, debt) = self.take_back(from, rest, &own, undated);
        units.extend(taken);
        self.note(by, Deed::TookBack(from, units, debt));
    }

    fn expired_of(&self, lot: LotId) -> i64 {
        self.expired.get(&lot).map_or(0, |units| count(units.len()))
    }

    /// First its own lots, then its own undated units, then others as they would be spent; then debt.
    fn take_back(&mut self, from: PurseId, wanted: i64, own: &[LotId], mut undated: i64) -> (Vec<Unit>, i64) {
        let mut free = Vec::new();
        let purse = self.purse(from);
        purse.units.retain(|unit| {
            if unit.held.is_none() {
                free.push(*unit);
            }
            unit.held.is_some()
        });
        free.sort_by_key(|unit| (unit.lot.is_none(), unit.lot));
        let rank = |unit: &Unit, undated: &mut i64| match unit.lot {
            Some((_, lot)) if own.contains(&lot) => 0,
            Some(_) => 2,
            None if *undated > 0 => {
                *undated -= 1;
                1
            }
            None => 3,
        };
        let mut ranked: Vec<_> = free.into_iter().map(|unit| (rank(&unit, &mut undated), unit)).collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        let taken = ranked.len().min(usize::try_from(wanted).unwrap_or(usize::MAX));
        purse.units.extend(ranked.split_off(taken).into_iter().map(|(_, unit)| unit));
        let debt = wanted - count(taken);
        purse.debt += debt;
        (ranked.into_iter().map(|(_, unit)| unit).collect(), debt)
    }
}
