//! The commands that move points.

use std::process::ExitCode;

use jiff::{Timestamp, Unit};
use rollbook_ledger::{
    Account, Answer, Asset, Command, Destination, HoldId, Malformed, Move, Order, Share, Sums, TransactionId, Verdict,
};
use rollbook_store::Database;
use rollbook_teller::TellerError;
use serde::Serialize;

use super::due::{self, Expiry};
use super::who::{self, Named};
use crate::cli::points::AskArgs;
use crate::commands::Session;
use crate::exit::{Done, FAILED, Failure};
use crate::{output, wiring};

pub async fn award(session: &Session, owner: &str, amount: i64, expires: Expiry<'_>, ask: &AskArgs) -> Done {
    let (to, now) = (Named::parse(owner)?, now());
    let expires_at = expires.moment(now, &session.config)?;
    let order = Order::Post { asset: Asset::Points, moves: vec![Move::Award { to: to.owner, amount, expires_at }] };
    let said =
        Said::until(format!("{} awarded to {}", points(amount), to.name), due::told(expires_at, &session.config.zone));
    Asking { session, ask, now, said }.of(order, &[&to]).await
}

pub async fn redeem(session: &Session, owner: &str, amount: i64, ask: &AskArgs) -> Done {
    let (from, now) = (Named::parse(owner)?, now());
    let said = Said::plain(format!("{} of {} redeemed", points(amount), from.name));
    Asking { session, ask, now, said }.of(spend(&from, Destination::Redeemed, amount), &[&from]).await
}

pub async fn transfer(session: &Session, from: &str, to: &str, amount: i64, ask: &AskArgs) -> Done {
    let (from, to, now) = (Named::parse(from)?, Named::parse(to)?, now());
    let said = Said::plain(format!("{} moved from {} to {}", points(amount), from.name, to.name));
    Asking { session, ask, now, said }.of(spend(&from, Destination::Owner(to.owner), amount), &[&from, &to]).await
}

fn spend(from: &Named, to: Destination, amount: i64) -> Order {
    Order::Post { asset: Asset::Points, moves: vec![Move::Spend { from: from.owner, to, amount }] }
}

pub async fn hold(session: &Session, owner: &str, amount: i64, expires: Expiry<'_>, ask: &AskArgs) -> Done {
    let (from, now) = (Named::parse(owner)?, now());
    let expires_at = expires.moment(now, &session.config)?;
    let order = Order::Hold { from: Account::available(Asset::Points, from.owner), amount, expires_at };
    let what = format!("{} of {} held; the id settles or voids them", points(amount), from.name);
    let said = Said::until(what, due::told(expires_at, &session.config.zone));
    Asking { session, ask, now, said }.of(order, &[&from]).await
}

pub async fn settle(session: &Session, hold: &str, amount: Option<i64>, to: Option<&str>, ask: &AskArgs) -> Done {
    let (hold, now) = (HoldId(key(hold).0), now());
    let to = to.map(Named::parse).transpose()?;
    let placed = session.store().await?.hold(hold).await?;
    // Without a hold the ledger says so; any amount will do.
    let whole = placed.map_or(1, |placed| placed.amount);
    let amount = amount.unwrap_or(whole);
    let destination = to.as_ref().map_or(Destination::Redeemed, |to| Destination::Owner(to.owner));
    let said = Said::plain(format!("{amount} of {} on hold settled{}", points(whole), rest(whole - amount)));
    let order = Order::Settle { hold, shares: vec![Share { to: destination, amount }] };
    Asking { session, ask, now, said }.of(order, &to.iter().collect::<Vec<_>>()).await
}

fn rest(left: i64) -> String {
    if left > 0 { format!("; the rest, {}, is held no more", points(left)) } else { String::new() }
}

pub async fn void(session: &Session, hold: &str, ask: &AskArgs) -> Done {
    let hold = HoldId(key(hold).0);
    let placed = session.store().await?.hold(hold).await?;
    let freed = placed.map(|placed| format!(": {} held no more", are(placed.amount))).unwrap_or_default();
    let said = Said::plain(format!("the hold is voided{freed}"));
    Asking { session, ask, now: now(), said }.of(Order::Void { hold }, &[]).await
}

pub async fn reverse(session: &Session, transaction: &str, ask: &AskArgs) -> Done {
    let order = Order::Reverse { transaction: key(transaction) };
    let said = Said::plain("the transaction is reversed".to_owned());
    Asking { session, ask, now: now(), said }.of(order, &[]).await
}

/// The ledger's tables keep whole microseconds.
pub fn now() -> Timestamp {
    let now = (wiring::clock())();
    now.round(Unit::Microsecond).unwrap_or(now)
}

fn points(amount: i64) -> String {
    output::count(amount.unsigned_abs(), "point", "points")
}

fn are(amount: i64) -> String {
    output::count(amount.unsigned_abs(), "point is", "points are")
}

/// An id as it was printed, or the words that somebody chose for one.
fn key(written: &str) -> TransactionId {
    let written = written.trim();
    uuid::Uuid::parse_str(written).map_or_else(|_| TransactionId::of_key(&format!("command|{written}")), TransactionId)
}

fn random_key() -> Result<TransactionId, Failure> {
    Ok(TransactionId(uuid::Builder::from_random_bytes(wiring::random()?).into_uuid()))
}

/// What is told of a command that is applied.
struct Said {
    what: String,
    /// When what it gives or holds ends, in words, if it gives or holds anything.
    until: Option<String>,
}

impl Said {
    fn plain(what: String) -> Self {
        Self { what, until: None }
    }

    fn until(what: String, until: String) -> Self {
        Self { what, until: Some(until) }
    }
}

/// One command on its way.
struct Asking<'a> {
    session: &'a Session,
    ask: &'a AskArgs,
    now: Timestamp,
    said: Said,
}

impl Asking<'_> {
    /// `owners` are those it names.
    async fn of(self, order: Order, owners: &[&Named]) -> Done {
        let id = self.ask.id.as_deref().map_or_else(random_key, |written| Ok(key(written)))?;
        let command = Command::new(id, self.now, who::actor(self.ask.actor.as_deref())?, order).map_err(usage)?;
        let command = match &self.ask.reason {
            Some(reason) => command.with_memo(reason).map_err(usage)?,
            None => command,
        };
        let store = self.session.store().await?;
        if !self.all_there(store.as_ref(), owners).await? {
            return Ok(ExitCode::from(FAILED));
        }
        let teller = wiring::teller(store)?;
        let answer = teller.execute(command).await.map_err(|error| ask_again(error, id))?;
        teller.close().await;
        self.tell(&answer, owners.first().map(|named| named.name.as_str()))
    }

    /// A group must be there. A person need not be registered, but a slip of the pen should be seen.
    async fn all_there(&self, store: &dyn Database, owners: &[&Named]) -> Result<bool, Failure> {
        for named in owners {
            match who::standing(store, named).await? {
                who::Standing::Known => {}
                who::Standing::Unregistered => {
                    eprintln!("rollbook: nobody is registered with the address {} yet", named.name);
                }
                standing @ who::Standing::NoSuchGroup => {
                    eprintln!("rollbook: {}", who::missing(standing, named));
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn tell(&self, answer: &Answer, owner: Option<&str>) -> Done {
        if self.session.json {
            output::json(&Told::of(answer, owner))?;
        } else {
            self.print(answer);
        }
        Ok(if answer.verdict == Verdict::Applied { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
    }

    fn print(&self, answer: &Answer) {
        output::line(headline(&self.said.what, answer));
        // The first time it was another moment, and this one's expiry is not that one's.
        if let (Some(until), Verdict::Applied, false) = (&self.said.until, &answer.verdict, answer.repeated) {
            output::line(format!("expires  {until}"));
        }
        if let (Some(left), Verdict::Applied) = (answer.left, &answer.verdict) {
            let Sums { posted, held } = left;
            let then = if answer.repeated { ", as it was then" } else { "" };
            output::line(format!("balance  {posted} posted, {held} held, {} available{then}", left.available()));
        }
        output::line(format!("id       {}", answer.id));
    }
}

/// What became of it, in one sentence.
fn headline(said: &str, answer: &Answer) -> String {
    match (&answer.verdict, answer.repeated) {
        (Verdict::Applied, false) => said.to_owned(),
        (Verdict::Applied, true) => format!("already applied before, nothing new happened: {said}"),
        (Verdict::Rejected(refusal), false) => format!("rejected: {}", refusal.detail),
        (Verdict::Rejected(refusal), true) => {
            format!("already rejected before, nothing new happened; a new id asks anew: {}", refusal.detail)
        }
    }
}

/// What `--json` prints of a command.
#[derive(Serialize)]
struct Told<'a> {
    id: String,
    outcome: &'static str,
    reason: Option<&'a str>,
    /// One sentence about the reason.
    detail: Option<&'a str>,
    balance: Option<Left<'a>>,
    /// Whether this was decided before, under this id: it is the answer of then.
    repeated: bool,
}

#[derive(Serialize)]
struct Left<'a> {
    owner: Option<&'a str>,
    posted: i64,
    held: i64,
    available: i64,
}

impl<'a> Told<'a> {
    fn of(answer: &'a Answer, owner: Option<&'a str>) -> Self {
        let refusal = match &answer.verdict {
            Verdict::Applied => None,
            Verdict::Rejected(refusal) => Some(refusal),
        };
        let left = |left: Sums| Left { owner, posted: left.posted, held: left.held, available: left.available() };
        Self {
            id: answer.id.to_string(),
            outcome: if refusal.is_none() { "applied" } else { "rejected" },
            reason: refusal.map(|refusal| refusal.reason.as_str()),
            detail: refusal.map(|refusal| refusal.detail.as_str()),
            balance: answer.left.map(left),
            repeated: answer.repeated,
        }
    }
}

fn usage(malformed: Malformed) -> Failure {
    match malformed {
        Malformed::Memo => {
            Failure::usage(anyhow::anyhow!("`--reason` is no line of at most 500 characters; shorten it"))
        }
        other => Failure::usage(other),
    }
}

/// Whether it happened may be open, so the id matters more than ever.
fn ask_again(error: TellerError, id: TransactionId) -> Failure {
    match error {
        TellerError::Unavailable(_) | TellerError::Overtaken(_) | TellerError::Closed => {
            Failure::failed(anyhow::Error::from(error).context(format!("no answer to `--id {id}`")))
        }
        TellerError::Refused { .. } | TellerError::Schema(_) => Failure::failed(error),
    }
}

#[cfg(test)]
mod tests {
    use rollbook_ledger::{Refusal, reasons};

    use super::*;

    fn answer(verdict: Verdict, repeated: bool) -> Answer {
        Answer { id: key("receipt 77"), verdict, left: None, repeated }
    }

    #[test]
    fn what_happened_before_is_told_as_such() {
        let refusal = Refusal { reason: reasons::HOLD_VOIDED, detail: "the hold was voided before".to_owned() };
        let told = |verdict: Verdict, repeated| headline("1 point awarded", &answer(verdict, repeated));
        assert_eq!(told(Verdict::Applied, false), "1 point awarded");
        assert_eq!(told(Verdict::Applied, true), "already applied before, nothing new happened: 1 point awarded");
        assert_eq!(told(Verdict::Rejected(refusal.clone()), false), "rejected: the hold was voided before");
        let again = told(Verdict::Rejected(refusal), true);
        assert!(again.starts_with("already rejected before, nothing new happened"), "{again}");
    }

    /// Scripts rely on these.
    #[test]
    fn what_scripts_read_has_these_keys() {
        let told = serde_json::to_value(Told::of(&answer(Verdict::Applied, true), None)).unwrap();
        let keys: Vec<_> = told.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["balance", "detail", "id", "outcome", "reason", "repeated"]);
        assert_eq!(told["repeated"], true);
    }
}
