//! The command line: arguments in, exit status out.
//!
//! Lives here: what people type and read. Not here: anything that a program with the gateway built in would miss.
#![allow(clippy::print_stdout, clippy::print_stderr)] // this room talks to people

mod agent;
mod bench;
pub mod capture;
mod check_config;
mod client;
mod decode;
mod dissector;
mod logging;
mod passwd;
mod replay;
mod runbook;
mod schema;
mod serve;
mod supervise;
mod supervisor;
mod watch;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A CTI gateway: agent clients on one side, ACDs on the other.
#[derive(Debug, Parser)]
#[command(name = "ctigate", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway.
    Serve(serve::Args),
    /// Check a configuration file, or print a sample of one.
    CheckConfig(check_config::Args),
    /// Decode GED-188 frames, given as hex lines, as a raw stream, or in a network capture.
    Decode(decode::Args),
    Dissector(dissector::Args),
    Schema(schema::Args),
    Agent(agent::Args),
    Bench(bench::Args),
    Supervise(supervise::Args),
    Watch(watch::Args),
    Replay(replay::Args),
    Passwd(passwd::Args),
    Runbook(runbook::Args),
}

/// What the operator or the file got wrong.
const USAGE: u8 = 2;

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(args) => serve::run(args),
        Command::CheckConfig(args) => check_config::run(&args),
        Command::Decode(args) => decode::run(&args),
        Command::Dissector(args) => dissector::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Agent(args) => agent::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Supervise(args) => supervise::run(&args),
        Command::Watch(args) => watch::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Passwd(args) => passwd::run(&args),
        Command::Runbook(args) => runbook::run(&args),
    }
}

/// Prints all of a text. A reader that has seen enough of it is no error.
fn print_whole(text: &str) -> ExitCode {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("ctigate: cannot write: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// A runtime for the commands that talk over sockets.
fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
