//! `rollbook points statement`: for the member, on paper or in a spreadsheet.

use std::process::ExitCode;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::look::{Balance, Moved, moved, somebody};
use crate::cli::SpanArgs;
use crate::commands::Session;
use crate::exit::{Done, FAILED};
use crate::output;

pub async fn run(session: &Session, owner: &str, span: &SpanArgs, csv: bool) -> Done {
    use rollbook_ledger::Asset;
    let store = session.store().await?;
    let Some(named) = somebody(store.as_ref(), owner).await? else { return Ok(ExitCode::from(FAILED)) };
    let mut rows = moved(store.as_ref(), named.owner, span, None).await?;
    // What was refused moved nothing.
    rows.retain(|row| row.amount != 0 || row.owed != 0);
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
    let mut table = output::table(&["DATE", "WHAT", "POINTS", "BALANCE", "FOR"]);
    for row in rows {
        table.add_row([
            day(row.at, zone),
            what(row).to_owned(),
            format!("{:+}", row.amount),
            row.posted.map_or_else(String::new, |posted| posted.to_string()),
            row.memo.clone().unwrap_or_default(),
        ]);
    }
    output::line(table);
}

fn print_csv(rows: &[Moved], zone: &TimeZone) {
    output::line("date,what,points,balance,owed,for,transaction");
    for row in rows {
        let posted = row.posted.map_or_else(String::new, |posted| posted.to_string());
        let (date, memo) = (day(row.at, zone), field(row.memo.as_deref().unwrap_or_default()));
        let (amount, owed) = (row.amount, row.owed);
        output::line(format!("{date},{},{amount},{posted},{owed},{memo},{}", field(what(row)), row.transaction));
    }
}

fn day(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).date().to_string()
}

/// For a member's eyes.
fn what(row: &Moved) -> &'static str {
    match (row.kind, row.other.as_deref(), row.amount < 0) {
        ("reverse", ..) => "undone",
        ("expire", ..) | (_, Some("expired"), _) => "expired",
        (_, Some("issued"), false) => "earned",
        (_, Some("issued"), true) => "taken back",
        (_, Some("redeemed"), _) => "redeemed",
        (_, _, true) => "given to somebody",
        (_, _, false) => "got from somebody",
    }
}

/// Quoted as RFC 4180 has it. A text that a spreadsheet would run as a formula gets a quote in front.
fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
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
    }
}
