//! What a connection's socket is told to do. Not here: what is read and written.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// Small frames go at once; a peer that is gone is found within about `dead_peer`, whether it is sent something (user
/// timeout) or nothing (keep-alive), and whatever it said of an idle timeout.
pub(super) fn prepare(stream: &TcpStream, dead_peer: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let probe_every = (dead_peer / 5).max(Duration::from_secs(1));
    let keepalive = TcpKeepalive::new().with_time(dead_peer / 2).with_interval(probe_every);
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    let keepalive = keepalive.with_retries(3);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(dead_peer))?;
    Ok(())
}
