//! The names of the files: `spool.db`, `spool-2.db`, `spool-3.db` and on, one a process.
//!
//! A file is whose lock it is. Emptied files stay: deleting one could take it from a process that
//! just opened it, and the next process fills it again.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rollbook_queue::{FileError, Queue, QueueFiles};

use crate::options::OpenError;
use crate::parcel::spool;

/// More processes on one host than anybody runs.
const MOST: u32 = 64;

/// One file of ours.
pub(crate) struct OpenFile {
    pub(crate) path: PathBuf,
    pub(crate) queue: Arc<dyn Queue>,
}

/// How many callbacks wait in all the files beside `path`, whoever has them: for `status`, beside a
/// running service. A file that cannot be read is an error, for nobody knows what it holds.
pub async fn inspect(path: &Path, files: &dyn QueueFiles) -> Result<u64, FileError> {
    let mut sum = 0;
    for path in siblings(path).map_err(|error| FileError::Unavailable(Box::new(error)))? {
        sum += files.held(&path, &spool()).await?.deliveries;
    }
    Ok(sum)
}

/// The first file that nobody has. A damaged one is told and left alone: callbacks must be taken.
pub(crate) async fn open_first(path: &Path, files: &dyn QueueFiles) -> Result<OpenFile, OpenError> {
    for number in 1..=MOST {
        let path = name(path, number);
        match files.open(&path).await {
            Ok(queue) => return Ok(OpenFile { path, queue }),
            Err(FileError::Taken(_)) => {}
            Err(error @ FileError::Unusable(_)) => {
                tracing::error!(path = %path.display(), %error, "this file of the spool cannot be used; it is left as it is");
            }
            Err(source @ FileError::Unavailable(_)) => return Err(OpenError::File { source }),
        }
    }
    Err(OpenError::NoName { path: path.to_owned(), most: MOST })
}

/// Opens the files beside `path` that hold something, that nobody has and that are not among `ours`.
pub(crate) async fn open_left(path: &Path, files: &dyn QueueFiles, ours: &HashSet<PathBuf>) -> Vec<OpenFile> {
    let found = siblings(path).unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot look for what other processes left in the spool");
        Vec::new()
    });
    let mut left = Vec::new();
    for path in found.into_iter().filter(|path| !ours.contains(path)) {
        match open_if_held(&path, files).await {
            Ok(Some(queue)) => left.push(OpenFile { path, queue }),
            Ok(None) | Err(FileError::Taken(_)) => {}
            Err(error) => tracing::warn!(path = %path.display(), %error, "this file of the spool cannot be read now"),
        }
    }
    left
}

async fn open_if_held(path: &Path, files: &dyn QueueFiles) -> Result<Option<Arc<dyn Queue>>, FileError> {
    let empty = files.held(path, &spool()).await?.deliveries == 0;
    if empty { Ok(None) } else { files.open(path).await.map(Some) }
}

/// `spool.db` is number 1.
fn name(path: &Path, number: u32) -> PathBuf {
    if number == 1 {
        return path.to_owned();
    }
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{number}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// All the files of this spool that are there, by number.
fn siblings(path: &Path) -> io::Result<Vec<PathBuf>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = match folder.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        numbers.extend(number(path, &entry?.file_name()));
    }
    numbers.sort_unstable();
    Ok(numbers.into_iter().map(|number| name(path, number)).collect())
}

/// The number of the file of this name, if it is one of this spool's.
fn number(path: &Path, file: &OsStr) -> Option<u32> {
    if path.file_name() == Some(file) {
        return Some(1);
    }
    let stem = path.file_stem()?.to_str()?;
    let number = Path::new(file).file_stem()?.to_str()?.strip_prefix(stem)?.strip_prefix('-')?.parse().ok()?;
    (number >= 2 && name(path, number).file_name() == Some(file)).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_has_the_plain_name() {
        let names = [(1, "data/spool.db"), (2, "data/spool-2.db"), (64, "data/spool-64.db")];
        for (number, expected) in names {
            assert_eq!(name(Path::new("data/spool.db"), number), Path::new(expected));
        }
        assert_eq!(name(Path::new("spool"), 3), Path::new("spool-3"));
    }

    #[test]
    fn only_files_of_this_spool_are_its_own() {
        let home = tempfile::tempdir().unwrap();
        let others = [
            "spool-1.db",
            "spool-02.db",
            "spool-x.db",
            "spool-2.db.lock",
            "spool-2.db-wal",
            "spool.db.bak",
            "queue.db",
        ];
        for file in ["spool-10.db", "spool.db", "spool-2.db"].iter().chain(&others) {
            std::fs::write(home.path().join(file), "").unwrap();
        }
        let path = home.path().join("spool.db");
        let expected = ["spool.db", "spool-2.db", "spool-10.db"].map(|file| home.path().join(file));
        assert_eq!(siblings(&path).unwrap(), expected);
        assert!(siblings(&home.path().join("nowhere/spool.db")).unwrap().is_empty());
    }
}
