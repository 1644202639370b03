//! What a session has still to write: bounded bytes in one order, whoever adds to them.
//!
//! What waits is in pieces: to add to much costs no more than to add to little, however many owe much at a time. What others
//! hear as well is not added: it is in a log, which is followed.
//!
//! Not here: how a socket is written to, frames. Must hold: adding never waits; once a subscription's mark is set here, none of its events is
//! added after it; nothing comes behind the last word, whoever still adds.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::BytesMut;
use parking_lot::{Mutex, MutexGuard};

use super::news::News;
use crate::model::SessionId;
use crate::sessions::{Behind, Following, Span, Subscription, Total};

/// A piece that has so much gets no more.
const PIECE_BYTES: usize = 4 * 1024;
/// Most messages are shorter.
const USUAL_BYTES: usize = 256;
/// By how much a piece grows that has something in it already.
const MORE_BYTES: usize = 1024;
/// What is written at once, or one piece.
const WRITTEN_AT_ONCE: usize = 64 * 1024;
thread_local! {
    /// One a thread: what is written at once is kept nowhere.
    static SCRATCH: RefCell<BytesMut> = RefCell::new(BytesMut::with_capacity(WRITTEN_AT_ONCE));
    /// One a thread: what was written makes room for the next.
    static SPARE: Cell<BytesMut> = Cell::new(BytesMut::new());
    /// The same for the pieces themselves: most connections owe nothing most of the time, and have no room for it.
    static SPARE_PIECES: RefCell<VecDeque<Piece>> = const { RefCell::new(VecDeque::new()) };
}
/// The most room that is spared. Whoever is given it may owe a few bytes for long, and what waits is counted, not its room.
const SPARE_BYTES_MAX: usize = PIECE_BYTES;
/// Room for so many pieces is spared.
const SPARE_PIECES_MAX: usize = 4;

/// What no socket takes for a client that does not read.
const READS_BYTES: usize = 512 * 1024;
/// How many times the bound a backlog may be.
const BACKLOG_MAX: usize = 4;

/// Outbound bytes of one connection.
#[derive(Debug)]
pub struct Outbox {
    inner: Mutex<Inner>,
    /// Something was added or asked that the connection has not looked at.
    news: News,
    bytes_max: usize,
    total: Arc<Total>,
    /// The client does not keep up: nothing more is added.
    is_over: AtomicBool,
    itself: Weak<Outbox>,
}

/// A connection's socket, for whoever has something for it while nothing else waits: that costs less than to wake the
/// connection, which then writes it.
pub trait Socket: Send + Sync + fmt::Debug {
    /// Writes as much as there is room for.
    ///
    /// # Errors
    /// When there is no room at all, or the connection has failed.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;

    /// An event was written that was read from its ACD then.
    fn has_written(&self, read_at: Instant);
}

/// Some of what waits.
#[derive(Debug)]
enum Piece {
    Own {
        /// Whole messages.
        bytes: BytesMut,
        /// When the oldest of its events was read from its ACD.
        oldest: Option<Instant>,
    },
    /// What is kept for others as well.
    Shared(Span),
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Piece::Own { bytes, .. } => bytes.len(),
            Piece::Shared(span) => span.len(),
        }
    }
}

#[derive(Debug, Default)]
struct Inner {
    /// None of them empty but perhaps the last.
    pieces: VecDeque<Piece>,
    /// Behind these the events of a subscription to everything, wherever they end.
    following: Option<Following>,
    /// Where the log may be written to at once.
    socket: Option<Arc<dyn Socket>>,
    /// The bytes of the connection's own pieces.
    own: usize,
    /// The bytes of the shared ones.
    shared: usize,
    /// Bytes that were taken out to be written and are not written yet.
    being_written: usize,
    /// There is something in the log that the connection was not woken for.
    is_asleep: bool,
    /// What of it all is backlog, by which the bound is raised until everything is written.
    backlog: usize,
    /// When the oldest of the events that are being written was read from its ACD.
    oldest_being_written: Option<Instant>,
    /// Boxed: it is there once, and room for it always.
    slow: Option<Box<SlowClient>>,
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
    pub fn new(bytes_max: usize) -> Arc<Outbox> {
        Outbox::sharing(bytes_max, Arc::default())
    }

    /// An empty one in which so many bytes may wait, or less if too many wait together.
    pub fn sharing(bytes_max: usize, total: Arc<Total>) -> Arc<Outbox> {
        Arc::new_cyclic(|itself| Outbox {
            inner: Mutex::default(),
            news: News::default(),
            bytes_max,
            total,
            is_over: AtomicBool::new(false),
            itself: Weak::clone(itself),
        })
    }

    /// Adds what `write` writes. Past the bound nothing is added: the connection ends.
    pub fn add(&self, write: impl FnOnce(&mut BytesMut)) {
        self.change(|inner| inner.add(self, 0, None, write));
    }

    /// Adds the last word: nothing is added after it, and the connection is about to end with all that waits.
    pub fn add_last(&self, write: impl FnOnce(&mut BytesMut)) {
        self.change(|inner| {
            inner.add(self, 0, None, write);
            inner.is_complete = true;
            inner.following = None;
        });
    }

    /// Adds an event that was read from its ACD then.
    pub fn add_event(&self, read_at: Option<Instant>, write: impl FnOnce(&mut BytesMut)) {
        self.change(|inner| inner.add(self, 0, read_at, write));
    }

    /// Adds what may be much at once for no fault of the client's: all that it missed, or how each of its agents stands. The
    /// bound is raised by it until everything is written, to five times itself at most.
    pub fn add_backlog(&self, write: impl FnOnce(&mut BytesMut)) {
        self.change(|inner| inner.add(self, self.bytes_max.saturating_mul(BACKLOG_MAX), None, write));
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
            self.wake();
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
        inner.add(self, 0, read_at, write);
        self.has_changed(inner);
    }

    /// The events of a subscription come from a log from now on, wherever that ends.
    pub fn follow(&self, following: Following) -> bool {
        let mut inner = self.inner.lock();
        let may_follow = inner.following.is_none() && !inner.is_complete;
        if may_follow {
            inner.following = Some(following);
            inner.limit_following(self);
        }
        may_follow
    }

    /// Whoever tells of the log may write it to that socket. Its connection writes there too, but never what it did not take
    /// from here.
    pub fn write_to(&self, socket: Arc<dyn Socket>) {
        self.inner.lock().socket = Some(socket);
    }

    /// There is something in the log: it is written if nothing else waits, else the connection is woken, or falls asleep if it
    /// waits for its client. Whether it is asleep.
    pub fn look(&self) -> bool {
        let mut inner = self.inner.lock();
        inner.is_asleep = inner.being_written > 0;
        if inner.is_asleep {
            return true;
        }
        if !inner.write_log(self) {
            drop(inner);
            self.wake();
        }
        false
    }

    /// Whether the connection is to take what its client has left before it looks into the log again.
    pub fn is_asleep(&self) -> bool {
        self.inner.lock().is_asleep
    }

    /// Whether the client has shown that it reads what it is told of a log: more was written than fits between here and there.
    pub fn has_read(&self) -> bool {
        let inner = self.inner.lock();
        let is_written = inner.own_waiting() == 0 && inner.shared == 0;
        is_written && inner.following.as_ref().is_some_and(|following| following.passed() >= READS_BYTES)
    }

    /// Sets a subscription's mark. None of its events is half added when this returns.
    pub fn end(&self, subscription: &Subscription) {
        let mut inner = self.inner.lock();
        subscription.ended_mark().store(true, Ordering::Release);
        if inner.following.as_ref().is_some_and(|following| following.subscription() == subscription.id) {
            inner.cut_following();
            inner.leave_log(self);
        }
    }

    /// Asks the connection to end because another session takes its place.
    pub fn replace(&self, by: SessionId) {
        self.inner.lock().replaced_by.get_or_insert(by);
        self.wake();
    }

    /// Wakes the connection, for bytes or for something else, unless it is at work: then it looks before it waits.
    pub fn wake(&self) {
        self.news.tell();
    }

    /// The connection is at work, whatever woke it.
    pub fn rise(&self) {
        self.news.rise();
    }

    /// Whether something was added or asked since the connection looked last.
    pub fn take_news(&self) -> bool {
        self.news.take()
    }

    /// Ready when something was added or asked since the connection looked last. There is one who asks: the connection.
    pub fn poll_woken(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.news.poll(cx)
    }

    /// The same, waited for.
    pub async fn woken(&self) {
        poll_fn(|cx| self.poll_woken(cx)).await;
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
        if let Some(slow) = &inner.slow {
            return Err(**slow);
        }
        if bytes_max == 0 {
            return Ok(());
        }
        let was = inner.own_waiting();
        let oldest = inner.take_pieces(bytes_max, pending);
        inner.being_written = pending.len();
        inner.oldest_being_written = inner.oldest_being_written.or(oldest);
        if inner.waiting() == 0 {
            inner.end_backlog(self);
        }
        self.total.changed(was, inner.own_waiting());
        Ok(())
    }

    /// Takes back the room of what is written: the next piece that is begun on this thread has it.
    pub fn spare(mut room: BytesMut) {
        room.clear();
        if (1..=SPARE_BYTES_MAX).contains(&room.capacity()) {
            SPARE.set(room);
        }
    }

    /// So much of what was taken is not written yet. Once all of it is, returns when the oldest of its events was read from
    /// its ACD.
    pub fn still_writing(&self, bytes: usize) -> Option<Instant> {
        let mut inner = self.inner.lock();
        let was = inner.own_waiting();
        inner.being_written = bytes;
        self.total.changed(was, inner.own_waiting());
        if bytes > 0 {
            return None;
        }
        let oldest = inner.oldest_being_written.take();
        if std::mem::take(&mut inner.is_asleep)
            && let Some(awake) = inner.following.as_ref().map(Following::awake)
        {
            drop(inner);
            awake();
            inner = self.inner.lock();
        }
        if inner.waiting() == 0 {
            inner.end_backlog(self);
        } else {
            drop(inner);
            self.wake(); // for what was added meanwhile nobody was woken
        }
        oldest
    }

    /// The connection has ended: nothing is kept for it, nor of a log, whoever still holds this.
    pub fn let_go(&self) {
        let mut inner = self.inner.lock();
        let (was, following) = (inner.own_waiting(), inner.following.take());
        inner.socket = None;
        let pieces = std::mem::take(&mut inner.pieces);
        (inner.own, inner.shared, inner.being_written, inner.is_complete) = (0, 0, 0, true);
        self.total.changed(was, 0);
        drop(inner);
        self.news.let_go();
        drop((following, pieces)); // which may be long
    }

    /// How many bytes wait, those included that are being written.
    pub fn waiting(&self) -> usize {
        self.inner.lock().waiting()
    }
}

/// The log that is followed has got far.
impl Behind for Outbox {
    fn has_reached_limit(&self) {
        let mut inner = self.inner.lock();
        if let Some(following) = &mut inner.following {
            following.has_reached_limit();
            inner.check(self, 0);
            inner.limit_following(self);
        }
        if inner.slow.is_some() {
            self.has_changed(inner);
        }
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.total.changed(self.inner.get_mut().own_waiting(), 0);
    }
}

impl Inner {
    fn waiting(&self) -> usize {
        self.own_waiting() + self.shared + self.following.as_ref().map_or(0, Following::len)
    }

    /// What is kept for this connection alone.
    fn own_waiting(&self) -> usize {
        self.own + self.being_written
    }

    /// Adds, unless nothing is added any more; counts what was added as backlog up to that bound, and takes it back if it is
    /// too much.
    fn add(
        &mut self,
        outbox: &Outbox,
        backlog_max: usize,
        read_at: Option<Instant>,
        write: impl FnOnce(&mut BytesMut),
    ) {
        if self.slow.is_some() || self.is_complete {
            return;
        }
        self.cut_following();
        let was = self.own_waiting();
        let is_full = |piece: &Piece| matches!(piece, Piece::Shared(_)) || piece.len() >= PIECE_BYTES;
        if self.pieces.back().is_none_or(is_full) {
            // The first begins with what room there is and grows as it is needed: most have no other.
            let bytes = if self.pieces.is_empty() { SPARE.take() } else { BytesMut::with_capacity(PIECE_BYTES) };
            if self.pieces.capacity() == 0 {
                SPARE_PIECES.with_borrow_mut(|spare| std::mem::swap(spare, &mut self.pieces));
            }
            self.pieces.push_back(Piece::Own { bytes, oldest: None });
        }
        let Some(Piece::Own { bytes, oldest }) = self.pieces.back_mut() else { return };
        let before = bytes.len();
        if before > 0 && bytes.capacity() - before < USUAL_BYTES {
            bytes.reserve(MORE_BYTES); // who owes two messages may come to owe many
        }
        write(bytes);
        *oldest = oldest.or(read_at);
        let added = bytes.len() - before;
        self.own += added;
        if backlog_max > 0 {
            self.backlog = (self.backlog + added).min(backlog_max);
        }
        self.check(outbox, added);
        if self.slow.is_some() {
            if let Some(Piece::Own { bytes, .. }) = self.pieces.back_mut() {
                bytes.truncate(before);
            }
            self.own -= added;
        }
        outbox.total.changed(was, self.own_waiting());
        self.limit_following(outbox);
    }

    /// Looks whether more waits than may. Of all that waits so much is not counted yet.
    fn check(&mut self, outbox: &Outbox, uncounted: usize) {
        let (queued, bytes_max) = (self.waiting(), self.bytes_max(outbox, uncounted));
        if queued > bytes_max {
            self.slow = Some(Box::new(SlowClient { queued, bytes_max }));
            self.following = None;
        }
    }

    fn bytes_max(&self, outbox: &Outbox, uncounted: usize) -> usize {
        let of_its_own = outbox.bytes_max + self.backlog;
        outbox.total.share_with(uncounted).map_or(of_its_own, |share| share.min(of_its_own))
    }

    /// All of it is written: the bound is as it was.
    fn end_backlog(&mut self, outbox: &Outbox) {
        if std::mem::take(&mut self.backlog) > 0 {
            self.limit_following(outbox);
        }
    }

    /// Writes what the log has, if nothing is before it. Whether there is nothing left for the connection to do.
    fn write_log(&mut self, outbox: &Outbox) -> bool {
        let (Some(socket), Some(following)) = (&self.socket, &mut self.following) else { return false };
        if !self.pieces.is_empty() || following.is_empty() {
            return self.pieces.is_empty();
        }
        let (bytes, oldest) = SCRATCH.with_borrow_mut(|scratch| {
            scratch.clear();
            let oldest = following.take(WRITTEN_AT_ONCE, scratch);
            // What has failed the connection sees when it writes the rest.
            let written = socket.try_write(scratch).unwrap_or(0);
            (BytesMut::from(&scratch[written..]), oldest)
        });
        if bytes.is_empty() {
            oldest.into_iter().for_each(|oldest| socket.has_written(oldest));
            return following.is_empty();
        }
        let was = self.own_waiting();
        self.own += bytes.len();
        self.pieces.push_back(Piece::Own { bytes, oldest });
        outbox.total.changed(was, self.own_waiting());
        self.limit_following(outbox);
        false
    }

    /// What the log has so far stays before what is added now.
    fn cut_following(&mut self) {
        if let Some(span) = self.following.as_mut().and_then(Following::cut) {
            self.shared += span.len();
            self.pieces.push_back(Piece::Shared(span));
        }
    }

    /// Nothing more comes from the log, and what came is the connection's own: else it would keep all that the log gets.
    fn leave_log(&mut self, outbox: &Outbox) {
        let was = self.own_waiting();
        for piece in &mut self.pieces {
            if let Piece::Shared(span) = piece {
                let mut bytes = BytesMut::with_capacity(span.len());
                let oldest = span.take(usize::MAX, &mut bytes);
                (self.own, self.shared) = (self.own + bytes.len(), self.shared - bytes.len());
                *piece = Piece::Own { bytes, oldest };
            }
        }
        self.following = None;
        outbox.total.changed(was, self.own_waiting());
    }

    /// The log may have so much more than what waits besides.
    fn limit_following(&mut self, outbox: &Outbox) {
        let bytes_max = self.bytes_max(outbox, 0);
        let besides = self.own_waiting() + self.shared;
        if let Some(following) = &mut self.following {
            following.allow(bytes_max.saturating_sub(besides), outbox.itself.clone());
        }
    }

    /// Gives the room of the pieces away: to whoever needs some next on this thread, if that has none to spare.
    fn spare_pieces(&mut self) {
        SPARE_PIECES.with_borrow_mut(|spare| {
            if spare.capacity() == 0 && self.pieces.capacity() <= SPARE_PIECES_MAX {
                std::mem::swap(spare, &mut self.pieces);
            } else {
                self.pieces = VecDeque::new();
            }
        });
    }

    /// Moves so many bytes at most into `pending`, but one piece or event at the least. Gives when the oldest of their events
    /// was read.
    fn take_pieces(&mut self, bytes_max: usize, pending: &mut BytesMut) -> Option<Instant> {
        let (before, mut first) = (pending.len(), None);
        loop {
            let taken = pending.len() - before;
            let room = bytes_max.saturating_sub(taken);
            let oldest = match self.pieces.front_mut() {
                Some(Piece::Own { bytes, .. }) if taken > 0 && bytes.len() > room => break,
                Some(Piece::Own { bytes, oldest }) => {
                    self.own -= bytes.len();
                    match pending.is_empty() {
                        true => *pending = std::mem::take(bytes),
                        false => pending.extend_from_slice(bytes),
                    }
                    let oldest = *oldest;
                    self.pieces.pop_front();
                    oldest
                }
                Some(Piece::Shared(_)) if room == 0 => break,
                Some(Piece::Shared(span)) => {
                    let was = span.len();
                    let oldest = span.take(room, pending);
                    self.shared -= was - span.len();
                    if span.is_empty() {
                        self.pieces.pop_front();
                    }
                    oldest
                }
                None => {
                    let following = self.following.as_mut().filter(|_| room > 0);
                    first = first.or(following.and_then(|following| following.take(room, pending)));
                    break;
                }
            };
            first = first.or(oldest);
        }
        if self.pieces.is_empty() {
            self.spare_pieces();
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn add(outbox: &Outbox, text: &str) {
        outbox.add(|out| out.extend_from_slice(text.as_bytes()));
    }

    fn is_woken(outbox: &Outbox) -> bool {
        outbox.poll_woken(&mut Context::from_waker(Waker::noop())).is_ready()
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
        let mut left = BytesMut::new();
        outbox.inner.lock().take_pieces(usize::MAX, &mut left);
        assert_eq!(left, "12345678");
    }
}
