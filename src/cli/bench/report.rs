//! The figures of a run for people and for programs, and whether it went well.
//!
//! Not here: how they came about.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use super::figures::Figures;
use super::watch::{Kind, Violation};

/// What was asked for.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Asked {
    pub(super) agents: u32,
    /// Requests a second, 0: as fast as answers come.
    pub(super) rate: f64,
    /// Calls an hour in place of that, 0: one as soon as the other is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) calls_per_hour_asked: Option<f64>,
    pub(super) duration_s: f64,
    pub(super) protocol_version: u32,
}

/// Everything that a run found out.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    #[serde(flatten)]
    asked: Asked,
    /// Whether the exit status is 0.
    pub(super) ok: bool,
    requests_per_s: f64,
    events_per_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    calls_per_hour: Option<f64>,
    /// Requests that the rate asked for and that their desktops, still waiting for an answer, could not send.
    requests_not_sent: u64,
    /// Desktops that could not be opened, logged in or logged out.
    desktops_failed: u64,
    latency_us: BTreeMap<Kind, Latencies>,
    errors: BTreeMap<String, u64>,
    violations: BTreeMap<Violation, SeenRow>,
    bench: Busy,
}

#[derive(Debug, Serialize)]
struct Latencies {
    count: u64,
    p50: u64,
    p90: u64,
    p99: u64,
    #[serde(rename = "p99.9")]
    p99_9: u64,
    max: u64,
}

#[derive(Debug, Serialize)]
struct SeenRow {
    count: u64,
    first: String,
}

/// How much of the machine the bench itself took while it measured.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Busy {
    pub(super) cpu_s: Option<f64>,
    pub(super) wall_s: f64,
}

impl Busy {
    pub(super) fn of(cpu: Option<Duration>, wall: Duration) -> Busy {
        Busy { cpu_s: cpu.map(|cpu| cpu.as_secs_f64()), wall_s: wall.as_secs_f64() }
    }
}

impl Report {
    pub(super) fn new(asked: Asked, figures: &Figures, bench: Busy) -> Report {
        let per_s = |count: u64| count as f64 / asked.duration_s;
        let violations: BTreeMap<_, _> = (figures.violations().iter())
            .map(|(violation, seen)| (*violation, SeenRow { count: seen.count, first: seen.first.clone() }))
            .collect();
        let measured = match asked.calls_per_hour_asked {
            Some(_) => figures.working.calls,
            None => figures.working.answers,
        };
        Report {
            asked,
            ok: violations.is_empty() && figures.desktops_failed == 0 && measured > 0,
            requests_per_s: per_s(figures.working.answers),
            events_per_s: per_s(figures.working.events),
            calls_per_hour: asked.calls_per_hour_asked.map(|_| per_s(figures.working.calls) * SECONDS_PER_HOUR),
            requests_not_sent: figures.working.not_sent,
            desktops_failed: figures.desktops_failed,
            latency_us: figures.latencies().map(|(kind, histogram)| (kind, Latencies::of(histogram))).collect(),
            errors: figures.errors().clone(),
            violations,
            bench,
        }
    }
}

impl Latencies {
    fn of(histogram: &Histogram<u64>) -> Latencies {
        // The histogram answers with the upper end of a bucket, which may lie beyond the largest value.
        let at = |quantile| histogram.value_at_quantile(quantile).min(histogram.max());
        Latencies {
            count: histogram.len(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p99_9: at(0.999),
            max: histogram.max(),
        }
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let asked = &self.asked;
        let rate = match (asked.calls_per_hour_asked, asked.rate) {
            (Some(0.0), _) => "one call as soon as the other is over".to_owned(),
            (Some(calls), _) => format!("{calls} calls/hour asked for"),
            (None, 0.0) => "as fast as answers come".to_owned(),
            (None, rate) => format!("{rate} requests/s asked for"),
        };
        let (agents, seconds, version) = (asked.agents, asked.duration_s, asked.protocol_version);
        writeln!(f, "{agents} agents, {rate}, {seconds} s, protocol version {version}\n")?;
        writeln!(f, "requests/s {:>10.1}", self.requests_per_s)?;
        writeln!(f, "events/s   {:>10.1}", self.events_per_s)?;
        if let Some(calls) = self.calls_per_hour {
            writeln!(f, "calls/hour {calls:>10.0}")?;
        }
        if self.requests_not_sent > 0 {
            writeln!(f, "not sent   {:>10}   (the rate was not reached)", self.requests_not_sent)?;
        }
        writeln!(
            f,
            "\n{:<13} {:>9} {:>10} {:>10} {:>10} {:>10} {:>10}",
            "ms",
            if self.calls_per_hour.is_some() { "heard" } else { "confirmed" },
            "p50",
            "p90",
            "p99",
            "p99.9",
            "max"
        )?;
        for (kind, row) in &self.latency_us {
            write!(f, "{:<13} {:>9}", kind.name(), row.count)?;
            for us in [row.p50, row.p90, row.p99, row.p99_9, row.max] {
                match row.count {
                    0 => write!(f, " {:>10}", "-")?,
                    _ => write!(f, " {:>10.3}", us as f64 / 1000.0)?,
                }
            }
            writeln!(f)?;
        }
        self.fmt_counts(f)?;
        match self.bench.cpu_s {
            Some(cpu) => {
                let (wall, percent) = (self.bench.wall_s, 100.0 * cpu / self.bench.wall_s.max(f64::MIN_POSITIVE));
                write!(f, "\nthe bench itself took {cpu:.2} s of CPU in {wall:.2} s ({percent:.0} % of one core)")
            }
            None => write!(f, "\nhow much CPU the bench itself took is not known"),
        }
    }
}

impl Report {
    fn fmt_counts(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.errors.is_empty() {
            writeln!(f, "\nerrors: none")?;
        } else {
            writeln!(f, "\nerrors (agents that could not be logged in or out: {}):", self.desktops_failed)?;
        }
        for (error, count) in &self.errors {
            writeln!(f, "{count:>10}  {error}")?;
        }
        writeln!(f, "protocol violations:{}", if self.violations.is_empty() { " none" } else { "" })?;
        for (violation, row) in &self.violations {
            writeln!(f, "{:>10}  {} (first: {})", row.count, violation.name(), row.first)?;
        }
        Ok(())
    }
}

const SECONDS_PER_HOUR: f64 = 3_600.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn report(figures: &Figures) -> Report {
        let asked = Asked { agents: 3, rate: 50.0, calls_per_hour_asked: None, duration_s: 2.0, protocol_version: 20 };
        Report::new(asked, figures, Busy::of(Some(Duration::from_millis(500)), Duration::from_secs(2)))
    }

    fn fine() -> Figures {
        let mut figures = Figures::new(Kind::OF_STATES);
        figures.working.answers = 100;
        figures.answered(Kind::Ready, Duration::from_micros(1500));
        figures
    }

    #[test]
    fn refusals_of_states_are_listed_and_forgiven() {
        let mut figures = fine();
        figures.failed(Kind::Ready, "CF_INVALID_OBJECT_STATE");
        let report = report(&figures);
        assert!(report.ok);
        let table = report.to_string();
        assert!(table.contains("         1  ready: CF_INVALID_OBJECT_STATE"), "{table}");
        assert!(table.contains("requests/s       50.0"), "{table}");
        assert!(table.contains("protocol violations: none"), "{table}");
        assert!(table.contains("0.50 s of CPU in 2.00 s (25 % of one core)"), "{table}");
    }

    #[test]
    fn a_violation_a_failed_desktop_or_nothing_measured_is_not_fine() {
        let mut figures = fine();
        figures.violated(Violation::EventAfterLogout, || "agent 1001: AGENT_STATE_EVENT".into());
        let violated = report(&figures);
        assert!(!violated.ok);
        let said =
            "1  event of an ended subscription after the logout's confirm (first: agent 1001: AGENT_STATE_EVENT)";
        assert!(violated.to_string().contains(said), "{violated}");
        let mut failed = fine();
        failed.desktops_failed = 1;
        assert!(!report(&failed).ok);
        assert!(!report(&Figures::new(Kind::OF_STATES)).ok);
        assert!(report(&fine()).ok);
    }

    #[test]
    fn a_bench_of_calls_without_a_call_is_not_fine_whatever_was_answered() {
        let asked =
            Asked { agents: 2, rate: 0.0, calls_per_hour_asked: Some(3_600.0), duration_s: 2.0, protocol_version: 20 };
        let report = |figures: &Figures| {
            Report::new(asked, figures, Busy::of(Some(Duration::from_millis(500)), Duration::from_secs(2)))
        };
        let mut figures = fine();
        figures.failed(Kind::MakeCall, "CF_INVALID_OBJECT_STATE");
        assert!(!report(&figures).ok, "every call was refused");
        figures.working.calls = 1;
        let one = report(&figures);
        assert!(one.ok);
        assert!(one.to_string().contains("calls/hour       1800"), "{one}");
    }

    #[test]
    fn the_json_has_every_kind_by_name() {
        let json = serde_json::to_value(report(&fine())).unwrap();
        assert_eq!(json["latency_us"]["ready"]["p99.9"], 1500);
        assert_eq!(json["latency_us"]["not_ready"]["count"], 0);
        assert_eq!((&json["agents"], &json["ok"]), (&3.into(), &true.into()));
        assert_eq!(json["bench"]["cpu_s"], 0.5);
    }
}
