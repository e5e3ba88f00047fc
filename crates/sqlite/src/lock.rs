//! Only one service a file.
//!
//! SQLite lets many processes write, so the command line works beside a running service. Two
//! *services* on one queue would each believe that the other's leases are left over from a crash.
//! The lock is the operating system's, on a file beside the database: it ends with the process,
//! however that ends. Rejected: a pid file, which outlives a kill and then names a stranger.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Held until dropped.
#[derive(Debug)]
#[must_use = "the lock is gone as soon as this is dropped"]
pub struct ServiceLock {
    _file: File,
}

#[derive(Debug, Error)]
pub enum LockError {
    /// Stop the other one, or give this one files of its own.
    #[error("another service is running on {path}; stop it first, or give this one another file")]
    Held { path: PathBuf },
    #[error("cannot lock {path}")]
    Io { path: PathBuf, source: io::Error },
}

/// Takes the lock `<path>.lock` without waiting. The file stays behind on purpose: deleting it
/// would let two services lock two files of one name.
pub fn lock(path: &Path) -> Result<ServiceLock, LockError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let failed = |source| LockError::Io { path: PathBuf::from(&name), source };
    crate::open::make_folder(path).map_err(failed)?;
    let options = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&name);
    let file = options.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(ServiceLock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(LockError::Held { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_service_is_refused_until_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/queue.db");
        let first = lock(&path).unwrap();
        let refused = lock(&path).unwrap_err();
        assert!(matches!(refused, LockError::Held { .. }), "{refused}");
        assert!(refused.to_string().contains("another service is running on"));
        let _other_file = lock(&folder.path().join("other.db")).unwrap();
        drop(first);
        let _second = lock(&path).unwrap();
    }
}
