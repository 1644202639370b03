//! When each connection is told that the gateway stops.
//!
//! Not here: how it is told. Must hold: every connection is told before the time is over; no two are told at once unless there
//! is no time.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The order of goodbyes.
#[derive(Debug)]
pub(super) struct Goodbyes {
    /// Cancelled when the gateway stops.
    pub(super) stopping: CancellationToken,
    /// Cancelled when there is no more time for goodbyes.
    pub(super) cutting: CancellationToken,
    is_cut: AtomicBool,
    spread: Duration,
    begun: OnceLock<(Instant, Duration)>,
    next: AtomicU32,
}

impl Goodbyes {
    pub(super) fn new(spread: Duration) -> Goodbyes {
        Goodbyes {
            stopping: CancellationToken::new(),
            cutting: CancellationToken::new(),
            is_cut: AtomicBool::new(false),
            spread,
            begun: OnceLock::new(),
            next: AtomicU32::new(0),
        }
    }

    /// The gateway stops, with so many connections. Each looks whether this was so when it is woken next.
    pub(super) fn begin(&self, connections: usize) {
        let connections = u32::try_from(connections).unwrap_or(u32::MAX).max(1);
        let _once = self.begun.set((Instant::now(), self.spread / connections));
        self.stopping.cancel();
    }

    /// Whether it stops. Costs a connection next to nothing to ask.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.get().is_some()
    }

    /// The time is over: each connection ends as soon as it is woken.
    pub(super) fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
        self.cutting.cancel();
    }

    /// Whether it is.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::Acquire)
    }

    /// Over how long they are spread.
    pub(super) fn spread(&self) -> Duration {
        self.spread
    }

    /// When a connection that has heard of the stop is to say goodbye; asked once by each.
    pub(super) fn turn(&self) -> Instant {
        let Some((begun, pause)) = self.begun.get() else { return Instant::now() };
        let turn = pause.saturating_mul(self.next.fetch_add(1, Ordering::Relaxed));
        *begun + turn.min(self.spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_has_a_moment_of_its_own_and_the_last_is_in_time() {
        let goodbyes = Goodbyes::new(Duration::from_secs(3));
        let start = Instant::now();
        goodbyes.begin(300);
        let turns: Vec<Duration> = (0..300).map(|_| goodbyes.turn() - start).collect();
        assert!(turns.windows(2).all(|two| two[1] - two[0] == Duration::from_millis(10)), "{turns:?}");
        assert_eq!((turns[0], turns[299]), (Duration::ZERO, Duration::from_millis(2_990)));
        assert_eq!(goodbyes.turn() - start, Duration::from_secs(3), "one that was not counted is not left out");
    }

    #[tokio::test(start_paused = true)]
    async fn without_time_all_are_told_at_once() {
        let goodbyes = Goodbyes::new(Duration::ZERO);
        goodbyes.begin(10_000);
        assert!((0..10_000).all(|_| goodbyes.turn() == Instant::now()));
    }
}
