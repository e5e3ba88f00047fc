//! Telling systemd (`Type=notify`) when the service has started and when it stops.
//!
//! Two datagrams on a socket that the environment names; a library for them would be larger.

use std::ffi::OsStr;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use tokio_util::sync::CancellationToken;

/// Says READY once `started`, and STOPPING once `stop`. Without systemd it says nothing.
pub fn follow(started: CancellationToken, stop: CancellationToken) {
    tokio::spawn(async move {
        tokio::select! {
            () = started.cancelled() => say("READY=1"),
            () = stop.cancelled() => return,
        }
        stop.cancelled().await;
        say("STOPPING=1");
    });
}

#[expect(clippy::disallowed_methods, reason = "app is the one crate that reads the environment")]
fn say(state: &str) {
    if let Some(socket) = std::env::var_os("NOTIFY_SOCKET")
        && let Err(error) = send(&socket, state)
    {
        tracing::warn!(%error, "systemd cannot be told");
    }
}

/// A name that begins with `@` is an abstract one.
fn send(socket: &OsStr, state: &str) -> std::io::Result<()> {
    let address = match socket.as_bytes().split_first() {
        Some((b'@', name)) => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(socket)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_socket_hear_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let name = format!("@rollbook-test-{}", std::process::id());
        let abstract_address = SocketAddr::from_abstract_name(&name.as_bytes()[1..]).unwrap();
        for (socket, receiver) in [
            (path.as_os_str(), UnixDatagram::bind(&path).unwrap()),
            (OsStr::new(&name), UnixDatagram::bind_addr(&abstract_address).unwrap()),
        ] {
            send(socket, "READY=1").unwrap();
            let mut heard = [0; 16];
            let length = receiver.recv(&mut heard).unwrap();
            assert_eq!(&heard[..length], b"READY=1");
        }
    }
}
