//! What those who do not keep up are still to be told: kept once for all of them, and read by each at its own pace.
//!
//! Not here: who does not keep up (`followers`), and what else waits for each. Must hold: to add to a log costs the same
//! however many follow it; an event is kept only until everybody has read the next one; who follows is told when it is
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
    last: Arc<Entry>,
    /// Where the log has to end for each who follows to be too far behind.
    limits: BTreeMap<(usize, u64), Weak<dyn Behind>>,
}

/// One event, and the way to the next.
struct Entry {
    bytes: Bytes,
    read_at: Option<Instant>,
    /// Where it ends in the log.
    end: usize,
    next: OnceLock<Arc<Entry>>,
    total: Arc<Total>,
}

/// Somebody who follows by a log.
pub trait Behind: Send + Sync + fmt::Debug {
    /// It may be further behind than it may: has a look.
    fn look(&self);
}

impl Log {
    pub(super) fn new(total: &Arc<Total>) -> Arc<Log> {
        let last = Arc::new(Entry {
            bytes: Bytes::new(),
            read_at: None,
            end: 0,
            next: OnceLock::new(),
            total: Arc::clone(total),
        });
        let tail = Mutex::new(Tail { last, limits: BTreeMap::new() });
        Arc::new(Log { tail, end: AtomicUsize::new(0), total: Arc::clone(total) })
    }

    /// Adds an event.
    pub(super) fn add(&self, bytes: &Bytes, read_at: Option<Instant>) {
        self.total.changed(0, bytes.len());
        let too_far_behind = {
            let mut tail = self.tail.lock();
            let end = tail.last.end + bytes.len();
            let (bytes, total) = (bytes.clone(), Arc::clone(&self.total));
            let entry = Arc::new(Entry { bytes, read_at, end, next: OnceLock::new(), total });
            let _ = tail.last.next.set(Arc::clone(&entry)); // the last one has no next
            tail.last = entry;
            self.end.store(end, Ordering::Release);
            let within = match self.total.share_with(0) {
                None => tail.limits.split_off(&(end, 0)),
                Some(_) => BTreeMap::new(), // each is allowed less than it was
            };
            std::mem::replace(&mut tail.limits, within)
        };
        for whose in too_far_behind.into_values().filter_map(|whose| whose.upgrade()) {
            whose.look();
        }
    }
}

/// A place in a log, and what of it is to be read.
#[derive(Debug)]
pub struct Span {
    /// The last entry that was read.
    at: Arc<Entry>,
    until: usize,
}

impl Span {
    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.until - self.at.end
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

fn take(at: &mut Arc<Entry>, until: usize, bytes_max: usize, out: &mut BytesMut) -> Option<Instant> {
    let (end, mut oldest) = (at.end.saturating_add(bytes_max), None);
    while at.end < until
        && at.end < end
        && let Some(next) = at.next.get()
    {
        out.extend_from_slice(&next.bytes);
        oldest = oldest.or(next.read_at);
        *at = Arc::clone(next);
    }
    oldest
}

/// Somebody's following of a log, from a place in it to wherever it ends.
#[derive(Debug)]
pub struct Following {
    /// The subscription that it is for.
    pub(super) subscription: u64,
    log: Arc<Log>,
    at: Arc<Entry>,
    /// The limit that the log knows.
    limit: usize,
    followers: Weak<Followers>,
}

impl Following {
    /// From the end of the log on.
    pub(super) fn begin(log: &Arc<Log>, subscription: u64, followers: Weak<Followers>) -> Following {
        let at = Arc::clone(&log.tail.lock().last);
        Following { subscription, log: Arc::clone(log), limit: at.end, at, followers }
    }

    /// The subscription that it is for.
    pub fn subscription(&self) -> u64 {
        self.subscription
    }

    /// How many bytes are still to be read.
    pub fn len(&self) -> usize {
        self.log.end.load(Ordering::Acquire).saturating_sub(self.at.end)
    }

    /// Whether all of the log was read.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As [`Span::take`].
    pub fn take(&mut self, bytes_max: usize, out: &mut BytesMut) -> Option<Instant> {
        take(&mut self.at, usize::MAX, bytes_max, out)
    }

    /// Cuts off what there is until now, if anything: what follows begins behind it.
    pub fn cut(&mut self) -> Option<Span> {
        let last = Arc::clone(&self.log.tail.lock().last);
        let until = last.end;
        let at = std::mem::replace(&mut self.at, last);
        (at.end < until).then_some(Span { at, until })
    }

    /// Whoever follows has a look when it is further behind than so many bytes.
    pub fn allow(&mut self, bytes: usize, whose: Weak<dyn Behind>) {
        let mut tail = self.log.tail.lock();
        tail.limits.remove(&(self.limit, self.subscription));
        self.limit = self.at.end.saturating_add(bytes);
        tail.limits.insert((self.limit, self.subscription), whose);
    }

    /// All was read and sent: so the subscription keeps up again. To be called without a lock.
    pub fn has_caught_up(&self) -> impl FnOnce() + use<> {
        let (followers, subscription) = (Weak::clone(&self.followers), self.subscription);
        move || {
            if let Some(followers) = followers.upgrade() {
                followers.keeps_up(subscription);
            }
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.log.tail.lock().limits.remove(&(self.limit, self.subscription));
    }
}

impl Drop for Entry {
    /// One after the other: each in its next one's drop would need a stack as long as the log.
    fn drop(&mut self) {
        self.total.changed(self.bytes.len(), 0);
        let mut next = self.next.take();
        while let Some(mut entry) = next.and_then(Arc::into_inner) {
            next = entry.next.take();
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "until {}", self.end)
    }
}
