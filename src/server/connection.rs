//! One connection's task: one loop, one `select!`; every arm names an event, every exit is a reason.
//!
//! Not here: frames. Must hold: all that one read brought is answered before anything is written, and written at once;
//! a buffer is kept only while half a frame waits.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::io::poll_read_buf;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::dialects::{CloseReason, Conversation, Outbox};

/// A socket and the two ends of what is said on it.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) outbox: Arc<Outbox>,
    pub(super) conversation: Box<dyn Conversation>,
}

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;
/// How long a client may take to read its last words, and to close its end.
const GOODBYE: Duration = Duration::from_secs(1);

thread_local! {
    /// One read buffer a thread: a connection that waits has none.
    static SCRATCH: RefCell<BytesMut> = RefCell::new(BytesMut::with_capacity(READ_BYTES));
}

impl Connection {
    /// Serves the connection until it ends.
    pub(super) async fn run(mut self, stopping: CancellationToken, cutting: CancellationToken) {
        let mut half_frame = BytesMut::new();
        let mut pending = BytesMut::new();
        let reason = tokio::select! {
            biased;
            () = cutting.cancelled() => CloseReason::Shutdown,
            reason = self.serve(&mut half_frame, &mut pending, &stopping) => reason,
        };
        self.conversation.close(&reason);
        match &reason {
            CloseReason::ClientClosed | CloseReason::ClientGone | CloseReason::Shutdown => {
                info!(peer = %self.peer, %reason, "connection closed")
            }
            _ => warn!(peer = %self.peer, %reason, "connection closed"),
        }
        if !matches!(reason, CloseReason::ClientGone | CloseReason::Failed(_) | CloseReason::Slow(_)) {
            let goodbye = tokio::time::timeout(GOODBYE, self.say_goodbye(pending));
            tokio::select! {
                () = cutting.cancelled() => (),
                said = goodbye => if said.is_err() { debug!(peer = %self.peer, "the client did not take its last words") },
            }
        }
    }

    async fn serve(
        &mut self,
        half_frame: &mut BytesMut,
        pending: &mut BytesMut,
        stopping: &CancellationToken,
    ) -> CloseReason {
        let mut is_stopping = false;
        let mut timer = std::pin::pin!(tokio::time::sleep(Duration::ZERO));
        loop {
            let deadline = self.conversation.next_deadline();
            // A deadline that only moves away is looked at again when the timer fires: every read moves it.
            if let Some(deadline) = deadline.map(tokio::time::Instant::from_std)
                && (timer.is_elapsed() || deadline < timer.deadline())
            {
                timer.as_mut().reset(deadline);
            }
            let done = tokio::select! {
                biased;
                () = stopping.cancelled(), if !is_stopping => {
                    is_stopping = true;
                    self.conversation.on_shutdown()
                }
                done = poll_fn(|cx| move_bytes(cx, &mut self.stream, &mut *self.conversation, half_frame, pending)) => done,
                () = self.outbox.woken() => self.conversation.on_wake(),
                () = timer.as_mut(), if deadline.is_some() => self.conversation.on_deadline(now()),
            };
            let flushed = self.flush(pending);
            if let Err(reason) = done.and(flushed) {
                return reason;
            }
        }
    }

    /// Writes what waits, as far as the socket takes it.
    fn flush(&mut self, pending: &mut BytesMut) -> Result<(), CloseReason> {
        self.outbox.take(pending)?;
        let had_bytes = !pending.is_empty();
        while !pending.is_empty() {
            match self.stream.try_write(pending) {
                Ok(written) => pending.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(failed(error)),
            }
        }
        if had_bytes {
            self.outbox.still_writing(pending.len());
        }
        if pending.is_empty() {
            *pending = BytesMut::new();
        }
        Ok(())
    }

    /// Writes the last words, closes our end, and waits for the client's: an end closed while the client still sends would
    /// take its last words from it.
    async fn say_goodbye(&mut self, mut pending: BytesMut) {
        if self.outbox.take(&mut pending).is_err() || self.stream.write_all(&pending).await.is_err() {
            return;
        }
        if self.stream.shutdown().await.is_err() {
            return;
        }
        let mut ignored = [0; 1024];
        loop {
            if self.stream.readable().await.is_err() {
                return;
            }
            match self.stream.try_read(&mut ignored) {
                Ok(0) => return,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
                _ => (),
            }
        }
    }
}

/// Reads what is there, once, and lets the conversation answer it; or writes some of what waits. A read that fills less than
/// the buffer has left nothing behind, and costs no second one to see that.
fn move_bytes(
    cx: &mut Context<'_>,
    stream: &mut TcpStream,
    conversation: &mut dyn Conversation,
    half_frame: &mut BytesMut,
    pending: &mut BytesMut,
) -> Poll<Result<(), CloseReason>> {
    let taken = SCRATCH.with_borrow_mut(|scratch| {
        scratch.clear();
        scratch.reserve(READ_BYTES);
        scratch.extend_from_slice(half_frame);
        poll_read_buf(Pin::new(&mut *stream), cx, scratch).map(|read| {
            if read.map_err(failed)? == 0 {
                return Err(CloseReason::ClientGone);
            }
            let taken = conversation.on_bytes(now(), scratch);
            // An empty one gives its memory back.
            *half_frame = BytesMut::from(&scratch[..]);
            taken
        })
    });
    if taken.is_ready() || pending.is_empty() {
        return taken;
    }
    Pin::new(stream).poll_write(cx, pending).map(|written| {
        pending.advance(written.map_err(failed)?);
        Ok(())
    })
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn failed(error: io::Error) -> CloseReason {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => CloseReason::ClientGone,
        kind => CloseReason::Failed(kind),
    }
}
