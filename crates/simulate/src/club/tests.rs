//! A soak in small, on a real store; and that the tally sees what it is for.

use jiff::{SignedDuration, Timestamp};
use rollbook_ledger::{Actor, Asset, Command, Move, Order, Owner, TransactionId};
use rollbook_store::Ledger as _;
use rollbook_store_sqlite::SqliteStore;
use tempfile::TempDir;

use super::*;

const START: Timestamp = Timestamp::UNIX_EPOCH;

struct Played {
    _folder: TempDir,
    store: SqliteStore,
    cast: Cast,
    slips: Vec<Slip>,
}

async fn play(steps: i64) -> Played {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("rollbook.db")).await.unwrap();
    store.migrate().await.unwrap();
    let cast = Cast::new("test", 6, 3);
    cast.seat(&store, START).await.unwrap();
    cast.seat(&store, START).await.unwrap();
    let (mut till, mut slips) = (Till::new(cast.clone(), "till".to_owned(), 7), Vec::new());
    for second in 0..steps {
        let now = START + SignedDuration::from_secs(second);
        let step = till.step(now).unwrap();
        let (id, first) = (step.command.id(), step.before.is_none());
        if first {
            slips.push(Slip::asked(id, &step.moves));
        }
        let answer = store.execute(std::slice::from_ref(&step.command), now).await.unwrap().remove(0);
        assert_eq!(till.heard(step, &answer), None);
        if first {
            slips.push(Slip::Told { id: id.0, told: Told::of(&answer) });
        }
    }
    Played { _folder: folder, store, cast, slips }
}

impl Played {
    async fn findings(&self, slips: Vec<Slip>) -> Vec<String> {
        tally(slips, &self.cast, &self.store).await.unwrap().findings
    }
}

#[tokio::test]
async fn what_was_played_adds_up() {
    let played = play(400).await;
    let sum = tally(played.slips.clone(), &played.cast, &played.store).await.unwrap();
    assert_eq!(sum.findings, Vec::<String>::new());
    assert!(sum.applied > 100 && sum.rejected > 20, "{sum:?}");
    // Somebody was killed before the last answer came.
    let cut = played.slips[..played.slips.len() - 1].to_vec();
    let sum = tally(cut, &played.cast, &played.store).await.unwrap();
    assert_eq!((sum.findings.len(), sum.unanswered, sum.decided_unheard), (0, 1, 1));
}

#[tokio::test]
async fn a_changed_a_lost_and_a_foreign_movement_are_found() {
    let played = play(100).await;
    let mut changed = played.slips.clone();
    let Some(Slip::Told { told, .. }) = changed.iter_mut().find(|slip| matches!(slip, Slip::Told { .. })) else {
        panic!("nothing was told")
    };
    told.applied = !told.applied;
    assert_eq!(played.findings(changed).await.len(), 1);
    let lost = Slip::asked(TransactionId::of_key("lost"), &[]);
    let told = Told { applied: true, reason: None, posted: None, held: None };
    let lost = [lost, Slip::Told { id: TransactionId::of_key("lost").0, told }];
    assert_eq!(played.findings([played.slips.clone(), lost.to_vec()].concat()).await.len(), 1);
    let moves = vec![Move::Award { to: Owner::Person(played.cast.members[0]), amount: 1, expires_at: None }];
    let order = Order::Post { asset: Asset::Points, moves };
    let foreign = Command::new(TransactionId::of_key("foreign"), START, Actor::System, order).unwrap();
    played.store.execute(&[foreign], START).await.unwrap();
    assert_eq!(played.findings(played.slips.clone()).await.len(), 1);
}

#[test]
fn a_half_written_line_is_no_slip() {
    let id = TransactionId::of_key("one");
    let mut lines = Vec::new();
    Slip::asked(id, &[]).write(&mut lines).unwrap();
    Slip::asked(id, &[]).write(&mut lines).unwrap();
    lines.truncate(lines.len() - 5);
    assert_eq!(read_slips(lines.as_slice()).unwrap(), [Slip::asked(id, &[])]);
    assert!(read_slips(b"nonsense\n".as_slice()).is_err());
}
