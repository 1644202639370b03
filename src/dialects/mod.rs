//! The protocols that clients speak: one folder a dialect, each a client connection's state machine.
//!
//! Lives here: wire ⇄ model, and what a session may do. Not here: sockets, clocks (`now` is an argument), an ACD's types.
//! Must hold: bytes from a client cannot stop the gateway nor touch another session; whatever is to be said to the client
//! goes into the session's one [`Outbox`].

mod close;
pub mod ged188;
mod news;
pub mod opencti;
mod outbox;
mod proving;
mod rate;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};

use crate::access::Certificate;

pub use close::{CloseKind, CloseReason, ConnectionsFrom, Departed};
pub use outbox::{Outbox, SlowClient, Socket};

pub use crate::sessions::Total;
pub use rate::{Pace, Rate};

/// A protocol as one listener speaks it.
pub trait Dialect: Send + Sync + fmt::Debug {
    /// A fresh connection's state machine.
    fn converse(self: Arc<Self>, peer: Peer, outbox: Arc<Outbox>, now: Instant) -> Box<dyn Conversation>;

    /// The last words to a connection that is closed before anything was said on it; empty where there are none.
    fn turn_away(&self, _reason: &CloseReason) -> Bytes {
        Bytes::new()
    }

    /// What a browser is given at `path`, such as `/try`, where this is spoken over WebSocket.
    fn page(&self, _path: &str) -> Option<Page> {
        None
    }
}

/// Who is at the other end of a connection, as far as the connection tells.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Where it comes from.
    pub address: SocketAddr,
    /// The certificate that it has shown and that was found good.
    pub certificate: Option<Arc<dyn Certificate>>,
}

impl From<SocketAddr> for Peer {
    fn from(address: SocketAddr) -> Peer {
        Peer { address, certificate: None }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

/// A file that never changes while the gateway runs, for a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its Content-Type.
    pub content_type: &'static str,
    /// The file.
    pub body: Bytes,
}

/// A client connection's state machine: bytes, time and wake-ups in; what to say goes to its outbox.
pub trait Conversation: Send {
    /// With whom it is.
    fn peer(&self) -> SocketAddr;

    /// Takes every whole frame from the front of what was read, and leaves the rest.
    fn on_bytes(&mut self, now: Instant, read: &mut BytesMut) -> Result<(), CloseReason>;

    /// The transport has a sign of life that is none of the dialect's: too many are too many requests.
    fn on_ping(&mut self, _now: Instant) -> Result<(), CloseReason> {
        Ok(())
    }

    /// Looks whether something that was waited for has come: an answer to the last open request, or the end of the session.
    fn on_wake(&mut self) -> Result<(), CloseReason>;

    /// Does what is due.
    fn on_deadline(&mut self, now: Instant) -> Result<(), CloseReason>;

    /// When [`on_deadline`](Conversation::on_deadline) is due next.
    fn next_deadline(&self) -> Option<Instant>;

    /// The gateway is about to stop: takes no more requests; the session ends once the open ones are answered.
    fn on_shutdown(&mut self) -> Result<(), CloseReason>;

    /// Ends the session: its subscriptions, what it held, and a last word to the client where the protocol has one. Returns
    /// whose it was.
    fn close(&mut self, reason: &CloseReason) -> Departed;
}
