//! What a run of one side comes to.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// What a load process tells at its end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) requests: u64,
    pub(crate) seconds: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
}

/// Figures in the making.
pub(crate) struct Tally(Histogram<u64>);

impl Tally {
    pub(crate) fn new() -> Tally {
        Tally(Histogram::new(3).expect("3 digits can be kept"))
    }

    pub(crate) fn answered(&mut self, after: Duration) {
        let _ = self.0.record(u64::try_from(after.as_nanos()).unwrap_or(u64::MAX)); // it grows with what comes
    }

    pub(crate) fn add(&mut self, other: &Tally) {
        let _ = self.0.add(&other.0); // it grows with what comes
    }

    pub(crate) fn figures(&self, took: Duration) -> Figures {
        let microseconds = |quantile| self.0.value_at_quantile(quantile) as f64 / 1e3;
        Figures {
            requests: self.0.len(),
            seconds: took.as_secs_f64(),
            p50_us: microseconds(0.5),
            p99_us: microseconds(0.99),
        }
    }
}
