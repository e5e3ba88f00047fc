//! One connection, from its first byte until its last answer was read.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::client::Origin;
use crate::handle::Front;
use crate::outcome::Outcome;
use crate::paced::{Pace, Paced, Patience, Phase};
use crate::places::Place;

/// Largest request head in bytes, and most header lines. DocuSign alone may send 100 signatures.
const MAX_HEAD_BYTES: usize = 32 * 1024;
const MAX_HEADER_LINES: usize = 256;
const READ_BUFFER_BYTES: usize = 64 * 1024;

/// How much is read and thrown away so that a sender who is still writing can read our answer.
const DRAIN_BYTES: usize = 16 * 1024 * 1024;
const DRAIN_TIME: Duration = Duration::from_secs(10);
const DRAIN_QUIET: Duration = Duration::from_secs(1);

/// What ends all connections from our side.
#[derive(Clone)]
pub(crate) struct Signals {
    /// The service stops: answer what was asked, then close.
    pub finish: CancellationToken,
    /// The service waited long enough.
    pub abort: CancellationToken,
}

type Connection = http1::Connection<TokioIo<Paced>, Requests>;

pub(crate) async fn serve(
    front: Arc<Front>,
    stream: TcpStream,
    origin: Origin,
    patience: Patience,
    signals: Signals,
    place: Place,
) {
    let io = TokioIo::new(Paced::new(stream, place.pace.clone(), patience));
    let requests = Requests { front: Arc::clone(&front), origin, pace: place.pace.clone() };
    let mut connection = builder().serve_connection(io, requests);
    let ended = tokio::select! {
        biased;
        ended = drive(&mut connection, &signals.finish, &place) => ended,
        () = signals.abort.cancelled() => return,
    };
    let Some(ended) = ended else { return front.unknown.count(Outcome::Timeout) };
    let (stream, head_timed_out) = connection.into_parts().io.into_inner().into_inner();
    note(&front, ended.as_ref().err(), head_timed_out);
    // What still comes is of no more worth than an unfinished head.
    place.pace.advance_to(Phase::Head);
    tokio::select! {
        biased;
        () = linger(stream) => {}
        () = place.needed() => {}
        () = signals.abort.cancelled() => {}
    }
}

fn builder() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // `Paced` does this.
        .header_read_timeout(None)
        // A sender may close its writing half after a request and still wait for the answer.
        .half_close(true)
        .max_header_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADER_LINES)
        .max_buf_size(READ_BUFFER_BYTES);
    builder
}

/// Until the connection has nothing more to do. A shutdown, or somebody who needs its place, lets
/// it end after the request in hand, at once if there is none. `None`: it was unfinished, or its
/// answers are not read, and its place was needed.
async fn drive(connection: &mut Connection, finish: &CancellationToken, place: &Place) -> Option<hyper::Result<()>> {
    let mut last = false;
    loop {
        tokio::select! {
            biased;
            ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => return Some(ended),
            () = finish.cancelled(), if !last => {}
            () = place.needed() => match place.pace.now().phase {
                Phase::Head | Phase::Body => return None,
                Phase::Rest if last => return None,
                Phase::Rest | Phase::Busy => {}
            },
        }
        last = true;
        Pin::new(&mut *connection).graceful_shutdown();
    }
}

/// Requests that never became one.
fn note(front: &Front, error: Option<&hyper::Error>, head_timed_out: bool) {
    let outcome = match error {
        _ if head_timed_out => Outcome::Timeout,
        Some(error) if error.is_parse() => Outcome::BadRequest,
        _ => return,
    };
    front.unknown.count(outcome);
    debug!(source = crate::route::UNKNOWN, outcome = outcome.as_str(), "no request came");
}

/// Closing a socket that still holds unread bytes resets the connection, and a reset destroys the
/// answer before the sender has read it. So say "no more", and read on for a while.
async fn linger(mut stream: TcpStream) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut scratch = vec![0; 8 * 1024];
    let drain = async {
        let mut left = DRAIN_BYTES;
        while let Ok(Ok(read @ 1..)) = timeout(DRAIN_QUIET, stream.read(&mut scratch)).await {
            let Some(rest) = left.checked_sub(read) else { return };
            left = rest;
        }
    };
    // Either end of it is the end of the connection.
    let _ = timeout(DRAIN_TIME, drain).await;
}

/// hyper's view of [`Front`].
struct Requests {
    front: Arc<Front>,
    origin: Origin,
    pace: Pace,
}

impl Service<Request<Incoming>> for Requests {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (front, origin, pace) = (Arc::clone(&self.front), self.origin, self.pace.clone());
        pace.advance_to(Phase::Busy);
        Box::pin(async move {
            let answer = front.answer(origin, &pace, request).await;
            pace.advance_to(Phase::Rest);
            Ok(answer)
        })
    }
}
