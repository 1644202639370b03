//! What those who follow everything are still to be told: kept once for all of them, and read by each at its own pace.
//!
//! Not here: who follows (`followers`), and what else waits for each. Must hold: to add to a log costs the same
//! however many follow it; an event is kept only until everybody has read it; who follows is told when it is
//! further behind than it may be.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;

use super::Total;
use super::followers::Followers;

/// Events in one form, for those who want the same of them.
#[derive(Debug)]
pub struct Log {
    tail: Mutex<Tail>,
    /// Where it ends, counted in bytes from its beginning.
    end: AtomicUsize,
    total: Arc<Total>,
}

#[derive(Debug)]
struct Tail {
    last: Arc<Position>,
    /// Where the log has to end for each who follows to be too far behind.
    limits: BTreeMap<(usize, u64), Weak<dyn Behind>>,
}

/// A position between two events, or behind the last. Nothing leads back: what everybody has passed is gone.
struct Position {
    /// How far it is from the beginning.
    at: usize,
    next: OnceLock<Entry>,
    total: Arc<Total>,
}

/// An event.
struct Entry {
    bytes: Bytes,
    read_at: Option<Instant>,
    behind: Arc<Position>,
}

/// Somebody who follows by a log.
pub trait Behind: Send + Sync + fmt::Debug {
    /// It may be further behind than it may. So it is, or another limit is to be set.
    fn has_reached_limit(&self);
}

impl Log {
    pub(super) fn new(total: &Arc<Total>) -> Arc<Log> {
        let last = Position::new(0, total);
        let tail = Mutex::new(Tail { last, limits: BTreeMap::new() });
        Arc::new(Log { tail, end: AtomicUsize::new(0), total: Arc::clone(total) })
    }

    /// Adds an event.
    pub(super) fn add(&self, bytes: &Bytes, read_at: Option<Instant>) {
        self.total.changed(0, bytes.len());
        let too_far_behind = {
            let mut tail = self.tail.lock();
            let end = tail.last.at + bytes.len();
            let behind = Position::new(end, &self.total);
            let before = std::mem::replace(&mut tail.last, Arc::clone(&behind));
            let _ = before.next.set(Entry { bytes: bytes.clone(), read_at, behind }); // the last position has no next
            self.end.store(end, Ordering::Release);
            let within = match self.total.share_with(0) {
                None => tail.limits.split_off(&(end, 0)),
                Some(_) => BTreeMap::new(), // each is allowed less than it was
            };
            std::mem::replace(&mut tail.limits, within)
        };
        for whose in too_far_behind.into_values().filter_map(|whose| whose.upgrade()) {
            whose.has_reached_limit();
        }
    }
}

/// A place in a log, and what of it is to be read.
#[derive(Debug)]
pub struct Span {
    at: Arc<Position>,
    until: usize,
}

impl Span {
    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.until - self.at.at
    }

    /// Whether all of it was read.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes whole events, one at the least and not many more than so many bytes. Gives when the first was read from its ACD.
    pub fn take(&mut self, bytes_max: usize, out: &mut BytesMut) -> Option<Instant> {
        take(&mut self.at, self.until, bytes_max, out)
    }
}

fn take(at: &mut Arc<Position>, until: usize, bytes_max: usize, out: &mut BytesMut) -> Option<Instant> {
    let (end, mut oldest) = (at.at.saturating_add(bytes_max), None);
    // Held once it is known how far: many read the same at a time, and each step would be one more count for all of them.
    let mut passed: &Arc<Position> = at;
    while passed.at < until
        && passed.at < end
        && let Some(event) = passed.next.get()
    {
        out.extend_from_slice(&event.bytes);
        oldest = oldest.or(event.read_at);
        passed = &event.behind;
    }
    let passed = Arc::clone(passed);
    *at = passed;
    oldest
}

/// Somebody's following of a log, from a place in it to wherever it ends.
#[derive(Debug)]
pub struct Following {
    subscription: u64,
    log: Arc<Log>,
    at: Arc<Position>,
    began: usize,
    /// The limit that the log knows, unless it was reached.
    limit: usize,
    is_limited: bool,
    followers: Weak<Followers>,
}

impl Following {
    /// From the end of the log on.
    pub(super) fn begin(log: &Arc<Log>, subscription: u64, followers: Weak<Followers>) -> Following {
        let at = Arc::clone(&log.tail.lock().last);
        let (log, began) = (Arc::clone(log), at.at);
        Following { subscription, log, began, limit: began, is_limited: false, at, followers }
    }

    /// The subscription that it is for.
    pub fn subscription(&self) -> u64 {
        self.subscription
    }

    /// How many bytes are still to be read.
    pub fn len(&self) -> usize {
        self.log.end.load(Ordering::Acquire).saturating_sub(self.at.at)
    }

    /// Whether all of the log was read.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes were read since the beginning.
    pub fn passed(&self) -> usize {
        self.at.at - self.began
    }

    /// As [`Span::take`].
    pub fn take(&mut self, bytes_max: usize, out: &mut BytesMut) -> Option<Instant> {
        take(&mut self.at, usize::MAX, bytes_max, out)
    }

    /// Cuts off what there is until now, if anything: what follows begins behind it.
    pub fn cut(&mut self) -> Option<Span> {
        if self.is_empty() {
            return None;
        }
        let last = Arc::clone(&self.log.tail.lock().last);
        let until = last.at;
        let at = std::mem::replace(&mut self.at, last);
        (at.at < until).then_some(Span { at, until })
    }

    /// Whoever follows has a look when it is further behind than so many bytes, or sooner.
    pub fn allow(&mut self, bytes: usize, whose: Weak<dyn Behind>) {
        let limit = self.at.at.saturating_add(bytes);
        if limit < self.limit || !self.is_limited {
            let mut tail = self.log.tail.lock();
            tail.limits.remove(&(self.limit, self.subscription));
            tail.limits.insert((limit, self.subscription), whose);
            (self.limit, self.is_limited) = (limit, true);
        }
    }

    /// The limit was reached: another one is to be set.
    pub fn has_reached_limit(&mut self) {
        self.is_limited = false;
    }

    /// Who follows is awake, and is to be told again that there is something. What this gives is to be called without a lock.
    pub fn awake(&self) -> impl FnOnce() + use<> {
        let (followers, subscription) = (Weak::clone(&self.followers), self.subscription);
        move || {
            if let Some(followers) = followers.upgrade() {
                followers.is_awake(subscription);
            }
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.log.tail.lock().limits.remove(&(self.limit, self.subscription));
    }
}

impl Position {
    fn new(at: usize, total: &Arc<Total>) -> Arc<Position> {
        Arc::new(Position { at, next: OnceLock::new(), total: Arc::clone(total) })
    }
}

impl Drop for Position {
    /// One after the other: each in the drop of the one before would need a stack as long as the log.
    fn drop(&mut self) {
        let mut next = self.next.take();
        while let Some(Entry { bytes, behind, .. }) = next {
            self.total.changed(bytes.len(), 0);
            next = Arc::into_inner(behind).and_then(|mut position| position.next.take());
        }
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}", self.at)
    }
}
