//! Callbacks as a provider sends them, one at a time, with every byte in the test's hand.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use rollbook_providers::{Secret, Signed};

use crate::Process;

/// An answer, as far as it was read.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// Signs as `provider` would, with this secret, at this moment.
#[expect(clippy::disallowed_methods, reason = "a test plays the outside world, which has a clock")]
pub fn sign(provider: &str, secret: &str, body: &[u8], id: &str) -> Signed {
    sign_at(provider, secret, body, id, jiff::Timestamp::now())
}

pub fn sign_at(provider: &str, secret: &str, body: &[u8], id: &str, at: jiff::Timestamp) -> Signed {
    let provider = rollbook_providers::find(provider).expect("a built-in provider");
    let secret = Secret { key_id: None, text: secret.to_owned() };
    provider.sign(&secret, body, id, at).expect("the test's secret is well formed")
}

impl Process {
    /// POSTs a signed request to a source.
    pub fn post(&self, source: &str, signed: &Signed) -> Answer {
        self.post_with(source, signed, "")
    }

    /// The same with more header lines.
    pub fn post_with(&self, source: &str, signed: &Signed, lines: &str) -> Answer {
        let mut headers = lines.to_owned();
        for (name, value) in &signed.headers {
            headers.extend([name, ": ", value, "\r\n"]);
        }
        self.request("POST", &format!("/webhooks/{source}"), &headers, &signed.body)
    }

    /// Any request. `headers` are whole lines.
    pub fn request(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
        );
        self.raw(&[head.as_bytes(), body].concat())
    }

    /// Any bytes at all.
    pub fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port())).expect("the service listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out is set");
        // A service that has seen enough may close while we still write; its answer counts.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }
}
