//! `ctigate watch`: every event of a gateway, one line each.
//!
//! Lives here: arguments, and when to connect again. Not here: one connection (`session`), which events are shown
//! (`filter`), how they read (`words`).

use std::io;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use cti_protocol::ged188::{AnyMessage, Version};
use tokio::io::{AsyncWrite, AsyncWriteExt, Interest};
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use super::decode::json_object;
use super::{USAGE, runtime};
use crate::cli::client::TlsArgs;
use filter::{EventPattern, Filter};
use session::{Opening, WatchError, follow};

mod filter;
mod session;
pub(super) mod words;

/// Follow every event of a gateway, one line each.
///
/// A lost gateway is told on stderr and connected to again, after pauses that grow to 30 s. SIGINT, SIGTERM and a closed
/// stdout end it well. Exit status 1 if the gateway refuses the session, 2 if the arguments are wrong.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The gateway's GED-188 listener.
    #[arg(value_name = "ADDR:PORT")]
    address: String,
    /// One JSON object a line: when it came, and all that `ctigate decode` tells.
    #[arg(long)]
    json: bool,
    /// Only events that name this agent, or the device that it was last seen at; may be given several times.
    #[arg(long, value_name = "ID")]
    agent: Vec<String>,
    /// Only messages of this name; `*` stands for any letters, as in 'CALL_*'; may be given several times.
    #[arg(long, value_name = "NAME")]
    event: Vec<EventPattern>,
    /// The protocol version to speak.
    #[arg(long, default_value = "20", value_name = "N", value_parser = super::client::parse_version)]
    protocol_version: Version,
    /// The ClientID to open with; the gateway's configuration may ask for a known one.
    #[arg(long, default_value = "ctigate", value_name = "ID")]
    client_id: String,
    /// The ClientPassword that belongs to it; other users of the machine can read arguments, but not the environment.
    #[arg(
        long,
        env = "CTIGATE_CLIENT_PASSWORD",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    #[arg(value_name = "PASSWORD")]
    client_password: String,
    /// The ClientSignature; without one the ClientID stands for it.
    #[arg(long, value_name = "TEXT")]
    client_signature: Option<String>,
    #[command(flatten)]
    tls: TlsArgs,
}

/// Follows the events to standard output.
pub(super) fn run(args: &Args) -> ExitCode {
    let opening =
        Opening::new(&args.client_id, &args.client_password, args.client_signature.as_deref(), args.protocol_version);
    let opening = match opening {
        Ok(opening) => opening,
        Err(error) => {
            eprintln!("ctigate watch: {error}");
            return ExitCode::from(USAGE);
        }
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("ctigate watch: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let status = runtime.block_on(watch(args, &opening));
    // A write to a stdout that nobody reads may never return: it is not waited for.
    runtime.shutdown_background();
    status
}

async fn watch(args: &Args, opening: &Opening) -> ExitCode {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        eprintln!("ctigate watch: cannot listen for signals");
        return ExitCode::FAILURE;
    };
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => (),
            _ = interrupt.recv() => (),
            () = reader_gone() => (),
        }
    };
    tokio::pin!(stop);
    let way = match args.tls.way(&args.address) {
        Ok(way) => way,
        Err(error) => {
            eprintln!("ctigate watch: --tls: {error}");
            return ExitCode::from(USAGE);
        }
    };
    let filter = Filter::new(&args.event, &args.agent);
    let mut out = Lines { to: tokio::io::stdout(), json: args.json, version: opening.version, filter };
    let mut pause = PAUSE_MIN;
    loop {
        let mut was_open = false;
        let lost = match follow(&way, opening, &mut out, &mut was_open, stop.as_mut()).await {
            Ok(()) => return ExitCode::SUCCESS,
            // Whoever read us has seen enough.
            Err(WatchError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
            Err(error) if error.is_final() => {
                eprintln!("ctigate watch: {}: {error}", args.address);
                return ExitCode::FAILURE;
            }
            Err(error) => error,
        };
        if was_open {
            pause = PAUSE_MIN;
        }
        eprintln!("ctigate watch: {} lost: {lost}; again in {}", args.address, humantime::format_duration(pause));
        tokio::select! {
            () = stop.as_mut() => return ExitCode::SUCCESS,
            () = sleep(pause) => pause = (pause * 2).min(PAUSE_MAX),
        }
    }
}

/// Where events go.
struct Lines<W> {
    to: W,
    json: bool,
    version: Version,
    filter: Filter,
}

impl<W: AsyncWrite + Unpin> Lines<W> {
    /// Shows a message that came just now, if it is to be shown.
    async fn show(&mut self, message: &AnyMessage) -> Result<(), WatchError> {
        if !self.filter.lets_through(message, self.version) {
            return Ok(());
        }
        let time = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
        let line = if self.json {
            let mut object = serde_json::Map::from_iter([("time".to_owned(), time.into())]);
            object.extend(json_object(message, self.version)?);
            format!("{}\n", serde_json::Value::Object(object))
        } else {
            format!("{time} {}\n", words::line(message, self.version))
        };
        self.to.write_all(line.as_bytes()).await.map_err(WatchError::Output)?;
        self.to.flush().await.map_err(WatchError::Output)
    }
}

/// Ends when standard output is a pipe that nobody reads any more; never for a file or a terminal.
async fn reader_gone() {
    // Opened anew, so that the one that is written to does not become non-blocking.
    let is_gone = match pipe::OpenOptions::new().open_sender("/dev/stdout") {
        Ok(stdout) => stdout.ready(Interest::ERROR).await.is_ok(),
        // A file has no reader that could go; a pipe without one is noticed when it is written to.
        Err(_) => false,
    };
    if !is_gone {
        std::future::pending().await
    }
}

const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(30);
