//! The service under load: the release binary, as a process of its own.

use std::time::Duration;

use anyhow::Context as _;
use rollbook_tests::{Options, World};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use tokio::time::{Instant, sleep};

pub struct Service {
    world: World,
}

/// Keeps every commit of the service waiting until it is dropped.
pub struct Held {
    _connection: SqliteConnection,
}

impl Service {
    pub async fn start() -> anyhow::Result<Self> {
        let world = tokio::task::spawn_blocking(|| {
            let mut world = World::new(&Options::default());
            world.start_quietly();
            world
        });
        Ok(Self { world: world.await? })
    }

    pub fn port(&self) -> u16 {
        self.world.port()
    }

    fn store(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new().filename(self.world.folder().join("rollbook.db"))
    }

    pub async fn hold_store(&self) -> anyhow::Result<Held> {
        let mut connection = self.store().connect().await?;
        connection.execute("BEGIN IMMEDIATE").await?;
        Ok(Held { _connection: connection })
    }

    /// Looks at the records until `count` payments stand there. A count is a walk over an index,
    /// so it is asked for rarely.
    pub async fn wait_applied(&self, count: usize) -> anyhow::Result<()> {
        let deadline = Instant::now() + Duration::from_mins(10);
        let mut connection = self.store().read_only(true).connect().await?;
        loop {
            let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM payment").fetch_one(&mut connection).await?;
            if usize::try_from(rows)? >= count {
                connection.close().await?;
                return Ok(());
            }
            anyhow::ensure!(Instant::now() < deadline, "{rows} of {count} payments after ten minutes");
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// The most that the process has held so far, in megabytes of 10^6 bytes.
    pub fn peak_memory_mb(&self) -> anyhow::Result<f64> {
        let pid = self.world.pid().context("the service is gone")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
        let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kilobytes * 1024.0 / 1e6)
    }

    pub async fn stop(self) -> anyhow::Result<()> {
        let mut world = self.world;
        let code = tokio::task::spawn_blocking(move || world.stop()).await?;
        anyhow::ensure!(code == Some(0), "the service ended with {code:?}");
        Ok(())
    }
}
