//! What a history says of holds.

use rollbook_ledger::{Destination, Order, Share};

use super::Harness;
use super::ledger_samples::{POINTS, award, command, execute, hold, hold_id, member, redeem, void};
use crate::HistoryFilter;

/// A hold and what became of it stand there with its amount, once, and with what is free after it.
pub async fn a_history_tells_what_is_held(harness: &impl Harness) {
    let store = harness.store();
    let (ada, bob) = (member(1), member(2));
    let shares = [(Destination::Redeemed, 10), (Destination::Owner(bob), 5)];
    let shares = shares.map(|(to, amount)| Share { to, amount }).to_vec();
    let commands = [
        command(1, 10, award(ada, 100, None)),
        command(2, 20, hold(ada, 40, None)),
        command(3, 21, hold(ada, 30, None)),
        command(4, 22, hold(ada, 20, Some(50))),
        command(5, 23, hold(ada, 20, None)),
        command(6, 30, Order::Settle { hold: hold_id(2), shares }),
        command(7, 31, void(3)),
        command(8, 32, void(3)),
        command(9, 60, redeem(ada, 1)),
    ];
    execute(&*store, &commands).await;
    let all = HistoryFilter { asset: POINTS, owner: ada, since: None, until: None, limit: None };
    let rows = store.history(&all).await.expect("read");
    let told: Vec<_> = rows.iter().map(|row| (row.amount, row.hold, row.held, row.available)).collect();
    let of = |number| Some(hold_id(number));
    let expected = [
        (100, None, 0, 100),
        (0, of(2), 40, 60),
        (0, of(3), 30, 30),
        (0, of(4), 20, 10),
        (0, None, 0, 10),
        (-10, of(2), -40, 40),
        (-5, of(2), 0, 35),
        (0, of(3), -30, 65),
        (0, of(3), 0, 65),
        (0, of(4), -20, 85),
        (-1, None, 0, 84),
    ];
    assert_eq!(told, expected);
    let newest = store.history(&HistoryFilter { limit: Some(5), ..all }).await.expect("read");
    assert_eq!(newest, rows[6..], "few rows are the end of many");
    let sentence = rows[4].detail.as_deref().expect("why");
    assert!(sentence.contains("100 points") && sentence.contains("90 are held"), "{sentence}");
    assert_eq!(rows.iter().filter(|row| row.detail.is_some()).count(), 2);
    let his = store.history(&HistoryFilter { owner: bob, ..all }).await.expect("read");
    assert_eq!((his[0].hold, his[0].held, his[0].available), (None, 0, 5), "it was not his hold");
}
