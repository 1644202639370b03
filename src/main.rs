//! `ctigate`, the command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ctigate::cli::main()
}
