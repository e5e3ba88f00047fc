//! The rules of the tree, held as data. Adding an edge or a long file means editing this table in
//! the same change.

mod deploy;
mod layers;
mod source;

use std::path::{Path, PathBuf};

/// The root of the checkout.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every file that git tracks, or would.
fn files(suffixes: &[&str]) -> Vec<PathBuf> {
    let listed = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git lists the files");
    let names = String::from_utf8(listed.stdout).unwrap();
    let wanted = |name: &&str| suffixes.iter().any(|suffix| name.ends_with(suffix));
    let there: Vec<_> =
        names.lines().filter(wanted).map(|name| root().join(name)).filter(|path| path.exists()).collect();
    assert!(!there.is_empty(), "no files found: is this a git checkout?");
    there
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
