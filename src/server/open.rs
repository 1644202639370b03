//! The connections that are open at one listener, and what waits for each. Not here: what is done when too much does.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::dialects::Outbox;

/// Which connections are open.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenConnections(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    outboxes: HashMap<u64, Arc<Outbox>>,
    /// How many there ever were.
    made: u64,
}

/// One of them: it is open until this is dropped.
#[derive(Debug)]
pub(super) struct Open {
    place: u64,
    all: OpenConnections,
}

/// What waits for all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) connections: usize,
    pub(super) bytes: usize,
    /// For the one for which most waits.
    pub(super) bytes_max: usize,
}

impl OpenConnections {
    pub(super) fn add(&self, outbox: Arc<Outbox>) -> Open {
        let mut known = self.0.lock();
        known.made += 1;
        let place = known.made;
        known.outboxes.insert(place, outbox);
        Open { place, all: self.clone() }
    }

    /// Wakes all of them.
    pub(super) fn wake(&self) {
        self.all().iter().for_each(|outbox| outbox.wake());
    }

    pub(super) fn waiting(&self) -> Waiting {
        self.all().iter().fold(Waiting::default(), |sum, outbox| {
            let bytes = outbox.waiting();
            Waiting { connections: sum.connections + 1, bytes: sum.bytes + bytes, bytes_max: sum.bytes_max.max(bytes) }
        })
    }

    /// Whoever adds to an outbox must not wait for all the others to be looked at, nor who connects.
    fn all(&self) -> Vec<Arc<Outbox>> {
        self.0.lock().outboxes.values().cloned().collect()
    }
}

impl Drop for Open {
    /// However it ends: an outbox that is kept by who still has something to say would keep the socket open.
    fn drop(&mut self) {
        let ended = self.all.0.lock().outboxes.remove(&self.place);
        ended.into_iter().for_each(|outbox| outbox.let_go());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As it is when the task of a connection panics while a command still has its answer to give.
    #[test]
    fn whoever_holds_an_outbox_keeps_nothing_of_a_connection_that_has_ended() {
        let (all, outbox) = (OpenConnections::default(), Outbox::new(100));
        let open = all.add(Arc::clone(&outbox));
        outbox.add(|out| out.extend_from_slice(b"an answer"));
        assert_eq!(all.waiting(), Waiting { connections: 1, bytes: 9, bytes_max: 9 });
        drop(open);
        outbox.add(|out| out.extend_from_slice(b"another"));
        assert_eq!((outbox.waiting(), all.waiting()), (0, Waiting::default()));
    }
}
