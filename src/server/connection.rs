//! One connection's task: one loop, one wait; what it waited for has a name, every exit is a reason.
//!
//! Not here: frames, and what a transport makes of a socket. Must hold: all that one read brought is answered before the connection
//! writes, and written at once; the end has one log line and is counted once.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Sleep;
use tracing::{debug, info, warn};

use super::listener::Spoken;
use super::open::Open;
use super::stall::Stall;
use crate::dialects::{CloseReason, Conversation, Departed, Outbox, Socket};
use crate::model::AgentKey;
use crate::sessions::Place;

/// A socket and the two ends of what is said on it.
pub(super) struct Connection<W> {
    pub(super) wire: W,
    pub(super) spoken: Arc<Spoken>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) conversation: Box<dyn Conversation>,
    /// Its places, among all connections and among those that are looked at: free again when it has ended.
    pub(super) places: (Place<IpAddr>, Open),
    /// What it waits for.
    pub(super) waits: Waits,
}

/// What a connection waits for, besides its client and its outbox.
#[derive(Default)]
pub(super) struct Waits {
    stall: Stall,
    goodbye: Option<Goodbye>,
    timer: Option<Pin<Box<Sleep>>>,
}

/// What a transport makes of a socket.
pub(super) trait Wire: Send {
    /// Reads what is there, once, and lets the conversation answer it; or writes some of what waits.
    fn poll_move(&mut self, cx: &mut Context<'_>, said: &mut dyn Conversation) -> Poll<Result<(), CloseReason>>;

    /// Takes what the outbox has, writes as far as the socket takes it, and tells the outbox what is left. Returns when the
    /// oldest event was read of what is written now.
    fn flush(&mut self, cx: &mut Context<'_>, outbox: &Outbox) -> Result<Option<Instant>, CloseReason>;

    /// Where bytes may be written as they are, by whoever has some.
    fn socket(&self) -> Option<Arc<dyn Socket>> {
        None
    }

    /// How many bytes were written, and how many wait.
    fn written(&self) -> (u64, usize);

    /// Writes the last words, if somebody may still hear them, and ends the connection. Is cut when it takes too long.
    fn say_goodbye(self, outbox: &Outbox, reason: &CloseReason) -> impl Future<Output = ()> + Send;
}

/// How long a client may take to read its last words, and to close its end.
pub(super) const GOODBYE: Duration = Duration::from_secs(1);

/// Serves a connection until it ends, and says goodbye: what a task has of it. That is two pointers, since the runtime gives tasks
/// room in multiples of 128 bytes, and one of these fits in with what it needs itself.
pub(super) struct Serving<W> {
    connection: Option<Box<Connection<W>>>,
    leaving: Option<Box<Leaving>>,
}

type Leaving = Pin<Box<dyn Future<Output = ()> + Send>>;

impl<W: Wire + 'static> Serving<W> {
    pub(super) fn new(connection: Connection<W>) -> Serving<W> {
        let mut serving = Serving { connection: Some(Box::new(connection)), leaving: None };
        if let Some(Err(reason)) = serving.connection.as_mut().map(|connection| connection.look_ahead()) {
            serving.leave(reason);
        }
        serving
    }

    fn leave(&mut self, reason: CloseReason) {
        let leave = |connection: Box<Connection<W>>| Box::new(Box::pin(connection.leave(reason)) as Leaving);
        self.leaving = self.connection.take().map(leave);
    }
}

impl<W: Wire + 'static> Future for Serving<W> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(connection) = &mut self.connection {
            let reason = ready!(connection.poll_served(cx));
            self.leave(reason);
        }
        self.leaving.as_mut().map_or(Poll::Ready(()), |leaving| Pin::new(leaving).poll(cx))
    }
}

impl<W: Wire> Connection<W> {
    async fn leave(mut self: Box<Self>, reason: CloseReason) {
        self.waits = Waits::default(); // nothing more is due
        let (peer, departed) = (self.conversation.peer(), self.conversation.close(&reason));
        self.spoken.has_ended(peer, &reason, &departed);
        let Connection { wire, spoken, outbox, places, .. } = *self;
        let goodbye = tokio::time::timeout(GOODBYE, wire.say_goodbye(&outbox, &reason));
        tokio::select! {
            () = spoken.goodbyes.cutting.cancelled() => (),
            said = goodbye => if said.is_err() { debug!(%peer, "the client did not take its last words") },
        }
        drop(places);
    }

    /// Serves the connection, until it waits or ends.
    fn poll_served(&mut self, cx: &mut Context<'_>) -> Poll<CloseReason> {
        loop {
            let done = match ready!(self.poll_next(cx)) {
                // What is added while it is answered, the answers above all, is written with them.
                Next::Moved(done) if self.outbox.take_news() => done.and_then(|()| self.conversation.on_wake()),
                Next::Moved(done) => done,
                Next::Woken => self.conversation.on_wake(),
                Next::Due => {
                    self.outbox.rise();
                    let stalled = self.waits.stall.check(now(), self.spoken.write, self.wire.written().1);
                    stalled.and_then(|()| self.conversation.on_deadline(now()))
                }
                Next::Goodbye => {
                    self.waits.goodbye = Some(Goodbye::Said);
                    self.conversation.on_shutdown()
                }
            };
            let flushed = self.wire.flush(cx, &self.outbox);
            match done.and(flushed) {
                Ok(Some(read_at)) => self.spoken.counts.latency.observe(now().saturating_duration_since(read_at)),
                Ok(None) => (),
                Err(reason) => return Poll::Ready(reason),
            }
            let (written, left) = self.wire.written();
            self.waits.stall.look(now, written, left);
            if let Err(reason) = self.look_ahead() {
                return Poll::Ready(reason);
            }
        }
    }

    /// Finds out until when to wait.
    fn look_ahead(&mut self) -> Result<(), CloseReason> {
        let (waits, goodbyes) = (&mut self.waits, &self.spoken.goodbyes);
        if goodbyes.is_cut() {
            return Err(CloseReason::Shutdown);
        }
        if waits.goodbye.is_none() && goodbyes.has_begun() {
            waits.goodbye = Some(Goodbye::At(goodbyes.turn().into_std()));
        }
        let goodbye_at = waits.goodbye.as_ref().and_then(Goodbye::due);
        let deadlines = [self.conversation.next_deadline(), waits.stall.deadline(self.spoken.write), goodbye_at];
        set(&mut waits.timer, deadlines.into_iter().flatten().min());
        Ok(())
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        self.outbox.rise();
        if self.waits.goodbye.as_ref().and_then(Goodbye::due).is_some_and(|at| at <= now()) {
            return Poll::Ready(Next::Goodbye);
        }
        if let Poll::Ready(done) = self.wire.poll_move(cx, &mut *self.conversation) {
            return Poll::Ready(Next::Moved(done));
        }
        if self.outbox.poll_woken(cx).is_ready() {
            return Poll::Ready(Next::Woken);
        }
        match &mut self.waits.timer {
            Some(timer) => timer.as_mut().poll(cx).map(|()| Next::Due),
            None => Poll::Pending,
        }
    }
}

/// Sets the timer of a connection. One that has no deadline has no timer, which would be a quarter of its task. A deadline that
/// only moves away is looked at again when the timer fires: every read moves it.
fn set(timer: &mut Option<Pin<Box<Sleep>>>, deadline: Option<Instant>) {
    match (timer.as_mut(), deadline.map(tokio::time::Instant::from_std)) {
        (Some(timer), Some(deadline)) if timer.is_elapsed() || deadline < timer.deadline() => {
            timer.as_mut().reset(deadline);
        }
        (Some(_), Some(_)) => (),
        (None, Some(deadline)) => *timer = Some(Box::pin(tokio::time::sleep_until(deadline))),
        (_, None) => *timer = None,
    }
}

/// What a connection has waited for.
enum Next {
    /// Something was read, or written.
    Moved(Result<(), CloseReason>),
    /// The outbox has news.
    Woken,
    /// A deadline has come.
    Due,
    /// The gateway stops, and it is this connection's turn to hear of it.
    Goodbye,
}

/// That the gateway stops, which a connection is to say in its turn.
enum Goodbye {
    At(Instant),
    Said,
}

impl Goodbye {
    fn due(&self) -> Option<Instant> {
        match self {
            Goodbye::At(at) => Some(*at),
            Goodbye::Said => None,
        }
    }
}

impl Spoken {
    /// A connection has ended: the one line that says so, and its place in the counts.
    pub(super) fn has_ended(&self, peer: SocketAddr, reason: &CloseReason, whose: &Departed) {
        self.counts.closed.of(reason.kind()).inc();
        let Departed { session, client, agents, requests, refused, unknown_messages, unknown_fields } = whose;
        let (listener, dialect, label) = (&self.name, self.dialect_name, reason.label());
        let session = session.map(tracing::field::display);
        let agents = (!agents.is_empty()).then(|| named(agents));
        macro_rules! say {
            ($level:ident) => {
                $level!(
                    %peer, listener, dialect, session, client, agents, reason = label, why = %reason,
                    requests, refused, unknown_messages, unknown_fields, "connection closed"
                )
            };
        }
        if reason.is_usual() { say!(info) } else { say!(warn) }
    }
}

/// The first of them, and how many there are besides: a bridge may have a thousand.
fn named(agents: &[AgentKey]) -> String {
    let shown: Vec<String> = agents.iter().take(AGENTS_NAMED_MAX).map(ToString::to_string).collect();
    match agents.len().saturating_sub(AGENTS_NAMED_MAX) {
        0 => shown.join(" "),
        more => format!("{} and {more} more", shown.join(" ")),
    }
}

const AGENTS_NAMED_MAX: usize = 5;

/// Closes our end, and waits for the client's: an end closed while the client still sends would take its last words from it.
pub(super) async fn close_both_ends(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut ignored = [0; 1024];
    while matches!(stream.read(&mut ignored).await, Ok(read) if read > 0) {}
}

pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

pub(super) fn failed(error: io::Error) -> CloseReason {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => CloseReason::ClientGone,
        kind @ (io::ErrorKind::TimedOut | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable) => {
            CloseReason::DeadPeer(kind)
        }
        kind => CloseReason::Failed(kind),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::task::Waker;

    use bytes::{Bytes, BytesMut};
    use tokio::io::DuplexStream;

    use super::super::tcp::Tcp;
    use super::super::websocket::WebSocket;
    use super::*;

    /// Says nothing, and hears nothing.
    pub(in crate::server) struct Silent;

    impl Conversation for Silent {
        fn peer(&self) -> SocketAddr {
            SocketAddr::from(([127, 0, 0, 1], 0))
        }

        fn on_bytes(&mut self, _: Instant, _: &mut BytesMut) -> Result<(), CloseReason> {
            Ok(())
        }

        fn on_wake(&mut self) -> Result<(), CloseReason> {
            Ok(())
        }

        fn on_deadline(&mut self, _: Instant) -> Result<(), CloseReason> {
            Ok(())
        }

        fn next_deadline(&self) -> Option<Instant> {
            None
        }

        fn on_shutdown(&mut self) -> Result<(), CloseReason> {
            Ok(())
        }

        fn close(&mut self, _: &CloseReason) -> Departed {
            Departed::default()
        }
    }

    /// What is taken of it all, a byte at a time.
    async fn each_byte_that_is_taken_is_seen(mut wire: impl Wire, mut client: DuplexStream) -> u64 {
        let (mut cx, outbox) = (Context::from_waker(Waker::noop()), Outbox::new(1_000));
        outbox.add(|out| out.extend_from_slice(format!("{:63}\n", "a line").as_bytes()));
        wire.flush(&mut cx, &outbox).unwrap();
        let (at_once, _) = wire.written();
        assert_eq!(at_once, ROOM as u64);
        let mut taken = 0;
        while wire.written().1 > 0 {
            client.read_u8().await.unwrap();
            taken += 1;
            assert!(matches!(wire.poll_move(&mut cx, &mut Silent), Poll::Ready(Ok(()))), "{taken}");
            assert_eq!(wire.written().0, at_once + taken);
            wire.flush(&mut cx, &outbox).unwrap();
        }
        assert!(wire.poll_move(&mut cx, &mut Silent).is_pending(), "there is nothing left to write");
        assert_eq!(outbox.waiting(), 0);
        at_once + taken
    }

    const ROOM: usize = 16;

    #[tokio::test]
    async fn whatever_a_slow_client_takes_is_seen() {
        let (ours, client) = tokio::io::duplex(ROOM);
        assert_eq!(each_byte_that_is_taken_is_seen(Tcp::new(ours), client).await, 64);
    }

    #[tokio::test]
    async fn whatever_a_slow_client_takes_of_a_websocket_is_seen() {
        let (ours, client) = tokio::io::duplex(ROOM);
        let websocket = WebSocket::new(ours, Bytes::new(), 1_000).await;
        assert_eq!(each_byte_that_is_taken_is_seen(websocket, client).await, 65, "a header of two for a line's end");
    }
}
