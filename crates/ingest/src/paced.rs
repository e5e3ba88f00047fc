//! A socket that does not wait for ever.
//!
//! hyper's own header time-out also runs between two requests and closes without a word. Here a
//! rest, a head and a write have each their own limit, and a slow head is told 408. Bodies and the
//! queue have limits elsewhere; while a request is being handled only writing is watched.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

const TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\
    content-type: text/plain; charset=utf-8\r\ncontent-length: 63\r\n\r\n\
    Not recorded: the request head came too slowly. Send it again.\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Part of a head is here, or a new connection should send one.
    Head,
    /// A body is on its way.
    Body,
    /// A request is being verified, published or answered.
    Busy,
    /// Between two requests.
    Rest,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    pub phase: Phase,
    /// When the phase began.
    pub since: Instant,
    /// What came since then.
    pub bytes: usize,
}

impl Progress {
    fn of(phase: Phase) -> Self {
        Self { phase, since: Instant::now(), bytes: 0 }
    }
}

/// How far a connection is. Shared by its socket, which sees bytes come, its request handler, and
/// the door, which looks for a place.
#[derive(Clone)]
pub(crate) struct Pace(Arc<Mutex<Progress>>);

impl Pace {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Progress::of(Phase::Head))))
    }

    pub fn advance_to(&self, phase: Phase) {
        *self.lock() = Progress::of(phase);
    }

    pub fn now(&self) -> Progress {
        *self.lock()
    }

    fn bytes_came(&self, bytes: usize) {
        let mut progress = self.lock();
        if progress.phase == Phase::Rest {
            *progress = Progress::of(Phase::Head);
        }
        progress.bytes += bytes;
    }

    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// For a head, and for a peer to take what we write.
    pub head: Duration,
    pub rest: Duration,
}

pub(crate) struct Paced {
    stream: TcpStream,
    pace: Pace,
    patience: Patience,
    read_alarm: Alarm,
    write_by: Option<(Instant, Alarm)>,
    head_timed_out: bool,
}

impl Paced {
    pub fn new(stream: TcpStream, pace: Pace, patience: Patience) -> Self {
        let deadline = pace.now().since + patience.head;
        Self { stream, pace, patience, read_alarm: Alarm::new(deadline), write_by: None, head_timed_out: false }
    }

    /// The socket, and whether it was closed because of a slow head.
    pub fn into_inner(self) -> (TcpStream, bool) {
        (self.stream, self.head_timed_out)
    }

    /// Nothing came. The end of the patience reads as the end of the stream.
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Progress { phase, since, .. } = self.pace.now();
        let patience = match phase {
            Phase::Head => self.patience.head,
            Phase::Rest => self.patience.rest,
            Phase::Body | Phase::Busy => return Poll::Pending,
        };
        if self.head_timed_out || !self.read_alarm.rang(cx, since + patience) {
            return Poll::Pending;
        }
        if phase == Phase::Head && self.write_by.is_none() {
            self.head_timed_out = true;
            // A peer who does not take these few bytes shall not have them.
            let _ = self.stream.try_write(TOO_SLOW);
        }
        Poll::Ready(Ok(()))
    }

    fn watch_write<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.write_by = None;
            return polled;
        }
        let limit = Instant::now() + self.patience.head;
        let (deadline, alarm) = self.write_by.get_or_insert_with(|| (limit, Alarm::new(limit)));
        if alarm.rang(cx, *deadline) { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { Poll::Pending }
    }
}

impl AsyncRead for Paced {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        let before = buf.filled().len();
        let polled = Pin::new(&mut me.stream).poll_read(cx, buf);
        match polled {
            Poll::Pending => me.wait(cx),
            Poll::Ready(result) => {
                let came = buf.filled().len() - before;
                if came > 0 {
                    me.pace.bytes_came(came);
                }
                Poll::Ready(result)
            }
        }
    }
}

impl AsyncWrite for Paced {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        let polled = Pin::new(&mut me.stream).poll_write(cx, buf);
        me.watch_write(cx, polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        let polled = Pin::new(&mut me.stream).poll_write_vectored(cx, bufs);
        me.watch_write(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// A timer that is moved forward only when it rings too early, because moving a timer costs a lock
/// and deadlines here move with every request.
struct Alarm(Pin<Box<Sleep>>);

impl Alarm {
    fn new(deadline: Instant) -> Self {
        Self(Box::pin(tokio::time::sleep_until(deadline)))
    }

    fn rang(&mut self, cx: &mut Context<'_>, deadline: Instant) -> bool {
        if self.0.deadline() > deadline {
            self.0.as_mut().reset(deadline);
        }
        while self.0.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return true;
            }
            self.0.as_mut().reset(deadline);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_a_slow_head_states_its_true_length() {
        let text = std::str::from_utf8(TOO_SLOW).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("content-length: {}\r\n", body.len()))
                || head.ends_with(&format!("content-length: {}", body.len()))
        );
    }

    #[test]
    fn bytes_end_a_rest_and_nothing_else() {
        for (phase, after) in [
            (Phase::Head, Phase::Head),
            (Phase::Body, Phase::Body),
            (Phase::Busy, Phase::Busy),
            (Phase::Rest, Phase::Head),
        ] {
            let pace = Pace::new();
            pace.advance_to(phase);
            pace.bytes_came(7);
            pace.bytes_came(7);
            let progress = pace.now();
            assert_eq!((progress.phase, progress.bytes), (after, 14));
        }
    }

    #[test]
    fn every_phase_begins_anew() {
        let pace = Pace::new();
        pace.advance_to(Phase::Rest);
        pace.bytes_came(7);
        let before = pace.now().since;
        std::thread::sleep(Duration::from_millis(1));
        pace.advance_to(Phase::Head);
        assert_eq!(pace.now().bytes, 0);
        assert!(pace.now().since > before);
    }
}
