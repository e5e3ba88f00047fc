//! What a node says of itself before anybody has logged in: its product, its version, its cluster,
//! and the certificate it shows.
//!
//! The library keeps none of it, so this shakes hands by itself and goes away again. It does so on a
//! thread of its own: the library's way to a TLS stream of which the certificate can be seen blocks,
//! and a thread that is stuck in it must not keep the process.

use std::io::{self, Read, Write};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use lapin::protocol::connection::AMQPMethod;
use lapin::protocol::{AMQPClass, parse_class};
use lapin::tcp::{AMQPUriTcpExt as _, HandshakeError, TcpStream};
use lapin::types::{AMQPValue, FieldTable};
use lapin::uri::AMQPUri;
use tokio::sync::oneshot;

const HELLO: &[u8] = b"AMQP\x00\x00\x09\x01";

/// Type, channel and size of a frame.
const FRAME_HEAD_BYTES: usize = 7;

/// More than any broker says of itself.
const LONGEST_BYTES: u32 = 64 << 10;

const PATIENCE: Duration = Duration::from_secs(4);

/// What a node says to whoever connects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Greeting {
    pub product: String,
    pub version: String,
    /// Nodes of one cluster say the same.
    pub cluster: Option<String>,
    /// When the node's certificate ends, where it shows one.
    pub certificate_until: Option<Timestamp>,
}

/// Asks one node. The caller limits the time.
pub(crate) async fn greet(uri: AMQPUri) -> io::Result<Greeting> {
    let (done, greeted) = oneshot::channel();
    let asks = thread::Builder::new().name("greeting".to_owned()).spawn(move || {
        // Nobody waits any more: nothing is lost.
        drop(done.send(ask(uri)));
    })?;
    drop(asks);
    greeted.await.unwrap_or_else(|_| Err(io::ErrorKind::Interrupted.into()))
}

fn ask(mut uri: AMQPUri) -> io::Result<Greeting> {
    uri.query.connection_timeout = Some(u64::try_from(PATIENCE.as_millis()).unwrap_or(u64::MAX));
    let mut stream = uri.connect().map_err(|error| match error {
        HandshakeError::Failure(error) => error,
        HandshakeError::WouldBlock(_) => io::ErrorKind::WouldBlock.into(),
    })?;
    // The library made it ready for its own loop.
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(HELLO)?;
    stream.flush()?;
    let payload = frame(&mut stream)?;
    let mut greeting = read(&payload).ok_or_else(|| io::Error::other("what answers there is no broker"))?;
    greeting.certificate_until = certificate(&stream);
    Ok(greeting)
}

fn frame(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = [0; FRAME_HEAD_BYTES];
    stream.read_exact(&mut head)?;
    let [kind, _, _, size @ ..] = head;
    let size = u32::from_be_bytes(size);
    // A server that speaks another version of the protocol, or none, answers something else.
    if kind != 1 || size > LONGEST_BYTES {
        return Err(io::Error::other("what answers there does not speak AMQP 0-9-1"));
    }
    let mut payload = vec![0; size as usize];
    stream.read_exact(&mut payload)?;
    Ok(payload)
}

fn read(payload: &[u8]) -> Option<Greeting> {
    let (_, class) = parse_class(payload).ok()?;
    let AMQPClass::Connection(AMQPMethod::Start(start)) = class else { return None };
    let said = |key: &str| text(&start.server_properties, key);
    Some(Greeting {
        product: said("product").unwrap_or_default(),
        version: said("version").unwrap_or_default(),
        cluster: said("cluster_name"),
        certificate_until: None,
    })
}

fn text(table: &FieldTable, key: &str) -> Option<String> {
    match table.inner().get(key)? {
        AMQPValue::LongString(text) => Some(text.to_string()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

fn certificate(stream: &TcpStream) -> Option<Timestamp> {
    let TcpStream::Rustls(stream) = stream else { return None };
    ends(stream.conn.peer_certificates()?.first()?)
}

/// The end of a certificate in DER.
fn ends(der: &[u8]) -> Option<Timestamp> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    Timestamp::from_second(certificate.validity().not_after.timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_broker_is_said_so() {
        let web = b"HTTP/1.1 400 Bad Request\r\n\r\n";
        let error = frame(&mut &web[..]).unwrap_err().to_string();
        assert!(error.contains("does not speak AMQP"), "{error}");
        assert!(frame(&mut &b"\x01\x00\x00\x00\x00\x00\x09abc"[..]).is_err(), "cut short");
        assert_eq!(read(b"\x00\x0a\x00\x1e"), None);
    }

    #[test]
    fn a_certificate_says_when_it_ends() {
        let until = ends(include_bytes!("tests/certificate.der"));
        assert_eq!(until.map(|until| until.to_string()).as_deref(), Some("2036-11-18T06:20:58Z"));
        assert_eq!(ends(b"no certificate"), None);
    }
}
