//! `rollbook send`: one signed callback, exactly as the provider would send it.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use rollbook_providers::Signed;
use rollbook_simulate::{PlanPrice, SampleOptions, sample, samples};
use serde_json::json;

use super::play;
use crate::cli::{Common, SendArgs};
use crate::config::{self, Resolved, ResolvedSource};
use crate::exit::{Done, FAILED, Failure};
use crate::{output, wiring};

/// Longer than any provider waits.
const TIMEOUT: Duration = Duration::from_secs(30);

pub async fn run(common: &Common, args: SendArgs) -> Done {
    let config = config::load(&common.config, true).map_err(Failure::usage)?;
    let source = config.source(&args.source).map_err(Failure::usage)?;
    if args.sample.is_none() && args.file.is_none() {
        return list(source, common.json);
    }
    let (id, body) = body(&config, source, &args)?;
    let sender = play::source(source).map_err(Failure::usage)?;
    let signed = sender.provider.sign(&sender.secret, &body, &id, (wiring::clock())()).map_err(Failure::usage)?;
    let base = args.to.clone().unwrap_or_else(|| play::listener(&config));
    let url = format!("{}/webhooks/{}", base.trim_end_matches('/'), source.name);
    let (status, said) = post(&url, signed).await.map_err(Failure::failed)?;
    if common.json {
        output::json(&json!({ "status": status, "url": url, "id": id, "answer": said }))?;
    } else {
        output::line(format!("{status} from {url}: {}", said.trim()));
    }
    Ok(if (200..300).contains(&status) { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn list(source: &ResolvedSource, json: bool) -> Done {
    let provider = source.provider.name();
    let there = samples(provider);
    if json {
        let rows: Vec<_> = there.iter().map(|one| json!({ "sample": one.name, "about": one.about })).collect();
        output::json(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = output::table(&["SAMPLE", "WHAT IT IS"]);
    for one in there {
        table.add_row([one.name, one.about]);
    }
    output::line(table);
    output::line(format!("send one with: rollbook send {} --sample NAME", source.name));
    Ok(ExitCode::SUCCESS)
}

/// The unsigned body, and the id of the request.
fn body(config: &Resolved, source: &ResolvedSource, args: &SendArgs) -> Result<(String, Vec<u8>), Failure> {
    let id = args.id.clone().unwrap_or_else(|| format!("{:012}", fastrand::u64(..1_000_000_000_000)));
    if let Some(file) = &args.file {
        let body = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        return Ok((id, body));
    }
    let name = args.sample.as_deref().unwrap_or_default();
    let provider = source.provider.name();
    let found = sample(provider, name).ok_or_else(|| {
        let names: Vec<_> = samples(provider).iter().map(|one| one.name).collect();
        Failure::usage(anyhow::anyhow!("{provider} has no sample `{name}`; there are {}", names.join(", ")))
    })?;
    let options = SampleOptions {
        plan: plan(config),
        access_key: source.secrets.first().and_then(|secret| secret.key_id.clone()),
        ..SampleOptions::new((wiring::clock())(), args.email.clone(), id.clone())
    };
    let built = found.build(&options);
    // The request's own name where the scheme signs one; the payment's or document's for people.
    Ok((if args.id.is_some() { id } else { built.id }, built.body))
}

/// The first plan that is valid today, so that the sample matches the price list.
fn plan(config: &Resolved) -> PlanPrice {
    let today = (wiring::clock())().to_zoned(config.zone.clone()).date();
    let valid = |plan: &&rollbook_membership::Plan| {
        plan.valid_from <= today && plan.valid_until.is_none_or(|until| today <= until)
    };
    let found = config.membership.plans.iter().find(valid);
    found.map_or_else(
        || PlanPrice::dollars("MU", 1500),
        |plan| PlanPrice { category: plan.category.clone(), price: plan.price },
    )
}

async fn post(url: &str, signed: Signed) -> anyhow::Result<(u16, String)> {
    let client = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build()?;
    let mut request = client.post(url).body(signed.body);
    for (name, value) in signed.headers {
        request = request.header(name, value);
    }
    let answer = request.send().await.with_context(|| format!("no answer from {url}; is `rollbook up` running?"))?;
    let status = answer.status().as_u16();
    Ok((status, answer.text().await.unwrap_or_default()))
}
