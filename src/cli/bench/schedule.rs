//! When which desktop asks for what: evenly spread over all of them, or as fast as answers come.
//!
//! Not here: clocks that run; a schedule is arithmetic.

use std::time::Duration;

use cti_protocol::ged188::codes::AgentState;
use tokio::time::Instant;

use super::watch::Kind;

/// One desktop's share of the requests.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    start: Instant,
    end: Instant,
    /// None: as fast as answers come.
    pace: Option<Pace>,
    sent: u64,
    step: usize,
}

#[derive(Debug, Clone, Copy)]
struct Pace {
    /// Requests a second, of all desktops.
    rate: f64,
    desktop: u64,
    desktops: u64,
}

/// A request of the cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    State { state: AgentState, reason: u16 },
    Query,
}

impl Step {
    pub(super) fn kind(self) -> Kind {
        match self {
            Step::Query => Kind::Query,
            Step::State { state: AgentState::AGENT_STATE_AVAILABLE, .. } => Kind::Ready,
            Step::State { .. } => Kind::NotReady,
        }
    }
}

impl Schedule {
    /// The share of desktop number `desktop` of `desktops`; a rate of 0 is as fast as answers come.
    pub(super) fn new(start: Instant, duration: Duration, rate: f64, desktop: u32, desktops: u32) -> Schedule {
        let (desktop, desktops) = (u64::from(desktop), u64::from(desktops));
        let pace = (rate > 0.0).then_some(Pace { rate, desktop, desktops });
        // Neighbours begin at different places of the cycle, so that all kinds come all the time.
        let step = usize::try_from(desktop).unwrap_or(0) % CYCLE;
        Schedule { start, end: start + duration, pace, sent: 0, step }
    }

    /// When the next request is due, none when no more are; what was due and not sent is then [`Schedule::not_sent`].
    pub(super) fn next_due(&self, now: Instant) -> Option<Instant> {
        let due = match self.pace {
            None => now.max(self.start),
            Some(pace) => self.start + pace.offset(self.sent),
        };
        (now < self.end && due < self.end).then_some(due)
    }

    /// The beginning of the time.
    pub(super) fn start(&self) -> Instant {
        self.start
    }

    /// Whether requests are due at times of their own.
    pub(super) fn has_pace(&self) -> bool {
        self.pace.is_some()
    }

    /// The end of the time, when a desktop without anything due may go on.
    pub(super) fn end(&self) -> Instant {
        self.end
    }

    /// Takes the next request of the cycle.
    pub(super) fn take(&mut self) -> Step {
        let step = match self.step % CYCLE {
            0 => Step::State { state: AgentState::AGENT_STATE_AVAILABLE, reason: 0 },
            1 => Step::Query,
            _ => {
                let reason = u16::try_from((self.step / CYCLE) % REASONS + 1).unwrap_or(1);
                Step::State { state: AgentState::AGENT_STATE_NOT_READY, reason }
            }
        };
        self.step += 1;
        self.sent += 1;
        step
    }

    /// How many requests of this desktop were due before the end and not sent.
    pub(super) fn not_sent(&self) -> u64 {
        let Some(pace) = self.pace else { return 0 };
        let mut due = self.sent;
        let duration = self.end - self.start;
        // The first one that is not due, by the same arithmetic as next_due; the guess is off by one at most.
        let guess = (duration.as_secs_f64() * pace.rate - pace.desktop as f64) / pace.desktops as f64;
        due = due.max((guess as u64).saturating_sub(1));
        while pace.offset(due) < duration {
            due += 1;
        }
        due - self.sent
    }
}

impl Pace {
    /// Request number `n` of this desktop, counted from the start: the desktops take turns.
    fn offset(self, n: u64) -> Duration {
        let turn = n.saturating_mul(self.desktops).saturating_add(self.desktop);
        Duration::try_from_secs_f64(turn as f64 / self.rate).unwrap_or(Duration::MAX / 4)
    }
}

/// Ready, query, not ready.
const CYCLE: usize = 3;
/// Reason codes 1 to 9, in turn.
const REASONS: usize = 9;

#[cfg(test)]
mod tests {
    use super::*;

    fn due_times(rate: f64, desktops: u32, seconds: u64) -> Vec<Duration> {
        let start = Instant::now();
        let mut all = Vec::new();
        for desktop in 0..desktops {
            let mut schedule = Schedule::new(start, Duration::from_secs(seconds), rate, desktop, desktops);
            while let Some(due) = schedule.next_due(start) {
                all.push(due - start);
                schedule.take();
            }
            assert_eq!(schedule.not_sent(), 0);
        }
        all.sort();
        all
    }

    #[test]
    fn the_desktops_together_keep_the_rate_evenly() {
        let due = due_times(50.0, 7, 2);
        assert_eq!(due.len(), 100);
        for (n, due) in due.iter().enumerate() {
            assert!(due.abs_diff(Duration::from_millis(20 * n as u64)) < Duration::from_micros(1), "{n}: {due:?}");
        }
    }

    #[test]
    fn what_a_late_desktop_could_not_send_is_counted() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, Duration::from_secs(10), 10.0, 3, 5);
        for _ in 0..4 {
            schedule.take();
        }
        assert_eq!(schedule.next_due(start + Duration::from_secs(10)), None, "the time is over");
        assert_eq!(schedule.not_sent(), 16, "20 are this one's share");
    }

    #[test]
    fn without_a_rate_the_next_request_is_always_due() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, Duration::from_secs(1), 0.0, 0, 2);
        let soon = start + Duration::from_millis(3);
        schedule.take();
        assert_eq!(schedule.next_due(soon), Some(soon));
        assert_eq!(schedule.next_due(start + Duration::from_secs(1)), None);
        assert_eq!(schedule.not_sent(), 0);
    }

    #[test]
    fn a_cycle_is_ready_query_not_ready_with_another_reason_each_time() {
        let mut schedule = Schedule::new(Instant::now(), Duration::from_secs(1), 0.0, 0, 1);
        let steps: Vec<_> = (0..6).map(|_| schedule.take()).collect();
        let kinds: Vec<_> = steps.iter().map(|step| step.kind()).collect();
        assert_eq!(kinds[..3], [Kind::Ready, Kind::Query, Kind::NotReady]);
        let not_ready = |reason| Step::State { state: AgentState::AGENT_STATE_NOT_READY, reason };
        assert_eq!((steps[2], steps[5]), (not_ready(1), not_ready(2)));
    }
}
