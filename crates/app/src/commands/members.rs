//! `rollbook members`.

use std::process::ExitCode;

use rollbook_domain::Email;
use rollbook_store::MemberRow;
use rollbook_store::views::MemberView;
use serde::Serialize;

use super::Session;
use crate::cli::MembersCommand;
use crate::exit::{Done, FAILED};
use crate::output;

pub async fn run(session: &Session, command: MembersCommand) -> Done {
    match command {
        MembersCommand::List { limit } => list(session, limit).await,
        MembersCommand::Show { email } => show(session, &email).await,
    }
}

#[derive(Serialize)]
struct Listed {
    id: String,
    name: Option<String>,
    email: String,
    membership_expires: Option<jiff::civil::Date>,
    waiver_expires: Option<jiff::civil::Date>,
}

impl From<MemberRow> for Listed {
    fn from(row: MemberRow) -> Self {
        let MemberRow { id, name, email, membership_expires, waiver_expires } = row;
        Self { id: id.to_string(), name, email, membership_expires, waiver_expires }
    }
}

async fn list(session: &Session, limit: Option<u32>) -> Done {
    let rows: Vec<Listed> = session.store().await?.members(limit).await?.into_iter().map(Into::into).collect();
    if session.json {
        output::json(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    let date = |date: Option<jiff::civil::Date>| date.map_or_else(|| "–".to_owned(), |date| date.to_string());
    let mut table = output::table(&["E-MAIL", "NAME", "MEMBER UNTIL", "WAIVER UNTIL"]);
    for row in &rows {
        let name = row.name.clone().unwrap_or_default();
        table.add_row([row.email.clone(), name, date(row.membership_expires), date(row.waiver_expires)]);
    }
    output::line(table);
    output::line(output::count(rows.len() as u64, "member", "members"));
    Ok(ExitCode::SUCCESS)
}

async fn show(session: &Session, written: &str) -> Done {
    let records = match Email::parse(written) {
        Some(email) => session.store().await?.person(&email).await?,
        None => None,
    };
    let Some(records) = records else {
        eprintln!("rollbook: nobody with the address {written}; `rollbook members list` shows who there is");
        return Ok(ExitCode::from(FAILED));
    };
    let view = MemberView::of(&records, session.today());
    if session.json {
        output::json(&view)?;
    } else {
        print(&view);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(view: &MemberView) {
    output::line(format!(
        "{}  <{}>",
        view.person.name.as_deref().unwrap_or("(no name)"),
        view.person.emails.join(", ")
    ));
    let mut memberships =
        output::table(&["STARTS", "EXPIRES", "STATUS", "CATEGORY", "PAID", "REFUNDED", "PAYMENT", "ENDED"]);
    for row in &view.memberships {
        let ended = row.ended_on.map(|on| format!("{on} {}", row.end_reason.as_deref().unwrap_or_default()));
        memberships.add_row([
            row.starts.to_string(),
            row.expires.to_string(),
            word(row.status),
            row.category.clone(),
            format!("{} {}", row.amount, row.currency),
            row.refunded.clone(),
            row.payment.clone(),
            ended.unwrap_or_default(),
        ]);
    }
    section("memberships", view.memberships.len(), &memberships);
    let mut waivers = output::table(&["SIGNED", "EXPIRES", "STATUS", "DOCUMENT"]);
    for row in &view.waivers {
        waivers.add_row([row.signed_at.to_string(), row.expires.to_string(), word(row.status), row.document.clone()]);
    }
    section("waivers", view.waivers.len(), &waivers);
}

fn section(name: &str, rows: usize, table: &comfy_table::Table) {
    if rows == 0 {
        output::line(format!("\nno {name}"));
    } else {
        output::line(format!("\n{name}\n{table}"));
    }
}

fn word(status: rollbook_store::views::Status) -> String {
    use rollbook_store::views::Status;
    match status {
        Status::Active => "active",
        Status::Expired => "expired",
        Status::Ended => "ended",
    }
    .to_owned()
}
