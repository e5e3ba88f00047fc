//! The store, wherever it is: reached, of this release, and with events of every source.

use std::time::Duration;

use rollbook_domain::Clock;
use rollbook_store::StoreError;
use rollbook_store_postgres::PostgresStore;
use tokio::time::timeout;

use super::finding::Check;
use super::{server, sources};
use crate::config::{Resolved, StorePlace, Url};
use crate::exit::whole;
use crate::wiring::places::{self, Opened};

const FILE: &str = "store-file";

/// A file answers at once, unless somebody writes to it for long.
const PATIENCE: Duration = Duration::from_secs(5);

pub async fn checks(config: &Resolved, clock: &Clock) -> Vec<Check> {
    let (mut checks, usable) = match &config.store {
        StorePlace::Postgres(url) => on_server(config, url, clock).await,
        StorePlace::Sqlite(file) if !file.exists() => {
            let detail = format!("there is no store at {} yet", file.display());
            (vec![Check::warning(FILE, detail, "run `rollbook up` (or `rollbook migrate`), which makes it")], false)
        }
        StorePlace::Sqlite(file) => in_file(config, &file.display().to_string()).await,
    };
    checks.extend(if usable { sources::checks(config, clock()).await } else { sources::unseen() });
    checks
}

async fn on_server(config: &Resolved, url: &Url, clock: &Clock) -> (Vec<Check>, bool) {
    match PostgresStore::examine(&places::postgres(config, url), clock).await {
        Ok(found) => {
            let usable = found.pending == Ok(Vec::new());
            (server::findings(&found), usable)
        }
        Err(error) => (away(&error), false),
    }
}

fn away(error: &StoreError) -> Vec<Check> {
    let reach = match error {
        StoreError::Schema(sentence) => {
            let (detail, todo) = sentence.split_once("; ").unwrap_or((sentence, "mend `store.url`"));
            Check::problem(server::REACH, detail, todo)
        }
        other => Check::problem(
            server::REACH,
            whole(other),
            "start PostgreSQL, open the way to it, or mend `store.url`; `psql` with the same address says more",
        ),
    };
    let unseen = |name| Check::unseen(name, "the server did not let us in", "mend `store-reachable` first");
    std::iter::once(reach).chain(server::INSIDE.map(unseen)).collect()
}

async fn in_file(config: &Resolved, file: &str) -> (Vec<Check>, bool) {
    let looks = async { Opened::unchecked(config).await?.pending().await };
    let looked = timeout(PATIENCE, looks).await;
    file_findings(file, looked.unwrap_or_else(|_| Err(StoreError::Unavailable("it is locked for long".into()))))
}

fn file_findings(file: &str, looked: Result<Vec<&'static str>, StoreError>) -> (Vec<Check>, bool) {
    let opened = Check::ok(FILE, format!("{file} can be opened"));
    match looked {
        Ok(pending) => {
            let usable = pending.is_empty();
            (vec![opened, server::migrations(&Ok(pending))], usable)
        }
        Err(StoreError::Schema(sentence)) => (vec![opened, server::migrations(&Err(sentence))], false),
        Err(error) => {
            let todo = format!("see what {file} is, mend its rights, or restore it from a backup");
            let unseen = Check::unseen(server::MIGRATIONS, "the file cannot be opened", "mend `store-file` first");
            (vec![Check::problem(FILE, whole(&error), todo), unseen], false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Status;
    use super::*;

    #[test]
    fn a_server_that_is_away_leaves_nothing_green() {
        let checks = away(&StoreError::Unavailable("connection refused".into()));
        assert_eq!(checks[0].status, Status::Problem);
        assert!(checks[0].detail.ends_with("connection refused"), "{}", checks[0].detail);
        assert_eq!(checks.len(), 1 + server::INSIDE.len());
        assert!(checks.iter().all(|check| check.status != Status::Ok && check.todo.is_some()));
    }

    #[test]
    fn an_older_file_names_the_command() {
        let (checks, usable) = file_findings("rollbook.db", Ok(vec!["0008_probe"]));
        assert!(!usable);
        assert_eq!(checks[1].todo.as_deref(), Some("run `rollbook migrate`"));
        let (checks, usable) = file_findings("rollbook.db", Err(StoreError::Unavailable("disk I/O".into())));
        assert!(!usable && checks.iter().all(|check| check.status != Status::Ok));
    }
}
