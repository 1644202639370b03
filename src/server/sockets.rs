//! What a connection's socket is told to do. Not here: what is read and written.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// What the system takes that it cannot send yet: what a client does not read is to wait here, where it is counted, and
/// not in the system's megabytes. Linux says that it takes more once half of it has gone: no client is seen to take less.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 16 * 1024;

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
    {
        socket.set_tcp_user_timeout(Some(dead_peer))?;
        socket.set_tcp_notsent_lowat(UNSENT_BYTES)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_is_told_to_find_a_dead_peer_by_itself() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connected, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (stream, _) = accepted.unwrap();
        drop(connected);
        prepare(&stream, Duration::from_secs(10)).unwrap();
        let socket = SockRef::from(&stream);
        assert!(stream.nodelay().unwrap());
        assert!(socket.keepalive().unwrap());
        #[cfg(target_os = "linux")]
        {
            assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(10)));
            assert_eq!(socket.tcp_notsent_lowat().unwrap(), UNSENT_BYTES);
            let silence = socket.tcp_keepalive_time().unwrap();
            let probes = socket.tcp_keepalive_interval().unwrap() * socket.tcp_keepalive_retries().unwrap();
            assert!(silence + probes <= Duration::from_secs(12), "{silence:?} and then {probes:?}");
        }
    }
}
