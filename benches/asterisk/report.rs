//! The figures of all runs, as a table for people and as JSON.

use std::fmt::Write;

use serde::Serialize;

use crate::figures::Figures;
use crate::support::{Failure, Spread};
use crate::watch::{WATCHERS, Watched};

/// Who asks Asterisk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    Direct,
    Gateway,
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Side::Direct => "direct",
            Side::Gateway => "gateway",
        }
    }
}

/// One side, once.
#[derive(Debug, Serialize)]
pub(crate) struct Run {
    side: Side,
    agents: usize,
    pair: usize,
    requests_per_second: f64,
    #[serde(flatten)]
    figures: Figures,
    /// Processor time a request; the gateway's is 0 where there is none.
    gateway_cpu_us: f64,
    asterisk_cpu_us: f64,
    load_cpu_us: f64,
}

impl Run {
    /// `before` and `after` are the processor seconds of gateway, Asterisk and load.
    pub(crate) fn new(
        side: Side,
        agents: usize,
        pair: usize,
        figures: Figures,
        before: [f64; 3],
        after: [f64; 3],
    ) -> Run {
        let requests = figures.requests as f64;
        let cpu_us = |at: usize| (after[at] - before[at]) * 1e6 / requests;
        Run {
            side,
            agents,
            pair,
            requests_per_second: requests / figures.seconds,
            figures,
            gateway_cpu_us: cpu_us(0),
            asterisk_cpu_us: cpu_us(1),
            load_cpu_us: cpu_us(2),
        }
    }
}

/// All runs that count.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) runs: Vec<Run>,
    pub(crate) watched: Vec<(Side, Watched)>,
}

impl Report {
    pub(crate) fn head() -> &'static str {
        "                                                           processor time a request, µs\n\
         agents  side             requests/s      p50 µs   p99 µs   gateway  asterisk      load\n"
    }

    /// How those who watch did on one side, once.
    pub(crate) fn watched(side: Side, watched: &Watched) -> String {
        let Watched { heard, due, p50_ms, p99_ms, busy: [asterisk, load], changes_per_second } = watched;
        let percent = 100.0 * *heard as f64 / *due as f64;
        format!(
            "{WATCHERS} watch {:<8}{changes_per_second:>6.0} changes/s, {percent:>6.2} % of all events heard, after p50 \
             {p50_ms:.1} ms, p99 {p99_ms:.1} ms; Asterisk {:.0} % busy, who watches {:.0} %",
            side.name(),
            100.0 * asterisk,
            100.0 * load
        )
    }

    /// What the runs with that many agents come to: of each figure the median, of the rates and of the ratio within each
    /// pair also the extremes.
    pub(crate) fn rows(&self, agents: usize) -> String {
        let mut rows = String::new();
        for side in [Side::Direct, Side::Gateway] {
            let of = |figure: fn(&Run) -> f64| Spread::of(self.runs(side, agents).map(figure));
            let _ = writeln!(
                rows,
                "{agents:>6}  {:<8}{:>22}{:>9.0}{:>9.0}{:>10.1}{:>10.1}{:>10.1}",
                side.name(),
                of(|run| run.requests_per_second).text(0),
                of(|run| run.figures.p50_us).median,
                of(|run| run.figures.p99_us).median,
                of(|run| run.gateway_cpu_us).median,
                of(|run| run.asterisk_cpu_us).median,
                of(|run| run.load_cpu_us).median,
            ); // a String takes everything
        }
        let _ = writeln!(rows, "{agents:>6}  {:<8}{:>22}\n", "ratio", self.ratio(agents).text(3));
        rows
    }

    /// The gateway's rate as a part of the direct client's, pair by pair.
    fn ratio(&self, agents: usize) -> Spread {
        let direct = self.runs(Side::Direct, agents);
        let pairs = direct.filter_map(|direct| {
            let gateway = self.runs(Side::Gateway, agents).find(|run| run.pair == direct.pair)?;
            Some(gateway.requests_per_second / direct.requests_per_second)
        });
        Spread::of(pairs)
    }

    fn runs(&self, side: Side, agents: usize) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(move |run| run.side == side && run.agents == agents)
    }

    pub(crate) fn json(&self) -> Result<String, Failure> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}
