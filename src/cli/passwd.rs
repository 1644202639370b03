//! `ctigate passwd`: from a password to the line of a configuration. Not here: how a hash is checked.

use std::io::{self, BufRead, IsTerminal};
use std::process::ExitCode;

use super::USAGE;
use crate::access::{HashCost, PasswordHash};
use crate::model::Password;

/// Print the hash of a password, for `password_hash` of a `[[client]]`.
///
/// The password is asked for twice at a terminal, or is the first line of the standard input.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The memory that each check takes, in KiB.
    #[arg(long, value_name = "KIB", default_value_t = HashCost::default().memory_kib)]
    memory: u32,
    /// How often each check goes through it.
    #[arg(long, value_name = "COUNT", default_value_t = HashCost::default().passes)]
    passes: u32,
}

pub(super) fn run(args: &Args) -> ExitCode {
    let password = match password() {
        Ok(password) if password.expose().is_empty() => return wrong(&"the password is empty"),
        Ok(password) if password.expose().len() > BYTES_MAX => {
            return wrong(&format!("the password has more than {BYTES_MAX} bytes, which no client can send"));
        }
        Ok(password) => password,
        Err(error) => return wrong(&error),
    };
    match PasswordHash::of(&password, HashCost { memory_kib: args.memory, passes: args.passes }) {
        Ok(hash) => {
            println!("password_hash = {:?}", hash.expose());
            ExitCode::SUCCESS
        }
        Err(error) => wrong(&error),
    }
}

/// The longest ClientPassword, by GED-188.
const BYTES_MAX: usize = 64;

fn password() -> Result<Password, String> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        let mut line = zeroize::Zeroizing::new(String::new());
        stdin.lock().read_line(&mut line).map_err(|error| format!("cannot read the password: {error}"))?;
        return Ok(Password::new(line.trim_end_matches(['\r', '\n'])));
    }
    let ask = |prompt| rpassword::prompt_password(prompt).map(Password::new).map_err(|error| error.to_string());
    let (first, again) = (ask("password: ")?, ask("once more: ")?);
    if first.matches(&again) { Ok(first) } else { Err("the two are not the same".to_owned()) }
}

fn wrong(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("ctigate: {error}");
    ExitCode::from(USAGE)
}
