//! `rollbook points` and `rollbook groups`, as `--help` shows them.

use clap::{Args, Subcommand};
use rollbook_ledger::LARGEST;

use super::SpanArgs;

const OWNER: &str = "An e-mail address, or `group:` and the id of a group";
const AMOUNT: &str = "A whole number of points";

/// Every command of points.
#[derive(Debug, Subcommand)]
pub enum PointsCommand {
    /// What somebody has: posted, held (with the open holds), available, owed. What is due expires with the next command or the service's next sweep
    Balance {
        #[arg(help = OWNER)]
        owner: String,
    },
    /// What moved, was held or was refused, newest last
    History {
        #[arg(help = OWNER)]
        owner: String,
        #[command(flatten)]
        span: SpanArgs,
        /// At most this many, the newest (100, or all with --json)
        #[arg(long)]
        limit: Option<u32>,
    },
    /// Give points. What somebody owes is paid from them first
    Award {
        #[arg(help = OWNER)]
        owner: String,
        #[arg(help = AMOUNT, allow_negative_numbers = true, value_parser = amount)]
        amount: i64,
        /// When they expire: a date (valid on it), or how long from now: "24 months" (if not given, as
        /// `[points] expire_after` says of points that are earned now; without that, never)
        #[arg(long, value_name = "TIME", conflicts_with = "never_expires")]
        expires: Option<String>,
        /// They can be spent for ever, whatever `[points] expire_after` says
        #[arg(long)]
        never_expires: bool,
        #[command(flatten)]
        ask: AskArgs,
    },
    /// Spend points
    Redeem {
        #[arg(help = OWNER)]
        owner: String,
        #[arg(help = AMOUNT, allow_negative_numbers = true, value_parser = amount)]
        amount: i64,
        #[command(flatten)]
        ask: AskArgs,
    },
    /// Move points to somebody else; they keep their expiry
    Transfer {
        #[arg(help = OWNER)]
        from: String,
        #[arg(help = OWNER)]
        to: String,
        #[arg(help = AMOUNT, allow_negative_numbers = true, value_parser = amount)]
        amount: i64,
        #[command(flatten)]
        ask: AskArgs,
    },
    /// Reserve points until they are settled or voided: at a quote, for a discount at the bill
    Hold {
        #[arg(help = OWNER)]
        owner: String,
        #[arg(help = AMOUNT, allow_negative_numbers = true, value_parser = amount)]
        amount: i64,
        /// When the hold ends by itself: a date (valid on it), or how long from now
        #[arg(long, value_name = "TIME", default_value = "1 day", conflicts_with = "never_expires")]
        expires: String,
        /// It stands until it is settled or voided
        #[arg(long)]
        never_expires: bool,
        #[command(flatten)]
        ask: AskArgs,
    },
    /// Spend what is held, or part of it; the rest returns
    Settle {
        /// The id that `hold` printed
        #[arg(value_parser = key)]
        hold: String,
        /// At most what is held (all of it if not given)
        #[arg(allow_negative_numbers = true, value_parser = amount)]
        amount: Option<i64>,
        /// Hand it to this owner instead of redeeming it
        #[arg(long, value_name = "OWNER")]
        to: Option<String>,
        #[command(flatten)]
        ask: AskArgs,
    },
    /// Give back what is held
    Void {
        /// The id that `hold` printed
        #[arg(value_parser = key)]
        hold: String,
        #[command(flatten)]
        ask: AskArgs,
    },
    /// Undo an award, a redemption, a transfer or a settled hold, once. What was spent already becomes a debt
    Reverse {
        /// The id that the command printed, or that `history` shows
        #[arg(value_parser = key)]
        transaction: String,
        #[command(flatten)]
        ask: AskArgs,
    },
    /// A statement with the running balance, for the member: what moved and what was held
    Statement {
        #[arg(help = OWNER)]
        owner: String,
        #[command(flatten)]
        span: SpanArgs,
        /// Comma-separated values for a spreadsheet
        #[arg(long, conflicts_with = "json")]
        csv: bool,
    },
    /// What all owners could still spend, by the month in which it expires
    Liability,
}

/// Of whole points.
fn amount(written: &str) -> Result<i64, String> {
    let wrong = || format!("give a whole number of points, from 1 to {LARGEST}");
    written.trim().parse().ok().filter(|amount| (1..=LARGEST).contains(amount)).ok_or_else(wrong)
}

/// An empty key would be the same one for everybody whose script forgot theirs.
fn key(written: &str) -> Result<String, String> {
    let wrong = || "an id must not be empty".to_owned();
    Some(written.trim().to_owned()).filter(|key| !key.is_empty()).ok_or_else(wrong)
}

#[derive(Clone, Debug, Default, Args)]
pub struct AskArgs {
    /// The idempotency key: the same key again gives the same answer and changes nothing. A UUID, or
    /// any words of your own, such as a receipt's number (random if not given)
    #[arg(long, value_name = "KEY", value_parser = key)]
    pub id: Option<String>,
    /// Why, for the history; at most 500 characters
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The member who asks. From a group only its owners and spenders may spend
    #[arg(long, value_name = "EMAIL")]
    pub actor: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum GroupsCommand {
    /// Make a group
    Create {
        name: String,
        /// Its first member, an owner
        email: Option<String>,
        #[command(flatten)]
        ask: AskArgs,
    },
    /// All groups, or those of one person
    List { email: Option<String> },
    /// A group, its members and its points
    Show { group: String },
    /// Who belongs to it, and who did
    Members { group: String },
    /// What happened to it, who asked and why, newest last
    History { group: String },
    /// Put somebody into a group, or change their role
    Join {
        /// The id of the group, or the code of an invitation
        group: String,
        email: String,
        /// owner and spender may spend, viewer may look (an invitation says its own)
        #[arg(long, value_name = "owner|spender|viewer")]
        role: Option<String>,
        #[command(flatten)]
        ask: AskArgs,
    },
    /// Take somebody out of a group. The points stay
    Leave {
        group: String,
        email: String,
        #[command(flatten)]
        ask: AskArgs,
    },
    /// Make a code that lets one person join
    Invite {
        group: String,
        #[arg(long, value_name = "owner|spender|viewer", default_value = "spender")]
        role: String,
        /// When it ends: a date (valid on it), or how long from now
        #[arg(long, value_name = "TIME", default_value = "7 days")]
        expires: String,
        #[command(flatten)]
        ask: AskArgs,
    },
}
