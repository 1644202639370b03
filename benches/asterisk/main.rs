//! What the gateway costs beside a direct client of Asterisk's manager interface: both do the same, in turns, against the
//! same real Asterisk.
//!
//! N agents go round and round: log in to a queue, ready, not ready with a reason, log out; each asks for the next as soon
//! as the last was answered. `direct` asks Asterisk itself, `gateway` asks a gateway over GED-188. What is measured and
//! what asks each have a process of their own, and only one side is connected at a time.
//!
//! Asterisk has the first core for itself, as it has a machine for itself in a contact centre; whoever asks it, directly or
//! through the gateway, has the second, the gateway's processor time included. With `--shared` nobody is kept to a core.
//!
//! Then 200 who watch hear of 500 changes a second, from Asterisk itself and from a gateway: `watch`.
//!
//!     cargo bench --bench asterisk -- --json target/asterisk.json     all of it
//!     cargo bench --bench asterisk -- --watch                         those who watch only
//!
//! Where no Asterisk can be started, it says so and that is all.
#![allow(clippy::print_stdout, reason = "a bench tells its figures there, and its processes talk to each other")]

mod clients;
mod direct;
mod figures;
mod house;
mod report;
#[path = "../support/mod.rs"]
mod support;
mod watch;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use self::direct::Manager;
use self::figures::Figures;
use self::house::{Asterisk, Gateway, cpu_seconds};
use self::report::{Report, Run, Side};
use self::support::{Failure, Process, keep_to_core};
use self::watch::Watched;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ran = match arguments[..] {
        ["--direct", port, agents] => load(agents, |agents| direct::run(port.parse()?, agents, RUN)),
        ["--clients", address, agents] => load(agents, |agents| clients::run(address, agents, RUN)),
        ["--watch-direct", port] => watch_from(port, None),
        ["--watch-gateway", port, address] => watch_from(port, Some(address)),
        _ if arguments.contains(&"--bench") => {
            bench(json_file(&arguments), cores(&arguments), arguments.contains(&"--watch"))
        }
        _ => {
            println!("cargo bench runs this; cargo test does not");
            Ok(())
        }
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The file that `--json FILE` names; from the repository's folder, wherever cargo starts this.
fn json_file(arguments: &[&str]) -> Option<PathBuf> {
    let at = arguments.iter().position(|argument| *argument == "--json")?;
    arguments.get(at + 1).map(|file| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file))
}

/// Who may run where.
#[derive(Clone, Copy)]
enum Cores {
    /// Everybody wherever the kernel likes.
    Shared,
    /// Asterisk on one, everybody else on another.
    Apart,
}

fn cores(arguments: &[&str]) -> Cores {
    if arguments.contains(&"--shared") { Cores::Shared } else { Cores::Apart }
}

fn bench(json: Option<PathBuf>, cores: Cores, only_watch: bool) -> Result<(), Failure> {
    let asterisk = match Asterisk::start() {
        Ok(asterisk) => asterisk,
        Err(error) => {
            println!("no Asterisk, so nothing is measured: {error}");
            return Ok(());
        }
    };
    if let Cores::Apart = cores {
        keep_to_core(asterisk.pid, 0)?;
    }
    let mut report = Report::default();
    print!("{}", if only_watch { "" } else { Report::head() });
    for agents in AGENTS.into_iter().filter(|_| !only_watch) {
        for pair in 0..=PAIRS {
            // Who goes first changes, so that what drifts is on neither side.
            let sides = if pair % 2 == 0 { [Side::Direct, Side::Gateway] } else { [Side::Gateway, Side::Direct] };
            for side in sides {
                let run = measure(&asterisk, side, agents, pair, cores)?;
                // The first pair finds cold caches and an Asterisk that has not seen these agents.
                if pair > 0 {
                    report.runs.push(run);
                }
            }
        }
        print!("{}", report.rows(agents));
    }
    for pair in 0..WATCH_PAIRS {
        let sides = if pair % 2 == 0 { [Side::Direct, Side::Gateway] } else { [Side::Gateway, Side::Direct] };
        for side in sides {
            let watched = watch(&asterisk, side, cores)?;
            println!("{}", Report::watched(side, &watched));
            report.watched.push((side, watched));
        }
    }
    if let Some(file) = json {
        std::fs::write(&file, report.json()?)?;
    }
    Ok(())
}

/// One side, once.
fn measure(asterisk: &Asterisk, side: Side, agents: usize, pair: usize, cores: Cores) -> Result<Run, Failure> {
    let gateway = match side {
        Side::Direct => None,
        Side::Gateway => Some(Gateway::start(asterisk)?),
    };
    let mut command = Command::new(std::env::current_exe()?);
    match &gateway {
        None => command.arg("--direct").arg(asterisk.port.to_string()),
        Some(gateway) => command.arg("--clients").arg(&gateway.address),
    };
    command.arg(agents.to_string());
    let mut load = Process::start(command)?;
    must_be(&load.line()?, READY)?;
    let pids = (gateway.as_ref().map(Gateway::pid), asterisk.pid, load.pid());
    if let Cores::Apart = cores {
        keep_to_core(load.pid(), 1)?;
        pids.0.map_or(Ok(()), |gateway| keep_to_core(gateway, 1))?;
    }
    let cpu = || -> Result<[f64; 3], Failure> {
        let gateway = pids.0.map(cpu_seconds).transpose()?;
        Ok([gateway.unwrap_or_default(), cpu_seconds(pids.1)?, cpu_seconds(pids.2)?])
    };
    let before = cpu()?;
    load.tell(GO)?;
    let said = load.line()?;
    let after = cpu()?;
    let figures = serde_json::from_str(&said).map_err(|_| said)?;
    let run = Run::new(side, agents, pair, figures, before, after);
    match Manager::log_in(asterisk.port, "off")?.members()? {
        0 => Ok(run),
        left => Err(format!("{left} members were left by {run:?}").into()),
    }
}

/// What those who watch hear, on one side, once.
fn watch(asterisk: &Asterisk, side: Side, cores: Cores) -> Result<Watched, Failure> {
    let gateway = match side {
        Side::Direct => None,
        Side::Gateway => Some(Gateway::start(asterisk)?),
    };
    let (port, mut command) = (asterisk.port.to_string(), Command::new(std::env::current_exe()?));
    match &gateway {
        None => command.args(["--watch-direct", &port]),
        Some(gateway) => command.args(["--watch-gateway", &port, &gateway.address]),
    };
    let mut load = Process::start(command)?;
    must_be(&load.line()?, READY)?;
    if let Cores::Apart = cores {
        keep_to_core(load.pid(), 1)?;
        gateway.as_ref().map_or(Ok(()), |gateway| keep_to_core(gateway.pid(), 1))?;
    }
    let pid = load.pid();
    let cpu = || -> Result<[f64; 2], Failure> { Ok([cpu_seconds(asterisk.pid)?, cpu_seconds(pid)?]) };
    let (begun, before) = (Instant::now(), cpu()?);
    load.tell(GO)?;
    let said = load.line()?;
    let (took, after) = (begun.elapsed().as_secs_f64(), cpu()?);
    let watched: Watched = serde_json::from_str(&said).map_err(|_| said)?;
    Ok(Watched { busy: [0, 1].map(|at| (after[at] - before[at]) / took), ..watched })
}

fn watch_from(port: &str, gateway: Option<&str>) -> Result<(), Failure> {
    println!("{}", serde_json::to_string(&watch::run(port.parse()?, gateway)?)?);
    Ok(())
}

/// Makes the load that another process of this bench asked for, and tells it the figures.
fn load(agents: &str, run: impl FnOnce(usize) -> Result<Figures, Failure>) -> Result<(), Failure> {
    let figures = run(agents.parse()?)?;
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}

/// Says that everything is connected, and waits to be let go.
fn starting_gun() -> Result<(), Failure> {
    println!("{READY}");
    std::io::stdout().flush()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    must_be(line.trim_end(), GO)
}

fn must_be(line: &str, expected: &str) -> Result<(), Failure> {
    if line == expected { Ok(()) } else { Err(line.into()) }
}

const AGENTS: [usize; 3] = [1, 16, 64];
/// How many pairs of runs count.
const PAIRS: usize = 7;
/// How often those who watch are measured.
const WATCH_PAIRS: usize = 5;
const RUN: Duration = Duration::from_secs(3);
const READY: &str = "ready";
const GO: &str = "go";
