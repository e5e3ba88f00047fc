//! A wire that can be cut, as a killed process leaves its connections, or fall silent.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Carrying,
    Silent,
    Cut,
}

pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    mood: Arc<watch::Sender<Mood>>,
}

impl Proxy {
    pub(super) async fn to(server: String) -> Self {
        Self::at("127.0.0.1:0", server).await
    }

    pub(super) async fn at(address: &str, server: String) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let (address, mood) = (listener.local_addr().unwrap(), Arc::new(watch::channel(Mood::Carrying).0));
        tokio::spawn(serve(listener, server, mood.subscribe()));
        Self { address, mood }
    }

    /// Ends all connections and takes no more. What the client wrote before is still delivered, as a
    /// kernel does for a process that died.
    pub(super) fn cut(&self) {
        self.mood.send_replace(Mood::Cut);
    }

    /// Carries nothing until told otherwise, and closes nothing.
    pub(super) fn silence(&self, silent: bool) {
        self.mood.send_replace(if silent { Mood::Silent } else { Mood::Carrying });
    }
}

async fn serve(listener: TcpListener, server: String, mood: watch::Receiver<Mood>) {
    loop {
        let accepted = tokio::select! { accepted = listener.accept() => accepted, () = cut(mood.clone()) => return };
        let Ok((client, _)) = accepted else { return };
        let Ok(server) = TcpStream::connect(&server).await else { continue };
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        tokio::spawn(carry(from_client, to_server, mood.clone(), false));
        tokio::spawn(carry(from_server, to_client, mood.clone(), true));
    }
}

/// For ever pending when the proxy was dropped: its connections live on.
async fn cut(mut mood: watch::Receiver<Mood>) {
    if mood.wait_for(|mood| *mood == Mood::Cut).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// One way; `ends` when the wire is cut, while the other carries what is under way.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut mood: watch::Receiver<Mood>, ends: bool) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = tokio::select! { count = from.read(&mut buffer) => count.unwrap_or(0), () = cut(mood.clone()), if ends => 0 };
        let silent = mood.wait_for(|mood| *mood != Mood::Silent).await.is_err();
        if silent || count == 0 {
            break;
        }
        if to.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
