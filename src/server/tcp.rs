//! A conversation's bytes on a socket, as they are or under TLS.
//!
//! Not here: frames, how TLS is agreed upon (`tls`). Must hold: a buffer is kept only while half a frame waits; what TLS has
//! taken and the socket has not is written on by itself.

use std::cell::RefCell;
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Instant;
use std::{fmt, io};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_util::io::poll_read_buf;

use super::connection::{Wire, close_both_ends, failed, now};
use crate::dialects::{CloseReason, Conversation, Outbox, Socket};
use crate::observe::Histogram;

/// A socket, what was read of a frame, and what is not written yet.
pub(super) struct Tcp<S> {
    stream: S,
    /// The stream, where others may write to it too.
    shared: Option<Arc<Writing>>,
    half_frame: Box<[u8]>,
    pending: BytesMut,
    /// How many bytes the stream has taken since it began.
    written: u64,
    /// The stream has taken bytes that it may not have written: never so without TLS.
    is_unflushed: bool,
    /// Something was left of `pending` when it was written last.
    is_behind: bool,
}

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;

thread_local! {
    /// One read buffer a thread: a connection that waits has none.
    static SCRATCH: RefCell<BytesMut> = RefCell::new(BytesMut::with_capacity(READ_BYTES));
}

/// A socket without TLS: its connection reads, and whoever tells of a log writes there as well as the connection.
pub(super) struct Plain {
    read: OwnedReadHalf,
    write: Arc<Writing>,
}

/// The end that is written to.
struct Writing {
    half: OwnedWriteHalf,
    latency: Histogram,
    /// Why the socket has failed: it says so once, to whoever writes first, and the connection is to give that as its reason.
    failed: OnceLock<io::ErrorKind>,
}

impl Writing {
    fn must_work(&self) -> io::Result<()> {
        self.failed.get().map_or(Ok(()), |kind| Err((*kind).into()))
    }
}

impl Socket for Writing {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.half.try_write(bytes);
        if let Some(failed) = written.as_ref().err().filter(|error| error.kind() != io::ErrorKind::WouldBlock) {
            let _first = self.failed.set(failed.kind());
        }
        written
    }

    fn has_written(&self, read_at: Instant) {
        self.latency.observe(now().saturating_duration_since(read_at));
    }
}

impl fmt::Debug for Writing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.half.fmt(f)
    }
}

impl AsyncRead for Plain {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, read: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.write.must_work()?;
        Pin::new(&mut self.read).poll_read(cx, read)
    }
}

impl AsyncWrite for Plain {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write.must_work()?;
        loop {
            ready!(self.write.half.as_ref().poll_write_ready(cx))?;
            match self.write.half.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => (),
                written => return Poll::Ready(written),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(socket2::SockRef::from(self.write.half.as_ref()).shutdown(Shutdown::Write))
    }
}

impl Tcp<Plain> {
    /// Without TLS. How long events took that others write is noted there.
    pub(super) fn plain(stream: TcpStream, latency: Histogram) -> Tcp<Plain> {
        let (read, half) = stream.into_split();
        let write = Arc::new(Writing { half, latency, failed: OnceLock::new() });
        let shared = Some(Arc::clone(&write));
        Tcp { shared, ..Tcp::new(Plain { read, write }) }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Tcp<S> {
    pub(super) fn new(stream: S) -> Tcp<S> {
        Tcp {
            stream,
            shared: None,
            half_frame: Box::default(),
            pending: BytesMut::new(),
            written: 0,
            is_unflushed: false,
            is_behind: false,
        }
    }

    /// Writes as far as the socket takes it.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CloseReason>> {
        while !self.pending.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.pending)).map_err(failed)?;
            if written == self.pending.len() {
                self.pending.clear(); // what nothing was taken off before has all its room again
            } else {
                self.pending.advance(written);
            }
            self.written += written as u64;
            self.is_unflushed = true;
        }
        if self.is_unflushed {
            ready!(Pin::new(&mut self.stream).poll_flush(cx)).map_err(failed)?;
            self.is_unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Wire for Tcp<S> {
    /// A read that fills less than the buffer has left nothing behind, and costs no second one to see that.
    fn poll_move(
        &mut self,
        cx: &mut Context<'_>,
        conversation: &mut dyn Conversation,
    ) -> Poll<Result<(), CloseReason>> {
        let Tcp { stream, half_frame, .. } = self;
        let taken = SCRATCH.with_borrow_mut(|scratch| {
            scratch.clear();
            scratch.reserve(READ_BYTES);
            scratch.extend_from_slice(half_frame);
            poll_read_buf(Pin::new(stream), cx, scratch).map(|read| {
                if read.map_err(failed)? == 0 {
                    return Err(CloseReason::ClientGone);
                }
                let taken = conversation.on_bytes(now(), scratch);
                if !(half_frame.is_empty() && scratch.is_empty()) {
                    *half_frame = scratch[..].into(); // an empty one gives its memory back
                }
                taken
            })
        });
        if taken.is_ready() || (self.pending.is_empty() && !self.is_unflushed) {
            return taken;
        }
        let written = self.written;
        match self.poll_write(cx) {
            // Some of it: whoever looks whether the client takes anything is to see that.
            Poll::Pending if self.written > written => Poll::Ready(Ok(())),
            all => all,
        }
    }

    fn flush(&mut self, cx: &mut Context<'_>, outbox: &Outbox) -> Result<Option<Instant>, CloseReason> {
        let mut oldest = None;
        let was_behind = std::mem::take(&mut self.is_behind);
        if was_behind && self.pending.is_empty() {
            oldest = outbox.still_writing(0); // `poll_move` has written the rest
            self.pending = BytesMut::new();
        }
        outbox.take_next(&mut self.pending)?;
        let given = self.pending.len();
        if self.pending.is_empty() && !self.is_unflushed {
            return Ok(oldest);
        }
        if let Poll::Ready(written) = self.poll_write(cx) {
            written?;
        }
        oldest = outbox.still_writing(self.pending.len()).or(oldest);
        self.is_behind = !self.pending.is_empty();
        if self.pending.is_empty() {
            let room = std::mem::take(&mut self.pending);
            // Else there is more of it than can be seen: what was written was taken off its front.
            if !was_behind && room.capacity() >= given {
                Outbox::spare(room);
            }
        }
        Ok(oldest)
    }

    fn socket(&self) -> Option<Arc<dyn Socket>> {
        self.shared.clone().map(|shared| shared as _)
    }

    fn written(&self) -> (u64, usize) {
        (self.written, self.pending.len() + usize::from(self.is_unflushed))
    }

    async fn say_goodbye(self, outbox: &Outbox, reason: &CloseReason) {
        let Tcp { mut stream, mut pending, .. } = self;
        if reason.is_unheard() || matches!(reason, CloseReason::Slow(_) | CloseReason::Stalled { .. }) {
            return;
        }
        let is_said = outbox.take(&mut pending).is_ok() && stream.write_all(&pending).await.is_ok();
        if is_said && stream.flush().await.is_ok() {
            close_both_ends(stream).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::super::connection::tests::Silent;
    use super::*;

    #[tokio::test]
    async fn why_a_socket_has_failed_is_why_its_connection_ends_whoever_was_told() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let _client = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("a connection");
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut tcp = Tcp::plain(stream, Histogram::default());
        let mut cx = Context::from_waker(Waker::noop());
        assert!(tcp.poll_move(&mut cx, &mut Silent).is_pending());
        tcp.shared.as_ref().expect("no TLS").failed.set(io::ErrorKind::TimedOut).expect("the first");
        let ended = tcp.poll_move(&mut cx, &mut Silent);
        assert!(matches!(ended, Poll::Ready(Err(CloseReason::DeadPeer(io::ErrorKind::TimedOut)))), "{ended:?}");
    }
}
