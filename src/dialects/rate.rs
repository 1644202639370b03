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

    /// When time was let pass last. Where only reads let it pass, that is when something was read.
    pub fn passed(&self) -> Instant {
        self.at
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
