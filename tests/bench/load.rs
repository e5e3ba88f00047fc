//! The load: signed callbacks over keep-alive connections, each sent when the last was answered.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use hdrhistogram::Histogram;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rollbook_tests::{CYBERSOURCE, sign};
use tokio::net::TcpStream;

use crate::service::Service;
use crate::{rate, row};

pub struct Load {
    count: usize,
    time: Duration,
    /// Microseconds from the request's first byte to the end of the answer.
    latency: Histogram<u64>,
}

/// Bodies signed beforehand, so that signing is not measured: one membership payment each, of a
/// person each.
pub fn prepare(numbers: Range<usize>) -> Vec<Bytes> {
    numbers
        .map(|n| Bytes::from(sign("cybersource-secure-acceptance", CYBERSOURCE, body(n).as_bytes(), "").body))
        .collect()
}

fn body(n: usize) -> String {
    format!(
        "transaction_id=8{n:09}&decision=ACCEPT&reason_code=100&message=Request+was+processed+successfully.\
         &req_access_key=invented&req_profile_id=invented&req_transaction_type=sale&req_reference_number=ref{n}\
         &req_amount=15.00&auth_amount=15.00&req_currency=USD&req_bill_to_forename=Member&req_bill_to_surname=Number{n}\
         &req_merchant_defined_data1=membership&req_merchant_defined_data2=MU\
         &req_merchant_defined_data3=member{n}%40example.org&signed_date_time=2026-03-01T12%3A00%3A00Z"
    )
}

impl Load {
    pub async fn send(service: &Service, bodies: Vec<Bytes>, connections: usize) -> anyhow::Result<Self> {
        let (count, bodies, next) = (bodies.len(), Arc::new(bodies), Arc::new(AtomicUsize::new(0)));
        let begun = Instant::now();
        let senders = (0..connections).map(|_| {
            let (bodies, next, port) = (Arc::clone(&bodies), Arc::clone(&next), service.port());
            tokio::spawn(sender(port, bodies, next))
        });
        let mut latency = Histogram::new(3)?;
        for sender in senders.collect::<Vec<_>>() {
            latency.add(sender.await??)?;
        }
        Ok(Self { count, time: begun.elapsed(), latency })
    }

    #[expect(clippy::cast_precision_loss, reason = "microseconds far below 2^52")]
    pub fn print(&self) {
        let ms = |quantile| self.latency.value_at_quantile(quantile) as f64 / 1000.0;
        row("acknowledged", rate(self.count, self.time), "callbacks/s");
        row("ack p50", ms(0.5), "ms");
        row("ack p99", ms(0.99), "ms");
    }
}

async fn sender(port: u16, bodies: Arc<Vec<Bytes>>, next: Arc<AtomicUsize>) -> anyhow::Result<Histogram<u64>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.context("the service does not listen")?;
    stream.set_nodelay(true)?;
    let (mut send, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut latency = Histogram::new(3)?;
    while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
        let request = http::Request::post("/webhooks/cybersource")
            .header("host", "localhost")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Full::new(body.clone()))?;
        let begun = Instant::now();
        send.ready().await?;
        let answer = send.send_request(request).await?;
        ensure!(answer.status() == 200, "answered {}", answer.status());
        answer.into_body().collect().await?;
        latency.record(u64::try_from(begun.elapsed().as_micros())?)?;
    }
    Ok(latency)
}
