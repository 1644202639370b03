//! The gateway beside what the machine can do at all, and beside the servers that one would take otherwise: the same frames,
//! to the same number of clients, in turns, in one run.
//!
//! Each server has a process and the first core; this process makes the load on the second. All servers run all the time and
//! each is asked for a slice of the time in turn, so that what disturbs the machine disturbs all. What a server costs is its
//! own processor time as the kernel accounts for it.
//!
//! ```text
//! cargo bench --bench compare                     the table
//!     -- --json FILE --svg FILE                   the figures and the picture too
//!     -- --only requests                          one part: requests, fan-out, sessions or growth
//!     -- --only heartbeats                        ten minutes of them, which are left out of the table
//! ```
//!
//! NATS, Redis and Mosquitto are Debian's packages `nats-server`, `redis-server` and `mosquitto`; one that is not
//! installed has no column, and that is said. `taskset` and `ss` have to be there, and 20,000 descriptors a process.
#![allow(clippy::print_stdout, reason = "a bench tells its figures there")]

mod bases;
mod fan_out;
mod growth;
mod messages;
mod report;
mod requests;
mod servers;
mod sessions;
#[path = "../support/mod.rs"]
mod support;
mod swarm;

use std::path::PathBuf;
use std::process::ExitCode;

use self::report::Report;
use self::support::{Failure, keep_to_core};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ran = match arguments[..] {
        ["--serve", "epoll"] => bases::epoll(),
        ["--serve", "tokio"] => bases::tokio(),
        _ if arguments.contains(&"--bench") => bench(&arguments),
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

fn bench(arguments: &[&str]) -> Result<(), Failure> {
    let value = |name: &str| match arguments.iter().position(|given| *given == name) {
        Some(at) => {
            let value = arguments.get(at + 1).filter(|value| !value.starts_with("--"));
            value.map(|value| Some(*value)).ok_or(format!("{name} has no value"))
        }
        None => Ok(None),
    };
    let (json, svg) = (value("--json")?.map(file), value("--svg")?.map(file));
    let only = value("--only")?;
    keep_to_core(std::process::id(), servers::LOAD_CORE)?;
    let mut report = Report::default();
    let parts: [(&str, Part); PARTS + 1] = [
        ("requests", requests::measure),
        ("fan-out", fan_out::measure),
        ("sessions", sessions::measure),
        ("growth", growth::measure),
        ("heartbeats", sessions::stay_alive),
    ];
    if let Some(only) = only.filter(|only| parts.iter().all(|(name, _)| name != only)) {
        return Err(format!("--only {only}: there are {}", parts.map(|(name, _)| name).join(", ")).into());
    }
    let asked = parts.iter().enumerate().filter(|(at, (name, _))| only.map_or(*at < PARTS, |only| only == *name));
    for (_, (_, part)) in asked {
        part(&mut report)?;
    }
    if let Some(json) = json {
        std::fs::write(json, report.json()?)?;
    }
    if let Some(svg) = svg {
        std::fs::write(svg, report.svg())?;
    }
    println!("{} of {} targets are missed", report.missed(), report.rows());
    Ok(())
}

/// How many parts make up the table.
const PARTS: usize = 4;

/// Measures some of it.
type Part = fn(&mut Report) -> Result<(), Failure>;

/// From the repository's folder, wherever cargo starts this.
fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}
