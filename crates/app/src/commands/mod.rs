//! One file a subcommand. Each prints its own result and returns its exit code.

mod config;
mod dead_letters;
mod demo;
mod doctor;
mod events;
mod groups;
mod health;
mod members;
mod migrate;
mod play;
mod points;
mod send;
mod service;
mod simulate;
mod soak;
mod status;
mod verify;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;

use rollbook_store::Database;
use tokio::sync::OnceCell;

use crate::cli::{Cli, Command, Common};
use crate::config::Resolved;
use crate::exit::{Done, Failure};
use crate::wiring;
use crate::wiring::places::{self, Waiting};

pub async fn run(cli: Cli) -> Done {
    let Cli { common, command } = cli;
    init_log(&common, matches!(command, Command::Up(_) | Command::Ingest(_) | Command::Work(_)));
    match command {
        Command::Demo(args) => demo::run(&common, &args).await,
        Command::Up(args) => service::up(&common, &args).await,
        Command::Ingest(args) => service::ingest(&common, &args).await,
        Command::Work(args) => service::work(&common, &args).await,
        Command::Migrate(args) => migrate::run(&Session::open(&common)?, &args).await,
        Command::Health(args) => health::run(&common, &args).await,
        Command::Config(command) => config::run(&common, &command),
        Command::Send(args) => send::run(&common, args).await,
        Command::Simulate(args) => simulate::run(&common, args).await,
        Command::Members(command) => members::run(&Session::open(&common)?, command).await,
        Command::Points(command) => points::run(&Session::open(&common)?, command).await,
        Command::Groups(command) => groups::run(&Session::open(&common)?, command).await,
        Command::Events(command) => events::run(&Session::open(&common)?, command).await,
        Command::DeadLetters(command) => dead_letters::run(&Session::open(&common)?, command).await,
        Command::Doctor => doctor::run(&common).await,
        Command::Status => status::run(&Session::open(&common)?).await,
        Command::Verify => verify::run(&Session::open(&common)?).await,
    }
}

/// A service says what it does; a command says only what goes wrong, and what its teller has to say it
/// says as the command's own error.
fn init_log(common: &Common, service: bool) {
    let quiet = if service { "info" } else { "warn,rollbook_teller=off" };
    let filter = [quiet, "debug", "trace"][usize::from(common.verbose.min(2))];
    rollbook_telemetry::init_log(common.log_format, filter, std::io::stderr().is_terminal());
}

/// What a command that reads the records needs: the configuration, and the store it names.
pub struct Session {
    pub config: Resolved,
    pub config_path: PathBuf,
    pub json: bool,
    store: OnceCell<Arc<dyn Database>>,
    waiting: OnceCell<Waiting>,
}

impl Session {
    /// Secrets are not needed to read records, and a missing one must not keep an operator from
    /// them.
    pub fn open(common: &Common) -> Result<Self, Failure> {
        let config = crate::config::load_for_reading(&common.config).map_err(Failure::usage)?;
        Ok(Self {
            config,
            config_path: common.config.clone(),
            json: common.json,
            store: OnceCell::new(),
            waiting: OnceCell::new(),
        })
    }

    /// Opened when it is first asked for.
    pub async fn store(&self) -> Result<Arc<dyn Database>, Failure> {
        self.store.get_or_try_init(|| places::open_existing_store(&self.config)).await.cloned()
    }

    /// The queue, to look at. Connected when it is first asked for.
    pub async fn waiting(&self) -> Result<&Waiting, Failure> {
        self.waiting.get_or_try_init(|| Waiting::open(&self.config)).await
    }

    /// Today in the organisation's zone.
    pub fn today(&self) -> jiff::civil::Date {
        (wiring::clock())().to_zoned(self.config.zone.clone()).date()
    }
}
