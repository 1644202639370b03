//! What a session has still to write: bounded bytes in one order, whoever adds to them.
//!
//! Not here: sockets, frames. Must hold: adding never waits; once a subscription's mark is set here, none of its events is
//! added after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use bytes::BytesMut;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::model::SessionId;

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
    bytes_max: usize,
    share: usize,
}

impl Total {
    /// So many bytes, among so many connections.
    pub fn new(bytes_max: usize, connections_max: usize) -> Arc<Total> {
        Arc::new(Total { bytes: AtomicUsize::new(0), bytes_max, share: bytes_max / connections_max.max(1) })
    }

    /// How many wait.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// What one connection of which so many bytes wait, once they do, may owe at most.
    fn allowed(&self, was: usize, now: usize) -> Option<usize> {
        let others = self.bytes().saturating_sub(was);
        (others.saturating_add(now) > self.bytes_max).then_some(self.share)
    }

    fn changed(&self, was: usize, now: usize) {
        if now >= was {
            self.bytes.fetch_add(now - was, Ordering::Relaxed);
        } else {
            self.bytes.fetch_sub(was - now, Ordering::Relaxed);
        }
    }
}

#[derive(Debug, Default)]
struct Inner {
    bytes: BytesMut,
    /// Bytes that were taken out to be written and are not written yet.
    being_written: usize,
    /// What of it all is backlog, by which the bound is raised until everything is written.
    backlog: usize,
    /// When the oldest of the events in `bytes` was read from its ACD, and of those that are being written.
    oldest: Option<Instant>,
    oldest_being_written: Option<Instant>,
    slow: Option<SlowClient>,
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

    /// Moves what waits into `pending`, of which `pending`'s present bytes are not written yet. Fails once too much waited.
    pub fn take(&self, pending: &mut BytesMut) -> Result<(), SlowClient> {
        let mut inner = self.inner.lock();
        if let Some(slow) = inner.slow {
            return Err(slow);
        }
        let was = inner.waiting();
        if pending.is_empty() {
            *pending = std::mem::take(&mut inner.bytes);
        } else {
            let bytes = std::mem::take(&mut inner.bytes);
            pending.extend_from_slice(&bytes);
        }
        inner.being_written = pending.len();
        let oldest = inner.oldest.take();
        inner.oldest_being_written = inner.oldest_being_written.or(oldest);
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
        if bytes == 0 && inner.bytes.is_empty() {
            inner.backlog = 0;
        }
        if bytes > 0 {
            return None;
        }
        let oldest = inner.oldest_being_written.take();
        if !inner.bytes.is_empty() {
            drop(inner);
            self.wake.notify_one(); // for what was added meanwhile nobody was woken
        }
        oldest
    }

    /// How many bytes wait, those included that are being written.
    pub fn waiting(&self) -> usize {
        let inner = self.inner.lock();
        inner.bytes.len() + inner.being_written
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.total.changed(self.inner.get_mut().waiting(), 0);
    }
}

impl Inner {
    fn waiting(&self) -> usize {
        self.bytes.len() + self.being_written
    }

    fn add(&mut self, bytes_max: usize, total: &Total, write: impl FnOnce(&mut BytesMut)) {
        if self.slow.is_some() {
            return;
        }
        let before = self.bytes.len();
        write(&mut self.bytes);
        self.check(bytes_max, total, before);
    }

    fn add_event(
        &mut self,
        bytes_max: usize,
        total: &Total,
        read_at: Option<Instant>,
        write: impl FnOnce(&mut BytesMut),
    ) {
        self.oldest = self.oldest.or(read_at);
        self.add(bytes_max, total, write);
    }

    fn add_backlog(&mut self, bytes_max: usize, total: &Total, write: impl FnOnce(&mut BytesMut)) {
        if self.slow.is_some() {
            return;
        }
        let before = self.bytes.len();
        write(&mut self.bytes);
        self.backlog = (self.backlog + self.bytes.len() - before).min(bytes_max * BACKLOG_MAX);
        self.check(bytes_max, total, before);
    }

    /// Takes back what was added if that is too much.
    fn check(&mut self, bytes_max: usize, total: &Total, before: usize) {
        let (was, queued) = (before + self.being_written, self.waiting());
        let of_its_own = bytes_max + self.backlog;
        let bytes_max = total.allowed(was, queued).map_or(of_its_own, |share| share.min(of_its_own));
        if queued > bytes_max {
            self.bytes.truncate(before);
            self.slow = Some(SlowClient { queued, bytes_max });
        } else {
            total.changed(was, queued);
        }
    }
}
