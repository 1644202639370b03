//! Why a connection ended, and whose it was. Not here: how a dialect says so.

use std::time::Duration;

use super::SlowClient;
use crate::model::{AgentKey, SessionId};
use crate::observe::{Label, labels};

/// Of which connections there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionsFrom {
    /// All.
    Everywhere,
    /// Those from the client's own address.
    OneAddress,
}

impl std::fmt::Display for ConnectionsFrom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            ConnectionsFrom::Everywhere => "to the gateway",
            ConnectionsFrom::OneAddress => "from this address",
        })
    }
}

/// Every connection ends for exactly one of these: it feeds the log, the metric and the client's last message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CloseReason {
    /// The client asked for it.
    #[error("the client closed the session")]
    ClientClosed,
    /// The client's end of the connection went without a word.
    #[error("the connection ended without a goodbye")]
    ClientGone,
    /// The gateway stops.
    #[error("the gateway is shutting down")]
    Shutdown,
    /// The client does not read what it is sent.
    #[error(transparent)]
    Slow(#[from] SlowClient),
    /// The client reads nothing at all of what waits for it.
    #[error("the client has taken nothing for {waited:?} of the {bytes} bytes that wait for it")]
    Stalled {
        /// How long.
        waited: Duration,
        /// What waits.
        bytes: usize,
    },
    /// The client asks much faster than it may.
    #[error("the client goes on asking much faster than {per_second} times a second")]
    Flood {
        /// How fast it may.
        per_second: u32,
    },
    /// There are as many connections as may be.
    #[error("there are {max} connections {from} already, no more are taken")]
    TooManyConnections {
        /// Which are counted.
        from: ConnectionsFrom,
        /// How many may be.
        max: usize,
    },
    /// The session was not opened in time.
    #[error("no session was opened within {waited:?}")]
    NotOpened {
        /// How long it was waited for.
        waited: Duration,
    },
    /// More came than can be kept while it is checked who the client is.
    #[error("more than {bytes_max} bytes came before the session was open")]
    Impatient {
        /// What is kept.
        bytes_max: usize,
    },
    /// TLS could not be agreed upon.
    #[error("no TLS: {0}")]
    NoTls(std::io::Error),
    /// Nothing came for longer than the client had promised.
    #[error("nothing was received for {idle:?}")]
    Idle {
        /// How long.
        idle: Duration,
    },
    /// What came cannot be cut into frames any more.
    #[error("the framing is broken: {0}")]
    BrokenFraming(#[from] cti_protocol::ged188::FrameError),
    /// A message is longer than may be.
    #[error("a message is longer than the {bytes_max} bytes that it may have")]
    TooBig {
        /// What may be.
        bytes_max: usize,
    },
    /// A WebSocket message is binary.
    #[error("a message is binary, and only text is spoken here")]
    NotText,
    /// What came is no WebSocket.
    #[error("the WebSocket is broken: {0}")]
    BrokenWebSocket(Box<dyn std::error::Error + Send + Sync>),
    /// The same client opened a session for the same agent or device.
    #[error("session {by} of the same client took its place")]
    Replaced {
        /// The new session.
        by: SessionId,
    },
    /// The configuration does not know the client any more, or by other rights than its session was opened with.
    #[error("what client {client:?} may has changed")]
    Revoked {
        /// Its ClientID.
        client: String,
    },
    /// The client's machine, or the way to it, is gone; or its program has let bytes wait so long that the system gave it up.
    #[error("nothing that the client was sent was taken within timeouts.dead_peer: {0}")]
    DeadPeer(std::io::ErrorKind),
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Failed(std::io::ErrorKind),
    /// Where WebSockets are had, it was HTTP that was asked, and answered.
    #[error("an HTTP request was answered with {status}")]
    HttpAnswered {
        /// With what.
        status: u16,
    },
    /// Where WebSockets are had, what came is no HTTP.
    #[error("no HTTP request could be read and answered: {0}")]
    BrokenHttp(Box<dyn std::error::Error + Send + Sync>),
}

labels! {
    /// The reasons without what each says of the one connection: what they are counted and looked up by.
    pub enum CloseKind {
        /// [`CloseReason::ClientClosed`].
        ClientClosed = "client_closed",
        /// [`CloseReason::ClientGone`].
        ClientGone = "client_gone",
        /// [`CloseReason::Shutdown`].
        Shutdown = "shutdown",
        /// [`CloseReason::Slow`].
        Slow = "slow",
        /// [`CloseReason::Stalled`].
        Stalled = "stalled",
        /// [`CloseReason::Flood`].
        Flood = "flood",
        /// [`CloseReason::NotOpened`].
        NotOpened = "not_opened",
        /// [`CloseReason::Impatient`].
        Impatient = "impatient",
        /// [`CloseReason::NoTls`].
        NoTls = "no_tls",
        /// [`CloseReason::Idle`].
        Idle = "idle",
        /// [`CloseReason::BrokenFraming`].
        BrokenFraming = "broken_framing",
        /// [`CloseReason::TooBig`].
        TooBig = "too_big",
        /// [`CloseReason::NotText`].
        NotText = "not_text",
        /// [`CloseReason::BrokenWebSocket`].
        BrokenWebSocket = "broken_websocket",
        /// [`CloseReason::Replaced`].
        Replaced = "replaced",
        /// [`CloseReason::Revoked`].
        Revoked = "revoked",
        /// [`CloseReason::DeadPeer`].
        DeadPeer = "dead_peer",
        /// [`CloseReason::Failed`].
        Failed = "failed",
        /// [`CloseReason::TooManyConnections`].
        TooManyConnections = "too_many_connections",
        /// [`CloseReason::HttpAnswered`].
        HttpAnswered = "http_answered",
        /// [`CloseReason::BrokenHttp`].
        BrokenHttp = "broken_http",
    }
}

impl CloseReason {
    /// Which of the reasons it is.
    pub fn kind(&self) -> CloseKind {
        match self {
            CloseReason::ClientClosed => CloseKind::ClientClosed,
            CloseReason::ClientGone => CloseKind::ClientGone,
            CloseReason::Shutdown => CloseKind::Shutdown,
            CloseReason::Slow(_) => CloseKind::Slow,
            CloseReason::Stalled { .. } => CloseKind::Stalled,
            CloseReason::Flood { .. } => CloseKind::Flood,
            CloseReason::NotOpened { .. } => CloseKind::NotOpened,
            CloseReason::Impatient { .. } => CloseKind::Impatient,
            CloseReason::NoTls(_) => CloseKind::NoTls,
            CloseReason::Idle { .. } => CloseKind::Idle,
            CloseReason::BrokenFraming(_) => CloseKind::BrokenFraming,
            CloseReason::TooBig { .. } => CloseKind::TooBig,
            CloseReason::NotText => CloseKind::NotText,
            CloseReason::BrokenWebSocket(_) => CloseKind::BrokenWebSocket,
            CloseReason::Replaced { .. } => CloseKind::Replaced,
            CloseReason::Revoked { .. } => CloseKind::Revoked,
            CloseReason::DeadPeer(_) => CloseKind::DeadPeer,
            CloseReason::Failed(_) => CloseKind::Failed,
            CloseReason::TooManyConnections { .. } => CloseKind::TooManyConnections,
            CloseReason::HttpAnswered { .. } => CloseKind::HttpAnswered,
            CloseReason::BrokenHttp(_) => CloseKind::BrokenHttp,
        }
    }

    /// The same in a word that never changes: metrics, log lines and the runbook have it.
    pub fn label(&self) -> &'static str {
        self.kind().label()
    }

    /// Whether nothing can be said to the client any more: its connection is not there.
    pub fn is_unheard(&self) -> bool {
        matches!(self.kind(), CloseKind::ClientGone | CloseKind::DeadPeer | CloseKind::Failed)
    }

    /// Whether nothing is wrong where it happens now and then.
    pub fn is_usual(&self) -> bool {
        matches!(
            self.kind(),
            CloseKind::ClientClosed | CloseKind::ClientGone | CloseKind::Shutdown | CloseKind::HttpAnswered
        )
    }
}

/// Whose connection it was, for the one line about its end.
#[derive(Debug, Default)]
pub struct Departed {
    /// Its session, if one was opened.
    pub session: Option<SessionId>,
    /// Who its client said that it is.
    pub client: Option<String>,
    /// The agents that the session was opened for, or had.
    pub agents: Vec<AgentKey>,
    /// Requests that came, those that could not be read included.
    pub requests: u64,
    /// Those that were refused before anything was done.
    pub refused: u64,
    /// Messages that the protocol does not have.
    pub unknown_messages: u64,
    /// Fields that their messages do not have.
    pub unknown_fields: u64,
}
