//! What a batch costs, in a small store and in a large one: `cargo run --release -p rollbook-store-sqlite
//! --example store_sqlite_rate -- [ROWS]` prints a line each tenth of the way. Not a test: figures are
//! for people.

use rollbook_store::conformance::rate;
use rollbook_store_sqlite::SqliteStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rows = std::env::args().nth(1).map_or(Ok(1_000_000), |rows| rows.parse())?;
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(&folder.path().join("rollbook.db")).await?;
    store.migrate().await?;
    Ok(rate(&store, rows, |line| println!("{line}")).await?)
}
