//! A conversation's bytes on a socket, as they are.
//!
//! Not here: frames. Must hold: a buffer is kept only while half a frame waits.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::io::poll_read_buf;

use super::connection::{Wire, close_both_ends, failed, now};
use crate::dialects::{CloseReason, Conversation, Outbox};

/// A socket, what was read of a frame, and what is not written yet.
pub(super) struct Tcp {
    stream: TcpStream,
    half_frame: BytesMut,
    pending: BytesMut,
}

/// How much is read at once.
const READ_BYTES: usize = 64 * 1024;

thread_local! {
    /// One read buffer a thread: a connection that waits has none.
    static SCRATCH: RefCell<BytesMut> = RefCell::new(BytesMut::with_capacity(READ_BYTES));
}

impl Tcp {
    pub(super) fn new(stream: TcpStream) -> Tcp {
        Tcp { stream, half_frame: BytesMut::new(), pending: BytesMut::new() }
    }
}

impl Wire for Tcp {
    /// A read that fills less than the buffer has left nothing behind, and costs no second one to see that.
    fn poll_move(
        &mut self,
        cx: &mut Context<'_>,
        conversation: &mut dyn Conversation,
    ) -> Poll<Result<(), CloseReason>> {
        let Tcp { stream, half_frame, pending } = self;
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

    fn flush(&mut self, _: &mut Context<'_>, outbox: &Outbox) -> Result<(), CloseReason> {
        let Tcp { stream, pending, .. } = self;
        outbox.take(pending)?;
        let had_bytes = !pending.is_empty();
        while !pending.is_empty() {
            match stream.try_write(pending) {
                Ok(written) => pending.advance(written),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(failed(error)),
            }
        }
        if had_bytes {
            outbox.still_writing(pending.len());
        }
        if pending.is_empty() {
            *pending = BytesMut::new();
        }
        Ok(())
    }

    async fn say_goodbye(self, outbox: &Outbox, reason: &CloseReason) {
        let Tcp { mut stream, mut pending, .. } = self;
        if matches!(reason, CloseReason::ClientGone | CloseReason::Failed(_) | CloseReason::Slow(_)) {
            return;
        }
        if outbox.take(&mut pending).is_ok() && stream.write_all(&pending).await.is_ok() {
            close_both_ends(stream).await;
        }
    }
}
