//! One file a process, and nothing stranded in it.

use std::sync::Arc;

use rollbook_queue::FileError;
use rollbook_spool::{Options, Spool, inspect};

use crate::world::{Draining, Mood, World, publish, until};

async fn waiting(world: &World) -> u64 {
    inspect(&world.path(), &*world.files()).await.unwrap()
}

#[tokio::test]
async fn two_processes_with_one_path_have_a_file_each() {
    let world = World::new(Mood::Away);
    assert_eq!(waiting(&world).await, 0);
    let (first, second) = (world.spool().await, world.spool().await);
    publish(&first, 0..10).await;
    publish(&second, 10..25).await;
    assert_eq!((first.depth(), second.depth(), waiting(&world).await), (10, 15, 25));
    assert!(world.file("spool.db").exists() && world.file("spool-2.db").exists());

    let draining = [Draining::start(&first), Draining::start(&second)];
    world.broker.set(Mood::Up);
    until("both are drained", || first.depth() + second.depth() == 0).await;
    assert!(world.broker.has_all(0..25));
    assert_eq!(waiting(&world).await, 0);
    for one in draining {
        one.stop().await;
    }
}

#[tokio::test]
async fn what_killed_processes_left_is_drained_by_the_next_one() {
    let world = World::new(Mood::Away);
    let spools = [world.spool().await, world.spool().await, world.spool().await];
    for (spool, first) in spools.iter().zip([0, 10, 20]) {
        publish(spool, first..first + 10).await;
    }
    let after = world.killed();
    after.broker.set(Mood::Up);
    let spool = after.spool().await;
    let draining = Draining::start(&spool);
    until("all three files are drained", || after.broker.has_all(0..30) && spool.depth() == 0).await;
    draining.stop().await;
    assert_eq!(waiting(&after).await, 0);
}

#[tokio::test]
async fn what_a_neighbour_leaves_is_found_while_running() {
    let world = World::new(Mood::Away);
    let (stays, leaves) = (world.spool().await, world.spool().await);
    let draining = Draining::start(&stays);
    publish(&leaves, 0..10).await;
    world.broker.set(Mood::Up);
    leaves.close().await;
    until("the neighbour's are drained", || world.broker.has_all(0..10) && stays.depth() == 0).await;

    // The name is free again once it is empty.
    let path = world.file("spool-2.db");
    until("the file is let go", || std::fs::File::open(lock_of(&path)).unwrap().try_lock().is_ok()).await;
    let third = world.spool().await;
    assert!(format!("{third:?}").contains("spool-2.db"), "{third:?}");
    draining.stop().await;
}

fn lock_of(path: &std::path::Path) -> std::path::PathBuf {
    path.with_extension("db.lock")
}

/// What is adopted counts against the bounds, and goes back to the file when the drain stops.
#[tokio::test]
async fn an_adopted_file_counts_until_it_is_let_go() {
    let world = World::new(Mood::Away);
    let (stays, leaves) = (world.spool().await, world.spool().await);
    publish(&leaves, 0..10).await;
    leaves.close().await;
    let draining = Draining::start(&stays);
    until("it is adopted", || stays.depth() == 10).await;
    draining.stop().await;
    assert_eq!((stays.depth(), waiting(&world).await), (0, 10));
}

#[tokio::test]
async fn a_damaged_file_is_left_alone_and_callbacks_are_taken() {
    let world = World::new(Mood::Away);
    let spool = world.spool().await;
    publish(&spool, 0..200).await;
    spool.close().await;
    let file = std::fs::OpenOptions::new().write(true).open(world.path()).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    let damaged = std::fs::read(world.path()).unwrap();

    let spool = world.spool().await;
    let draining = Draining::start(&spool);
    publish(&spool, 200..210).await;
    world.broker.set(Mood::Up);
    until("the new ones are drained", || world.broker.has_all(200..210) && spool.depth() == 0).await;
    draining.stop().await;
    assert_eq!(std::fs::read(world.path()).unwrap(), damaged);
    let refused = inspect(&world.path(), &*world.files()).await.unwrap_err();
    assert!(refused.to_string().contains("spool.db is damaged"), "{refused}");
}

/// A process was killed between making the file and writing its first page.
#[tokio::test]
async fn a_file_without_a_page_is_a_new_one() {
    let world = World::new(Mood::Away);
    std::fs::write(world.path(), "").unwrap();
    assert_eq!(waiting(&world).await, 0);
    let spool = world.spool().await;
    publish(&spool, 0..1).await;
    assert!(!world.file("spool-2.db").exists());
    assert_eq!(waiting(&world).await, 1);
}

/// The last commit was cut off in the journal: what was answered before it is there.
#[tokio::test]
async fn a_journal_cut_off_in_the_middle_loses_only_what_was_not_answered() {
    let world = World::new(Mood::Away);
    let spool = world.spool().await;
    publish(&spool, 0..20).await;
    let whole = world.killed();
    let answered = std::fs::metadata(whole.file("spool.db-wal")).unwrap().len();
    publish(&spool, 20..21).await;
    let after = world.killed();
    let journal = std::fs::OpenOptions::new().write(true).open(after.file("spool.db-wal")).unwrap();
    let end = journal.metadata().unwrap().len();
    assert!(end > answered);
    journal.set_len(end - 100).unwrap();
    drop(journal);
    assert_eq!(after.spool().await.depth(), 20);
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_told_at_the_start() {
    let world = World::new(Mood::Away);
    std::fs::write(world.file("file"), "").unwrap();
    let options = Options { path: world.file("file/spool.db"), ..world.options() };
    let broker = Arc::new(world.broker.clone());
    let refused = Spool::open(options, world.files(), broker).await.unwrap_err();
    assert!(refused.to_string().contains("mend the disk or name another file"), "{refused}");
}

#[tokio::test]
async fn a_disk_that_fails_is_no_damaged_file() {
    let world = World::new(Mood::Away);
    let path = world.file("folder.db");
    std::fs::create_dir(&path).unwrap();
    let broker = Arc::new(world.broker.clone());
    let refused = Spool::open(Options { path, ..world.options() }, world.files(), broker).await.unwrap_err();
    assert!(matches!(refused, rollbook_spool::OpenError::File { source: FileError::Unavailable(_) }), "{refused}");
}
