//! What commands of the ledger cost: `cargo run --release -p rollbook-store-sqlite --example
//! ledger_rate_sqlite -- [COMMANDS]` prints a line for each kind of work and size of a commit. Not a
//! test: figures are for people.

use rollbook_store::conformance::ledger_rate;
use rollbook_store_sqlite::SqliteStore;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let commands = std::env::args().nth(1).map_or(Ok(20_000), |commands| commands.parse())?;
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(&folder.path().join("rollbook.db")).await?;
    store.migrate().await?;
    Ok(ledger_rate(&store, commands, |line| println!("{line}")).await?)
}
