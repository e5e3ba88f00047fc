//! What facts earned, while others write.

use jiff::Timestamp;
use jiff::civil::date;
use rollbook_domain::{
    Capped, Change, Currency, Earning, EventKey, FactRef, Money, Owner, Paid, PaymentRef, Period, PersonId,
    ProcessorName, Rate, Reads,
};
use rollbook_ledger::Command;
use rollbook_store::{Batch, Store as _};
use rollbook_store_postgres::PostgresStore;

use super::sample::{batch, email, event};
use super::{World, make};

fn points() -> ProcessorName {
    "points".into()
}

fn payment(transaction: &str) -> PaymentRef {
    PaymentRef { account: "club".into(), transaction: transaction.to_owned() }
}

/// What a payment of 80 dollars by `who` gave, at most 100 in January.
fn award(transaction: &str, who: &str, moved: i64) -> Earning {
    let fact = FactRef { account: "club".into(), key: EventKey::captured(transaction) };
    let amount = Money { minor: 8000, currency: Currency::parse("USD").expect("a currency") };
    let period = Period { first: date(1970, 1, 1), last: date(1970, 1, 31) };
    Earning {
        of: fact.clone(),
        fact,
        rule: "dues".to_owned(),
        owner: Owner::Person(PersonId::of_first_address(&email(who))),
        paid: Some(Paid { payment: payment(transaction), amount, returned_minor: 0 }),
        rate: Rate::PerUnit { per_10000: 10_000 },
        capped: Some(Capped { period, points: 100 }),
        earned: 80,
        moved,
        at: Timestamp::UNIX_EPOCH,
        expires_at: None,
    }
}

fn captured(payments: &[Vec<Earning>]) -> Batch {
    let settled = |earnings: &Vec<Earning>| {
        let changes = earnings.iter().map(|earning| Change::Earn(Box::new(earning.clone()))).collect();
        event(earnings[0].fact.key.as_str(), changes)
    };
    let commands =
        payments.iter().filter_map(|earnings| Command::earning(earnings, Timestamp::MAX).expect("well-formed"));
    Batch { commands: commands.collect(), ..batch(points(), payments.iter().map(settled).collect()) }
}

/// What each payment gave.
async fn write(store: &PostgresStore, payments: &[Vec<Earning>]) {
    let mut tx = store.begin().await.expect("begun");
    tx.write(&captured(payments)).await.expect("written");
    tx.commit().await.expect("written");
}

fn refunds_of(transactions: &[&str]) -> Reads {
    Reads { earned_by: transactions.iter().map(|one| payment(one)).collect(), ..Reads::default() }
}

async fn until_somebody_waits(world: &World) {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let mut stranger = world.fresh.connect().await;
    while sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut stranger).await.expect("a count") == 0 {
        tokio::task::yield_now().await;
    }
}

/// What the rule without a cap makes of the same payment.
fn uncapped(award: &Earning) -> Earning {
    Earning { rule: "half".to_owned(), capped: None, moved: award.earned, ..award.clone() }
}

/// Two refunds in one batch; the payment of the second is recorded while the first one's payer is
/// waited for. It is known whole, with what else counts under its cap, or not at all; also where a
/// third event of the batch asks for that cap.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_comes_while_another_is_locked_is_known_whole_or_not_at_all() {
    let (late, earlier) = (award("bea-1", "bea@example.org", 80), award("bea-2", "bea@example.org", 20));
    for (asks_for_the_cap, rows) in [(false, 0), (true, 2)] {
        let world = make().await;
        write(&world.store, &[vec![award("ada", "ada@example.org", 80)]]).await;
        let mut holder = world.store.begin().await.unwrap();
        holder.load(&points(), &refunds_of(&["ada"])).await.unwrap();
        let mut reads = refunds_of(&["ada", "bea-1"]);
        reads.scopes.extend(late.scope().filter(|_| asks_for_the_cap));
        let store = world.store.clone();
        let second = tokio::spawn(async move {
            let mut tx = store.begin().await.unwrap();
            tx.load(&points(), &reads).await.unwrap()
        });
        until_somebody_waits(&world).await;
        write(&world.store, &[vec![late.clone(), uncapped(&late)], vec![earlier.clone()]]).await;
        drop(holder);
        let state = second.await.unwrap();
        assert_eq!(state.earned_by(&payment("ada")).count(), 1);
        assert_eq!(state.earned_by(&payment("bea-1")).count(), rows);
        let moved: i64 = state.earned_in(&late.scope().unwrap()).map(|earning| earning.moved).sum();
        assert_eq!(moved, if asks_for_the_cap { 100 } else { 0 });
    }
}
