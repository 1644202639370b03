//! Accepts connections, while there is room. Not here: what is done with one.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::RwLock;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tracing::{debug, warn};

use super::connection::{Connection, Serving, Waits, Wire, failed, now};
use super::goodbyes::Goodbyes;
use super::open::OpenConnections;
use super::origin::Origins;
use super::room::Room;
use super::tcp::Tcp;
use super::tls::Secured;
use super::{http, sockets};
use crate::config::{Limits, Transport};
use crate::dialects::{CloseKind, CloseReason, Departed, Dialect, Outbox, Peer, Total};
use crate::observe::ListenerCounts;
use crate::sessions::Place;

/// One bound address, and what is spoken there.
pub(super) struct Listener {
    pub(super) socket: TcpListener,
    pub(super) spoken: Arc<Live<Spoken>>,
    pub(super) goodbyes: Arc<Goodbyes>,
    pub(super) room: Arc<Room>,
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
    pub(super) write: Duration,
    pub(super) outbound: Arc<Total>,
    pub(super) goodbyes: Arc<Goodbyes>,
}

/// How long accepting rests when the system has no descriptor or memory left for another connection.
const NO_RESOURCES_PAUSE: Duration = Duration::from_millis(100);

impl Listener {
    /// Accepts until the gateway stops.
    pub(super) async fn run(self) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.goodbyes.stopping.cancelled() => return,
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
        let spoken = self.spoken.now();
        spoken.counts.accepted.inc();
        let place = match self.room.take(peer, &spoken.limits) {
            Ok(place) => place,
            Err(reason) => {
                spoken.counts.closed.of(reason.kind()).inc();
                return self.room.turn_away(&spoken.name, stream, peer, &reason, spoken.last_words(&reason));
            }
        };
        if let Err(error) = sockets::prepare(&stream, spoken.dead_peer) {
            return spoken.has_ended(peer, &failed(error), &Departed::default());
        }
        let accepted = now();
        let plain = Peer::from(peer);
        let connections = &self.room.connections;
        match (&spoken.tls, spoken.transport) {
            (None, Transport::Tcp) => {
                let wire = Tcp::plain(stream, spoken.counts.latency.clone());
                connections.spawn(spoken.converse(wire, plain, accepted, place))
            }
            (None, Transport::Websocket) => connections.spawn(spoken.answer(stream, plain, accepted, place)),
            (Some(_), _) => connections.spawn(spoken.secure(stream, peer, accepted, place)),
        };
    }
}

impl Spoken {
    /// What a connection for which there is no room is told: nothing where TLS would have to be agreed upon first.
    fn last_words(&self, reason: &CloseReason) -> Bytes {
        match self.transport {
            _ if self.tls.is_some() => Bytes::new(),
            Transport::Tcp => self.dialect.turn_away(reason),
            Transport::Websocket => http::turn_away(reason),
        }
    }

    /// Agrees upon TLS, and goes on as without. The time for opening a session runs already.
    async fn secure(self: Arc<Self>, stream: TcpStream, address: SocketAddr, accepted: Instant, place: Place<IpAddr>) {
        let Some(tls) = &self.tls else { return };
        let deadline = tokio::time::Instant::from_std(accepted + self.open);
        let ended = |reason: CloseReason| self.has_ended(address, &reason, &Departed::default());
        let shaken = tokio::select! {
            biased;
            () = self.goodbyes.stopping.cancelled() => return ended(CloseReason::Shutdown),
            shaken = tokio::time::timeout_at(deadline, tls.shake_hands(stream)) => shaken,
        };
        let (stream, certificate) = match shaken {
            Ok(Ok(secured)) => secured,
            Ok(Err(error)) => return ended(CloseReason::NoTls(error)),
            Err(_) => return ended(CloseReason::NotOpened { waited: self.open }),
        };
        let peer = Peer { address, certificate };
        match self.transport {
            Transport::Tcp => self.converse(Tcp::new(stream), peer, accepted, place).await,
            Transport::Websocket => self.answer(stream, peer, accepted, place).await,
        }
    }

    /// Answers HTTP, and speaks the dialect if that makes a WebSocket of it.
    async fn answer<S>(self: Arc<Self>, stream: S, peer: Peer, accepted: Instant, place: Place<IpAddr>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        if let Some(websocket) = http::answer(stream, peer.address, accepted, &self).await {
            self.converse(websocket, peer, accepted, place).await;
        }
    }

    /// Speaks the dialect until the connection ends. The time for opening a session runs since `accepted`.
    fn converse<W: Wire + 'static>(
        self: Arc<Self>,
        wire: W,
        peer: Peer,
        accepted: Instant,
        place: Place<IpAddr>,
    ) -> Serving<W> {
        let outbox = Outbox::sharing(self.limits.outbound_bytes_max, Arc::clone(&self.outbound));
        wire.socket().into_iter().for_each(|socket| outbox.write_to(socket));
        let conversation = Arc::clone(&self.dialect).converse(peer, Arc::clone(&outbox), accepted);
        let places = (place, self.open_connections.add(Arc::clone(&outbox)));
        Serving::new(Connection { wire, spoken: self, outbox, conversation, places, waits: Waits::default() })
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
