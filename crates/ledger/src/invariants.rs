//! What must hold of the rows of the ledger at every moment: I1 to I14 of the reference that apply.
//!
//! Each is a function over the rows alone, so that `verify` says what the tests say. I6, I7 and I10
//! (replays, stable answers, batches) are promises about what happens, not about rows: the property
//! tests hold them. I12 is about loans.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Account, Balance, Hold, HoldId, HoldState, Kind, Leg, Lot, LotId, LotMovement, Pin, Place, Transaction};

/// All rows of one snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    pub transactions: Vec<Transaction>,
    pub legs: Vec<Leg>,
    pub movements: Vec<LotMovement>,
    pub pins: Vec<Pin>,
    pub balances: Vec<Balance>,
    pub holds: Vec<Hold>,
    pub lots: Vec<Lot>,
}

/// One invariant over all rows it concerns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Check {
    pub name: &'static str,
    pub checked: usize,
    /// What breaks it, by id.
    pub broken: Vec<String>,
}

impl Check {
    fn expect(&mut self, holds: bool, what: impl FnOnce() -> String) {
        self.checked += 1;
        if !holds {
            self.broken.push(what());
        }
    }
}

type Invariant = (&'static str, fn(&Rows, &mut Check));

/// In the order of the reference.
pub const INVARIANTS: &[Invariant] = &[
    ("legs_move_one_asset", legs_move_one_asset),
    ("posted_is_the_sum_of_legs", posted_is_the_sum_of_legs),
    ("held_is_the_sum_of_open_holds", held_is_the_sum_of_open_holds),
    ("no_balance_below_its_floor", no_balance_below_its_floor),
    ("each_hold_resolved_once", each_hold_resolved_once),
    ("no_history_below_its_floor", no_history_below_its_floor),
    ("only_applied_transactions_move", only_applied_transactions_move),
    ("lots_are_the_sum_of_movements", lots_are_the_sum_of_movements),
    ("lots_within_their_balance", lots_within_their_balance),
    ("pins_are_what_lots_hold", pins_are_what_lots_hold),
    ("each_lot_expires_once", each_lot_expires_once),
    ("each_transaction_reversed_once", each_transaction_reversed_once),
    ("liability_is_what_was_issued", liability_is_what_was_issued),
];

/// Checks every invariant.
pub fn examine(rows: &Rows) -> Vec<Check> {
    let run = |(name, invariant): &Invariant| {
        let mut check = Check { name, ..Check::default() };
        invariant(rows, &mut check);
        check
    };
    INVARIANTS.iter().map(run).collect()
}

/// I1: sums are zero by shape, if no leg leads from one asset to another.
fn legs_move_one_asset(rows: &Rows, check: &mut Check) {
    for leg in &rows.legs {
        let sound = leg.amount > 0 && leg.from != leg.to && leg.from.asset == leg.to.asset;
        check.expect(sound, || format!("leg {} of {}", leg.n, leg.transaction));
    }
}

/// I2, and I8 as far as the count goes.
fn posted_is_the_sum_of_legs(rows: &Rows, check: &mut Check) {
    let mut sums: BTreeMap<Account, (i64, i64)> = BTreeMap::new();
    for (account, amount) in sides(rows).filter(|(account, _)| account.has_balance()) {
        let (posted, version) = sums.entry(account).or_default();
        *posted += amount;
        *version += 1;
    }
    for balance in &rows.balances {
        let (posted, version) = sums.remove(&balance.account).unwrap_or_default();
        let same = balance.sums.posted == posted && balance.version == version;
        check.expect(same, || format!("account {}", balance.account.id()));
    }
    for account in sums.keys() {
        check.expect(false, || format!("account {} is missing", account.id()));
    }
}

/// What each leg adds to each of its two accounts.
fn sides(rows: &Rows) -> impl Iterator<Item = (Account, i64)> + '_ {
    rows.legs.iter().flat_map(|leg| [(leg.from, -leg.amount), (leg.to, leg.amount)])
}

/// I3.
fn held_is_the_sum_of_open_holds(rows: &Rows, check: &mut Check) {
    let mut held: BTreeMap<Account, i64> = BTreeMap::new();
    for hold in rows.holds.iter().filter(|hold| hold.state == HoldState::Open) {
        *held.entry(hold.account).or_default() += hold.amount;
    }
    for balance in &rows.balances {
        let open = held.remove(&balance.account).unwrap_or_default();
        check.expect(balance.sums.held == open, || format!("account {}", balance.account.id()));
    }
    for account in held.keys() {
        check.expect(false, || format!("account {} is missing", account.id()));
    }
}

/// I4 and I9: nothing is spent or held that was not there. A debt is never above zero.
fn no_balance_below_its_floor(rows: &Rows, check: &mut Check) {
    for Balance { account, sums, .. } in &rows.balances {
        let sound = match account.place {
            Place::Owed(_) => sums.posted <= 0 && sums.held == 0,
            _ => account.floor().is_none_or(|floor| sums.available() >= floor && sums.held >= 0),
        };
        check.expect(sound, || format!("account {}", account.id()));
    }
}

/// I5: an open hold has no resolution, any other the one its state tells, and what was settled left.
fn each_hold_resolved_once(rows: &Rows, check: &mut Check) {
    let mut resolutions: BTreeMap<HoldId, Vec<&Transaction>> = BTreeMap::new();
    for transaction in rows.transactions.iter().filter(|transaction| transaction.is_applied()) {
        if let Some(hold) = transaction.hold {
            resolutions.entry(hold).or_default().push(transaction);
        }
    }
    let spent = spent_by_transaction(rows);
    for hold in &rows.holds {
        let sound = match (resolutions.remove(&hold.id).unwrap_or_default().as_slice(), hold.state) {
            ([], HoldState::Open) => hold.settled == 0,
            ([one], state) => {
                let left = spent.get(&one.id).copied().unwrap_or_default();
                resolves(one.kind) == Some(state) && left == hold.settled && hold.settled <= hold.amount
            }
            _ => false,
        };
        check.expect(sound, || format!("hold {}", hold.id));
    }
    for hold in resolutions.keys() {
        check.expect(false, || format!("hold {hold} is missing"));
    }
}

fn resolves(kind: Kind) -> Option<HoldState> {
    match kind {
        Kind::Settle => Some(HoldState::Settled),
        Kind::Void => Some(HoldState::Voided),
        Kind::Expire => Some(HoldState::Expired),
        Kind::Post | Kind::Hold | Kind::Reverse => None,
    }
}

/// What left by legs, expiries not counted.
fn spent_by_transaction(rows: &Rows) -> BTreeMap<crate::TransactionId, i64> {
    let mut spent = BTreeMap::new();
    for leg in rows.legs.iter().filter(|leg| leg.to.place != Place::Expired) {
        *spent.entry(leg.transaction).or_default() += leg.amount;
    }
    spent
}

/// I8: the versions of an account are 1, 2, 3 …, and folded in that order it never went below zero.
fn no_history_below_its_floor(rows: &Rows, check: &mut Check) {
    let mut histories: BTreeMap<Account, Vec<(Option<i64>, i64)>> = BTreeMap::new();
    for leg in &rows.legs {
        for (account, version, amount) in
            [(leg.from, leg.from_version, -leg.amount), (leg.to, leg.to_version, leg.amount)]
        {
            histories.entry(account).or_default().push((version, amount));
        }
    }
    for (account, mut history) in histories {
        history.sort_unstable();
        check.expect(is_sound(account, &history), || format!("account {}", account.id()));
    }
}

fn is_sound(account: Account, history: &[(Option<i64>, i64)]) -> bool {
    let mut posted = 0_i64;
    (1..).zip(history).all(|(number, (version, amount))| {
        posted += amount;
        let numbered = *version == account.has_balance().then_some(number);
        numbered && account.floor().is_none_or(|floor| posted >= floor)
    })
}

/// Every leg has an applied transaction of a kind that moves something; a rejected one has none.
fn only_applied_transactions_move(rows: &Rows, check: &mut Check) {
    let applied: BTreeSet<_> =
        rows.transactions.iter().filter(|one| one.is_applied() && one.kind != Kind::Hold).map(|one| one.id).collect();
    for leg in &rows.legs {
        check.expect(applied.contains(&leg.transaction), || format!("leg {} of {}", leg.n, leg.transaction));
    }
}

/// I11: what is in a lot came by movements, each with a leg of the lot's account.
fn lots_are_the_sum_of_movements(rows: &Rows, check: &mut Check) {
    let legs: BTreeMap<_, _> = rows.legs.iter().map(|leg| ((leg.transaction, leg.n), leg)).collect();
    let mut sums: BTreeMap<LotId, (i64, i64)> = BTreeMap::new();
    let accounts: BTreeMap<_, _> = rows.lots.iter().map(|lot| (lot.id, lot.account)).collect();
    for movement in &rows.movements {
        let leg = legs.get(&(movement.transaction, movement.leg));
        let side = leg.map(|leg| if movement.amount > 0 { leg.to } else { leg.from });
        let sound = side.is_some() && side.as_ref() == accounts.get(&movement.lot);
        check.expect(sound, || format!("movement of lot {} in {}", movement.lot, movement.transaction));
        let (remaining, expired) = sums.entry(movement.lot).or_default();
        *remaining += movement.amount;
        if leg.is_some_and(|leg| [leg.from.place, leg.to.place].contains(&Place::Expired)) {
            *expired -= movement.amount;
        }
    }
    for lot in &rows.lots {
        let same = sums.get(&lot.id) == Some(&(lot.remaining, lot.expired));
        let sound = lot.remaining >= 0 && lot.expired >= 0 && lot.remaining + lot.expired <= lot.amount;
        check.expect(same && sound, || format!("lot {}", lot.id));
    }
}

/// I11: the lots of an account are no more than its balance, free ones no more than is available.
fn lots_within_their_balance(rows: &Rows, check: &mut Check) {
    let mut dated: BTreeMap<Account, (i64, i64)> = BTreeMap::new();
    for lot in &rows.lots {
        let (remaining, free) = dated.entry(lot.account).or_default();
        *remaining += lot.remaining;
        *free += lot.free();
    }
    let sums: BTreeMap<_, _> = rows.balances.iter().map(|balance| (balance.account, balance.sums)).collect();
    for (account, (remaining, free)) in dated {
        let sums = sums.get(&account).copied().unwrap_or_default();
        let sound = remaining <= sums.posted && free <= sums.available();
        check.expect(sound, || format!("account {}", account.id()));
    }
}

/// I3 and I5 for lots.
fn pins_are_what_lots_hold(rows: &Rows, check: &mut Check) {
    let open: BTreeMap<_, _> =
        rows.holds.iter().filter(|hold| hold.state == HoldState::Open).map(|hold| (hold.id, hold.amount)).collect();
    let (mut of_lot, mut of_hold) = (BTreeMap::<LotId, i64>::new(), BTreeMap::<HoldId, i64>::new());
    for pin in rows.pins.iter().filter(|pin| open.contains_key(&pin.hold)) {
        *of_lot.entry(pin.lot).or_default() += pin.amount;
        *of_hold.entry(pin.hold).or_default() += pin.amount;
    }
    for lot in &rows.lots {
        let pinned = of_lot.remove(&lot.id).unwrap_or_default();
        check.expect(lot.held == pinned && lot.free() >= 0, || format!("lot {}", lot.id));
    }
    for (hold, pinned) in of_hold {
        check.expect(pinned <= open[&hold], || format!("hold {hold}"));
    }
}

/// I11: an expiry of a lot is booked once, and afterwards nothing of it is free.
fn each_lot_expires_once(rows: &Rows, check: &mut Check) {
    let mut booked: BTreeMap<LotId, usize> = BTreeMap::new();
    for lot in rows.transactions.iter().filter_map(|transaction| transaction.lot) {
        *booked.entry(lot).or_default() += 1;
    }
    for lot in &rows.lots {
        let times = booked.remove(&lot.id).unwrap_or_default();
        let sound = times == usize::from(lot.lapsed) && (!lot.lapsed || lot.free() == 0);
        check.expect(sound, || format!("lot {}", lot.id));
    }
    for lot in booked.keys() {
        check.expect(false, || format!("lot {lot} is missing"));
    }
}

/// I13: once, never a reversal, and nothing of which a part was taken back besides.
fn each_transaction_reversed_once(rows: &Rows, check: &mut Check) {
    let by_id: BTreeMap<_, _> = rows.transactions.iter().map(|transaction| (transaction.id, transaction)).collect();
    let (taken_back, mut seen) = (taken_back(rows), BTreeSet::new());
    for reversal in rows.transactions.iter().filter(|transaction| transaction.is_applied()) {
        let Some(reversed) = reversal.reverses else { continue };
        let original = by_id.get(&reversed);
        let lawful = original.is_some_and(|one| one.is_applied() && matches!(one.kind, Kind::Post | Kind::Settle));
        let once = !taken_back.contains(&reversed) && seen.insert(reversed);
        check.expect(lawful && once, || format!("transaction {reversed}"));
    }
}

/// What was taken back of, by transactions that are not reversed.
fn taken_back(rows: &Rows) -> BTreeSet<crate::TransactionId> {
    let reversals = rows.transactions.iter().filter(|transaction| transaction.is_applied());
    let reversed: BTreeSet<_> = reversals.filter_map(|reversal| reversal.reverses).collect();
    rows.legs.iter().filter(|leg| !reversed.contains(&leg.transaction)).filter_map(|leg| leg.takes_back).collect()
}

/// I14: what owners have, less what they owe, is what was issued and neither redeemed nor expired.
fn liability_is_what_was_issued(rows: &Rows, check: &mut Check) {
    let mut sums: BTreeMap<_, (i64, i64)> = BTreeMap::new();
    for balance in &rows.balances {
        sums.entry(balance.account.asset).or_default().0 += balance.sums.posted;
    }
    for (account, amount) in sides(rows).filter(|(account, _)| !account.has_balance()) {
        sums.entry(account.asset).or_default().1 += amount;
    }
    for (asset, (owners, system)) in sums {
        check.expect(owners == -system, || asset.as_str().to_owned());
    }
}
