//! What an owner gives back: the very units they got, then others, then a debt.
//!
//! A reversal asks for all that a leg gave; a take-back asks for an amount, and may name the
//! transaction that gave it. Neither is ever refused for want of a balance.

use crate::books::Books;
use crate::lots::{Draft, Portion, soonest, up_to};
use crate::reads::Directory as _;
use jiff::Timestamp;

use crate::{Account, Asset, Leg, Lot, LotMovement, Owner, Place, TransactionId};

/// What an owner got, as far as it can be told from their other units.
#[derive(Default)]
pub(crate) struct Gift {
    /// As they stand now.
    pub lots: Vec<Lot>,
    pub undated: i64,
}

impl Gift {
    /// What a leg gave that did `moved` to lots.
    pub fn of_leg(books: &Books, leg: &Leg, moved: &[LotMovement]) -> Self {
        let made: Vec<_> = moved.iter().filter(|movement| movement.amount > 0).collect();
        let dated: i64 = made.iter().map(|movement| movement.amount).sum();
        let lots = made.iter().filter_map(|movement| books.lot(movement.lot)).collect();
        Self { lots, undated: leg.amount - dated }
    }

    /// What an applied post or settle gave to the owner of `account`. Any other gave nothing.
    fn of_transaction(books: &Books, id: TransactionId, account: Account) -> Self {
        let mut gift = Self::default();
        if books.transaction(id).is_some_and(crate::Transaction::is_reversible) {
            for leg in books.legs(id).iter().filter(|leg| leg.to == account && !revives(leg)) {
                let Self { lots, undated } = Self::of_leg(books, leg, &books.movements(leg));
                gift.lots.extend(lots);
                gift.undated += undated;
            }
            gift.lots.sort_by_key(|lot| (lot.expires_at, lot.id));
        }
        gift
    }

    /// How much of it expired unspent.
    pub fn expired(&self) -> i64 {
        self.lots.iter().map(|lot| lot.expired).sum()
    }
}

/// What a take-back names as that which gave.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    pub of: Option<TransactionId>,
    pub expiring: Option<Timestamp>,
}

impl Origin {
    /// What it gave to the owner of `account`, if anything. None: all was taken back by a reversal.
    pub fn gift(self, books: &Books, account: Account) -> Option<Gift> {
        let Some(of) = self.of else { return Some(Gift::default()) };
        if books.reversed.contains(&of) && gave(books, of, account) {
            return None;
        }
        let mut gift = Gift::of_transaction(books, of, account);
        if let Some(expiring) = self.expiring {
            gift.lots.retain(|lot| lot.expires_at == expiring);
            gift.undated = 0;
        }
        Some(gift)
    }
}

pub(crate) struct Taken {
    pub amount: i64,
    /// The lots it comes from; the rest of the amount is undated.
    pub portions: Vec<Portion>,
    /// What becomes a debt.
    pub missing: i64,
}

/// From where `wanted` units of the owner of `from` are taken, those of `gift` first.
pub(crate) fn take(books: &Books, from: Account, wanted: i64, gift: &Gift) -> Taken {
    let available = books.sums(from).available();
    let amount = wanted.min(available);
    let own = up_to(amount, gift.lots.iter().map(|lot| Portion { lot: lot.id, amount: lot.free() }));
    let left = amount - total(&own);
    let rest = (left - own_undated(books, from, gift, available)).max(0);
    let portions = own.iter().copied().filter(|portion| portion.amount > 0).chain(others(books, from, &own, rest));
    Taken { amount, portions: portions.collect(), missing: wanted - amount }
}

/// What is undated in the account is nobody's in particular: as much as the gift had counts as its own.
fn own_undated(books: &Books, from: Account, gift: &Gift, available: i64) -> i64 {
    if gift.undated == 0 {
        return 0;
    }
    let dated: i64 = books.free_lots(from).map(Lot::free).sum();
    gift.undated.min(available - dated)
}

/// `rest` units of other lots, soonest first.
fn others(books: &Books, account: Account, own: &[Portion], rest: i64) -> Vec<Portion> {
    let all = soonest(books, account, i64::MAX);
    up_to(rest, all.into_iter().filter(|portion| own.iter().all(|other| other.lot != portion.lot)))
}

fn total(portions: &[Portion]) -> i64 {
    portions.iter().map(|portion| portion.amount).sum()
}

/// What a take-back fetches from where it expired is no gift.
fn revives(leg: &Leg) -> bool {
    leg.from.place == Place::Expired
}

/// Whether the owner of `account` got anything by an applied post or settle, if only off their debt.
fn gave(books: &Books, of: TransactionId, account: Account) -> bool {
    let same = |to: Account| to.asset == account.asset && to.place.owner() == account.place.owner();
    let known = books.transaction(of).is_some_and(crate::Transaction::is_reversible);
    known && books.legs(of).iter().any(|leg| same(leg.to) && !revives(leg))
}

pub(crate) fn take_back(draft: &mut Draft<'_>, asset: Asset, from: Owner, amount: i64, origin: Origin) {
    let (available, owed) = (Account::available(asset, from), Account::owed(asset, from));
    let issued = Account::system(asset, Place::Issued);
    let Some(gift) = origin.gift(draft.books, available) else { return };
    let of = origin.of.filter(|of| gave(draft.books, *of, available));
    let expired = amount.min(gift.expired());
    if expired > 0 {
        take_expired(draft, available, expired, &gift, of);
    }
    let taken = take(draft.books, available, amount - expired, &gift);
    if taken.amount > 0 {
        let n = draft.leg_back(available, issued, taken.amount, of);
        for portion in taken.portions {
            draft.take_out(n, portion);
        }
    }
    if taken.missing > 0 {
        draft.leg_back(owed, issued, taken.missing, of);
    }
}

/// What expired unspent comes back for the moment of being taken. So it counts as taken back, and
/// a later part of the same clawback does not find it again.
fn take_expired(draft: &mut Draft<'_>, account: Account, amount: i64, gift: &Gift, of: Option<TransactionId>) {
    let (gone, issued) =
        (Account::system(account.asset, Place::Expired), Account::system(account.asset, Place::Issued));
    let expired = gift.lots.iter().map(|lot| Portion { lot: lot.id, amount: lot.expired });
    let portions: Vec<_> = up_to(amount, expired).into_iter().filter(|portion| portion.amount > 0).collect();
    let n = draft.leg(gone, account, amount);
    for portion in &portions {
        draft.revive(n, *portion);
    }
    let n = draft.leg_back(account, issued, amount, of);
    for portion in portions {
        draft.take_out(n, portion);
    }
}
