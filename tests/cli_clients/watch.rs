//! `ctigate watch` as people run it: beside an agent at work, over a gateway's restart, into a pipe that closes.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use crate::support::{Gateway, ctigate, text};

/// The command, following a gateway; it ends with this.
pub(crate) struct Watcher {
    child: Child,
    stdout: Option<Lines<BufReader<ChildStdout>>>,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Watcher {
    /// Returns when the subscription stands.
    pub(crate) fn start(address: &str, more: &[&str]) -> Watcher {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ctigate"))
            .args(["watch", address])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let stdout = Some(BufReader::new(child.stdout.take().expect("a pipe")).lines());
        let stderr = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let mut watcher = Watcher { child, stdout, stderr };
        watcher.says(&format!("watching {address}"));
        watcher
    }

    /// Waits for a line on stderr.
    fn says(&mut self, part: &str) {
        let mut heard = Vec::new();
        while !heard.last().is_some_and(|line: &String| line.contains(part)) {
            let line = self.stderr.next().unwrap_or_else(|| panic!("no {part:?} in {heard:#?}"));
            heard.push(line.expect("text"));
        }
    }

    fn next(&mut self) -> String {
        self.stdout.as_mut().expect("a pipe").next().expect("a line").expect("text")
    }

    /// Waits for a line on stdout.
    pub(crate) fn shows(&mut self, part: &str) -> String {
        loop {
            let line = self.next();
            if line.contains(part) {
                return line;
            }
        }
    }

    pub(crate) fn is_told(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill");
        assert!(status.success());
    }

    pub(crate) fn ends(&mut self) -> Option<i32> {
        self.child.wait().expect("the command ends").code()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// A day at work of that agent, whose end is confirmed.
pub(crate) fn works(address: &str, agent: &str) {
    let ran =
        ctigate(&["agent", "--connect", address, "--agent", agent], "login 1 2\nready\nnotready 12\nlogout 3\nquit\n");
    assert_eq!(ran.status.code(), Some(0), "{}{}", text(&ran.stdout), text(&ran.stderr));
}

#[test]
fn a_day_at_work_is_told_in_words_until_a_signal() {
    for signal in ["-TERM", "-INT"] {
        let gateway = Gateway::start();
        let mut watcher = Watcher::start(&gateway.address, &[]);
        works(&gateway.address, "1001");
        watcher.shows(" AGENT_STATE_EVENT agent 1001 is AVAILABLE in queues 1, 2 at 3001");
        watcher.shows(" AGENT_STATE_EVENT agent 1001 is NOT_READY (reason 12) in queues 1, 2 at 3001");
        let last = watcher.shows(" AGENT_STATE_EVENT agent 1001 is LOGOUT (reason 3)");
        assert!(humantime::parse_rfc3339(last.split(' ').next().expect("a time")).is_ok(), "{last}");
        watcher.is_told(signal);
        assert_eq!(watcher.ends(), Some(0), "{signal}");
    }
}

#[test]
fn json_is_what_decode_tells_and_when_it_came() {
    let gateway = Gateway::start();
    let mut watcher = Watcher::start(&gateway.address, &["--json", "--protocol-version", "14"]);
    works(&gateway.address, "1001");
    let line = watcher.shows("AGENT_STATE_EVENT");
    let mut event: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&line).expect("JSON");
    let time = event.remove("time").expect("a time");
    assert!(humantime::parse_rfc3339(time.as_str().expect("a text")).is_ok(), "{time}");
    assert_eq!(event["fields"]["AgentID"], "1001");
    let hex = event["hex"].as_str().expect("hex").to_owned() + "\n";
    let decoded = ctigate(&["decode", "--version", "14"], &hex);
    let decoded: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&decoded.stdout).expect("decode's JSON");
    assert_eq!(event, decoded);
}

#[test]
fn only_the_agents_and_events_asked_for_are_shown() {
    let gateway = Gateway::start();
    let filter = ["--agent", "1002", "--agent", "1003", "--event", "agent_*"];
    let mut watcher = Watcher::start(&gateway.address, &filter);
    for agent in ["1001", "1002", "1003"] {
        works(&gateway.address, agent);
    }
    let mut of_1002 = 0;
    loop {
        let line = watcher.next();
        assert!(!line.contains("agent 1001"), "{line}");
        assert!(line.contains(" AGENT_STATE_EVENT "), "{line}");
        of_1002 += usize::from(line.contains("agent 1002"));
        if line.contains("agent 1003 is LOGOUT (reason 3)") {
            break;
        }
    }
    assert!(of_1002 >= 3, "{of_1002}");
}

#[test]
fn a_gateway_that_comes_back_is_followed_again() {
    let gateway = Gateway::start();
    let address = gateway.address.clone();
    let mut watcher = Watcher::start(&address, &[]);
    drop(gateway);
    watcher.says(&format!("{address} lost: the "));
    watcher.says(&format!("{address} lost: cannot connect: "));
    let gateway = Gateway::start_at(&address, &[]);
    watcher.says(&format!("watching {address}"));
    works(&gateway.address, "1004");
    watcher.shows("agent 1004 is LOGOUT (reason 3)");
}

#[test]
fn a_closed_pipe_ends_it_well_though_nothing_happens() {
    let gateway = Gateway::start();
    let mut watcher = Watcher::start(&gateway.address, &[]);
    watcher.stdout = None;
    assert_eq!(watcher.ends(), Some(0));
    let said: Vec<String> = watcher.stderr.by_ref().map_while(Result::ok).collect();
    assert!(said.is_empty(), "{said:?}");
}

#[test]
fn a_signal_ends_it_though_nobody_reads_a_full_pipe() {
    let gateway = Gateway::start();
    let mut watcher = Watcher::start(&gateway.address, &["--json"]);
    // Five events and more of each agent, a kilobyte each; a pipe holds 64 of them.
    for agent in 1001..=1030 {
        works(&gateway.address, &agent.to_string());
    }
    watcher.is_told("-TERM");
    assert_eq!(watcher.ends(), Some(0));
}

#[test]
fn a_refused_session_is_not_tried_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("ctigate.toml");
    std::fs::write(&file, "[[client]]\nid = \"wall\"\npassword = \"secret\"\nrole = \"bridge\"\n").expect("a file");
    let gateway = Gateway::start_at("127.0.0.1:0", &["-c", &file.display().to_string()]);
    let ran = ctigate(&["watch", &gateway.address, "--client-id", "wall"], "");
    assert_eq!(ran.status.code(), Some(1));
    assert!(text(&ran.stderr).contains("open refused: E_CTI_INVALID_PASSWORD"), "{}", text(&ran.stderr));
    let mut watcher = Watcher::start(&gateway.address, &["--client-id", "wall", "--client-password", "secret"]);
    watcher.is_told("-TERM");
    assert_eq!(watcher.ends(), Some(0));
}

#[test]
fn wrong_arguments_are_named() {
    let long = "s".repeat(65);
    for (arguments, named) in [
        (&["--event", "NO_SUCH_EVENT"][..], "--event"),
        (&["--client-signature", &long], "--client-signature"),
        (&["--protocol-version", "8"], "--protocol-version"),
    ] {
        let ran = ctigate(&[&["watch", "127.0.0.1:1"], arguments].concat(), "");
        assert_eq!(ran.status.code(), Some(2), "{arguments:?}");
        assert!(text(&ran.stderr).contains(named), "{arguments:?}: {}", text(&ran.stderr));
    }
}
