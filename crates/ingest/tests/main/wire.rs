//! A client that says exactly the bytes a test wants said.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::toy::signature;

/// A server that says nothing for so long is broken.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().filter_map(|line| line.split_once(": ")).find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

impl Wire {
    pub async fn open(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), buffer: Vec::new() }
    }

    /// As [`Self::open`], as a client of another (loopback) address.
    pub async fn open_from(client: IpAddr, address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((client, 0).into()).unwrap();
        Self { stream: socket.connect(address).await.unwrap(), buffer: Vec::new() }
    }

    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// As [`Self::say`], where the server may already have closed.
    pub async fn try_say(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        timeout(PATIENCE, self.stream.write_all(bytes.as_ref())).await.expect("the server takes it or closes")
    }

    /// Closes the writing half.
    pub async fn hush(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// The next answer; panics if the server closes instead.
    pub async fn hear(&mut self) -> Answer {
        self.hear_or_end().await.expect("an answer")
    }

    pub async fn hear_or_end(&mut self) -> Option<Answer> {
        self.hear_to(false).await
    }

    /// An answer to HEAD, which states a length and has none.
    pub async fn hear_head(&mut self) -> Answer {
        self.hear_to(true).await.expect("an answer")
    }

    async fn hear_to(&mut self, bare: bool) -> Option<Answer> {
        let end = loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8(self.buffer[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: String::new() };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        let length = if bare { 0 } else { length };
        while self.buffer.len() < end + length {
            self.more().await?;
        }
        answer.body = String::from_utf8(self.buffer[end..end + length].to_vec()).unwrap();
        self.buffer.drain(..end + length);
        Some(answer)
    }

    /// Whether the server closes without another byte.
    pub async fn ends(&mut self) -> bool {
        self.buffer.is_empty() && self.more().await.is_none()
    }

    async fn more(&mut self) -> Option<()> {
        let mut chunk = [0; 4096];
        let read = timeout(PATIENCE, self.stream.read(&mut chunk)).await.expect("the server answers or closes");
        self.buffer.extend_from_slice(&chunk[..read.ok().filter(|read| *read > 0)?]);
        Some(())
    }
}

/// A request with a body and its length.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut lines = vec![
        format!("{method} {path} HTTP/1.1"),
        "host: rollbook.example.org".into(),
        format!("content-length: {length}"),
    ];
    lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    [lines.join("\r\n").as_bytes(), b"\r\n\r\n", body].concat()
}

/// A callback to the source `toy` with a good signature.
pub fn signed(headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let signature = signature(body);
    let headers = [headers, &[("toy-signature", signature.as_str())]].concat();
    request("POST", "/webhooks/toy", &headers, body)
}

/// One request on a connection of its own.
pub async fn exchange(address: SocketAddr, bytes: impl AsRef<[u8]>) -> Answer {
    let mut wire = Wire::open(address).await;
    wire.say(bytes).await;
    wire.hear().await
}
