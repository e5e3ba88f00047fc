//! Who has what: of the model, and of the rows.

use std::collections::BTreeMap;

use super::{Model, PurseId, purse_of};
use crate::{LotId, Place, Rows};

impl Model {
    /// What every owner has by lot and hold, and owes: to be compared with [`standing`].
    pub fn standing(&self) -> Standing {
        let mut standing = Standing::new();
        for (id, purse) in &self.purses {
            let lots = standing.entry(*id).or_default();
            lots.1 = purse.debt;
            for unit in &purse.units {
                let cell = lots.0.entry(unit.lot.map(|lot| lot.1)).or_default();
                cell.0 += 1;
                cell.1 += i64::from(unit.held.is_some());
            }
        }
        standing.retain(|_, purse| *purse != Default::default());
        standing
    }
}

/// By purse: by lot (none: undated) what there is and what of it is held; and the debt.
pub type Standing = BTreeMap<PurseId, (BTreeMap<Option<LotId>, (i64, i64)>, i64)>;

/// What the rows of a ledger say of it.
pub fn standing(rows: &Rows) -> Standing {
    let mut standing = Standing::new();
    for balance in &rows.balances {
        let purse = standing.entry(purse_of(balance.account)).or_default();
        if let Place::Owed(_) = balance.account.place {
            purse.1 = -balance.sums.posted;
            continue;
        }
        let lots: Vec<_> = rows.lots.iter().filter(|lot| lot.account == balance.account).collect();
        for lot in lots.iter().filter(|lot| lot.remaining > 0) {
            purse.0.insert(Some(lot.id), (lot.remaining, lot.held));
        }
        let dated: i64 = lots.iter().map(|lot| lot.remaining).sum();
        let held: i64 = lots.iter().map(|lot| lot.held).sum();
        let undated = (balance.sums.posted - dated, balance.sums.held - held);
        if undated != (0, 0) {
            purse.0.insert(None, undated);
        }
    }
    standing.retain(|_, purse| *purse != Default::default());
    standing
}
