//! The configuration as a user meets it: text and environment in, a sentence or a ready thing out.

mod mistakes;
mod places;
mod points;
mod ready;
mod shown;
mod source_mistakes;

use std::path::Path;

use super::*;

/// A secret that no error, warning or print may hold.
const SECRET: &str = "hunter2-hunter2-hunter2-hunter2";

const CLUB: &str = "[organisation]\nname = \"Club\"\ntime_zone = \"Europe/Berlin\"\ncurrency = \"EUR\"\n";

/// A club with more in its file.
fn club(more: &str) -> String {
    format!("{CLUB}{more}")
}

fn environment(pairs: &[(&str, &str)]) -> Environment {
    Environment::new(pairs.iter().map(|(name, value)| (*name, *value)))
}

/// Reads and resolves for serving, with `SECRET` in the variable `S`.
fn resolve_with(text: &str, pairs: &[(&str, &str)], insecure: bool) -> Result<Resolved, ConfigError> {
    let pairs = [&[("S", SECRET)], pairs].concat();
    let environment = environment(&pairs);
    let config = parse(text, Path::new("rollbook.toml"), &environment)?;
    config.resolve(&Context { environment: &environment, base: Path::new(""), need: Need::Serving { insecure } })
}

fn resolve(text: &str) -> Result<Resolved, ConfigError> {
    resolve_with(text, &[], false)
}

fn sentence(text: &str) -> String {
    resolve(text).expect_err(text).to_string()
}

/// Each text follows the four lines of [`CLUB`], so its own first line is line 5.
fn check(table: &[(&str, &str)]) {
    for (more, expected) in table {
        assert_eq!(sentence(&club(more)), *expected, "{more}");
    }
}
