//! `ctigate agent`, `bench` and their like as people run them: against a gateway, and against one that breaks its promise.

mod capture;
mod pcap;
mod relay;
mod replay;
mod supervise;
mod support;
mod tls;
mod watch;

use support::{Gateway, ctigate, faithless_gateway, text};

#[test]
fn a_piped_agent_logs_in_works_and_logs_out() {
    let gateway = Gateway::start();
    let ran = ctigate(
        &["agent", "--connect", &gateway.address, "--agent", "1001"],
        "login 1 2\nready\nstate\nnotready 12\nlogout 3\nquit\n",
    );
    let printed = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(0), "{printed}{}", text(&ran.stderr));
    let mut lines = printed.lines();
    // Events come when they come; the answers, and a logout's event before its confirm, come in this order.
    for expected in [
        "open confirmed, the agent is LOGOUT",
        "login confirmed",
        "ready confirmed",
        "agent 1001 is AVAILABLE in queues 1, 2 at 3001",
        "not ready confirmed",
        "agent 1001 is LOGOUT (reason 3), left queues 1, 2",
        "logout confirmed",
        "close confirmed",
    ] {
        assert!(lines.any(|line| line == expected), "{expected:?} is missing or out of order in\n{printed}");
    }
}

#[test]
fn a_piped_agent_that_is_refused_says_why_and_exits_with_1() {
    let gateway = Gateway::start();
    let ran = ctigate(&["agent", "--connect", &gateway.address, "--agent", "1002", "--password", "wrong"], "login\n");
    let printed = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(1), "{printed}");
    assert!(printed.contains("login refused: CF_INVALID_AGENT_ID_OR_PASSWORD_SPECIFIED"), "{printed}");
    assert!(printed.contains("close confirmed"), "{printed}");
}

#[test]
fn a_bench_of_the_demo_world_is_fine() {
    let gateway = Gateway::start();
    let run = ["--agents", "20", "--rate", "200", "--duration", "1", "--json", "-"];
    let ran = ctigate(&[&["bench", "--connect", &gateway.address], &run[..]].concat(), "");
    let report: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("JSON on standard output");
    assert_eq!(ran.status.code(), Some(0), "{report:#}");
    assert_eq!(report["violations"], serde_json::json!({}));
    for once in ["open", "login", "logout"] {
        assert_eq!(report["latency_us"][once]["count"], 20, "{report:#}");
    }
}

#[test]
fn a_bench_writes_its_figures_though_nobody_reads_its_table() {
    let gateway = Gateway::start();
    let directory = tempfile::tempdir().expect("a directory");
    let json = directory.path().join("figures.json");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let bench = ["bench", "--connect", &gateway.address, "--agents", "2", "--duration", "0.1", "--json"];
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_ctigate")).args(bench).arg(&json).stdout(writer).output();
    let ran = ran.expect("the command ends");
    assert_eq!((ran.status.code(), text(&ran.stderr)), (Some(0), String::new()));
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).expect("the file")).expect("JSON");
    assert_eq!(report["ok"], true);
}

#[test]
fn a_bench_of_calls_takes_as_many_an_hour_as_it_is_asked_for_and_measures_their_events() {
    let gateway = Gateway::start();
    let run = ["--agents", "21", "--calls", "180000", "--duration", "1", "--json", "-"]; // ten pairs, fifty calls
    let ran = ctigate(&[&["bench", "--connect", &gateway.address], &run[..]].concat(), "");
    let report: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("JSON on standard output");
    assert_eq!(ran.status.code(), Some(0), "{report:#}");
    assert_eq!((&report["violations"], &report["errors"]), (&serde_json::json!({}), &serde_json::json!({})));
    let count = |kind: &str| report["latency_us"][kind]["count"].as_u64().expect("a count");
    let made = count("make_call");
    assert!(made > 0 && made + report["requests_not_sent"].as_u64().expect("a count") == 50, "{report:#}");
    for kind in ["delivered", "answer_call", "established", "clear_call", "cleared"] {
        assert_eq!(count(kind), made, "{kind}: {report:#}");
    }
    assert!(report["calls_per_hour"].as_f64().is_some_and(|calls| calls > 0.0 && calls <= 180_000.0), "{report:#}");
    let ran = ctigate(&["bench", "--connect", &gateway.address, "--agents", "2", "--calls", "many"], "");
    assert_eq!(ran.status.code(), Some(2));
}

#[test]
fn a_bench_that_finds_a_broken_promise_says_so_and_exits_with_1() {
    let address = faithless_gateway();
    let directory = tempfile::tempdir().expect("a directory");
    let json = directory.path().join("figures.json").display().to_string();
    let ran = ctigate(&["bench", "--connect", &address, "--agents", "2", "--duration", "0.1", "--json", &json], "");
    let table = text(&ran.stdout);
    assert_eq!(ran.status.code(), Some(1), "{table}");
    assert!(
        table.contains("2  event of an ended subscription after the logout's confirm (first: agent 100"),
        "{table}"
    );
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).expect("the file")).expect("JSON");
    assert_eq!(report["violations"]["event_after_logout"]["count"], 2);
}

#[test]
fn wrong_arguments_are_named_and_exit_with_2() {
    for (arguments, named) in [
        (&["agent", "--connect", "127.0.0.1:1", "--agent", "anna"][..], "--instrument"),
        (&["agent", "--connect", "127.0.0.1:1", "--agent", "1234567890123"][..], "--agent"),
        (&["agent", "--agent", "1001"][..], "--connect"),
        (&["bench", "--connect", "127.0.0.1:1", "--agents", "0"][..], "--agents"),
        (&["bench", "--connect", "127.0.0.1:1", "--agents", "1", "--protocol-version", "8"][..], "--protocol-version"),
        (&["bench", "--connect", "127.0.0.1:1", "--agents", "1", "--rate", "fast"][..], "--rate"),
    ] {
        let ran = ctigate(arguments, "");
        assert_eq!(ran.status.code(), Some(2), "{arguments:?}");
        let said = text(&ran.stderr);
        assert!(said.contains(named), "{arguments:?}: {said}");
    }
}
