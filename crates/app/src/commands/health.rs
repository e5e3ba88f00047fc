//! `rollbook health`: for container engines and people without `curl`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde_json::json;

use crate::cli::{Common, HealthArgs};
use crate::config;
use crate::exit::{Done, FAILED, Failure};
use crate::output;

/// Above the 3 s in which the service itself gives up on queue and store.
const PATIENCE: Duration = Duration::from_secs(4);

pub async fn run(common: &Common, args: &HealthArgs) -> Done {
    let config = config::load_for_reading(&common.config).map_err(Failure::usage)?;
    let mut listen = config.ops;
    if listen.ip().is_unspecified() {
        listen.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let url = format!("http://{listen}/{}", if args.ready { "readyz" } else { "healthz" });
    let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().map_err(Failure::failed)?;
    let answer = client.get(&url).send().await;
    let answer = answer.with_context(|| format!("no answer from {listen} ([ops] listen); does the service run?"))?;
    let (well, said) = (answer.status().is_success(), answer.text().await.unwrap_or_default());
    let said = said.trim();
    if common.json {
        output::json(&json!({ "ok": well, "detail": said }))?;
    } else if well {
        output::line(said);
    } else {
        return Err(anyhow!("{said}").into());
    }
    Ok(ExitCode::from(if well { 0 } else { FAILED }))
}
