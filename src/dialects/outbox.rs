//! What a session has still to write: bounded bytes in one order, whoever adds to them.
//!
//! What waits is in pieces: to add to much costs no more than to add to little, however many owe much at a time.
//!
//! Not here: sockets, frames. Must hold: adding never waits; once a subscription's mark is set here, none of its events is
//! added after it; nothing comes behind the last word, whoever still adds.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use bytes::BytesMut;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::model::SessionId;

/// A piece that has so much gets no more.
const PIECE_BYTES: usize = 4 * 1024;
/// What is written at once, or one piece.
const WRITTEN_AT_ONCE: usize = 64 * 1024;
/// Room for so many pieces is kept when there are none.
const PIECES_KEPT: usize = 4;
/// How many times the bound a backlog may be.
const BACKLOG_MAX: usize = 4;

/// Outbound bytes of one connection.
#[derive(Debug)]
pub struct Outbox {
    inner: Mutex<Inner>,
    wake: Notify,
    bytes_max: usize,
    total: Arc<Total>,
    /// The client does not keep up: nothing more is added.
    is_over: AtomicBool,
}

/// Outbound bytes of all connections together.
///
/// While there are more than may be, each connection may owe its even share only: so there are never more than twice as many,
/// and who reads what it is sent is not closed for those who do not.
#[derive(Debug)]
pub struct Total {
    bytes: AtomicUsize,
    bytes_max: AtomicUsize,
    share: AtomicUsize,
}

impl Total {
    /// So many bytes, among so many connections.
    pub fn new(bytes_max: usize, connections_max: usize) -> Arc<Total> {
        let total = Total { bytes: AtomicUsize::new(0), bytes_max: AtomicUsize::new(0), share: AtomicUsize::new(0) };
        total.allow(bytes_max, connections_max);
        Arc::new(total)
    }

    /// From now on so many bytes may wait, among so many connections.
    pub fn allow(&self, bytes_max: usize, connections_max: usize) {
        self.bytes_max.store(bytes_max, Ordering::Relaxed);
        self.share.store(bytes_max / connections_max.max(1), Ordering::Relaxed);
    }

    /// How many wait.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// What one connection of which so many bytes wait, once they do, may owe at most.
    fn allowed(&self, was: usize, now: usize) -> Option<usize> {
        let others = self.bytes().saturating_sub(was);
        let is_over = others.saturating_add(now) > self.bytes_max.load(Ordering::Relaxed);
        is_over.then(|| self.share.load(Ordering::Relaxed))
    }

    fn changed(&self, was: usize, now: usize) {
        if now >= was {
            self.bytes.fetch_add(now - was, Ordering::Relaxed);
        } else {
            self.bytes.fetch_sub(was - now, Ordering::Relaxed);
        }
    }
}

/// Some of what waits.
#[derive(Debug)]
struct Piece {
    bytes: BytesMut,
    /// When the oldest of its events was read from its ACD.
    oldest: Option<Instant>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Each of whole messages, none of them empty but perhaps the last.
    pieces: VecDeque<Piece>,
    /// The bytes of them all.
    queued: usize,
    /// Bytes that were taken out to be written and are not written yet.
    being_written: usize,
    /// What of it all is backlog, by which the bound is raised until everything is written.
    backlog: usize,
    /// When the oldest of the events that are being written was read from its ACD.
    oldest_being_written: Option<Instant>,
    slow: Option<SlowClient>,
    /// The last word is in it.
    is_complete: bool,
    replaced_by: Option<SessionId>,
}

/// A client that did not read what it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client does not keep up: {queued} bytes wait for it, {bytes_max} are allowed")]
pub struct SlowClient {
    /// What waited, the frame that did not fit included.
    pub queued: usize,
    /// What may wait.
    pub bytes_max: usize,
}

impl Outbox {
    /// An empty one in which so many bytes may wait, whatever waits elsewhere.
    pub fn new(bytes_max: usize) -> Outbox {
        Outbox::sharing(bytes_max, Total::new(usize::MAX, 1))
    }

    /// An empty one in which so many bytes may wait, or less if too many wait together.
    pub fn sharing(bytes_max: usize, total: Arc<Total>) -> Outbox {
        Outbox { inner: Mutex::default(), wake: Notify::new(), bytes_max, total, is_over: AtomicBool::new(false) }
    }

    /// Adds what `write` writes. Past the bound nothing is added: the connection ends.
    pub fn add(&self, write: impl FnOnce(&mut BytesMut)) {
        self.change(|inner| inner.add(self.bytes_max, &self.total, write));
    }

    /// Adds the last word: nothing is added after it.
    pub fn add_last(&self, write: impl FnOnce(&mut BytesMut)) {
        self.change(|inner| {
            inner.add(self.bytes_max, &self.total, write);
            inner.is_complete = true;
        });
    }

    /// Adds an event that was read from its ACD then.
    pub fn add_event(&self, read_at: Option<Instant>, write: impl FnOnce(&mut BytesMut)) {
        self.change(|inner| inner.add_event(self.bytes_max, &self.total, read_at, write));
    }

    /// Adds what may be much at once for no fault of the client's: all that it missed, or how each of its agents stands. The
    /// bound is raised by it until everything is written, to five times itself at most.
    pub fn add_backlog(&self, write: impl FnOnce(&mut BytesMut)) {
        self.change(|inner| inner.add_backlog(self.bytes_max, &self.total, write));
    }

    fn change(&self, change: impl FnOnce(&mut Inner)) {
        let mut inner = self.inner.lock();
        change(&mut inner);
        self.has_changed(inner);
    }

    /// Wakes the connection, unless it waits for the client to take what it was given: then it looks here by itself.
    fn has_changed(&self, inner: MutexGuard<'_, Inner>) {
        let (is_over, is_writing) = (inner.slow.is_some(), inner.being_written > 0);
        drop(inner);
        if is_over {
            self.is_over.store(true, Ordering::Relaxed);
        }
        if is_over || !is_writing {
            self.wake.notify_one();
        }
    }

    /// Whether the client did not keep up, so that the connection is about to end: what it asks needs no answer.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Whether backlog still waits to be read.
    pub fn has_backlog(&self) -> bool {
        self.inner.lock().backlog > 0
    }

    /// Adds an event that was read from its ACD then, unless its subscription has ended.
    pub fn add_unless_ended(&self, ended: &AtomicBool, read_at: Option<Instant>, write: impl FnOnce(&mut BytesMut)) {
        let mut inner = self.inner.lock();
        if ended.load(Ordering::Relaxed) {
            return;
        }
        inner.add_event(self.bytes_max, &self.total, read_at, write);
        self.has_changed(inner);
    }

    /// Sets a subscription's mark. None of its events is half added when this returns.
    pub fn end(&self, ended: &AtomicBool) {
        let _inner = self.inner.lock();
        ended.store(true, Ordering::Release);
    }

    /// Asks the connection to end because another session takes its place.
    pub fn replace(&self, by: SessionId) {
        self.inner.lock().replaced_by.get_or_insert(by);
        self.wake.notify_one();
    }

    /// Wakes the connection for something that is not bytes.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Completes when something was added or asked since this last completed.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// The session that asked to take this one's place.
    pub fn replaced_by(&self) -> Option<SessionId> {
        self.inner.lock().replaced_by
    }

    /// Moves all that waits into `pending`, of which `pending`'s present bytes are not written yet. Fails once too much waited.
    pub fn take(&self, pending: &mut BytesMut) -> Result<(), SlowClient> {
        self.take_up_to(usize::MAX, pending)
    }

    /// Moves what is to be written next into `pending`, if that is empty. Fails once too much waited.
    pub fn take_next(&self, pending: &mut BytesMut) -> Result<(), SlowClient> {
        let at_once = if pending.is_empty() { WRITTEN_AT_ONCE } else { 0 };
        self.take_up_to(at_once, pending)
    }

    fn take_up_to(&self, bytes_max: usize, pending: &mut BytesMut) -> Result<(), SlowClient> {
        let mut inner = self.inner.lock();
        if let Some(slow) = inner.slow {
            return Err(slow);
        }
        if bytes_max == 0 {
            return Ok(());
        }
        let was = inner.waiting();
        let (mut taken, mut oldest) = (0, None);
        let fits = |taken: usize, piece: &Piece| taken == 0 || taken + piece.bytes.len() <= bytes_max;
        while inner.pieces.front().is_some_and(|piece| fits(taken, piece))
            && let Some(piece) = inner.pieces.pop_front()
        {
            taken += piece.bytes.len();
            oldest = oldest.or(piece.oldest);
            match pending.is_empty() {
                true => *pending = piece.bytes,
                false => pending.extend_from_slice(&piece.bytes),
            }
        }
        if inner.pieces.is_empty() && inner.pieces.capacity() > PIECES_KEPT {
            inner.pieces = VecDeque::new();
        }
        inner.queued -= taken;
        inner.being_written = pending.len();
        inner.oldest_being_written = inner.oldest_being_written.or(oldest);
        if inner.waiting() == 0 {
            inner.backlog = 0;
        }
        self.total.changed(was, inner.waiting());
        Ok(())
    }

    /// So much of what was taken is not written yet. Once all of it is, returns when the oldest of its events was read from
    /// its ACD.
    pub fn still_writing(&self, bytes: usize) -> Option<Instant> {
        let mut inner = self.inner.lock();
        let was = inner.waiting();
        inner.being_written = bytes;
        self.total.changed(was, inner.waiting());
        if bytes == 0 && inner.queued == 0 {
            inner.backlog = 0;
        }
        if bytes > 0 {
            return None;
        }
        let oldest = inner.oldest_being_written.take();
        if inner.queued > 0 {
            drop(inner);
            self.wake.notify_one(); // for what was added meanwhile nobody was woken
        }
        oldest
    }

    /// How many bytes wait, those included that are being written.
    pub fn waiting(&self) -> usize {
        self.inner.lock().waiting()
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.total.changed(self.inner.get_mut().waiting(), 0);
    }
}

impl Inner {
    fn waiting(&self) -> usize {
        self.queued + self.being_written
    }

    fn add(&mut self, bytes_max: usize, total: &Total, write: impl FnOnce(&mut BytesMut)) {
        self.add_in_piece(bytes_max, 0, total, None, write);
    }

    fn add_event(
        &mut self,
        bytes_max: usize,
        total: &Total,
        read_at: Option<Instant>,
        write: impl FnOnce(&mut BytesMut),
    ) {
        self.add_in_piece(bytes_max, 0, total, read_at, write);
    }

    fn add_backlog(&mut self, bytes_max: usize, total: &Total, write: impl FnOnce(&mut BytesMut)) {
        self.add_in_piece(bytes_max, bytes_max.saturating_mul(BACKLOG_MAX), total, None, write);
    }

    /// Adds, unless nothing is added any more; counts what was added as backlog up to that bound, and takes it back if it is
    /// too much.
    fn add_in_piece(
        &mut self,
        bytes_max: usize,
        backlog_max: usize,
        total: &Total,
        read_at: Option<Instant>,
        write: impl FnOnce(&mut BytesMut),
    ) {
        if self.slow.is_some() || self.is_complete {
            return;
        }
        let was = self.waiting();
        if self.pieces.back().is_none_or(|piece| piece.bytes.len() >= PIECE_BYTES) {
            // The first grows as it is needed: most have no other.
            let bytes = if self.pieces.is_empty() { 0 } else { PIECE_BYTES };
            self.pieces.push_back(Piece { bytes: BytesMut::with_capacity(bytes), oldest: None });
        }
        let Some(piece) = self.pieces.back_mut() else { return };
        let before = piece.bytes.len();
        write(&mut piece.bytes);
        piece.oldest = piece.oldest.or(read_at);
        let added = piece.bytes.len() - before;
        self.queued += added;
        if backlog_max > 0 {
            self.backlog = (self.backlog + added).min(backlog_max);
        }
        let queued = self.waiting();
        let of_its_own = bytes_max + self.backlog;
        let bytes_max = total.allowed(was, queued).map_or(of_its_own, |share| share.min(of_its_own));
        if queued > bytes_max {
            if let Some(piece) = self.pieces.back_mut() {
                piece.bytes.truncate(before);
            }
            self.queued -= added;
            self.slow = Some(SlowClient { queued, bytes_max });
        } else {
            total.changed(was, queued);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn add(outbox: &Outbox, text: &str) {
        outbox.add(|out| out.extend_from_slice(text.as_bytes()));
    }

    fn is_woken(outbox: &Outbox) -> bool {
        outbox.woken().now_or_never().is_some()
    }

    #[test]
    fn what_waits_comes_out_in_its_order_however_it_is_taken() {
        let outbox = Outbox::new(1 << 20);
        let mut expected = String::new();
        for number in 0..50_000 {
            let line = format!("{number}\n");
            add(&outbox, &line);
            expected += &line;
        }
        let (mut heard, mut pending) = (String::new(), BytesMut::new());
        for _ in 0..2 {
            outbox.take_next(&mut pending).unwrap();
            assert!((WRITTEN_AT_ONCE - PIECE_BYTES..=WRITTEN_AT_ONCE).contains(&pending.len()), "{}", pending.len());
            assert_eq!(pending.last(), Some(&b'\n'), "whole messages");
            let given = pending.len();
            outbox.take_next(&mut pending).unwrap();
            assert_eq!(pending.len(), given, "first what was taken is written");
            heard += std::str::from_utf8(&pending.split()).unwrap();
        }
        outbox.take(&mut pending).unwrap();
        heard += std::str::from_utf8(&pending).unwrap();
        assert!(heard == expected);
    }

    #[test]
    fn a_connection_that_waits_for_its_client_is_woken_for_its_end_only_and_then_looks_by_itself() {
        let outbox = Outbox::new(100);
        add(&outbox, "one");
        assert!(is_woken(&outbox));
        let mut pending = BytesMut::new();
        outbox.take_next(&mut pending).unwrap();
        outbox.still_writing(2);
        add(&outbox, "two");
        assert!(!is_woken(&outbox), "it would only find that nothing can be written");
        outbox.still_writing(0);
        assert!(is_woken(&outbox), "for what came meanwhile");
        pending.clear();
        outbox.take_next(&mut pending).unwrap();
        outbox.still_writing(2);
        add(&outbox, &"x".repeat(100));
        assert!(is_woken(&outbox) && outbox.is_over(), "it is to be closed");
        assert_eq!(outbox.take(&mut pending).unwrap_err(), SlowClient { queued: 102, bytes_max: 100 });
    }

    #[test]
    fn nothing_comes_behind_the_last_word() {
        let outbox = Outbox::new(100);
        add(&outbox, "answer ");
        outbox.add_last(|out| out.extend_from_slice(b"goodbye"));
        add(&outbox, " link");
        outbox.add_event(None, |out| out.extend_from_slice(b" event"));
        outbox.add_backlog(|out| out.extend_from_slice(b" backlog"));
        outbox.add_last(|out| out.extend_from_slice(b" again"));
        let mut pending = BytesMut::new();
        outbox.take(&mut pending).unwrap();
        assert_eq!(pending, "answer goodbye");
    }

    #[test]
    fn what_is_too_much_is_not_half_added() {
        let outbox = Outbox::new(10);
        add(&outbox, "12345678");
        add(&outbox, "901");
        assert_eq!(outbox.inner.lock().waiting(), 8);
        assert_eq!(outbox.inner.lock().pieces[0].bytes, "12345678");
    }
}
