//! Who holds a service's lock, found out without taking it: even for a moment that could keep a
//! service from starting.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The process that holds `<path>.lock`. None where nobody does, and where the system does not tell.
pub fn lock_holder(path: &Path) -> Option<u32> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let inode = fs::metadata(name).ok()?.ino();
    holder(&fs::read_to_string("/proc/locks").ok()?, inode)
}

/// A line reads `1: FLOCK  ADVISORY  WRITE 4711 08:01:131077 0 EOF`. The device is not compared: some
/// file systems give another one to `stat`.
fn holder(locks: &str, inode: u64) -> Option<u32> {
    let inode = inode.to_string();
    locks.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let (kind, _, mode, process, file) =
            (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
        let same = kind == "FLOCK" && mode == "WRITE" && file.rsplit(':').next() == Some(inode.as_str());
        same.then(|| process.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_found_by_its_file() {
        let locks = "1: POSIX  ADVISORY  WRITE 12 08:01:7 0 EOF\n2: -> FLOCK  ADVISORY  WRITE 13 08:01:7 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 14 08:01:77 0 EOF\n4: FLOCK  ADVISORY  WRITE 15 08:01:7 0 EOF\n";
        assert_eq!(holder(locks, 7), Some(15));
        assert_eq!(holder(locks, 8), None);
    }

    #[test]
    fn a_lock_that_is_held_has_a_holder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue.db");
        assert_eq!(lock_holder(&path), None);
        let lock = crate::lock(&path).unwrap();
        assert_eq!(lock_holder(&path), Some(std::process::id()));
        drop(lock);
        assert_eq!(lock_holder(&path), None);
    }
}
