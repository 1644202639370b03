//! Why a connection ended. Not here: how a dialect says so.

use std::time::Duration;

use super::SlowClient;
use crate::model::SessionId;

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

/// Every connection ends for exactly one of these: it feeds the log and the client's last message.
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
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Failed(std::io::ErrorKind),
}
