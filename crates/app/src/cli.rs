//! The command line, as `--help` shows it.

mod moment;
pub mod points;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use moment::Moment;
use points::{GroupsCommand, PointsCommand};

/// Turns the callbacks of payment and signing providers into membership and waiver records: each
/// effect once, none lost, everything replayable.
#[derive(Debug, Parser)]
#[command(name = "rollbook", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Debug, Args)]
pub struct Common {
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE", env = "ROLLBOOK_CONFIG", default_value = "rollbook.toml")]
    pub config: PathBuf,
    /// Print JSON for scripts
    #[arg(long, global = true)]
    pub json: bool,
    /// Log more (-v: debug, -vv: trace)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// How log lines look
    #[arg(long, global = true, value_name = "text|json", default_value = "text")]
    pub log_format: rollbook_telemetry::LogFormat,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Try it: start a throw-away service, play the providers, kill it half-way, audit the result
    Demo(DemoArgs),
    /// Run the service: ingest, queue, processors and operations port in one process
    Up(UpArgs),
    /// Run only the ingest: verify callbacks and put them on the broker's queues
    Ingest(UpArgs),
    /// Run only the processors: take callbacks from the broker's queues and write the records
    Work(WorkArgs),
    /// Bring the store's schema up to date
    Migrate(MigrateArgs),
    /// Ask the service of this configuration, over its operations port, whether it runs (exit 1 if not)
    Health(HealthArgs),
    /// Write, check or print the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Sign and send one callback as a provider would
    Send(SendArgs),
    /// Send a stream of realistic callbacks, then audit the result
    Simulate(SimulateArgs),
    /// Members and their records
    #[command(subcommand)]
    Members(MembersCommand),
    /// Points of members and groups
    #[command(subcommand)]
    Points(PointsCommand),
    /// Households, teams and sections that own points together
    #[command(subcommand)]
    Groups(GroupsCommand),
    /// What became of each callback
    #[command(subcommand)]
    Events(EventsCommand),
    /// What failed: inspect, replay, discard
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
    /// Look for what is wrong or soon will be: servers, schema, rights, clocks, secrets, disks (exit 3 if anything is)
    Doctor,
    /// What waits in the queues
    Status,
    /// Recompute every invariant of the records (exit 3 if one is broken)
    Verify,
}

#[derive(Clone, Debug, Args)]
pub struct UpArgs {
    /// Allow sources whose verifier is off
    #[arg(long)]
    pub insecure: bool,
}

#[derive(Clone, Debug, Args)]
pub struct WorkArgs {
    /// Only this processor; may be given several times
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
}

#[derive(Clone, Debug, Args)]
pub struct HealthArgs {
    /// Ask whether it is ready, too: queue and store can be written
    #[arg(long)]
    pub ready: bool,
}

#[derive(Clone, Debug, Args)]
pub struct MigrateArgs {
    /// Change nothing; exit 3 if something would be
    #[arg(long)]
    pub check: bool,
}

#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Same seed, same stream of the same day
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// How many callbacks to send
    #[arg(long, default_value_t = 2400, value_parser = clap::value_parser!(u32).range(100..=200_000))]
    pub events: u32,
    /// Leave the service running and print its addresses
    #[arg(long)]
    pub keep: bool,
    /// The queue: `amqp://user:password@host/vhost`. It gets names of its own there, removed at the end
    #[arg(long, value_name = "URL")]
    pub queue: Option<String>,
    /// The store: `postgres://user:password@host/database`. It gets a schema of its own there, removed at the end
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,
    /// Put everything into this new folder, and leave it there
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Write a commented file with random secrets that `rollbook up` accepts at once
    Init {
        /// Overwrite the configuration. Secrets that are there stay
        #[arg(long)]
        force: bool,
    },
    /// Read the file and say what is wrong with it
    Check(UpArgs),
    /// Print what is in force, defaults included and secrets masked
    Show,
}

#[derive(Debug, Args)]
pub struct SendArgs {
    /// The source to send as, from the configuration
    pub source: String,
    /// A built-in sample; without this and `--file`, lists them
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    pub sample: Option<String>,
    /// A body to sign and send as it is
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Base address, such as `https://rollbook.example.org` (the configured listener if not given)
    #[arg(long, value_name = "URL")]
    pub to: Option<String>,
    /// The member's address in a sample
    #[arg(long, value_name = "EMAIL", default_value = "ada.lovelace@example.org")]
    pub email: String,
    /// The payment or document id in a sample (random if not given): send twice to see a duplicate
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
}

#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// Base address of the service, such as `http://127.0.0.1:8080`. It will hold the invented members
    #[arg(long, value_name = "URL", required_unless_present = "groups")]
    pub to: Option<String>,
    /// How many callbacks
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub events: u32,
    /// Connections at once
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub connections: u16,
    /// At most this many callbacks a second
    #[arg(long, value_name = "PER_SECOND")]
    pub rate: Option<u32>,
    /// Only send; do not wait for the queues and audit
    #[arg(long)]
    pub no_audit: bool,
    #[command(flatten)]
    pub soak: SoakArgs,
}

/// The soak of the ledger. It needs a store, and no service.
#[derive(Clone, Debug, Args)]
pub struct SoakArgs {
    /// Same seed, same stream of the same day
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Let members of so many groups earn, spend, hand on and give back points, from several processes
    /// of which one is killed now and then, and check the ledger all the while
    #[arg(long, conflicts_with = "to", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub groups: Option<u16>,
    /// Their members
    #[arg(long, default_value_t = 20, requires = "groups", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub members: u16,
    /// How long the soak takes
    #[arg(long, default_value_t = 60, requires = "groups", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub seconds: u32,
    /// Processes of the soak
    #[arg(long, default_value_t = 3, requires = "groups", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub processes: u16,
    /// In every id and address of the soak
    #[arg(long, hide = true)]
    pub tag: Option<String>,
    /// Be this process of a soak
    #[arg(long, hide = true)]
    pub till: Option<String>,
    /// Where a process of a soak writes what it asks and is told
    #[arg(long, hide = true)]
    pub slips: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum MembersCommand {
    /// All members
    List {
        /// At most this many
        #[arg(long)]
        limit: Option<u32>,
    },
    /// One member's memberships and waivers
    Show { email: String },
}

#[derive(Debug, Subcommand)]
pub enum EventsCommand {
    /// Settled events, newest first
    List(EventsListArgs),
    /// Send settled events through their processors again, with the same keys
    Replay {
        #[command(flatten)]
        args: EventsListArgs,
        /// Send all of it to this processor, for example to `points` once the configuration has them
        #[arg(long, value_name = "PROCESSOR")]
        to: Option<String>,
        /// Decide anew on what was ignored, for example after the field names of a source were mended
        #[arg(long)]
        redecide: bool,
        /// Say what would happen, change nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// One envelope: what came, and what each processor did with it
    Show {
        /// The envelope's id
        id: uuid::Uuid,
        /// Print the body as received. It holds personal data
        #[arg(long)]
        body: bool,
    },
}

#[derive(Debug, Args)]
pub struct EventsListArgs {
    #[arg(long)]
    pub source: Option<String>,
    #[arg(long)]
    pub processor: Option<String>,
    /// applied, ignored or rejected
    #[arg(long)]
    pub outcome: Option<String>,
    #[arg(long)]
    pub reason: Option<String>,
    /// For example `payment_captured`
    #[arg(long)]
    pub kind: Option<String>,
    /// For example `payment:7012345:captured`
    #[arg(long, value_name = "KEY")]
    pub event_key: Option<String>,
    #[command(flatten)]
    pub span: SpanArgs,
    /// At most this many (100, or all with --json)
    #[arg(long)]
    pub limit: Option<u32>,
}

#[derive(Clone, Debug, Default, Args)]
pub struct SpanArgs {
    /// From this moment on: 2026-11-20T18:00:00Z, a date (its midnight in the organisation's zone), or how
    /// long ago: 3h, "2 days"
    #[arg(long, value_name = "TIME")]
    pub since: Option<Moment>,
    /// Before this moment
    #[arg(long, value_name = "TIME")]
    pub until: Option<Moment>,
}

impl SpanArgs {
    /// From when on, and before when.
    pub fn within(&self, zone: &TimeZone) -> (Option<Timestamp>, Option<Timestamp>) {
        let at = |moment: Option<Moment>| moment.and_then(|moment| moment.at(zone));
        (at(self.since), at(self.until))
    }
}

#[derive(Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// Dead letters, oldest first, grouped by cause on a terminal
    List {
        #[command(flatten)]
        pick: PickArgs,
        /// All states, not only open and replaying
        #[arg(long)]
        all: bool,
    },
    /// One dead letter with its history
    Show {
        id: i64,
        /// Print the body as received. It holds personal data
        #[arg(long)]
        body: bool,
    },
    /// Send again, with the same keys: what was applied is not applied again
    Replay {
        #[command(flatten)]
        pick: PickArgs,
        #[command(flatten)]
        act: ActArgs,
        /// Decide anew on a fact that was ignored meanwhile
        #[arg(long)]
        redecide: bool,
    },
    /// Give up on dead letters; they stay listed with --all
    Discard {
        #[command(flatten)]
        pick: PickArgs,
        #[command(flatten)]
        act: ActArgs,
    },
}

#[derive(Clone, Debug, Default, Args)]
pub struct PickArgs {
    /// Ids, as `list` prints them
    pub ids: Vec<i64>,
    #[arg(long)]
    pub reason: Option<String>,
    #[arg(long)]
    pub processor: Option<String>,
    #[arg(long)]
    pub source: Option<String>,
    #[command(flatten)]
    pub span: SpanArgs,
    /// At most this many, oldest first
    #[arg(long)]
    pub limit: Option<u32>,
}

#[derive(Clone, Debug, Args)]
pub struct ActArgs {
    /// Take every open one; needed when nothing else narrows the choice
    #[arg(long)]
    pub everything: bool,
    /// Say what would happen, change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask. Without a terminal, or with --json, nobody is ever asked
    #[arg(short, long)]
    pub yes: bool,
}
