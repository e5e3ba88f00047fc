//! Expiries, day by day, so to speak.

use jiff::Timestamp;

use super::{Model, PurseId, Told, Unit, body};
use crate::{Command, Due, HoldId, HoldState, LotId, TransactionId};

impl Model {
    pub(super) fn swept(&self, command: &Command, due: Due) -> Told {
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
    pub(super) fn expire_due(&mut self, purses: &[PurseId], at: Timestamp) {
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
        self.set_state(hold, HoldState::Expired);
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
    pub(super) fn drop_overdue(&mut self, purses: &[PurseId], at: Timestamp, by: TransactionId) {
        for id in purses {
            let lapsed = self.lapsed.clone();
            let gone = |unit: &Unit| {
                unit.held.is_none() && unit.lot.is_some_and(|(date, lot)| date <= at || lapsed.contains(&lot))
            };
            let all = std::mem::take(&mut self.purse(*id).units);
            let (gone, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(gone);
            self.purse(*id).units = kept;
            for unit in &gone {
                self.expired.entry(unit.lot.expect("only dated units expire").1).or_default().push(*unit);
            }
            if !gone.is_empty() {
                self.moved.entry(by).or_default().push(*id);
            }
        }
    }

    pub(super) fn release(&mut self, hold: HoldId, purse: PurseId) -> Vec<Unit> {
        let own = self.purse(purse).units.iter_mut().filter(|unit| unit.held == Some(hold));
        own.map(|unit| {
            unit.held = None;
            *unit
        })
        .collect()
    }
}
