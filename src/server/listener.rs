//! Accepts connections, up to the limit. Not here: what is done with one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::RwLock;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::connection::{Connection, Wire, failed, now};
use super::open::OpenConnections;
use super::origin::Origins;
use super::tcp::Tcp;
use super::tls::Secured;
use super::{http, sockets};
use crate::config::{Limits, Transport};
use crate::dialects::{CloseKind, CloseReason, Departed, Dialect, Outbox, Peer};
use crate::observe::ListenerCounts;

/// One bound address, and what is spoken there.
pub(super) struct Listener {
    pub(super) socket: TcpListener,
    pub(super) spoken: Arc<Live<Spoken>>,
    pub(super) stopping: CancellationToken,
    pub(super) connections: TaskTracker,
}

/// What can be replaced while connections are served by what it was before.
pub(super) struct Live<T>(RwLock<Arc<T>>);

impl<T> Live<T> {
    pub(super) fn new(first: T) -> Live<T> {
        Live(RwLock::new(Arc::new(first)))
    }

    pub(super) fn now(&self) -> Arc<T> {
        Arc::clone(&self.0.read())
    }

    pub(super) fn replace(&self, next: T) {
        *self.0.write() = Arc::new(next);
    }
}

/// What the connections of one listener have in common.
pub(super) struct Spoken {
    /// The listener's name.
    pub(super) name: String,
    pub(super) dialect_name: &'static str,
    pub(super) counts: ListenerCounts<CloseKind>,
    pub(super) open_connections: OpenConnections,
    pub(super) transport: Transport,
    pub(super) origins: Origins,
    pub(super) tls: Option<Secured>,
    pub(super) dialect: Arc<dyn Dialect>,
    pub(super) open: Duration,
    pub(super) dead_peer: Duration,
    pub(super) limits: Limits,
    pub(super) stopping: CancellationToken,
    pub(super) cutting: CancellationToken,
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
                    debug!(listener = self.spoken.now().name, %error, "a connection failed before it was accepted")
                }
                Err(error) => {
                    warn!(listener = self.spoken.now().name, %error, "no connection can be accepted for now");
                    tokio::time::sleep(NO_RESOURCES_PAUSE).await;
                }
            }
        }
    }

    fn take(&self, stream: TcpStream, peer: SocketAddr) {
        let (spoken, open) = (self.spoken.now(), self.connections.len());
        spoken.counts.accepted.inc();
        if open >= spoken.limits.connections_max {
            return spoken.has_ended(peer, &CloseReason::TooManyConnections { open }, &Departed::default());
        }
        if let Err(error) = sockets::prepare(&stream, spoken.dead_peer) {
            return spoken.has_ended(peer, &failed(error), &Departed::default());
        }
        let accepted = now();
        let plain = Peer::from(peer);
        match (&spoken.tls, spoken.transport) {
            // What most connections are: no box, no task around the task.
            (None, Transport::Tcp) => self.connections.spawn(spoken.converse(Tcp::new(stream), plain, accepted)),
            (None, Transport::Websocket) => self.connections.spawn(spoken.answer(stream, plain, accepted)),
            (Some(_), _) => self.connections.spawn(spoken.secure(stream, peer, accepted)),
        };
    }
}

impl Spoken {
    /// Agrees upon TLS, and goes on as without. The time for opening a session runs already.
    async fn secure(self: Arc<Self>, stream: TcpStream, address: SocketAddr, accepted: Instant) {
        let Some(tls) = &self.tls else { return };
        let deadline = tokio::time::Instant::from_std(accepted + self.open);
        let ended = |reason: CloseReason| self.has_ended(address, &reason, &Departed::default());
        let shaken = tokio::select! {
            biased;
            () = self.stopping.cancelled() => return ended(CloseReason::Shutdown),
            shaken = tokio::time::timeout_at(deadline, tls.shake_hands(stream)) => shaken,
        };
        let (stream, certificate) = match shaken {
            Ok(Ok(secured)) => secured,
            Ok(Err(error)) => return ended(CloseReason::NoTls(error)),
            Err(_) => return ended(CloseReason::NotOpened { waited: self.open }),
        };
        let peer = Peer { address, certificate };
        match self.transport {
            Transport::Tcp => self.converse(Tcp::new(stream), peer, accepted).await,
            Transport::Websocket => self.answer(stream, peer, accepted).await,
        }
    }

    /// Answers HTTP, and speaks the dialect if that makes a WebSocket of it.
    async fn answer<S>(self: Arc<Self>, stream: S, peer: Peer, accepted: Instant)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        if let Some(websocket) = http::answer(stream, peer.address, accepted, &self).await {
            self.converse(websocket, peer, accepted).await;
        }
    }

    /// Speaks the dialect until the connection ends. The time for opening a session runs since `accepted`.
    fn converse<W: Wire>(self: Arc<Self>, wire: W, peer: Peer, accepted: Instant) -> impl Future<Output = ()> + use<W> {
        let outbox = Arc::new(Outbox::new(self.limits.outbound_bytes_max));
        let address = peer.address;
        let conversation = Arc::clone(&self.dialect).converse(peer, Arc::clone(&outbox), accepted);
        let open = self.open_connections.add(Arc::clone(&outbox));
        let connection = Connection { wire, peer: address, spoken: self, outbox, conversation };
        async move {
            connection.run().await;
            drop(open);
        }
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
