//! How many instructions reading and writing of SET_AGENT_STATE_REQ take, beside a hand-written reader that checks nothing,
//! prost and serde_json: counted by callgrind, which noise does not disturb, so that what got worse is a failure.
//!
//! ```text
//! cargo bench -p cti-protocol --bench instructions
//! ```
//!
//! Needs valgrind. Each case is played twice in a process of its own, with unlike numbers of rounds: what the second took more,
//! divided by the rounds it had more, is the cost of a round, without that of the start.

#![allow(clippy::print_stdout)] // a table for people

mod by_hand;
mod cases;
mod others;

use std::process::{Command, ExitCode};

use cases::{CASES, Case, TARGETS, Target};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, case, rounds] = &arguments[..]
        && flag == PLAY
    {
        let case = CASES.iter().find(|known| known.name == case).expect("a case of the list");
        (case.play)(rounds.parse().expect("a number of rounds"));
        return ExitCode::SUCCESS;
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("cargo bench runs this; cargo test does not");
        return ExitCode::SUCCESS;
    }
    let counted: Vec<(&Case, f64)> = CASES.iter().map(|case| (case, instructions(case))).collect();
    let of = |name: &str| counted.iter().find(|(case, _)| case.name == name).expect("a case of the list").1;
    println!("{:<34} {:>12}", "SET_AGENT_STATE_REQ", "instructions");
    for (case, instructions) in &counted {
        println!("{:<34} {instructions:>12.1}", case.name);
    }
    println!("\n{:<60}{:>8}{:>9}", "", "ratio", "target");
    let mut worse = 0;
    for Target { of: this, to, at_most, ratio: due, now } in TARGETS {
        let ratio = of(this) / of(to);
        let keeps = |limit: f64| if *at_most { ratio <= limit } else { ratio >= limit };
        worse += u32::from(!keeps(*now));
        let verdict = match (keeps(*due), keeps(*now)) {
            (true, _) => "",
            (false, true) => "  missed",
            (false, false) => "  worse than it was",
        };
        let sign = if *at_most { "≤" } else { "≥" };
        println!("{:<60}{ratio:>8.2}{sign:>3}{due:>6.2}{verdict}", format!("{this} / {to}"));
    }
    if worse == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What one round of `case` takes.
fn instructions(case: &Case) -> f64 {
    let (few, many) = (100, 1_100);
    (collected(case, many) - collected(case, few)) as f64 / f64::from(many - few)
}

/// What callgrind counts in a process that plays so many rounds.
fn collected(case: &Case, rounds: u32) -> i64 {
    let this = std::env::current_exe().expect("the path of this program");
    let valgrind = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(this)
        .args([PLAY, case.name, &rounds.to_string()])
        .output()
        .expect("valgrind, which counts");
    let said = String::from_utf8_lossy(&valgrind.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected :")).map(|(_, count)| count.trim().parse());
    match collected {
        Some(Ok(count)) if valgrind.status.success() => count,
        _ => panic!("{} was not counted:\n{said}", case.name),
    }
}

/// The argument by which this program is told to be the one that is counted.
const PLAY: &str = "--play";
