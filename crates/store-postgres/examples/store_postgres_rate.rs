//! What a batch costs, in a small store and in a large one: `tests/services run postgres -- sh -c
//! 'cargo run --release -p rollbook-store-postgres --example store_postgres_rate -- $ROLLBOOK_TEST_POSTGRES [ROWS]'`
//! fills that database (a throwaway one!) and prints a line each tenth of the way. Not a test:
//! figures are for people.

use rollbook_store::conformance::rate;
use rollbook_store_postgres::{Options, PostgresStore};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rows = std::env::args().nth(2).map_or(Ok(1_000_000), |rows| rows.parse())?;
    let url = std::env::args().nth(1).ok_or("the URL of a throwaway database, please")?;
    let store = PostgresStore::connect(&Options::new(url))?;
    store.migrate().await?;
    Ok(rate(&store, rows, |line| println!("{line}")).await?)
}
