//! Work grows with the size of a request, not with its square.
//!
//! Each hostile shape is made in one size and in 64 times that. Linear work takes 64 times as long,
//! square work 4096 times; the limit of 1024 is far from both. Both sizes are timed in turn, several
//! times, and the best of each counts, so that what else the machine does hardly matters.

use std::hint::black_box;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rollbook_domain::{Account, Envelope};
use rollbook_providers::{Fields, Keys, Provider, Request, Secret, find};

use crate::vectors::envelope;

const FACTOR: usize = 64;
const LIMIT: u32 = 1024;
/// Shorter times are mostly noise; both sizes get at least this much added.
const FLOOR: Duration = Duration::from_micros(20);

struct Shape {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// One request through everything that reads it.
struct Bench<'s> {
    provider: &'static dyn Provider,
    keys: Keys,
    envelope: Envelope,
    shape: &'s Shape,
}

impl<'s> Bench<'s> {
    fn new(provider: &'static dyn Provider, shape: &'s Shape) -> Self {
        let secret = |text: &str| Secret { key_id: None, text: text.to_owned() };
        let hmac = secret("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        let public = secret("whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=");
        let keys = provider.keys(&[hmac, public]).unwrap();
        Self { provider, keys, envelope: envelope(&shape.body, now()), shape }
    }

    fn time(&self) -> Duration {
        let request = Request { headers: &self.shape.headers, body: &self.shape.body };
        let account = Account::new("account");
        let start = Instant::now();
        let _ = black_box(self.provider.verify(&self.keys, &request, now()));
        let _ = black_box(self.provider.delivery_key(&request));
        let _ = black_box(self.provider.translate(&Fields::default(), &account, &self.envelope));
        start.elapsed()
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_772_636_400).unwrap()
}

fn grows_evenly(provider: &str, what: &str, size: usize, shape: impl Fn(usize) -> Shape) {
    let provider = find(provider).unwrap();
    let shapes = [shape(size), shape(size * FACTOR)];
    let [small, large] = [Bench::new(provider, &shapes[0]), Bench::new(provider, &shapes[1])];
    let times: Vec<_> = (0..5).map(|_| (small.time() + FLOOR, large.time() + FLOOR)).collect();
    let small = times.iter().map(|(small, _)| *small).min().unwrap();
    let large = times.iter().map(|(_, large)| *large).min().unwrap();
    assert!(large < small * LIMIT, "{} {what}: {small:?}, then {large:?}", provider.name());
}

fn body(text: impl Into<Vec<u8>>) -> Shape {
    Shape { headers: Vec::new(), body: text.into() }
}

fn rows(count: usize, row: impl Fn(usize) -> String) -> String {
    (0..count).map(row).collect::<Vec<_>>().concat()
}

fn header(name: &str, value: String) -> (String, String) {
    (name.to_owned(), value)
}

#[test]
fn forms() {
    let name = "cybersource-secure-acceptance";
    let signature = "&signature=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D";
    let list = |names: Vec<String>| format!("&signed_field_names={}{signature}", names.join("%2C"));
    let many = |count: usize| (0..count).map(|row| format!("field{row}")).collect::<Vec<_>>();
    grows_evenly(name, "many signed fields", 125, |n| body(rows(n, |row| format!("field{row}=1&")) + &list(many(n))));
    grows_evenly(name, "many names and one long value", 125, |n| {
        body(format!("field0={}{}", "x,decision".repeat(n), list(many(n))))
    });
    grows_evenly(name, "one long value named often", 125, |n| {
        body(format!("a={}{}", "x".repeat(n * 8), list(vec!["a".to_owned(); n])))
    });
    grows_evenly(name, "one field given often", 500, |n| body("decision=ACCEPT&".repeat(n) + &list(many(1))));
    grows_evenly(name, "long names with one beginning", 5, |n| {
        let names: Vec<_> = (0..n).map(|row| format!("{}{row}", "n".repeat(1000))).collect();
        body((names.join("=1&") + "=1&") + &list(names))
    });
    grows_evenly(name, "escapes", 1250, |n| body(format!("decision={}{}", "%2C".repeat(n), list(many(1)))));
}

#[test]
fn many_signatures_over_a_large_body() {
    let tag = "ab".repeat(32);
    grows_evenly("stripe", "many v1", 25, |n| Shape {
        headers: vec![header("stripe-signature", format!("t=1772636400{}", format!(",v1={tag}").repeat(n)))],
        body: vec![b' '; n * 1000],
    });
    let docusign = |n: usize| Shape {
        headers: (0..n)
            .map(|row| header(&format!("x-docusign-signature-{}", row % 100 + 1), format!("{}=", "A".repeat(43))))
            .collect(),
        body: vec![b' '; n * 1000],
    };
    grows_evenly("docusign-connect", "many headers", 25, docusign);
    for (version, length, pad) in [("v1", 43, "="), ("v1a", 86, "==")] {
        grows_evenly("standard-webhooks", version, 25, |n| Shape {
            headers: vec![
                header("webhook-id", "msg_1".to_owned()),
                header("webhook-timestamp", "1772636400".to_owned()),
                header("webhook-signature", format!("{version},{}{pad} ", "A".repeat(length)).repeat(n)),
            ],
            body: vec![b' '; n * 1000],
        });
    }
}

#[test]
fn json() {
    let sim = |tabs: String| {
        body(format!(
            r#"{{"event":"envelope-completed","data":{{"envelopeId":"e","envelopeSummary":{{"completedDateTime":"2026-03-04T15:00:00Z","recipients":{{"signers":[{{"tabs":{{"textTabs":[{tabs}]}}}}]}}}}}}}}"#
        ))
    };
    let tab = r#"{"tabLabel":"Other","value":"x"},"#;
    grows_evenly("docusign-connect", "many tabs", 75, |n| sim(tab.repeat(n) + "{}"));
    let radio = r#"{"value":"x","selected":"false"},"#;
    grows_evenly("docusign-connect", "many radio buttons", 75, |n| {
        sim(format!(r#"{{"groupName":"Affiliation","radios":[{}{{}}]}}"#, radio.repeat(n)))
    });
    for provider in ["stripe", "docusign-connect", "standard-webhooks"] {
        grows_evenly(provider, "deep", 500, |n| body(r#"{"a":"#.repeat(n)));
        grows_evenly(provider, "many members", 125, |n| {
            let members: Vec<_> = (0..n).map(|row| format!(r#""{}{row}":1"#, "k".repeat(100))).collect();
            body(format!(r#"{{"type":"x",{}}}"#, members.join(",")))
        });
        grows_evenly(provider, "a long number", 1250, |n| body(format!(r#"{{"type":"x","n":{}}}"#, "1".repeat(n))));
        grows_evenly(provider, "escapes", 1250, |n| body(format!(r#"{{"type":"{}"}}"#, r"\u0000".repeat(n))));
    }
    grows_evenly("standard-webhooks", "a long amount", 1250, |n| {
        body(format!(
            r#"{{"type":"payment_captured","timestamp":"2026-03-04T15:00:00Z","data":{{"transaction":"t","currency":"USD","amount":0.{}}}}}"#,
            "1".repeat(n)
        ))
    });
}

fn xml(attributes: &str, recipients: &str) -> Shape {
    body(format!(
        "<DocuSignEnvelopeInformation xmlns=\"http://www.docusign.net/API/3.0\"{attributes}><EnvelopeStatus>\
         <RecipientStatuses>{recipients}</RecipientStatuses><EnvelopeID>e</EnvelopeID><Status>Completed</Status>\
         <Completed>2018-11-10T18:41:06</Completed></EnvelopeStatus><TimeZoneOffset>0</TimeZoneOffset>\
         </DocuSignEnvelopeInformation>"
    ))
}

#[test]
fn xml_shapes() {
    let grows = |what: &str, size: usize, shape: &dyn Fn(usize) -> Shape| {
        grows_evenly("docusign-connect", what, size, shape);
    };
    let recipient = |inside: String| format!("<RecipientStatus>{inside}</RecipientStatus>");
    let tab = "<TabStatus><TabLabel>Other</TabLabel><TabValue>x</TabValue></TabStatus>";
    grows("many tabs", 50, &|n| xml("", &recipient(format!("<TabStatuses>{}</TabStatuses>", tab.repeat(n)))));
    grows("many recipients", 50, &|n| xml("", &recipient(String::new()).repeat(n)));
    grows("deep", 500, &|n| xml("", &"<a>".repeat(n)));
    grows("a long attribute", 5000, &|n| xml(&format!(" a=\"{}\"", "x".repeat(n)), ""));
    grows("many attributes", 250, &|n| xml(&rows(n, |row| format!(" a{row}=\"\"")), ""));
    grows("many namespaces", 250, &|n| xml(&rows(n, |row| format!(" xmlns:a{row}=\"\"")), ""));
    grows("many namespaces over many elements", 250, &|n| {
        xml(&rows(n, |row| format!(" xmlns:a{row}=\"\"")), &"<a0:b/>".repeat(n))
    });
    grows("many namespaces one after another", 125, &|n| xml("", &"<a xmlns:b=\"urn:x\"/>".repeat(n)));
    grows("a long prefix", 5000, &|n| xml("", &format!("<{}:a/>", "p".repeat(n))));
    grows("many references", 500, &|n| xml("", &format!("<a>{}</a>", "&amp;".repeat(n))));
    grows("many comments", 250, &|n| xml("", &format!("<a>{}</a>", "x<!---->".repeat(n))));
    grows("one opened tag after another", 500, &|n| body("<".repeat(n)));
    let entities = |n: usize| rows(n, |row| format!("<!ENTITY e{row} \"&e{};\">", row + 1));
    grows("many entities", 250, &|n| body(format!("<!DOCTYPE x [{}]>{}", entities(n), "<x>&e0;</x>")));
    grows("a document type that never ends", 500, &|n| body(format!("<!DOCTYPE x [{}", "<!ENTITY a ".repeat(n))));
}
