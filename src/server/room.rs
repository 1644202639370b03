//! Whether there is room for one more connection: in all, and from its address.
//!
//! Not here: what is said to who is turned away. Must hold: turning away costs little and is over soon, however many come.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tracing::warn;

use super::connection::{GOODBYE, close_both_ends};
use crate::access::network;
use crate::config::Limits;
use crate::dialects::{CloseReason, ConnectionsFrom};
use crate::operations::Seldom;
use crate::sessions::{Place, Places};

/// How many who are turned away are given the time to read why. One more is cut without a word.
const READING_WHY_MAX: usize = 64;

/// The connections of all listeners.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) connections: TaskTracker,
    of_address: Places<IpAddr>,
    reading_why: Arc<Semaphore>,
    turning_away: Seldom,
}

impl Room {
    pub(super) fn new(connections: TaskTracker) -> Room {
        Room {
            connections,
            of_address: Places::default(),
            reading_why: Arc::new(Semaphore::new(READING_WHY_MAX)),
            turning_away: Seldom::default(),
        }
    }

    /// A place for a connection from there.
    pub(super) fn take(&self, peer: SocketAddr, limits: &Limits) -> Result<Place<IpAddr>, CloseReason> {
        if self.connections.len() >= limits.connections_max {
            let (from, max) = (ConnectionsFrom::Everywhere, limits.connections_max);
            return Err(CloseReason::TooManyConnections { from, max });
        }
        let (from, max) = (ConnectionsFrom::OneAddress, limits.connections_per_address_max);
        self.of_address.take_up_to(max, network(peer.ip())).map_err(|_| CloseReason::TooManyConnections { from, max })
    }

    /// Says why, as far as that can be done at once, and closes.
    pub(super) fn turn_away(
        &self,
        listener: &str,
        stream: TcpStream,
        peer: SocketAddr,
        reason: &CloseReason,
        last_words: Bytes,
    ) {
        self.turning_away.say(|left_out| {
            warn!(listener, %peer, reason = reason.label(), why = %reason, left_out, "connection closed");
        });
        let Ok(seat) = Arc::clone(&self.reading_why).try_acquire_owned() else { return };
        tokio::spawn(async move {
            let _seat = seat;
            let said = async {
                if stream.writable().await.is_ok() && stream.try_write(&last_words).is_ok() {
                    close_both_ends(stream).await;
                }
            };
            let _done_or_not = tokio::time::timeout(GOODBYE, said).await;
        });
    }
}
