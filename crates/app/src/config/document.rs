//! From the text of a file to its table, and the line of every key.

use std::path::Path;

use toml::Table;
use toml::de::{DeArray, DeTable, DeValue};

use super::error::{ConfigError, Origin, Origins, join};

/// A configuration is a few kilobytes; the wrong file given by mistake need not be.
const LARGEST_BYTES: usize = 1 << 20;

/// The table of `text`, and where each of its keys stands.
pub(super) fn parse(text: &str, file: &Path) -> Result<(Table, Origins), ConfigError> {
    let mut origins = Origins::of(file);
    if text.len() > LARGEST_BYTES {
        return Err(origins.fault("", "this file is over 1 MiB, so it can be no configuration; give another"));
    }
    let lines = Lines::of(text);
    let table: Table = text.parse().map_err(|fault| syntax(&fault, &lines, &mut origins))?;
    if let Ok(spanned) = DeTable::parse(text) {
        note_table(spanned.get_ref(), "", &lines, &mut origins);
    }
    Ok((table, origins))
}

/// The parser's message alone. Its full display quotes the line, which may hold a secret.
fn syntax(fault: &toml::de::Error, lines: &Lines, origins: &mut Origins) -> ConfigError {
    let message = match fault.message().lines().next() {
        // The one value that parses and then does not fit. The parser would quote it.
        Some(message) if message.starts_with("invalid type") => "a number is too large",
        Some(message) => message,
        None => "it cannot be read",
    };
    origins.note("", Origin::Line(lines.at(fault.span().map_or(0, |span| span.start))));
    origins.fault("", format!("this is no TOML: {message}"))
}

fn note_table(table: &DeTable<'_>, path: &str, lines: &Lines, origins: &mut Origins) {
    for (key, value) in table {
        let path = join(path, key.get_ref());
        origins.note(&path, Origin::Line(lines.at(key.span().start)));
        note_value(value.get_ref(), &path, lines, origins);
    }
}

fn note_value(value: &DeValue<'_>, path: &str, lines: &Lines, origins: &mut Origins) {
    match value {
        DeValue::Table(table) => note_table(table, path, lines, origins),
        DeValue::Array(items) => note_array(items, path, lines, origins),
        _ => {}
    }
}

fn note_array(items: &DeArray<'_>, path: &str, lines: &Lines, origins: &mut Origins) {
    for (index, item) in items.iter().enumerate() {
        let path = format!("{path}[{index}]");
        origins.note(&path, Origin::Line(lines.at(item.span().start)));
        note_value(item.get_ref(), &path, lines, origins);
    }
}

/// The byte offset at which each line begins.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect())
    }

    /// Counted from 1.
    fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }
}
