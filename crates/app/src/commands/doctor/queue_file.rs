//! The embedded queue: its file, and the service that has it.

use std::path::Path;

use rollbook_domain::{Clock, ProcessorName};
use rollbook_queue_sqlite::SqliteQueue;

use super::finding::Check;
use crate::exit::whole;

const FILE: &str = "queue-file";
const SERVICE: &str = "queue-service";

pub async fn checks(file: &Path, queues: &[ProcessorName], clock: &Clock) -> Vec<Check> {
    let shown = file.display().to_string();
    if !file.exists() {
        let detail = format!("there is no queue at {shown} yet");
        return vec![Check::warning(FILE, detail, "run `rollbook up`, which makes it")];
    }
    let looked = SqliteQueue::inspect(file, queues, clock).await;
    let looked = looked.map(drop).map_err(|error| whole(&error));
    vec![file_finding(&shown, looked), service_finding(SqliteQueue::served_by(file))]
}

fn file_finding(file: &str, looked: Result<(), String>) -> Check {
    match looked {
        Ok(()) => Check::ok(FILE, format!("{file} is a queue of this release")),
        Err(why) => Check::problem(FILE, why, format!("see what {file} is; `rollbook up` cannot use it as it stands")),
    }
}

fn service_finding(holder: Option<u32>) -> Check {
    match holder {
        Some(process) => Check::ok(SERVICE, format!("a service runs on it (process {process})")),
        None => Check::ok(SERVICE, "no service runs on it, as far as this system tells"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Status;
    use super::*;

    #[test]
    fn a_file_that_cannot_be_used_is_a_problem() {
        assert_eq!(file_finding("queue.db", Err("queue.db is damaged".to_owned())).status, Status::Problem);
        assert_eq!(file_finding("queue.db", Ok(())).status, Status::Ok);
    }

    #[test]
    fn whether_a_service_runs_is_told_and_is_no_finding() {
        assert!(service_finding(Some(4711)).detail.contains("4711"));
        assert_eq!(service_finding(None).status, Status::Ok);
    }
}
