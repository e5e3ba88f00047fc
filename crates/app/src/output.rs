//! Printing: tables for a terminal, JSON for scripts.

use std::io::{IsTerminal as _, Write as _, stdout};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

/// Prints one JSON document and nothing else to standard output.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    if out.is_terminal() {
        serde_json::to_writer_pretty(&mut out, value)?;
    } else {
        serde_json::to_writer(&mut out, value)?;
    }
    writeln!(out)?;
    Ok(())
}

/// A table with these headings, fitted to the terminal; not wrapped when piped, so that a line
/// stays a row.
pub fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(headings.iter().copied());
    if stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    } else {
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    }
    table
}

/// Prints text, ignoring a reader that went away (`rollbook … | head`).
pub fn line(text: impl std::fmt::Display) {
    let _ = writeln!(stdout().lock(), "{text}");
}

/// `1 row`, `2 rows`.
pub fn count(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}
