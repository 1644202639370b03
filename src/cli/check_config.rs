//! `ctigate check-config`. Not here: what is checked.

use std::path::PathBuf;
use std::process::ExitCode;

use super::USAGE;
use crate::config::{Config, SAMPLE};

/// Check a configuration file, or print a sample of one.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file to check.
    #[arg(required_unless_present = "sample", value_name = "FILE")]
    file: Option<PathBuf>,
    /// Print a sample in which every option is explained.
    #[arg(long, conflicts_with = "file")]
    sample: bool,
}

pub(super) fn run(args: &Args) -> ExitCode {
    let Some(file) = &args.file else {
        return super::print_whole(SAMPLE);
    };
    match Config::from_file(file) {
        Ok(config) => {
            let (listeners, acds) = (config.listeners.len(), config.acds.len());
            println!("ok: {}: {listeners} listener(s), {acds} ACD(s)", file.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("ctigate: {error}");
            ExitCode::from(USAGE)
        }
    }
}
