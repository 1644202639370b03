//! `ctigate bench`: many desktops at once, what they measure, and whether the gateway keeps its promises to them.
//!
//! Lives here: the order of a run, its arguments, its exit status. Not here: one desktop (`desk`), what is right
//! (`watch`), when to ask (`schedule`, `pace`), the counts (`figures`) and how they are shown (`report`).
//! Must hold: memory is bounded by the number of agents, not by how long or how fast the bench runs.
//!
//! Each desktop has one request in flight at a time. With a rate, the requests of all desktops together are due at even
//! distances, and a latency counts from when its request was due, not from when it was sent: a gateway that stalls makes
//! every request late that was due meanwhile (no coordinated omission). What was due and could not be sent before the time
//! was over is reported as not sent. Without a rate, and for open, login and logout, a latency counts from the sending;
//! that of open has the TCP connect in it. Only confirmed requests have a latency.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use cti_protocol::ged188::Version;
use indicatif::{ProgressBar, ProgressStyle};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};

use super::client::{ANSWER_WAIT, Desktop, DesktopError, Identity, Way};
use super::{USAGE, print_whole, runtime};
use calls::Pair;
use desk::{Desk, Office, Phase};
use figures::Figures;
use pace::Bells;
use report::{Asked, Busy, Report};
use schedule::Schedule;
use watch::Kind;

mod calls;
mod cpu;
mod desk;
mod figures;
mod pace;
mod report;
mod schedule;
mod watch;

/// Log many agents in, cycle their states, log them out, and print what it took.
///
/// After the last logout's confirm it goes on listening: no event of an ended subscription may come. Exit status 1 on
/// any violation of the protocol, if an agent could not be logged in or out, or if nothing could be measured; other
/// refusals are listed. A latency counts from when the request was due, see --rate.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The gateway's GED-188 listener.
    #[arg(long, value_name = "ADDR:PORT")]
    connect: String,
    /// How many agents, each with a connection of its own; the demo world has 100.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=AGENTS_MAX))]
    agents: u32,
    /// Requests a second of all agents together, at even distances; 0 is as fast as answers come.
    #[arg(long, default_value = "0", value_name = "R", value_parser = parse_rate)]
    rate: f64,
    /// In place of cycling states, pairs of agents call each other: so many calls an hour of all together, at even
    /// distances; 0 is one as soon as the other is over. Each is dialled, delivered, answered and cleared, and the rows
    /// with an arrow say how long it took from the one agent's command to its event at the other agent's client.
    #[arg(long, value_name = "PER_HOUR", value_parser = parse_calls, conflicts_with = "rate")]
    calls: Option<f64>,
    /// How long to cycle states or take calls, in seconds.
    #[arg(long, default_value = "10", value_name = "S", value_parser = parse_duration)]
    duration: Duration,
    /// Where all figures go as JSON; "-" is standard output, in place of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<String>,
    /// The first agent's id; the others count up from it.
    #[arg(long, default_value_t = 1001, value_name = "N")]
    first_agent: u32,
    /// Every agent's password, {id} stands for the agent's id.
    #[arg(long, default_value = "pw{id}")]
    password: String,
    /// The first agent's instrument; the others count up from it.
    #[arg(long, default_value_t = 3001, value_name = "N")]
    first_instrument: u32,
    /// The protocol version to speak.
    #[arg(long, default_value = "20", value_name = "N", value_parser = super::client::parse_version)]
    protocol_version: Version,
    /// How many agents at most connect, log in, log out or close at a time.
    #[arg(long, default_value_t = 64, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=AGENTS_MAX))]
    storm: u32,
    #[command(flatten)]
    identity: Identity,
}

/// Runs the bench and shows what it found.
pub(super) fn run(args: &Args) -> ExitCode {
    match runtime() {
        Ok(runtime) => runtime.block_on(measure(args)),
        Err(error) => {
            eprintln!("ctigate bench: cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn measure(args: &Args) -> ExitCode {
    let desktops = match args.desktops() {
        Ok(desktops) => desktops,
        Err(error) => {
            eprintln!("ctigate bench: {error}");
            return ExitCode::from(USAGE);
        }
    };
    let way = match args.identity.tls.way(&args.connect) {
        Ok(way) => way,
        Err(error) => {
            eprintln!("ctigate bench: --tls: {error}");
            return ExitCode::from(USAGE);
        }
    };
    let run = Run { args, way, answer_wait: ANSWER_WAIT, listen: LISTEN };
    let (report, figures) = run.all(desktops).await;
    if figures.lock().out_of_descriptors {
        let max = cpu::descriptors_max().map(|max| format!(", {max} are allowed")).unwrap_or_default();
        eprintln!("ctigate bench: no descriptors are left for {} sockets{max}: raise ulimit -n", args.agents);
    }
    let shown = show(&report, args.json.as_deref()).unwrap_or_else(|error| {
        eprintln!("ctigate bench: --json {}: {error}", args.json.as_deref().unwrap_or_default());
        ExitCode::FAILURE
    });
    if report.ok { shown } else { ExitCode::FAILURE }
}

/// The table and the file: each of them, whatever becomes of the other.
fn show(report: &Report, json: Option<&str>) -> std::io::Result<ExitCode> {
    let for_programs = serde_json::to_string_pretty(report)? + "\n";
    if json == Some("-") {
        return Ok(print_whole(&for_programs));
    }
    let written = json.map(|file| std::fs::write(file, for_programs)).transpose();
    let shown = print_whole(&format!("{report}\n"));
    written.map(|_| shown)
}

impl Args {
    /// Each agent's id and desktop.
    fn desktops(&self) -> Result<Vec<(String, Desktop)>, DesktopError> {
        let desktop = |n: u32| {
            let agent = (u64::from(self.first_agent) + u64::from(n)).to_string();
            let instrument = (u64::from(self.first_instrument) + u64::from(n)).to_string();
            let password = self.password.replace("{id}", &agent);
            let desktop = Desktop::new(&agent, &password, &instrument, &self.identity)?;
            Ok((agent, desktop))
        };
        (0..self.agents).map(desktop).collect()
    }
}

/// A run, with the waits that a test shortens.
struct Run<'a> {
    args: &'a Args,
    way: Way,
    answer_wait: Duration,
    /// How long to listen after the last logout's confirm.
    listen: Duration,
}

impl Run<'_> {
    /// All phases, in order.
    async fn all(&self, desktops: Vec<(String, Desktop)>) -> (Report, Arc<Mutex<Figures>>) {
        let (duration, rate) = (self.args.duration, self.args.rate);
        let mut course = self.begin(desktops);
        course.take(Phase::Open, "connecting").await;
        course.take(Phase::Login, "logging in").await;
        let (cpu_before, start) = (cpu::used(), Instant::now() + HEAD_START);
        let per_second = self.args.calls.unwrap_or_default() / SECONDS_PER_HOUR;
        let due_per_second = if self.args.calls.is_some() { per_second } else { rate };
        let all_requests = Schedule::new(start, duration, due_per_second, 0, 1);
        if all_requests.has_pace() {
            course.ring_bells(all_requests);
        }
        match self.args.calls {
            None => course.take(Phase::Work { start, duration, rate }, "working").await,
            Some(_) => course.take(Phase::Calls { start, duration, per_second }, "taking calls").await,
        }
        let cpu = cpu::used().zip(cpu_before).map(|(after, before)| after.saturating_sub(before));
        let busy = Busy::of(cpu, Instant::now().saturating_duration_since(start));
        course.take(Phase::Logout, "logging out").await;
        course.take(Phase::Listen { until: Instant::now() + self.listen }, "listening").await;
        course.take(Phase::Close, "closing").await;
        course.bar.finish_and_clear();

        let figures = Arc::clone(&course.office.figures);
        let asked = Asked {
            agents: self.args.agents,
            rate,
            calls_per_hour_asked: self.args.calls,
            duration_s: duration.as_secs_f64(),
            protocol_version: self.args.protocol_version.number(),
        };
        let report = Report::new(asked, &figures.lock(), busy);
        (report, figures)
    }

    fn begin(&self, desktops: Vec<(String, Desktop)>) -> Course {
        // One bell a schedule: of each desk, or of each pair.
        let (pairs, bells, measured) = match self.args.calls {
            Some(_) => (self.args.agents / 2, self.args.agents / 2, Kind::OF_CALLS),
            None => (0, self.args.agents, Kind::OF_STATES),
        };
        let office = Arc::new(Office {
            way: self.way.clone(),
            version: self.args.protocol_version,
            desks: self.args.agents,
            answer_wait: self.answer_wait,
            bells: Bells::new(bells),
            storm: Semaphore::new(self.args.storm as usize),
            figures: Arc::new(Mutex::new(Figures::new(measured))),
            pairs: (0..pairs).map(|_| Pair::default()).collect(),
        });
        let (phases, phase) = tokio::sync::watch::channel(Phase::Gather);
        let (done_by_desk, done) = mpsc::channel(DONE_WAITING_MAX);
        let mut desks = JoinSet::new();
        for (number, (agent, desktop)) in (0..).zip(desktops) {
            let partner = (self.args.first_instrument.checked_add(number)).and_then(|own| own.checked_add(1));
            let partner = partner.map(|partner| partner.to_string());
            let desk = Desk::new(number, agent, desktop, partner, Arc::clone(&office));
            desks.spawn(desk.run(phase.clone(), done_by_desk.clone()));
        }
        Course { office, phases, done, desks, bar: progress_bar() }
    }
}

/// All desks, from phase to phase.
struct Course {
    office: Arc<Office>,
    phases: tokio::sync::watch::Sender<Phase>,
    done: mpsc::Receiver<()>,
    desks: JoinSet<()>,
    bar: ProgressBar,
}

impl Course {
    /// Rings the desks' bells from now on, on a thread that ends with the schedule.
    fn ring_bells(&self, all: Schedule) {
        let office = Arc::clone(&self.office);
        std::thread::spawn(move || office.bells.ring_all(all));
    }

    /// Begins a phase and waits until every desk is done with it.
    async fn take(&mut self, phase: Phase, name: &'static str) {
        let all = self.desks.len() as u64;
        self.bar.set_message(name);
        self.bar.set_position(0);
        self.bar.set_length(match phase {
            Phase::Work { duration, .. } | Phase::Calls { duration, .. } => ms(duration),
            _ => all,
        });
        self.phases.send_replace(phase);
        let (mut done, mut ticks) = (0, interval(TICK));
        while done < all {
            tokio::select! {
                one = self.done.recv() => match one {
                    Some(()) => done += 1,
                    None => return, // every desk is gone
                },
                _ = ticks.tick() => self.bar.set_position(match phase {
                    Phase::Work { start, .. } | Phase::Calls { start, .. } => ms(Instant::now().saturating_duration_since(start)),
                    _ => done,
                }),
            }
        }
    }
}

/// On standard error, and hidden where that is no terminal.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    match ProgressStyle::with_template("{msg:>12} [{bar:40}] {percent:>3} % {elapsed}") {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar, // the template is a constant: it cannot be wrong, and would cost the looks only
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn parse_rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| (0.0..=RATE_MAX).contains(rate));
    rate.ok_or_else(|| format!("a rate is 0 to {RATE_MAX} requests a second"))
}

fn parse_calls(text: &str) -> Result<f64, String> {
    let calls = text.parse().ok().filter(|calls: &f64| (0.0..=CALLS_PER_HOUR_MAX).contains(calls));
    calls.ok_or_else(|| format!("a target is 0 to {CALLS_PER_HOUR_MAX} calls an hour"))
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds: &f64| (DURATION_S_MIN..=DURATION_S_MAX).contains(seconds));
    let seconds = seconds.ok_or_else(|| format!("a duration is {DURATION_S_MIN} to {DURATION_S_MAX} seconds"))?;
    Ok(Duration::from_secs_f64(seconds))
}

/// A desktop is a connection with its own port: from one address there are not more.
const AGENTS_MAX: i64 = 65_535;
const RATE_MAX: f64 = 10_000_000.0;
const CALLS_PER_HOUR_MAX: f64 = 3_600_000_000.0;
const SECONDS_PER_HOUR: f64 = 3_600.0;
const DURATION_S_MIN: f64 = 0.01;
const DURATION_S_MAX: f64 = 31_536_000.0;
/// How long after the last logout's confirm an event still counts as a broken promise.
const LISTEN: Duration = Duration::from_millis(500);
/// Until every desk knows when the measured time begins.
const HEAD_START: Duration = Duration::from_millis(20);
/// The bar's.
const TICK: Duration = Duration::from_millis(100);
const DONE_WAITING_MAX: usize = 1024;

#[cfg(test)]
mod tests;
