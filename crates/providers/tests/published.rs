//! Vectors that others have published, or that were computed elsewhere: the bytes under the MAC, the
//! key and the signature. Each is put into a whole request of its provider.

use jiff::Timestamp;
use rollbook_providers::{Provider, Request, Secret, SignatureFault, find};
use serde::Deserialize;

const LINES: &str = include_str!("vectors/published.jsonl");

#[derive(Deserialize)]
struct Line {
    name: String,
    key: String,
    #[serde(default)]
    key_prefix: String,
    signed_content: String,
    sig: String,
}

struct Whole {
    provider: &'static dyn Provider,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    now: Timestamp,
}

fn whole(line: &Line) -> Whole {
    let at = |second: &str| Timestamp::from_second(second.parse().unwrap()).unwrap();
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let content = line.signed_content.as_str();
    let of = |name, headers, body: &str, now| Whole { provider: find(name).unwrap(), headers, body: body.into(), now };
    match line.name.split('-').next().unwrap() {
        "cs" => of("cybersource-secure-acceptance", Vec::new(), &form(content, &line.sig), at("0")),
        "docusign" => of("docusign-connect", vec![header("x-docusign-signature-1", &line.sig)], content, at("0")),
        "stripe" => {
            let (time, body) = content.split_once('.').unwrap();
            of("stripe", vec![header("stripe-signature", &format!("t={time},v1={}", line.sig))], body, at(time))
        }
        "sw" => {
            let (id, rest) = content.split_once('.').unwrap();
            let (time, body) = rest.split_once('.').unwrap();
            let version = if line.key_prefix == "whpk_" { "v1a" } else { "v1" };
            let headers = vec![
                header("webhook-id", id),
                header("webhook-timestamp", time),
                header("webhook-signature", &format!("{version},{}", line.sig)),
            ];
            of("standard-webhooks", headers, body, at(time))
        }
        other => panic!("no provider for {other}"),
    }
}

fn form(content: &str, signature: &str) -> String {
    let fields: Vec<_> = content.split(',').map(|field| field.split_once('=').unwrap()).collect();
    let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(&fields).append_pair("signed_field_names", &names.join(","));
    form.append_pair("signature", signature).finish()
}

fn verdict(whole: &Whole, line: &Line) -> Result<(), SignatureFault> {
    let secret = Secret { key_id: None, text: format!("{}{}", line.key_prefix, line.key) };
    let keys = whole.provider.keys(&[secret]).unwrap();
    whole.provider.verify(&keys, &Request { headers: &whole.headers, body: &whole.body }, whole.now)
}

#[test]
fn published_signatures_are_believed_and_no_others() {
    for line in LINES.lines().map(|line| serde_json::from_str::<Line>(line).unwrap()) {
        let good = whole(&line);
        assert_eq!(verdict(&good, &line), Ok(()), "{}", line.name);
        let other_key = Line { key: line.key.replacen(['C', 'c', '1', 's'], "A", 1), ..whole_line(&line) };
        assert_eq!(verdict(&good, &other_key), Err(SignatureFault::Mismatch), "{}", line.name);
    }
    assert_eq!(LINES.lines().count(), 7);
}

fn whole_line(line: &Line) -> Line {
    Line {
        name: line.name.clone(),
        key: line.key.clone(),
        key_prefix: line.key_prefix.clone(),
        signed_content: line.signed_content.clone(),
        sig: line.sig.clone(),
    }
}

#[test]
fn a_line_end_makes_another_body() {
    for line in LINES.lines().map(|line| serde_json::from_str::<Line>(line).unwrap()) {
        let mut longer = whole(&line);
        if longer.provider.name() == "cybersource-secure-acceptance" {
            continue;
        }
        longer.body.extend(b"\r\n");
        assert_eq!(verdict(&longer, &line), Err(SignatureFault::Mismatch), "{}", line.name);
    }
}
