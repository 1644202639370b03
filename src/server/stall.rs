//! Whether a client takes anything of what waits for it.
//!
//! Not here: how much may wait (the outbox). Must hold: a client that takes anything at all in time is none that has stalled.

use std::time::{Duration, Instant};

use crate::dialects::CloseReason;

/// Looks at how much was written.
#[derive(Debug, Default)]
pub(super) struct Stall {
    written: u64,
    /// Since when something waits of which nothing was taken.
    since: Option<Instant>,
}

impl Stall {
    /// So much was written up to now, and so much waits.
    pub(super) fn look(&mut self, now: impl FnOnce() -> Instant, written: u64, left: usize) {
        let has_moved = std::mem::replace(&mut self.written, written) != written;
        self.since = match self.since {
            _ if left == 0 => None,
            Some(since) if !has_moved => Some(since),
            _ => Some(now()),
        };
    }

    /// When the patience with it is over.
    pub(super) fn deadline(&self, patience: Duration) -> Option<Instant> {
        self.since.map(|since| since + patience)
    }

    /// Ends the connection, for which so much waits, if it is.
    pub(super) fn check(&self, now: Instant, patience: Duration, left: usize) -> Result<(), CloseReason> {
        match self.deadline(patience) {
            Some(deadline) if now >= deadline => Err(CloseReason::Stalled { waited: patience, bytes: left }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(8);

    #[test]
    fn a_client_that_takes_a_byte_now_and_then_has_not_stalled() {
        let (start, mut stall) = (Instant::now(), Stall::default());
        for second in 0..60 {
            let now = start + Duration::from_secs(second);
            stall.check(now, PATIENCE, 1_000).unwrap();
            stall.look(|| now, second / 5, 1_000);
        }
    }

    #[test]
    fn a_client_that_takes_nothing_is_given_its_time_and_no_more() {
        let (start, mut stall) = (Instant::now(), Stall::default());
        stall.look(|| start, 10, 500);
        for second in 0..8 {
            let now = start + Duration::from_secs(second);
            stall.check(now, PATIENCE, 500).unwrap();
            stall.look(|| now, 10, 500 + 100 * second as usize); // more waits, and nothing is taken
        }
        let reason = stall.check(start + PATIENCE, PATIENCE, 1_200).unwrap_err();
        assert!(matches!(reason, CloseReason::Stalled { waited: PATIENCE, bytes: 1_200 }), "{reason}");
    }

    #[test]
    fn for_a_client_for_whom_nothing_waits_nobody_waits() {
        let (start, mut stall) = (Instant::now(), Stall::default());
        stall.look(|| start, 10, 500);
        stall.look(|| start + Duration::from_secs(1), 510, 0);
        assert_eq!(stall.deadline(PATIENCE), None);
        stall.check(start + Duration::from_secs(1_000), PATIENCE, 0).unwrap();
    }
}
