//! Files that others must not read: secrets, and databases with personal data.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::finding::Check;
use crate::cli::Common;
use crate::config::{self, Resolved};
use crate::exit::Failure;

const NAME: &str = "file-permissions";

/// One file and who may use it.
struct Facts {
    path: PathBuf,
    mode: u32,
    /// Of the folder it lies in.
    folder_mode: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Readable,
    Writable,
}

pub fn checks(common: &Common, config: &Resolved) -> Result<Vec<Check>, Failure> {
    let kept = config::kept(&common.config).map_err(Failure::usage)?;
    let mut paths: Vec<PathBuf> = kept.files.into_iter().map(|(_, file)| file).collect();
    if kept.inline {
        paths.push(common.config.clone());
    }
    paths.extend([config.queue.file(), config.store.file()].into_iter().flatten().map(Path::to_owned));
    paths.extend(siblings(&config.spool.path));
    // A file that is not there is another check's business.
    Ok(findings(&paths.iter().filter_map(|path| facts(path).ok()).collect::<Vec<_>>()))
}

fn facts(path: &Path) -> io::Result<Facts> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (mode, folder_mode) = (fs::metadata(path)?.mode(), fs::metadata(folder)?.mode());
    Ok(Facts { path: path.to_owned(), mode, folder_mode })
}

/// The files of a spool: each process of a host has one, all named after the first.
fn siblings(first: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(stem)) = (first.parent(), first.file_stem()) else { return Vec::new() };
    let stem = stem.to_string_lossy().into_owned();
    let ours = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&stem));
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| ours(path) && path.is_file()).collect()
}

fn findings(files: &[Facts]) -> Vec<Check> {
    let open = |file: &Facts| Some((openness(file)?, file.path.clone()));
    let mut checks: Vec<Check> = files.iter().filter_map(open).map(|(open, path)| finding(open, &path)).collect();
    if checks.is_empty() {
        checks.push(Check::ok(NAME, format!("{} files with secrets or records, none open to others", files.len())));
    }
    checks
}

fn finding(open: Open, path: &Path) -> Check {
    let path = path.display();
    let todo = format!("chmod o-rwx {path}");
    match open {
        Open::Readable => Check::warning(NAME, format!("everybody on this machine can read {path}"), todo),
        Open::Writable => Check::problem(NAME, format!("everybody on this machine can write {path}"), todo),
    }
}

/// Who may not pass through the folder reaches nothing in it. A group may be meant.
fn openness(file: &Facts) -> Option<Open> {
    if file.folder_mode & 0o001 == 0 {
        return None;
    }
    match file.mode & 0o006 {
        0 => None,
        4 => Some(Open::Readable),
        _ => Some(Open::Writable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_open_if_others_reach_it_and_may_use_it() {
        for (mode, folder_mode, expected) in [
            (0o600, 0o755, None),
            (0o640, 0o755, None),
            (0o644, 0o755, Some(Open::Readable)),
            (0o644, 0o750, None),
            (0o666, 0o711, Some(Open::Writable)),
            (0o602, 0o755, Some(Open::Writable)),
        ] {
            let file = Facts { path: "secrets/stripe".into(), mode, folder_mode };
            assert_eq!(openness(&file), expected, "{mode:o} in {folder_mode:o}");
        }
    }

    #[test]
    fn the_finding_holds_the_command() {
        let checks = findings(&[Facts { path: "secrets/stripe".into(), mode: 0o644, folder_mode: 0o755 }]);
        assert_eq!(checks[0].todo.as_deref(), Some("chmod o-rwx secrets/stripe"));
    }

    #[test]
    fn a_spool_has_siblings() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["spool.db", "spool.2.db", "queue.db"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(siblings(&folder.path().join("spool.db")).len(), 2);
    }
}
