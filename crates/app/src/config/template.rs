//! The configuration that `rollbook config init` writes, ready for `rollbook up`.
//!
//! Secrets go into files of their own that only the owner may read, never into the configuration:
//! that one gets shown to people, and a warning at every start would teach to ignore warnings.

use std::path::{Path, PathBuf};

const TEXT: &str = include_str!("template.toml");

/// Each a third of the randomness that [`files`] is given.
const SECRETS: [Secret; 3] = [
    Secret { name: "cybersource", prefix: "" },
    Secret { name: "docusign", prefix: "" },
    // Stripe's secrets begin like this, and the whole text is the key.
    Secret { name: "stripe", prefix: "whsec_" },
];

struct Secret {
    name: &'static str,
    prefix: &'static str,
}

/// One file to be written.
#[derive(Clone, PartialEq, Eq)]
pub struct NewFile {
    pub path: PathBuf,
    pub contents: String,
    /// Unix permissions.
    pub mode: u32,
}

/// The secrets first and the configuration last, so that a half-written set is never started.
///
/// `config` is where the configuration is to stand; `random` are bytes from the operating system.
pub fn files(config: &Path, random: [u8; 96]) -> Vec<NewFile> {
    let folder = config.parent().unwrap_or(Path::new("")).join("secrets");
    let secret = |(secret, random): (&Secret, &[u8])| NewFile {
        path: folder.join(secret.name),
        contents: format!("{}{}\n", secret.prefix, hex::encode(random)),
        mode: 0o600,
    };
    let mut files: Vec<NewFile> = SECRETS.iter().zip(random.chunks(32)).map(secret).collect();
    files.push(NewFile { path: config.to_owned(), contents: text(&folder), mode: 0o644 });
    files
}

fn text(secrets: &Path) -> String {
    let within = |name: &str| toml::Value::String(secrets.join(name).display().to_string()).to_string();
    let names = SECRETS.iter().map(|secret| secret.name).chain(["docusign-password"]);
    names.fold(TEXT.to_owned(), |text, name| text.replace(&format!("\"secrets/{name}\""), &within(name)))
}
