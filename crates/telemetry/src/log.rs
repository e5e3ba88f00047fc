//! Logs: one line an event on standard error, as text for people or JSON for machines.
//!
//! Fields are ids, names from the configuration, counts and reasons. Secrets, signatures, bodies
//! and e-mail addresses have no field here at any level.

use std::io::stderr;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            other => Err(format!("`{other}` is no log format; it is `text` or `json`")),
        }
    }
}

/// Starts logging. `filter` is a level or a list of `target=level`, such as `info,rollbook_worker=debug`.
///
/// Third-party crates are held at `warn` unless the filter names them: HTTP and SQL libraries print
/// headers, bodies and bound values when asked for more. The AMQP library is silent: it calls an error
/// what we ask for on purpose (whether a queue is there), and gives us all the others as results.
pub fn init(format: LogFormat, filter: &str, colour: bool) {
    let filter = EnvFilter::builder().parse_lossy(ours_only(filter));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(colour);
    // A second call (two services in one test process) keeps the first subscriber.
    let _ = match format {
        LogFormat::Text => builder.compact().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
}

/// Applies a bare level to our own crates alone.
fn ours_only(filter: &str) -> String {
    let parts = filter.split(',').map(str::trim).filter(|part| !part.is_empty());
    let spelled: Vec<String> =
        parts.map(|part| if part.contains('=') { part.to_owned() } else { format!("rollbook={part}") }).collect();
    format!("warn,lapin=off,{}", spelled.join(","))
}
