//! The arrows between the rooms point one way.

use std::fs;
use std::path::{Path, PathBuf};

/// A room, and the rooms and crates that it must know nothing of.
const WALLS: &[(&str, &[&str])] = &[
    (
        "model",
        &[
            "tokio",
            "cti_protocol",
            "crate::acd",
            "crate::sessions",
            "crate::operations",
            "crate::dialects",
            "crate::server",
            "crate::cli",
            "crate::config",
        ],
    ),
    (
        "access",
        &[
            "cti_protocol",
            "tokio::net",
            "crate::acd",
            "crate::sessions",
            "crate::operations",
            "crate::dialects",
            "crate::server",
            "crate::cli",
            "crate::config",
        ],
    ),
    (
        "sessions",
        &[
            "cti_protocol",
            "tokio::net",
            "crate::acd",
            "crate::operations",
            "crate::dialects",
            "crate::server",
            "crate::cli",
            "crate::config",
        ],
    ),
    (
        "acd",
        &[
            "crate::sessions",
            "crate::operations",
            "crate::dialects",
            "crate::server",
            "crate::cli",
            "crate::config",
            "cti_protocol",
        ],
    ),
    ("operations", &["cti_protocol", "tokio::net", "crate::dialects", "crate::server", "crate::cli", "crate::config"]),
    ("dialects", &["tokio::net", "crate::acd::embedded", "crate::server", "crate::cli", "Instant::now"]),
    (
        "observe",
        &[
            "cti_protocol",
            "tokio::net",
            "crate::acd",
            "crate::sessions",
            "crate::operations",
            "crate::dialects",
            "crate::server",
            "crate::cli",
            "crate::config",
        ],
    ),
    ("config", &["crate::sessions", "crate::operations", "crate::dialects", "crate::server", "crate::cli"]),
    ("server", &["cti_protocol", "crate::cli"]),
];

#[test]
fn no_room_knows_what_it_must_not() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut breaches = Vec::new();
    for (room, walls) in WALLS {
        for file in rust_files(&source.join(room)) {
            let text = fs::read_to_string(&file).expect("a source file");
            let code: String =
                text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
            for wall in walls.iter().filter(|wall| code.contains(*wall)) {
                breaches.push(format!("{} knows of {wall}", file.display()));
            }
        }
    }
    assert!(breaches.is_empty(), "{breaches:#?}");
}

/// Who asks for the time of day, which jumps: to tell it, or to begin a day by it. Nothing is due by it.
const TELLS_THE_TIME: &[&str] = &[
    "src/acd/asterisk/control.rs",
    "src/cli/logging.rs",
    "src/cli/watch/mod.rs",
    "src/dialects/ged188/mod.rs",
    "src/dialects/opencti/mod.rs",
    "src/observe/counted.rs",
    "src/sessions/statistics/mod.rs",
];

#[test]
fn nobody_else_asks_for_the_time_of_day() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let asks = |file: &PathBuf| fs::read_to_string(file).expect("a source file").contains("SystemTime");
    let mut asking = rust_files(&top.join("src"));
    asking.retain(asks);
    let mut asking: Vec<&Path> = asking.iter().map(|file| file.strip_prefix(top).expect("a file of ours")).collect();
    asking.sort();
    assert_eq!(asking, TELLS_THE_TIME.iter().map(Path::new).collect::<Vec<_>>());
}

#[test]
fn every_file_says_first_what_it_is_for() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["src", "protocol/src", "tests", "benches"] {
        for file in rust_files(&top.join(folder)) {
            let text = fs::read_to_string(&file).expect("a source file");
            assert!(text.starts_with("//! "), "{} has no head", file.display());
        }
    }
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
