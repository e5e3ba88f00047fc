//! `rollbook points statement`: for the member, on paper or in a spreadsheet.

use std::process::ExitCode;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::look::{Balance, Moved, change, moved, somebody};
use crate::cli::SpanArgs;
use crate::commands::Session;
use crate::exit::{Done, FAILED};
use crate::output;

pub async fn run(session: &Session, owner: &str, span: &SpanArgs, csv: bool) -> Done {
    use rollbook_ledger::Asset;
    let store = session.store().await?;
    let Some(named) = somebody(store.as_ref(), owner).await? else { return Ok(ExitCode::from(FAILED)) };
    let mut rows = moved(store.as_ref(), named.owner, span.within(&session.config.zone), None).await?;
    // What was refused moved nothing.
    rows.retain(|row| row.amount != 0 || row.owed != 0 || row.held != 0);
    if session.json {
        output::json(&rows)?;
    } else if csv {
        print_csv(&rows, &session.config.zone);
    } else {
        print(&rows, &session.config.zone);
        Balance::of(&named.name, store.standing(Asset::Points, named.owner).await?).print();
    }
    Ok(ExitCode::SUCCESS)
}

fn print(rows: &[Moved], zone: &TimeZone) {
    let mut table = output::table(&["DATE", "WHAT", "POINTS", "HELD", "BALANCE", "AVAILABLE", "FOR"]);
    for row in rows {
        table.add_row([
            day(row.at, zone),
            what(row).to_owned(),
            change(row.amount),
            change(row.held),
            row.posted.map_or_else(String::new, |posted| posted.to_string()),
            row.available.to_string(),
            row.memo.clone().unwrap_or_default(),
        ]);
    }
    output::line(table);
}

fn print_csv(rows: &[Moved], zone: &TimeZone) {
    output::line("date,what,points,held,balance,available,owed,for,transaction,hold");
    for row in rows {
        let Moved { amount, held, available, owed, transaction, .. } = row;
        let posted = row.posted.map_or_else(String::new, |posted| posted.to_string());
        let (date, what, memo) = (day(row.at, zone), what(row), field(row.memo.as_deref().unwrap_or_default()));
        let hold = row.hold.as_deref().unwrap_or_default();
        output::line(format!("{date},{what},{amount},{held},{posted},{available},{owed},{memo},{transaction},{hold}"));
    }
}

fn day(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).date().to_string()
}

/// For a member's eyes; no comma in it.
fn what(row: &Moved) -> &'static str {
    match (row.kind, row.other.as_deref(), row.amount < 0) {
        ("hold", ..) => "held",
        ("void", ..) if row.held < 0 => "hold released",
        ("expire", ..) if row.held < 0 => "hold expired",
        ("reverse", ..) => "undone",
        ("expire", ..) | (_, Some("expired"), _) => "expired",
        (_, Some("issued"), false) => "earned",
        (_, Some("issued"), true) => "taken back",
        (_, Some("redeemed"), _) => "redeemed",
        (_, _, true) => "given to somebody",
        (_, _, false) => "got from somebody",
    }
}

/// Quoted as RFC 4180 has it, and harmless: what a spreadsheet would run as a formula gets a quote in
/// front, also where one that separates by semicolons or splits at quotes would see a field begin.
fn field(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    let mut begins = true;
    for c in text.chars() {
        if begins && "=+-@\t\r".contains(c) {
            harmless.push('\'');
        }
        begins = ",;\"\t\r\n|".contains(c) || (begins && c.is_whitespace());
        harmless.push(c);
    }
    if harmless.contains([',', ';', '"', '\n', '\r']) {
        harmless = format!("\"{}\"", harmless.replace('"', "\"\""));
    }
    harmless
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_cannot_break_out_or_run() {
        assert_eq!(field("boots"), "boots");
        assert_eq!(field("boots, size 9 \"wide\""), "\"boots, size 9 \"\"wide\"\"\"");
        assert_eq!(field("=1+1"), "'=1+1");
        assert_eq!(field("@SUM(A1)"), "'@SUM(A1)");
        for formula in ["+1", "-1+1", "\t=1", " =1", "=cmd|' /C calc'!A0"] {
            assert!(field(formula).trim_start().starts_with('\''), "{formula}");
        }
        assert_eq!(field("boots;=1+1"), "\"boots;'=1+1\"", "where semicolons separate");
        assert_eq!(field("a \"=1\""), "\"a \"\"'=1\"\"\"");
        assert_eq!(field("size 8-9, 1+1=2"), "\"size 8-9, 1+1=2\"", "no field begins there");
    }
}
