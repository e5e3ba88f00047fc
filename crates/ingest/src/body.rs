//! Reads a raw body within three limits: its own size, its time, and the memory of the process.
//!
//! The memory is counted as bytes arrive and not by what a head announces: an attacker must really
//! send what they want to occupy. Each body is copied once into a buffer of its own size, because
//! a slice of the connection's read buffer would keep all of that buffer alive in the queue.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a request costs beside its body: head, envelope, tasks.
const OVERHEAD_BYTES: usize = 1024;

/// Largest buffer that is made because a head promises that much.
const TRUSTED_CAPACITY_BYTES: usize = 64 * 1024;

/// A body and the memory it occupies. The memory is free again when this is dropped.
pub(crate) struct Received {
    pub bytes: Bytes,
    pub room: OwnedSemaphorePermit,
}

#[derive(Debug)]
pub(crate) enum BodyFault {
    TooLarge,
    TooSlow,
    /// The connection broke, or its framing did.
    Broken,
    /// All memory for bodies is taken.
    NoRoom,
}

pub(crate) struct Limits {
    pub max_bytes: usize,
    pub timeout: Duration,
}

pub(crate) async fn read<B>(body: B, limits: &Limits, memory: &Arc<Semaphore>) -> Result<Received, BodyFault>
where
    B: Body<Data = Bytes> + Unpin,
{
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limits.max_bytes {
        return Err(BodyFault::TooLarge);
    }
    let room = take(memory, OVERHEAD_BYTES)?;
    let buffer = BytesMut::with_capacity(announced.min(TRUSTED_CAPACITY_BYTES));
    let collected = collect(body, limits.max_bytes, memory, buffer, room);
    tokio::time::timeout(limits.timeout, collected).await.unwrap_or(Err(BodyFault::TooSlow))
}

async fn collect<B>(
    mut body: B,
    max_bytes: usize,
    memory: &Arc<Semaphore>,
    mut buffer: BytesMut,
    mut room: OwnedSemaphorePermit,
) -> Result<Received, BodyFault>
where
    B: Body<Data = Bytes> + Unpin,
{
    while let Some(frame) = body.frame().await {
        // Trailers are no part of what a signature covers.
        let Ok(data) = frame.map_err(|_| BodyFault::Broken)?.into_data() else { continue };
        if buffer.len() + data.len() > max_bytes {
            return Err(BodyFault::TooLarge);
        }
        room.merge(take(memory, data.len())?);
        buffer.extend_from_slice(&data);
    }
    Ok(Received { bytes: buffer.freeze(), room })
}

fn take(memory: &Arc<Semaphore>, bytes: usize) -> Result<OwnedSemaphorePermit, BodyFault> {
    let bytes = u32::try_from(bytes).map_err(|_| BodyFault::NoRoom)?;
    Arc::clone(memory).try_acquire_many_owned(bytes).map_err(|_| BodyFault::NoRoom)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Stream = std::pin::Pin<Box<dyn Body<Data = Bytes, Error = hyper::Error> + Send>>;

    fn chunks(sizes: &[usize]) -> Stream {
        let frames = sizes.iter().map(|size| Ok(hyper::body::Frame::data(Bytes::from(vec![b'x'; *size]))));
        Box::pin(http_body_util::StreamBody::new(futures_util::stream::iter(frames.collect::<Vec<_>>())))
    }

    async fn sizes(chunked: &[usize], max_bytes: usize, memory: &Arc<Semaphore>) -> Result<Received, BodyFault> {
        let limits = Limits { max_bytes, timeout: Duration::from_mins(1) };
        read(chunks(chunked), &limits, memory).await
    }

    #[tokio::test]
    async fn the_limit_itself_still_fits() {
        let memory = Arc::new(Semaphore::new(1 << 20));
        assert_eq!(sizes(&[10, 20, 70], 100, &memory).await.ok().map(|body| body.bytes.len()), Some(100));
        assert!(matches!(sizes(&[10, 20, 71], 100, &memory).await, Err(BodyFault::TooLarge)));
        assert_eq!(sizes(&[], 100, &memory).await.ok().map(|body| body.bytes.len()), Some(0));
    }

    #[tokio::test]
    async fn memory_is_counted_while_a_body_lives_and_given_back_after() {
        let memory = Arc::new(Semaphore::new(OVERHEAD_BYTES + 100));
        let first = sizes(&[60, 40], 1000, &memory).await.unwrap_or_else(|fault| panic!("{fault:?}"));
        assert_eq!(memory.available_permits(), 0);
        assert!(matches!(sizes(&[], 1000, &memory).await, Err(BodyFault::NoRoom)));
        drop(first);
        assert!(matches!(sizes(&[60, 41], 1000, &memory).await, Err(BodyFault::NoRoom)));
        assert_eq!(memory.available_permits(), OVERHEAD_BYTES + 100);
    }

    #[tokio::test]
    async fn a_body_that_does_not_end_is_too_slow() {
        let memory = Arc::new(Semaphore::new(1 << 20));
        let never: Stream = Box::pin(http_body_util::StreamBody::new(futures_util::stream::pending()));
        let limits = Limits { max_bytes: 100, timeout: Duration::from_millis(1) };
        assert!(matches!(read(never, &limits, &memory).await, Err(BodyFault::TooSlow)));
        assert_eq!(memory.available_permits(), 1 << 20);
    }
}
