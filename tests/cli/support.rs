//! Runs the command.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

pub fn ctigate(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ctigate"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs to the end with that input.
pub fn run(args: &[&str], input: &[u8]) -> Output {
    let mut child = ctigate(args).stdin(Stdio::piped()).spawn().expect("the command starts");
    child.stdin.take().expect("a pipe").write_all(input).expect("the command reads");
    child.wait_with_output().expect("the command ends")
}

pub fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8(bytes.to_vec()).expect("text").lines().map(str::to_owned).collect()
}

/// A file with that content, which lives as long as the directory beside it.
pub fn file(content: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ctigate.toml");
    std::fs::write(&path, content).expect("a file");
    (directory, path)
}
