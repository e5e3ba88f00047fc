//! What the demonstration found, as tables or as JSON.

use rollbook_simulate::{Audit, KindLine, Summary};
use rollbook_store::DeadLetterGroup;
use serde::Serialize;

use crate::commands::{dead_letters, verify};
use crate::output;

#[derive(Serialize)]
pub struct Report {
    pub seed: u64,
    pub events: u32,
    pub summary: Summary,
    #[serde(rename = "dead_letters")]
    pub groups: Vec<DeadLetterGroup>,
    /// Against the sender's own record, before anything was mended.
    pub audit: Audit,
    pub mended: Mended,
    pub points: Points,
    pub verified: verify::Report,
}

#[derive(Serialize)]
pub struct Mended {
    pub category: String,
    pub replayed: u64,
    /// Memberships that were not there before.
    pub appeared: u64,
    /// The same audit once more.
    pub audit: Audit,
}

/// What payments and registrations earned, less what refunds and lost disputes took back.
#[derive(Serialize)]
pub struct Points {
    pub posted: i64,
    pub owed: i64,
}

#[derive(Serialize)]
struct Printed<'a> {
    ok: bool,
    #[serde(flatten)]
    report: &'a Report,
}

impl Report {
    /// Whether nothing was lost, doubled, forged or left unexplained.
    pub fn ok(&self) -> bool {
        let answered = self.summary.total.unanswered == 0 && self.summary.total.sent == u64::from(self.events);
        answered && self.audit.ok() && self.mended.audit.ok() && self.mended.appeared > 0 && self.verified.ok
    }

    pub fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            return output::json(&Printed { ok: self.ok(), report: self });
        }
        self.print_kinds();
        self.print_speed();
        output::line("\ndead letters, by cause; what several processors hear of stands there for each");
        dead_letters::print_groups(&self.groups);
        output::line("\nthe audit, against the sender's own record");
        print_audit(&self.audit);
        let Mended { category, replayed, appeared, audit } = &self.mended;
        output::line(format!(
            "\nthe plan {category} added and {replayed} dead letters replayed: {}; {} came back, their category exists nowhere",
            output::count(*appeared, "membership appeared", "memberships appeared"),
            replayed.saturating_sub(*appeared)
        ));
        if !audit.ok() {
            print_audit(audit);
        }
        let posted = output::count(self.points.posted.unsigned_abs(), "point", "points");
        output::line(format!("\n{posted} stand with members: what they earned, less what refunds took back"));
        output::line("\nthe records, recomputed (rollbook verify)");
        verify::print(&self.verified);
        output::line(self.verdict());
        Ok(())
    }

    fn verdict(&self) -> &'static str {
        if self.ok() {
            "nothing lost, nothing doubled, nothing forged, everything explained"
        } else {
            "PROBLEMS FOUND: see the lines marked BROKEN"
        }
    }

    fn print_kinds(&self) {
        let headings = ["SENT", "CALLBACKS", "DUPLICATES", "REFUSED", "FACTS", "APPLIED", "IGNORED", "DEAD LETTERS"];
        let mut table = output::table(&headings);
        for line in &self.summary.kinds {
            table.add_row(cells(line.kind.map_or("", rollbook_simulate::Kind::as_str), line));
        }
        table.add_row(cells("together", &self.summary.total));
        output::line(format!("\nwhat was sent, against what was recorded\n{table}"));
        let (people, payments, waivers) = (self.summary.people, self.summary.payments, self.summary.waivers);
        output::line(format!("{people} people, {payments} memberships, {waivers} waivers"));
    }

    fn print_speed(&self) {
        let Summary { tries, retries, elapsed_s, acked_per_s, ack, .. } = &self.summary;
        output::line(format!(
            "{tries} requests ({retries} retries) in {elapsed_s:.1} s, {acked_per_s:.0} acknowledged/s (paced); \
             ack p50 {:.1} ms, p99 {:.1} ms",
            ack.p50_ms, ack.p99_ms
        ));
    }
}

/// A zero is a dash: the eye looks for what is there.
fn cells(name: &str, line: &KindLine) -> Vec<String> {
    let numbers = [line.sent, line.duplicates, line.refused, line.facts, line.applied, line.ignored, line.dead_letters];
    let shown = numbers.map(|n| if n == 0 { "–".to_owned() } else { n.to_string() });
    std::iter::once(name.to_owned()).chain(shown).collect()
}

pub fn print_audit(audit: &Audit) {
    let mut table = output::table(&["CHECK", "CHECKED", "BROKEN", ""]);
    for check in &audit.checks {
        let mark = if check.broken == 0 { "ok" } else { "BROKEN" };
        table.add_row([check.name.clone(), check.checked.to_string(), check.broken.to_string(), mark.to_owned()]);
    }
    output::line(table);
    for explanation in &audit.explanations {
        output::line(format!("  {explanation}"));
    }
}
