//! One try over HTTP.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rollbook_domain::SourceName;
use rollbook_providers::Signed;

use super::PlayerOptions;

/// Answers are short; what is longer is not read.
const LONGEST_ANSWER: usize = 64 * 1024;

#[derive(Clone)]
pub struct Wire {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
    timeout: Duration,
}

impl Wire {
    pub fn new(options: &PlayerOptions) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(options.timeout));
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(options.concurrency.max(1))
            .retry_canceled_requests(false)
            .build(connector);
        Self { client, base: options.base.trim_end_matches('/').to_owned(), timeout: options.timeout }
    }

    /// The status, or `None` if no answer came in time.
    pub async fn post(&self, source: &SourceName, signed: Signed) -> Option<u16> {
        let request = self.request(source, signed)?;
        tokio::time::timeout(self.timeout, self.answer(request)).await.ok().flatten()
    }

    fn request(&self, source: &SourceName, signed: Signed) -> Option<Request<Full<Bytes>>> {
        let mut request = Request::builder().method(Method::POST).uri(format!("{}/webhooks/{source}", self.base));
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        request.body(Full::new(Bytes::from(signed.body))).ok()
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Option<u16> {
        let response = self.client.request(request).await.ok()?;
        let status = response.status().as_u16();
        // Read to its end, so that the connection can be used again.
        let _ = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
        Some(status)
    }
}
