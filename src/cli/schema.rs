//! `ctigate schema`: the JSON Schema of OpenCTI as this gateway speaks it. Not here: the messages.

use std::process::ExitCode;

/// Prints the JSON Schema of every OpenCTI message.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(_: &Args) -> ExitCode {
    super::print_whole(&format!("{:#}\n", cti_protocol::opencti::schema()))
}
