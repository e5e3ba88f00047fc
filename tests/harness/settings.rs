//! What a service under test is configured with.

use std::path::Path;

use crate::backends::Backends;

/// How a world differs from the usual one.
#[derive(Clone, Debug)]
pub struct Options {
    /// Replaces the plan lines of the usual price list.
    pub plans: Option<String>,
    /// `[retry] schedule`, as TOML.
    pub schedule: String,
    /// More lines at the end of the configuration.
    pub extra: String,
    /// Files, whatever `ROLLBOOK_TEST_BACKENDS` says: for what only files can show.
    pub embedded: bool,
}

impl Default for Options {
    fn default() -> Self {
        // Short enough that a test sees the whole schedule, long enough that it is one.
        Self { plans: None, schedule: r#"["100ms", "300ms", "1s"]"#.to_owned(), extra: String::new(), embedded: false }
    }
}

/// The two ports of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub ingest: u16,
    pub ops: u16,
}

/// The whole configuration of a process in this folder.
pub(crate) fn toml(folder: &Path, ports: Ports, backends: &Backends, options: &Options) -> String {
    let places = backends.lines(folder);
    let folder = folder.display();
    let Ports { ingest, ops } = ports;
    let schedule = &options.schedule;
    let plans = options.plans.clone().unwrap_or_else(usual_plans);
    let extra = &options.extra;
    format!(
        r#"[organisation]
name = "Test Club"
time_zone = "America/New_York"
currency = "USD"
{places}
[ingest]
listen = "127.0.0.1:{ingest}"
spool = "{folder}/spool/spool.db"
[ops]
listen = "127.0.0.1:{ops}"
[retry]
schedule = {schedule}
[sources.cybersource]
provider = "cybersource-secure-acceptance"
secrets = [{{ value = "{CYBERSOURCE}" }}]
[sources.docusign]
provider = "docusign-connect"
secrets = [{{ value = "{DOCUSIGN}" }}]
[sources.stripe]
provider = "stripe"
secrets = [{{ value = "{STRIPE}" }}]
[sources.clubhouse]
provider = "standard-webhooks"
secrets = [{{ value = "{CLUBHOUSE}" }}]
[membership]
renewal_window_days = 40
{plans}
{extra}
"#
    )
}

pub const CYBERSOURCE: &str = "invented-cybersource-key-for-tests";
pub const DOCUSIGN: &str = "invented-docusign-key-for-tests-only";
pub const STRIPE: &str = "whsec_inventedstripekeyfortests";
/// Base64 of `invented-clubhouse-key-for-tests`.
pub const CLUBHOUSE: &str = "whsec_aW52ZW50ZWQtY2x1YmhvdXNlLWtleS1mb3ItdGVzdHM=";

fn usual_plans() -> String {
    let prices = [
        ("MU", "15.00"),
        ("MG", "15.00"),
        ("MA", "30.00"),
        ("NU", "40.00"),
        ("NG", "40.00"),
        ("ML", "40.00"),
        ("NA", "40.00"),
    ];
    let plan = |(category, price)| {
        format!(
            "[[membership.plans]]\ncategory = \"{category}\"\nname = \"{category}\"\nprice = \"{price}\"\nvalid_from = \"2015-01-01\"\n"
        )
    };
    prices.into_iter().map(plan).collect()
}
