//! The stage: a folder, invented secrets and a configuration in which one plan is missing.

use std::fmt::Write as _;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollbook_simulate::{PlanPrice, default_plans};
use tempfile::TempDir;

use super::backends::Backends;
use super::service::Service;
use crate::wiring;

/// Where everything of one demonstration lies.
pub enum Folder {
    /// Removed at the end.
    Temporary(TempDir),
    /// Asked for, or kept because the service keeps running.
    Kept(PathBuf),
}

impl Folder {
    pub fn new(wanted: Option<&Path>) -> anyhow::Result<Self> {
        match wanted {
            Some(path) => {
                DirBuilder::new().recursive(true).mode(0o700).create(path)?;
                let path = path.canonicalize()?;
                anyhow::ensure!(
                    !path.join("rollbook.toml").exists(),
                    "{} is in use; name an empty folder",
                    path.display()
                );
                Ok(Self::Kept(path))
            }
            None => Ok(Self::Temporary(tempfile::Builder::new().prefix("rollbook-demo-").tempdir()?)),
        }
    }

    pub fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }

    pub fn keep(self) -> PathBuf {
        match self {
            Self::Temporary(folder) => folder.keep(),
            Self::Kept(path) => path,
        }
    }
}

/// Source, provider and file of the secret.
const SOURCES: [(&str, &str); 4] = [
    ("cybersource", "cybersource-secure-acceptance"),
    ("docusign", "docusign-connect"),
    ("stripe", "stripe"),
    ("clubhouse", "standard-webhooks"),
];

/// Writes secrets and configuration for `service`.
pub fn write(service: &Service, backends: &Backends, plans: &[PlanPrice]) -> anyhow::Result<()> {
    let secrets = service.folder().join("secrets");
    DirBuilder::new().recursive(true).mode(0o700).create(&secrets)?;
    for (name, _) in SOURCES {
        let bytes: [u8; 24] = wiring::random()?;
        private(&secrets.join(name), &format!("whsec_{}\n", STANDARD.encode(bytes)))?;
    }
    std::fs::write(service.config(), configuration(service, backends, plans)?)?;
    Ok(())
}

fn private(path: &Path, contents: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(contents.as_bytes())
}

/// Adds the plan that was missing.
pub fn mend(service: &Service, plan: &PlanPrice) -> anyhow::Result<()> {
    let mut file = OpenOptions::new().append(true).open(service.config())?;
    file.write_all(plan_lines(plan).as_bytes())?;
    Ok(())
}

fn configuration(service: &Service, backends: &Backends, plans: &[PlanPrice]) -> anyhow::Result<String> {
    let folder = service.folder().display();
    let mut text = format!(
        r#"# Written by `rollbook demo`.
[organisation]
name = "Demonstration Outing Club"
time_zone = "America/New_York"
currency = "USD"

{places}
[ingest]
listen = "{ingest}"
spool = "{folder}/spool.db"

[ops]
listen = "{ops}"

# Seconds instead of hours, so that the end can be seen.
[retry]
schedule = ["200ms", "500ms", "1s", "2s", "4s"]
"#,
        places = backends.lines(&folder.to_string()),
        ingest = service.ingest(),
        ops = service.ops(),
    );
    for (name, provider) in SOURCES {
        let file = format!("{folder}/secrets/{name}");
        write!(text, "\n[sources.{name}]\nprovider = \"{provider}\"\nsecrets = [{{ file = \"{file}\" }}]\n")?;
    }
    text.push_str(POINTS);
    text.push_str("\n[membership]\nrenewal_window_days = 40\n");
    text.extend(plans.iter().map(plan_lines));
    Ok(text)
}

/// They outlive the demonstration, whose members begin two years ago.
const POINTS: &str = r#"
[points]
expire_after = "36 months"
[[points.earn]]
on = "payment_captured"
purpose = "membership"
per_unit = 1
max_per_member = { points = 100, every = "1 year" }
[[points.earn]]
on = "member_registered"
award = 25
"#;

fn plan_lines(plan: &PlanPrice) -> String {
    let (category, price) = (&plan.category, plan.price.decimal());
    format!(
        "\n[[membership.plans]]\ncategory = \"{category}\"\nname = \"{category}\"\nprice = \"{price}\"\nvalid_from = \"2000-01-01\"\n"
    )
}

/// What the service knows at first, and what it lacks.
pub fn plans() -> (Vec<PlanPrice>, PlanPrice) {
    (default_plans(), PlanPrice::dollars("LT", 2500))
}
