//! `ctigate replay`: a recorded session once more, and where the answers differ.
//!
//! Lives here: arguments and exit status. Not here: reading (`recording`), sending and waiting (`play`), ids that are given
//! anew (`ids`), comparing (`compare`), telling (`report`).

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::{USAGE, runtime};
use crate::cli::client::TlsArgs;
use compare::compare;
use ids::{Ignored, IgnoredField};
use play::{Pace, play};
use recording::Recording;

mod compare;
mod ids;
mod play;
mod recording;
mod report;

/// Send a recorded session's requests to a gateway, and tell where its answers differ.
///
/// A recording is a network capture, pcap or pcapng, or has one JSON object a line: {"connection": 1, "time": 0.25, "from": "client", "hex": "…"}, a whole frame with
/// its header in hex; without `hex` that side closes the connection. Each connection is one of its own again, in the
/// version of its OPEN_REQ. A request leaves after everything that came before it has come again, or --timeout is over.
/// Answers are compared by InvokeID, events as the sequence of each monitor. MonitorIDs, call ids and session ids are
/// translated; times, durations, router keys, call references and the client's address are not compared. Exit status 1 if
/// anything differs, 2 if the recording cannot be read or the gateway not be reached.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The recording; `-` is stdin.
    #[arg(value_name = "RECORDING")]
    recording: PathBuf,
    /// The gateway's GED-188 listener.
    #[arg(value_name = "ADDR:PORT")]
    address: String,
    #[command(flatten)]
    tls: TlsArgs,
    /// How fast: `max` is as fast as answers come, `original` is the recording's pace, a number is a multiple of that.
    #[arg(long, default_value = "max", value_name = "SPEED", value_parser = speed)]
    speed: Speed,
    /// How long to wait for what the recording has, in seconds.
    #[arg(long, default_value = "5", value_name = "S", value_parser = seconds)]
    timeout: Duration,
    /// A field that may differ: FIELD or MESSAGE.FIELD, by the guide's names; may be given several times.
    #[arg(long, value_name = "FIELD")]
    ignore: Vec<IgnoredField>,
    /// Read versions 10 to 18 as UCCX writes them.
    #[arg(long)]
    uccx: bool,
    /// One JSON object in place of the lines.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Speed(Option<f64>);

/// Replays and tells.
pub(super) fn run(args: &Args) -> ExitCode {
    let input: io::Result<Box<dyn BufRead + Send>> = if args.recording.as_os_str() == "-" {
        Ok(Box::new(BufReader::new(io::stdin())))
    } else {
        File::open(&args.recording).map(|file| Box::new(BufReader::new(file)) as Box<dyn BufRead + Send>)
    };
    let recording = match input.map_err(Into::into).and_then(|input| Recording::read(input, args.uccx)) {
        Ok(recording) => recording,
        Err(error) => return wrong(&format!("{}: {error}", args.recording.display())),
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return wrong(&format!("cannot start: {error}")),
    };
    let pace = Pace { speed: args.speed.0, wait: args.timeout };
    let ignored = Ignored::new(&args.ignore);
    let way = match args.tls.way(&args.address) {
        Ok(way) => way,
        Err(error) => return wrong(&format!("--tls: {error}")),
    };
    let replayed = match runtime.block_on(play(&recording, &way, pace, &ignored)) {
        Ok(replayed) => replayed,
        Err(error) => return wrong(&format!("{}: {error}", args.address)),
    };
    let report = compare(&recording, &replayed, &ignored);
    let mut stdout = io::stdout().lock();
    let told = match args.json {
        true => serde_json::to_string(&report).map_err(io::Error::from).and_then(|json| writeln!(stdout, "{json}")),
        false => writeln!(stdout, "{report}"),
    };
    match told {
        // Whoever reads us has seen enough; what was found stands.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => wrong(&format!("cannot write: {error}")),
        _ if report.differences.is_empty() => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn wrong(error: &str) -> ExitCode {
    eprintln!("ctigate replay: {error}");
    ExitCode::from(USAGE)
}

fn speed(text: &str) -> Result<Speed, String> {
    match text {
        "max" => Ok(Speed(None)),
        "original" => Ok(Speed(Some(1.0))),
        number => match number.parse() {
            Ok(factor) if f64::is_finite(factor) && factor > 0.0 => Ok(Speed(Some(factor))),
            _ => Err("expected max, original, or a number above 0".to_owned()),
        },
    }
}

/// Reads a time to wait off the command line.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let wait = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    wait.filter(|wait| (Duration::from_millis(1)..=WAIT_MAX).contains(wait))
        .ok_or_else(|| "expected a number of seconds, from 0.001 to 3600".to_owned())
}

const WAIT_MAX: Duration = Duration::from_secs(3600);
