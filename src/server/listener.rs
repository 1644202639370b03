//! Accepts connections, up to the limit. Not here: what is done with one.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::connection::Connection;
use super::sockets;
use crate::config::Config;
use crate::dialects::{Dialect, Outbox};

/// One bound address and the dialect that is spoken there.
pub(super) struct Listener {
    pub(super) name: String,
    pub(super) socket: TcpListener,
    pub(super) dialect: Arc<dyn Dialect>,
    pub(super) config: Arc<Config>,
    pub(super) stopping: CancellationToken,
    pub(super) cutting: CancellationToken,
    pub(super) connections: TaskTracker,
}

/// How long accepting rests when the system has no descriptor or memory left for another connection.
const NO_RESOURCES_PAUSE: Duration = Duration::from_millis(100);

impl Listener {
    /// Accepts until the gateway stops.
    pub(super) async fn run(self) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.stopping.cancelled() => return,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.take(stream, peer),
                Err(error) if is_of_one_connection(&error) => {
                    debug!(listener = self.name, %error, "a connection failed before it was accepted")
                }
                Err(error) => {
                    warn!(listener = self.name, %error, "no connection can be accepted for now");
                    tokio::time::sleep(NO_RESOURCES_PAUSE).await;
                }
            }
        }
    }

    fn take(&self, stream: TcpStream, peer: std::net::SocketAddr) {
        let open = self.connections.len();
        if open >= self.config.limits.connections_max {
            warn!(listener = self.name, %peer, open, "too many connections, this one is closed");
            return;
        }
        if let Err(error) = sockets::prepare(&stream, self.config.timeouts.dead_peer) {
            debug!(listener = self.name, %peer, %error, "a connection failed before it was used");
            return;
        }
        let outbox = Arc::new(Outbox::new(self.config.limits.outbound_bytes_max));
        let conversation = Arc::clone(&self.dialect).converse(peer, Arc::clone(&outbox), std::time::Instant::now());
        let connection = Connection { stream, peer, outbox, conversation };
        self.connections.spawn(connection.run(self.stopping.clone(), self.cutting.clone()));
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
