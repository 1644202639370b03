//! A conversation's lines on a WebSocket: one text message a line.
//!
//! Lives here: messages ⇄ lines, and the close codes. Not here: how a socket becomes a WebSocket (`http`), what a line says.
//! Must hold: a message is one line whatever stands in it; what was given to the library and is not written yet counts as not
//! written; whoever does not read does not keep us from reading.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::{Sink, SinkExt, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::connection::{Wire, close_both_ends, failed, now};
use super::counted::Counted;
use crate::dialects::{CloseReason, Conversation, Outbox};

/// A WebSocket, and the lines that it was not given yet.
pub(super) struct WebSocket<S> {
    inner: WebSocketStream<Counted<S>>,
    message_bytes_max: usize,
    pending: BytesMut,
    /// The bytes of the lines that it was given since it last had everything written.
    given: usize,
    /// The client has sent its close frame: nothing may follow but ours.
    is_closed_by_client: bool,
}

/// What a WebSocket that waits holds to read into.
const READ_BYTES: usize = 4 * 1024;
/// How much of what waits is written at once.
const WRITE_BYTES: usize = 16 * 1024;

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Goes on where the handshake ended; `read` is what came right behind it.
    pub(super) async fn new(stream: S, read: Bytes, message_bytes_max: usize) -> WebSocket<S> {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(WRITE_BYTES)
            .max_message_size(Some(message_bytes_max))
            .max_frame_size(Some(message_bytes_max));
        let stream = Counted { inner: stream, written: 0 };
        let inner = WebSocketStream::from_partially_read(stream, read.into(), Role::Server, Some(config)).await;
        WebSocket { inner, message_bytes_max, pending: BytesMut::new(), given: 0, is_closed_by_client: false }
    }

    fn take(&mut self, message: Message, conversation: &mut dyn Conversation) -> Result<(), CloseReason> {
        match message {
            Message::Text(text) => conversation.on_bytes(now(), &mut line(&text)),
            Message::Binary(_) => Err(CloseReason::NotText),
            Message::Close(frame) => {
                self.is_closed_by_client = true;
                Err(match frame {
                    Some(CloseFrame { code: CloseCode::Normal, .. }) => CloseReason::ClientClosed,
                    // A browser says 1001 by itself of a page that is left or loaded anew, and a client that gives up a
                    // connection has no code to say so: it may come back.
                    _ => CloseReason::ClientGone,
                })
            }
            // The library has answered it.
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => conversation.on_ping(now()),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            while self.given < WRITE_BYTES && !self.pending.is_empty() {
                ready!(Pin::new(&mut self.inner).poll_ready(cx))?;
                let Some(message) = next_message(&mut self.pending)? else { break };
                self.given += message.len() + LINE_END.len();
                Pin::new(&mut self.inner).start_send(Message::Text(message))?;
            }
            if self.given == 0 {
                return Poll::Ready(Ok(()));
            }
            ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
            self.given = 0;
        }
    }

    fn reason(&self, error: Error) -> CloseReason {
        match error {
            Error::Io(error) => failed(error),
            Error::Capacity(_) => CloseReason::TooBig { bytes_max: self.message_bytes_max },
            Error::ConnectionClosed | Error::AlreadyClosed => CloseReason::ClientGone,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => CloseReason::ClientGone,
            other => CloseReason::BrokenWebSocket(other.into()),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Wire for WebSocket<S> {
    fn poll_move(
        &mut self,
        cx: &mut Context<'_>,
        conversation: &mut dyn Conversation,
    ) -> Poll<Result<(), CloseReason>> {
        if let Poll::Ready(read) = Pin::new(&mut self.inner).poll_next(cx) {
            return Poll::Ready(match read {
                Some(Ok(message)) => self.take(message, conversation),
                Some(Err(error)) => Err(self.reason(error)),
                None => Err(CloseReason::ClientGone),
            });
        }
        if self.given == 0 && self.pending.is_empty() {
            return Poll::Pending;
        }
        let (written, _) = self.written();
        match self.poll_write(cx).map_err(|error| self.reason(error)) {
            // Some of it: whoever looks whether the client takes anything is to see that.
            Poll::Pending if self.written().0 > written => Poll::Ready(Ok(())),
            all => all,
        }
    }

    fn flush(&mut self, cx: &mut Context<'_>, outbox: &Outbox) -> Result<Option<Instant>, CloseReason> {
        let mut written = None;
        if self.pending.is_empty() && self.given == 0 {
            written = outbox.still_writing(0); // `poll_move` may have written the rest
        }
        outbox.take_next(&mut self.pending)?;
        if let Poll::Ready(Err(error)) = self.poll_write(cx) {
            return Err(self.reason(error));
        }
        written = outbox.still_writing(self.pending.len() + self.given).or(written);
        if self.pending.is_empty() {
            self.pending = BytesMut::new();
        }
        Ok(written)
    }

    fn written(&self) -> (u64, usize) {
        (self.inner.get_ref().written, self.pending.len() + self.given)
    }

    async fn say_goodbye(mut self, outbox: &Outbox, reason: &CloseReason) {
        let said = match reason {
            _ if self.is_closed_by_client => self.inner.flush().await, // the library has our close frame there
            reason if reason.is_unheard() => return,
            reason => self.say_last_words(outbox, reason).await,
        };
        if said.is_ok() {
            close_both_ends(self.inner.into_inner()).await;
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    async fn say_last_words(&mut self, outbox: &Outbox, reason: &CloseReason) -> Result<(), Error> {
        // One that did not read gets the rest of a message that is half written, and why; all else is too late.
        if outbox.take(&mut self.pending).is_ok() {
            while let Some(message) = next_message(&mut self.pending)? {
                self.inner.feed(Message::Text(message)).await?;
            }
        }
        self.inner.close(Some(close_frame(reason))).await
    }
}

const LINE_END: &[u8] = b"\n";

/// The message as a line: its own line breaks can only be white space between JSON's words.
fn line(text: &str) -> BytesMut {
    let mut line = BytesMut::with_capacity(text.len() + LINE_END.len());
    line.put_slice(text.as_bytes());
    for byte in line.iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n')) {
        *byte = b' ';
    }
    line.put_slice(LINE_END);
    line
}

/// Takes the next line, without its end. Whoever writes into an outbox writes whole lines.
fn next_message(pending: &mut BytesMut) -> Result<Option<Utf8Bytes>, Error> {
    if pending.is_empty() {
        return Ok(None);
    }
    let end = memchr::memchr(b'\n', pending).unwrap_or(pending.len());
    let message = pending.split_to(end).freeze();
    pending.advance(LINE_END.len().min(pending.len()));
    Ok(Some(Utf8Bytes::try_from(message)?))
}

/// What the client's `onclose` is told.
fn close_frame(reason: &CloseReason) -> CloseFrame {
    let code = match reason {
        CloseReason::ClientClosed | CloseReason::ClientGone => CloseCode::Normal,
        CloseReason::Shutdown => CloseCode::Away,
        CloseReason::Slow(_)
        | CloseReason::Stalled { .. }
        | CloseReason::Flood { .. }
        | CloseReason::Idle { .. }
        | CloseReason::NotOpened { .. }
        | CloseReason::Impatient { .. }
        | CloseReason::Replaced { .. }
        | CloseReason::Revoked { .. } => CloseCode::Policy,
        CloseReason::TooManyConnections { .. } => CloseCode::Again,
        CloseReason::TooBig { .. } => CloseCode::Size,
        CloseReason::NotText => CloseCode::Unsupported,
        CloseReason::BrokenWebSocket(error) => match error.downcast_ref() {
            Some(Error::Utf8(_)) => CloseCode::Invalid,
            _ => CloseCode::Protocol,
        },
        CloseReason::BrokenFraming(_) | CloseReason::BrokenHttp(_) => CloseCode::Protocol,
        CloseReason::HttpAnswered { .. } => CloseCode::Normal,
        CloseReason::DeadPeer(_) | CloseReason::Failed(_) | CloseReason::NoTls(_) => CloseCode::Error,
    };
    CloseFrame { code, reason: shortened(reason.to_string()).into() }
}

/// As much as fits in a close frame.
fn shortened(mut text: String) -> String {
    const BYTES_MAX: usize = 123;
    while text.len() > BYTES_MAX {
        text.pop();
    }
    text
}
