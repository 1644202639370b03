//! What a bench counts: latencies, events, errors, violations. All of it bounded, however long the run.
//!
//! Not here: how it is shown (`report`).

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use super::watch::{Kind, Violation};

/// The counts of all desktops together.
#[derive(Debug)]
pub(super) struct Figures {
    latencies: BTreeMap<Kind, Histogram<u64>>,
    /// Answers and events of the time when states were cycled; the rest is not part of any rate.
    pub(super) working: Working,
    /// Refusals and connections that did not come about, by request and code.
    errors: BTreeMap<String, u64>,
    /// How many desktops could not be opened, logged in or logged out.
    pub(super) desktops_failed: u64,
    pub(super) out_of_descriptors: bool,
    violations: BTreeMap<Violation, Seen>,
}

/// The counts of the measured time.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Working {
    pub(super) answers: u64,
    pub(super) events: u64,
    /// Calls that were taken from their first ring to their end.
    pub(super) calls: u64,
    /// Requests that were due and could not be sent before the time was over, because their desktop waited for an answer.
    pub(super) not_sent: u64,
}

/// One kind of violation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) count: u64,
    /// Where it was seen first.
    pub(super) first: String,
}

impl Figures {
    /// With a row for each of these.
    pub(super) fn new(measured: &[Kind]) -> Figures {
        let latencies = measured.iter().map(|kind| (*kind, histogram())).collect();
        Figures {
            latencies,
            working: Working::default(),
            errors: BTreeMap::new(),
            desktops_failed: 0,
            out_of_descriptors: false,
            violations: BTreeMap::new(),
        }
    }

    /// A confirm took that long. What is longer than the range counts as its end.
    pub(super) fn answered(&mut self, kind: Kind, latency: Duration) {
        if let Some(histogram) = self.latencies.get_mut(&kind) {
            histogram.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
        }
    }

    /// A request was refused, or could not be made.
    pub(super) fn failed(&mut self, kind: Kind, code: &str) {
        let mut key = format!("{}: {code}", kind.name());
        if self.errors.len() >= ERROR_KINDS_MAX && !self.errors.contains_key(&key) {
            key = OTHER_ERRORS.to_owned();
        }
        *self.errors.entry(key).or_default() += 1;
    }

    pub(super) fn violated(&mut self, violation: Violation, where_seen: impl FnOnce() -> String) {
        let seen = self.violations.entry(violation);
        seen.or_insert_with(|| Seen { count: 0, first: where_seen() }).count += 1;
    }

    pub(super) fn latencies(&self) -> impl Iterator<Item = (Kind, &Histogram<u64>)> {
        self.latencies.iter().map(|(kind, histogram)| (*kind, histogram))
    }

    pub(super) fn errors(&self) -> &BTreeMap<String, u64> {
        &self.errors
    }

    pub(super) fn violations(&self) -> &BTreeMap<Violation, Seen> {
        &self.violations
    }
}

/// Microseconds in a bounded range: about 140 KB each, and no more however many are recorded.
fn histogram() -> Histogram<u64> {
    let mut histogram =
        Histogram::new_with_bounds(1, LATENCY_US_MAX, DIGITS).expect("the bounds are constants that a histogram takes");
    histogram.auto(false);
    histogram
}

/// Longer than any deadline, so that only what waited for its turn on top of that is cut.
const LATENCY_US_MAX: u64 = 120_000_000;
const DIGITS: u8 = 3;
/// Codes come from the other side: it shall not decide how many we keep.
const ERROR_KINDS_MAX: usize = 100;
const OTHER_ERRORS: &str = "other";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_kept_by_kind_and_never_beyond_the_range() {
        let mut figures = Figures::new(Kind::OF_STATES);
        for ms in 1..=100 {
            figures.answered(Kind::Ready, Duration::from_millis(ms));
        }
        figures.answered(Kind::Login, Duration::from_secs(86_400));
        figures.answered(Kind::Close, Duration::from_secs(1));
        let of = |kind| figures.latencies().find(|row| row.0 == kind).map(|row| row.1).unwrap();
        assert_eq!(of(Kind::Ready).len(), 100);
        let p50 = of(Kind::Ready).value_at_quantile(0.5);
        assert!((50_000..50_100).contains(&p50), "{p50}");
        let longest = of(Kind::Login).max();
        assert!((LATENCY_US_MAX..LATENCY_US_MAX + LATENCY_US_MAX / 100).contains(&longest), "{longest}");
        assert!(of(Kind::Logout).is_empty());
    }

    #[test]
    fn strange_codes_cannot_fill_the_memory() {
        let mut figures = Figures::new(Kind::OF_STATES);
        for code in 0..1000 {
            figures.failed(Kind::Ready, &format!("ControlFailure({code})"));
        }
        figures.failed(Kind::Ready, "ControlFailure(0)");
        assert_eq!(figures.errors().len(), ERROR_KINDS_MAX + 1);
        assert_eq!(figures.errors()[OTHER_ERRORS], 900);
        assert_eq!(figures.errors()["ready: ControlFailure(0)"], 2);
    }

    #[test]
    fn the_first_of_each_kind_of_violation_is_remembered() {
        let mut figures = Figures::new(Kind::OF_STATES);
        figures.violated(Violation::WrongAnswer, || "first".into());
        figures.violated(Violation::WrongAnswer, || "second".into());
        assert_eq!(figures.violations()[&Violation::WrongAnswer], Seen { count: 2, first: "first".into() });
    }
}
