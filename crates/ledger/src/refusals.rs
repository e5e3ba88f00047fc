//! Every no, in one sentence for whoever asked: why, what to do where something can be done, and
//! what the balance is and what of it is held.

use rollbook_domain::Reason;

use crate::{Asset, HoldState, Kind, LARGEST, Refusal, Sums, TakenBack, Transaction, reasons};

fn refusal(reason: Reason, detail: String) -> Refusal {
    Refusal { reason, detail }
}

fn units(amount: i64, asset: Asset) -> String {
    let many = asset.as_str();
    let one = many.trim_end_matches('s');
    format!("{amount} {}", if amount == 1 { one } else { many })
}

/// The end of most sentences.
fn standing(asset: Asset, sums: Sums) -> String {
    let balance = units(sums.posted, asset);
    match sums.held {
        0 => format!("the balance is {balance}, and none are held"),
        1 => format!("the balance is {balance}, of which 1 is held"),
        held => format!("the balance is {balance}, of which {held} are held"),
    }
}

/// `sums` are those the account has by then, after the earlier moves of the same command.
pub(crate) fn insufficient(asset: Asset, needed: i64, sums: Sums) -> Refusal {
    let reason = match asset {
        Asset::Points => reasons::INSUFFICIENT_POINTS,
        Asset::Minutes => reasons::INSUFFICIENT_MINUTES,
    };
    let (needed, available) = (units(needed, asset), sums.available());
    refusal(reason, format!("this needs {needed} and {available} are available: {}", standing(asset, sums)))
}

pub(crate) fn too_large(asset: Asset, amount: i64, sums: Sums) -> Refusal {
    let (more, standing) = (units(amount, asset), standing(asset, sums));
    let why = format!("{more} more would exceed the largest balance that anybody can have, {LARGEST}");
    refusal(reasons::BALANCE_TOO_LARGE, format!("{why}: {standing}"))
}

/// `owed` is what is owed by then.
pub(crate) fn debt_too_large(asset: Asset, amount: i64, owed: i64) -> Refusal {
    let (more, owed) = (units(amount, asset), units(owed, asset));
    let why = format!("{more} more would exceed the largest debt that anybody can have, {LARGEST}");
    refusal(reasons::BALANCE_TOO_LARGE, format!("{why}: {owed} owed so far"))
}

/// Says no balance: whoever may not spend it may not be told it.
pub(crate) fn not_a_spender() -> Refusal {
    let why = "only an owner or a spender of the group may spend from it; ask one of its owners";
    refusal(reasons::NOT_A_SPENDER, why.to_owned())
}

pub(crate) fn resolved(state: HoldState, asset: Asset, sums: Sums) -> Refusal {
    let (reason, why) = match state {
        HoldState::Settled => (reasons::HOLD_SETTLED, "the hold was settled before, and that stands"),
        HoldState::Voided => (reasons::HOLD_VOIDED, "the hold was voided before, so it holds nothing any more"),
        HoldState::Open | HoldState::Expired => {
            (reasons::HOLD_EXPIRED, "the hold has expired, so it holds nothing any more")
        }
    };
    refusal(reason, format!("{why}: {}", standing(asset, sums)))
}

pub(crate) fn exceeds_hold(asset: Asset, asked: i64, hold: i64, sums: Sums) -> Refusal {
    let (asked, standing) = (units(asked, asset), standing(asset, sums));
    let why = format!("the hold is of {hold} and cannot be settled with {asked}; settle at most what it holds");
    refusal(reasons::EXCEEDS_HOLD, format!("{why}: {standing}"))
}

pub(crate) fn to_itself(asset: Asset, sums: Sums) -> Refusal {
    let (unit, standing) = (asset.as_str(), standing(asset, sums));
    let why = format!("the {unit} are held for the same owner that they would go to; name another");
    refusal(reasons::TO_ITSELF, format!("{why}: {standing}"))
}

pub(crate) fn not_due(asset: Asset, sums: Sums) -> Refusal {
    refusal(reasons::NOT_DUE, format!("nothing of it expires by then: {}", standing(asset, sums)))
}

pub(crate) fn already_reversed(about: Option<(Asset, Sums)>) -> Refusal {
    let why = "the transaction was reversed before, and that stands";
    refusal(reasons::ALREADY_REVERSED, why.to_owned() + &tail(about))
}

/// So many of those that took back are named; whoever reverses them is told of the next ones.
const NAMED: usize = 3;

pub(crate) fn already_taken_back(taken: &[TakenBack], about: Option<(Asset, Sums)>) -> Refusal {
    let sum: i64 = taken.iter().map(|one| one.amount).sum();
    let (were, them) = if sum == 1 { ("was", "it") } else { ("were", "them") };
    let (by, those) = match taken {
        [one] => (format!("by {}", one.by), "that one"),
        many => (by_each(many), "those"),
    };
    let why = format!("{sum} of it {were} taken back before, {by}, and a reversal would take {them} a second time");
    let instead = format!("reverse {those} first, then ask again under a new id");
    refusal(reasons::ALREADY_TAKEN_BACK, format!("{why}; {instead}{}", tail(about)))
}

fn by_each(taken: &[TakenBack]) -> String {
    let (named, others) = taken.split_at(taken.len().min(NAMED));
    let mut each: Vec<_> = named.iter().map(|one| format!("{} by {}", one.amount, one.by)).collect();
    if !others.is_empty() {
        each.push(format!("{} by others", others.iter().map(|one| one.amount).sum::<i64>()));
    }
    each.join(", ")
}

pub(crate) fn not_reversible(transaction: &Transaction, about: Option<(Asset, Sums)>) -> Refusal {
    let why = match transaction.kind {
        _ if !transaction.is_applied() => "that command was rejected and moved nothing, so there is nothing to reverse",
        Kind::Hold => "a hold is not reversed but voided",
        Kind::Expire => "what expired is not brought back by a reversal; award it anew",
        Kind::Reverse => "a reversal cannot be reversed; give the command again with a new id",
        Kind::Void => "a void moved nothing, so there is nothing to reverse; place the hold again",
        Kind::Post | Kind::Settle => "there is nothing to reverse",
    };
    refusal(reasons::NOT_REVERSIBLE, why.to_owned() + &tail(about))
}

/// A rejected command or a void moved nothing, and is about no account.
fn tail(about: Option<(Asset, Sums)>) -> String {
    about.map_or_else(String::new, |(asset, sums)| format!(": {}", standing(asset, sums)))
}

/// `what` is a hold, a lot or a transaction.
pub(crate) fn unknown(reason: Reason, what: &str) -> Refusal {
    refusal(
        reason,
        format!("there is no such {what}; find it in the history of its owner and ask again under a new id"),
    )
}

/// `kind` is what the id was used for.
pub(crate) fn conflicting(kind: Kind) -> Refusal {
    let kind = kind.as_str();
    let why = format!("this id was used for another command ({kind}), and nothing was changed now; ask under a new id");
    refusal(reasons::CONFLICTING_DUPLICATE, why)
}
