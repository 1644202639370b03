//! `ctigate runbook`. Not here: the pages (`observe`).

use std::process::ExitCode;

use super::{USAGE, print_whole};
use crate::observe::runbook;

/// Say what an alert, the end of a connection or a failed step means, and what to do.
///
/// A connection that ended for the reason "slow" has the page close-slow, a failed step "close_adapter" the page
/// step-close_adapter; alerts name theirs.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The page; without one, the names of all.
    name: Option<String>,
}

pub(super) fn run(args: &Args) -> ExitCode {
    let Some(name) = &args.name else {
        let names: Vec<&str> = runbook::pages().map(|page| page.name).collect();
        return print_whole(&format!("{}\n", names.join("\n")));
    };
    match runbook::find(name) {
        Some(page) => print_whole(&format!("# {}\n\n{}\n", page.name, page.text)),
        None => {
            let like = runbook::pages().map(|page| page.name).filter(|known| known.contains(name.as_str()));
            let like: Vec<&str> = like.collect();
            let hint = if like.is_empty() { "`ctigate runbook` lists them".to_owned() } else { like.join(", ") };
            eprintln!("ctigate: there is no page {name:?}: {hint}");
            ExitCode::from(USAGE)
        }
    }
}
