//! The bell for each request that a rate makes due.
//!
//! A thread of its own, because the runtime's timers are good to a millisecond only: as latencies count from when a
//! request was due, that would be the greater part of what is measured. Not here: when a request is due (`schedule`).

use std::thread;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::schedule::Schedule;

/// One bell a desk.
#[derive(Debug)]
pub(super) struct Bells(Vec<Notify>);

impl Bells {
    pub(super) fn new(desks: u32) -> Bells {
        Bells((0..desks).map(|_| Notify::new()).collect())
    }

    /// Waits until the desk's bell may have rung for a request: it rings once at least after each time it became due.
    pub(super) async fn rung(&self, desk: u32) {
        match self.0.get(desk as usize) {
            Some(bell) => bell.notified().await,
            None => std::future::pending().await,
        }
    }

    /// Rings for every request of the schedule, which is that of a single desk that sends all; returns when that is over.
    pub(super) fn ring_all(&self, mut all: Schedule) {
        let mut bells = self.0.iter().cycle();
        // The time does not run here: what is late is rung for all the same.
        while let (Some(due), Some(bell)) = (all.next_due(all.start()), bells.next()) {
            let early = due.saturating_duration_since(Instant::now());
            if !early.is_zero() {
                thread::sleep(early);
            }
            bell.notify_one();
            all.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn every_desk_is_rung_for_and_never_early() {
        let (bells, start) = (Arc::new(Bells::new(3)), Instant::now());
        let ringing = {
            let (bells, all) = (Arc::clone(&bells), Schedule::new(start, Duration::from_millis(30), 100.0, 0, 1));
            thread::spawn(move || bells.ring_all(all))
        };
        for desk in 0..3 {
            bells.rung(desk).await;
            assert!(start.elapsed() >= Duration::from_millis(10) * desk, "{desk}");
        }
        ringing.join().unwrap();
    }
}
