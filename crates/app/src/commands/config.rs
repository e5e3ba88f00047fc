//! `rollbook config`: write, check or print the configuration.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;

use crate::cli::{Common, ConfigCommand, UpArgs};
use crate::config;
use crate::exit::{Done, Failure};
use crate::{output, wiring};

pub fn run(common: &Common, command: &ConfigCommand) -> Done {
    match command {
        ConfigCommand::Init { force } => init(common, *force),
        ConfigCommand::Check(args) => check(common, args),
        ConfigCommand::Show => show(common),
    }
}

/// Nothing is written if anything of it is already there.
fn init(common: &Common, force: bool) -> Done {
    if common.config.is_dir() {
        return Err(Failure::usage(anyhow::anyhow!("{} is a folder; name a file", common.config.display())));
    }
    let mut files = config::template::files(&common.config, wiring::random()?);
    // With --force the configuration is written anew; a provider's secret cannot be had a second time.
    files.retain(|file| !force || file.path == common.config || !file.path.exists());
    if let Some(there) = files.iter().find(|file| file.path.exists()).filter(|_| !force) {
        let error = anyhow::anyhow!(
            "{} is already there; --force writes the configuration anew and keeps the secrets",
            there.path.display()
        );
        return Err(Failure::failed(error));
    }
    for file in &files {
        write(&file.path, &file.contents, file.mode)
            .with_context(|| format!("cannot write {}", file.path.display()))?;
    }
    if common.json {
        let written: Vec<_> = files.iter().map(|file| file.path.display().to_string()).collect();
        output::json(&json!({ "written": written }))?;
    } else {
        for file in &files {
            output::line(format!("wrote {}", file.path.display()));
        }
        output::line("next: put your providers' secrets in place of the random ones, then `rollbook up`");
    }
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, contents: &str, mode: u32) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
    file.write_all(contents.as_bytes())?;
    file.sync_all()
}

fn check(common: &Common, args: &UpArgs) -> Done {
    let resolved = config::load(&common.config, args.insecure).map_err(Failure::usage)?;
    for warning in &resolved.warnings {
        eprintln!("warning: {warning}");
    }
    if common.json {
        output::json(&json!({ "ok": true, "warnings": resolved.warnings }))?;
    } else {
        let sources = output::count(resolved.sources.len() as u64, "source", "sources");
        let plans = output::count(resolved.membership.plans.len() as u64, "plan", "plans");
        output::line(format!("{} is fine: {sources}, {plans}", common.config.display()));
    }
    Ok(ExitCode::SUCCESS)
}

fn show(common: &Common) -> Done {
    let shown = config::load_to_show(&common.config).map_err(Failure::usage)?;
    if common.json {
        output::json(&shown.json()).map_err(Failure::failed)?;
    } else {
        output::line(shown.toml().trim_end());
    }
    Ok(ExitCode::SUCCESS)
}
