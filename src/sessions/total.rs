//! How many bytes wait to be sent, of all connections together.
//!
//! Not here: whose they are. Must hold: what is kept once for several is counted once for all who share a log.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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

impl Default for Total {
    fn default() -> Total {
        Total {
            bytes: AtomicUsize::new(0),
            bytes_max: AtomicUsize::new(usize::MAX),
            share: AtomicUsize::new(usize::MAX),
        }
    }
}

impl Total {
    /// So many bytes, among so many connections.
    pub fn new(bytes_max: usize, connections_max: usize) -> Arc<Total> {
        let total = Total::default();
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

    /// What each connection may owe at most, if so many more would be too many.
    pub fn share_with(&self, more: usize) -> Option<usize> {
        let is_over = self.bytes().saturating_add(more) > self.bytes_max.load(Ordering::Relaxed);
        is_over.then(|| self.share.load(Ordering::Relaxed))
    }

    /// Where so many waited, so many do.
    pub fn changed(&self, was: usize, now: usize) {
        if now >= was {
            self.bytes.fetch_add(now - was, Ordering::Relaxed);
        } else {
            self.bytes.fetch_sub(was - now, Ordering::Relaxed);
        }
    }
}
