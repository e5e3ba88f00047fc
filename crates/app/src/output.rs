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

/// A table with these headings. A row is a line: ids and commands can be copied whole, and a narrow
/// terminal breaks lines where it likes.
pub fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings.iter().copied());
    table
}

/// Prints text, ignoring a reader that went away (`rollbook … | head`).
pub fn line(text: impl std::fmt::Display) {
    let _ = writeln!(stdout().lock(), "{}", harmless(&text.to_string()));
}

/// Names and bodies come from outside; an escape sequence in one would drive the reader's terminal.
fn harmless(text: &str) -> String {
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(odd) {
        return text.to_owned();
    }
    let show = |c: char| if odd(c) { c.escape_unicode().to_string() } else { c.to_string() };
    text.chars().map(show).collect()
}

/// `1 row`, `2 rows`.
pub fn count(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_drives_the_terminal() {
        assert_eq!(harmless("Ada\u{1b}[2J\u{7}"), "Ada\\u{1b}[2J\\u{7}");
        assert_eq!(harmless("two\nlines\tand Zoë"), "two\nlines\tand Zoë");
    }
}
