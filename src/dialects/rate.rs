//! How fast one connection may ask.
//!
//! Not here: how it is told that it asks too fast. Must hold: who leaves, hangs up or shows a sign of life still gets through
//! where everything else of that connection is refused.

use std::time::Instant;

use crate::operations::Urgency;

/// A bucket that fills at the allowed rate and holds a second's worth; each request takes one out.
#[derive(Debug)]
pub struct Rate {
    per_second: u32,
    filled: f64,
    /// Requests that were refused and not forgiven yet.
    owed: f64,
    at: Instant,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// It is looked at.
    Fine,
    /// It is refused; the next may be in time.
    TooFast,
    /// There are so many that refusing them is work enough.
    Flood,
}

/// What of a full bucket is left for what is urgent.
const RESERVE: f64 = 0.2;
/// How many seconds' worth of refused requests make a flood. They are forgiven at the allowed rate.
const FLOOD_SECONDS: f64 = 10.0;

impl Rate {
    /// A full bucket.
    pub fn new(per_second: u32, now: Instant) -> Rate {
        Rate { per_second, filled: per_second.into(), owed: 0.0, at: now }
    }

    /// Time has passed.
    pub fn pass(&mut self, now: Instant) {
        let all = f64::from(self.per_second);
        let more = now.saturating_duration_since(self.at).as_secs_f64() * all;
        self.filled = (self.filled + more).min(all);
        self.owed = (self.owed - more).max(0.0);
        self.at = self.at.max(now);
    }

    /// A request has come.
    pub fn take(&mut self, urgency: Urgency) -> Pace {
        let all = f64::from(self.per_second);
        let left = if urgency == Urgency::Leaving { 0.0 } else { all * RESERVE };
        if self.filled >= left + 1.0 {
            self.filled -= 1.0;
            return Pace::Fine;
        }
        self.owed += 1.0;
        if self.owed > all * FLOOD_SECONDS { Pace::Flood } else { Pace::TooFast }
    }

    /// How many are allowed in a second.
    pub fn per_second(&self) -> u32 {
        self.per_second
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn fine(rate: &mut Rate, urgency: Urgency, count: usize) -> usize {
        (0..count).filter(|_| rate.take(urgency) == Pace::Fine).count()
    }

    #[test]
    fn a_seconds_worth_at_once_and_then_the_allowed_rate() {
        let now = Instant::now();
        let mut rate = Rate::new(100, now);
        assert_eq!(fine(&mut rate, Urgency::Ordinary, 150), 80);
        rate.pass(now + Duration::from_millis(500));
        assert_eq!(fine(&mut rate, Urgency::Ordinary, 150), 50);
        rate.pass(now + Duration::from_secs(60));
        assert_eq!(fine(&mut rate, Urgency::Newcomer, 150), 80, "no more than a second's worth is saved up");
    }

    #[test]
    fn who_leaves_gets_through_where_nothing_else_does() {
        let mut rate = Rate::new(100, Instant::now());
        fine(&mut rate, Urgency::Ordinary, 500);
        assert_eq!(fine(&mut rate, Urgency::Leaving, 30), 20);
    }

    #[test]
    fn three_times_the_allowed_rate_for_ten_seconds_is_a_flood_and_twice_is_none() {
        let seconds_until_flood = |times: usize| {
            let now = Instant::now();
            let mut rate = Rate::new(100, now);
            let tenths = (0..6_000).find(|tenth| {
                rate.pass(now + Duration::from_millis(100 * tenth));
                (0..10 * times).any(|_| rate.take(Urgency::Ordinary) == Pace::Flood)
            });
            tenths.map(|tenths| tenths / 10)
        };
        assert_eq!(seconds_until_flood(2), None);
        let seconds = seconds_until_flood(3).expect("a flood");
        assert!((9..=11).contains(&seconds), "{seconds}");
    }

    #[test]
    fn a_clock_that_stands_gives_nothing_and_takes_nothing() {
        let now = Instant::now();
        let mut rate = Rate::new(10, now);
        rate.pass(now + Duration::from_secs(1));
        fine(&mut rate, Urgency::Ordinary, 10);
        rate.pass(now);
        rate.pass(now + Duration::from_secs(1));
        assert_eq!(fine(&mut rate, Urgency::Ordinary, 1), 0);
    }
}
