//! Room on the disks that queue, store and spool are written to.

use std::io;
use std::path::{Path, PathBuf};

use super::finding::{Check, size};
use crate::config::Resolved;

const NAME: &str = "disk-space";

/// Free space below so many times the least is worth a look before it is too late.
const SOON: u64 = 4;

struct Facts {
    what: &'static str,
    folder: PathBuf,
    free_bytes: io::Result<u64>,
    /// Below this nothing more is taken.
    least_bytes: u64,
    /// What may still be written there when things go badly.
    reserve_bytes: u64,
}

pub fn checks(config: &Resolved) -> Vec<Check> {
    let least_bytes = config.min_free_disk_bytes;
    let facts = |what, file: &Path, reserve_bytes| {
        let folder = standing(file);
        Facts { what, free_bytes: free(&folder), folder, least_bytes, reserve_bytes }
    };
    let mut places = Vec::new();
    if let Some(file) = config.queue.file() {
        places.push(facts("queue", file, 0));
    } else {
        // A spool stands in for a broker; a queue in a file is as near as the spool would be.
        places.push(facts("spool", &config.spool.path, config.spool.max_bytes));
    }
    places.extend(config.store.file().map(|file| facts("store", file, 0)));
    if places.is_empty() {
        return Vec::new();
    }
    places.iter().map(finding).collect()
}

/// The folder of the file, or the nearest above it that is there: a service makes the others.
fn standing(file: &Path) -> PathBuf {
    let above = file.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty());
    above.map(Path::to_owned).find(|folder| folder.is_dir()).unwrap_or_else(|| PathBuf::from("."))
}

fn free(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn finding(facts: &Facts) -> Check {
    let (what, folder) = (facts.what, facts.folder.display());
    let free_bytes = match &facts.free_bytes {
        Ok(bytes) => *bytes,
        Err(error) => return Check::problem(NAME, format!("{folder} cannot be looked at: {error}"), "mend its rights"),
    };
    let (free, least) = (size(free_bytes), size(facts.least_bytes));
    let todo = format!("make room on the disk of {folder}, or move the {what} to a larger one");
    if free_bytes < facts.least_bytes {
        return Check::problem(
            NAME,
            format!("{free} are free for the {what}, which takes nothing below {least}"),
            todo,
        );
    }
    if free_bytes < facts.least_bytes.saturating_mul(SOON) {
        return Check::warning(
            NAME,
            format!("{free} are free for the {what}, which takes nothing below {least}"),
            todo,
        );
    }
    if free_bytes < facts.least_bytes.saturating_add(facts.reserve_bytes) {
        let reserve = size(facts.reserve_bytes);
        return Check::warning(NAME, format!("{free} are free for the {what}, which may need {reserve}"), todo);
    }
    Check::ok(NAME, format!("{free} are free for the {what}"))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Status;
    use super::*;

    fn status(free: io::Result<u64>, reserve_bytes: u64) -> Status {
        let folder = PathBuf::from("data");
        finding(&Facts { what: "spool", folder, free_bytes: free, least_bytes: 100, reserve_bytes }).status
    }

    #[test]
    fn room_is_judged_by_what_is_needed() {
        assert_eq!(status(Ok(99), 0), Status::Problem);
        assert_eq!(status(Ok(399), 0), Status::Warning);
        assert_eq!(status(Ok(400), 0), Status::Ok);
        assert_eq!(status(Ok(1099), 1000), Status::Warning);
        assert_eq!(status(Ok(1100), 1000), Status::Ok);
        assert_eq!(status(Err(io::ErrorKind::PermissionDenied.into()), 0), Status::Problem);
    }

    #[test]
    fn a_folder_that_is_not_there_yet_stands_in_one_that_is() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(standing(&folder.path().join("new/data/queue.db")), folder.path());
        assert_eq!(standing(Path::new("queue.db")), Path::new("."));
    }
}
