//! Deciding a batch in memory, one command after another.
//!
//! Nothing here depends on where a batch ends: each command sees the books as the one before left
//! them, whether they were loaded or are still only in memory.

use jiff::Timestamp;

use crate::books::{Books, Loaded};
use crate::due::expire_due;
use crate::reads::accounts;
use crate::refusals::{conflicting, not_a_spender};
use crate::{
    Account, Actor, Answer, Changes, Command, Due, HoldId, Kind, LotId, Order, Owner, Place, Refusal, RequestDigest,
    Role, Transaction, TransactionId, Verdict, due, hold, post, reverse,
};

/// Decides `commands` in their order. `loaded` must hold all that [`crate::Needs`] names.
pub fn decide(loaded: Loaded, commands: &[Command]) -> (Vec<Answer>, Changes) {
    let mut books = Books::from(loaded);
    let answers = commands.iter().map(|command| decide_one(&mut books, command)).collect();
    (answers, books.into_changes())
}

fn decide_one(books: &mut Books, command: &Command) -> Answer {
    if let Some(before) = books.decided.get(&command.id) {
        return repeat(before, command);
    }
    let accounts = accounts(command, books);
    expire_due(books, &accounts, command.at);
    match carry_out(books, command) {
        Done::Recorded(transaction) => Answer::of(&transaction, false),
        Done::Answered(answer) => answer,
    }
}

fn repeat(before: &Transaction, command: &Command) -> Answer {
    if before.digest.contradicts(&RequestDigest::of(command)) {
        return Answer::unrecorded(command.id, conflicting(before.kind));
    }
    Answer::of(before, true)
}

enum Done {
    Recorded(Transaction),
    Answered(Answer),
}

fn carry_out(books: &mut Books, command: &Command) -> Done {
    let entry = Entry::of(command);
    let transaction = match &command.order {
        Order::Post { asset, moves } => {
            let subject = moves.first().map(|first| Account::available(*asset, first.subject()));
            let result = post::post(books, command, *asset, moves);
            record(books, entry, verdict(result), subject)
        }
        Order::Hold { from, amount, expires_at } => {
            let result = hold::place(books, command, *from, *amount, *expires_at);
            record(books, entry, verdict(result), Some(*from))
        }
        Order::Settle { hold: id, shares } => {
            let result = hold::settle(books, command, *id, shares);
            resolution(books, entry, *id, result)
        }
        Order::Void { hold: id } => {
            let result = hold::void(books, command, *id);
            resolution(books, entry, *id, result)
        }
        Order::Reverse { transaction } => {
            let subject = reverse::subject(books, *transaction);
            let result = reverse::reverse(books, command, *transaction);
            record(books, Entry { reverses: Some(*transaction), ..entry }, verdict(result), subject)
        }
        Order::Expire(what) => return Done::Answered(due::answer(books, command.id, *what)),
    };
    Done::Recorded(transaction)
}

fn resolution(books: &mut Books, entry: Entry, hold: HoldId, result: Result<(), Refusal>) -> Transaction {
    let subject = books.named_hold(hold).map(|hold| hold.account);
    record(books, Entry { hold: Some(hold), ..entry }, verdict(result), subject)
}

fn verdict(result: Result<(), Refusal>) -> Verdict {
    result.map_or_else(Verdict::Rejected, |()| Verdict::Applied)
}

/// What a transaction's row says of its command.
#[derive(Clone)]
pub(crate) struct Entry {
    pub id: TransactionId,
    pub kind: Kind,
    pub digest: RequestDigest,
    pub actor: Actor,
    pub memo: Option<String>,
    pub at: Timestamp,
    pub hold: Option<HoldId>,
    pub lot: Option<LotId>,
    pub reverses: Option<TransactionId>,
}

impl Entry {
    pub fn of(command: &Command) -> Self {
        let Command { id, at, actor, order, memo } = command;
        let (kind, digest, memo) = (kind(order), RequestDigest::of(command), memo.clone());
        Self { id: *id, kind, digest, actor: *actor, memo, at: *at, hold: None, lot: None, reverses: None }
    }
}

fn kind(order: &Order) -> Kind {
    match order {
        Order::Post { .. } => Kind::Post,
        Order::Hold { .. } => Kind::Hold,
        Order::Settle { .. } => Kind::Settle,
        Order::Void { .. } => Kind::Void,
        Order::Expire(Due::Hold(_) | Due::Lot(_)) => Kind::Expire,
        Order::Reverse { .. } => Kind::Reverse,
    }
}

/// Writes the row of a decided command, with the balance it left in the account it was about.
pub(crate) fn record(books: &mut Books, entry: Entry, verdict: Verdict, subject: Option<Account>) -> Transaction {
    let Entry { id, kind, digest, actor, memo, at, hold, lot, reverses } = entry;
    let account = subject;
    let left = account.filter(|_| !verdict.keeps_balance_secret()).map(|account| books.sums(account));
    let transaction = Transaction { id, kind, digest, verdict, hold, lot, reverses, actor, memo, at, account, left };
    books.record(transaction.clone());
    transaction
}

/// Whether the one who asks may spend from there. What a person's own account may be asked for is
/// the caller's matter: staff act for members.
pub(crate) fn may_spend(books: &Books, actor: Actor, from: Account) -> Result<(), Refusal> {
    let (Actor::Person(person), Place::Available(Owner::Group(group))) = (actor, from.place) else { return Ok(()) };
    match books.members.get(&(group, person)) {
        Some(Role::Owner | Role::Spender) => Ok(()),
        Some(Role::Viewer) | None => Err(not_a_spender()),
    }
}
