//! `ctigate supervise` as people run it: one agent, many by queue, many by team, beside somebody who watches.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use bytes::BytesMut;
use cti_protocol::ged188::codes::{AgentState, ServiceMask};
use cti_protocol::ged188::{
    AnyMessage, FrameCodec, OpenReq, QueryAgentStateConf, QueryAgentStateReq, Secret, SetAgentStateReq, Text, Version,
};
use tokio_util::codec::Decoder;

use crate::support::{Gateway, ctigate, text};
use crate::watch::Watcher;

const LOGIN: AgentState = AgentState::AGENT_STATE_LOGIN;
const LOGOUT: AgentState = AgentState::AGENT_STATE_LOGOUT;
const NOT_READY: AgentState = AgentState::AGENT_STATE_NOT_READY;
const AVAILABLE: AgentState = AgentState::AGENT_STATE_AVAILABLE;

/// 1001 supervises two teams, and 1009 the second of them as well.
const TEAMS: &str = r#"
[[team]]
id = 1
name = "north"
supervisors = ["1001"]
agents = ["1002", "1003", "1005"]
[[team]]
id = 2
name = "south"
supervisors = ["1009", "1001"]
agents = ["1004"]
"#;

/// A gateway whose file says so.
fn gateway(config: &str) -> Gateway {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("ctigate.toml");
    std::fs::write(&file, config).expect("a file");
    // Read when it says that it is ready, which is what this waits for.
    Gateway::start_at("127.0.0.1:0", &["-c", &file.display().to_string()])
}

/// What a run said, and its exit status. The lines are sorted, as answers come in any order: the count, then the agents.
fn supervise(gateway: &Gateway, arguments: &[&str]) -> (Vec<String>, Option<i32>) {
    let ran = ctigate(&[&["supervise", &gateway.address], arguments].concat(), "");
    assert!(!text(&ran.stderr).contains("panicked"), "{}", text(&ran.stderr));
    let said = if ran.stdout.is_empty() { &ran.stderr } else { &ran.stdout };
    let mut lines: Vec<String> = text(said).lines().map(str::to_owned).collect();
    lines.sort_unstable();
    (lines, ran.status.code())
}

/// A session that may command every agent, to bring them to work and see how they stand.
struct Bridge {
    stream: TcpStream,
    frames: FrameCodec,
    read: BytesMut,
}

impl Bridge {
    fn open(gateway: &Gateway) -> Bridge {
        let stream = TcpStream::connect(&gateway.address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        let mut bridge = Bridge { stream, frames: FrameCodec::default(), read: BytesMut::new() };
        let services = ServiceMask::CTI_SERVICE_ALL_EVENTS.0 | ServiceMask::CTI_SERVICE_CLIENT_CONTROL.0;
        bridge.send(OpenReq {
            invoke_id: 1,
            version_number: VERSION.number(),
            idle_timeout: u32::MAX,
            peripheral_id: u32::MAX,
            services_requested: ServiceMask(services),
            client_id: Text::new("floor").ok(),
            client_password: Some(Secret::default()),
            ..Default::default()
        });
        assert!(matches!(bridge.receive(1), AnyMessage::OpenConf(_)));
        bridge
    }

    fn send(&mut self, message: impl Into<AnyMessage>) {
        let mut bytes = BytesMut::new();
        message.into().encode(VERSION, &mut bytes).expect("a message");
        self.stream.write_all(&bytes).expect("a gateway that reads");
    }

    /// The answer to that request.
    fn receive(&mut self, invoke_id: u32) -> AnyMessage {
        let mut chunk = [0; 4096];
        loop {
            while let Some(frame) = self.frames.decode(&mut self.read).expect("whole frames") {
                let message = AnyMessage::decode(&frame, VERSION).expect("a message");
                if message.invoke_id() == Some(invoke_id) {
                    return message;
                }
            }
            let bytes = self.stream.read(&mut chunk).expect("an answer");
            assert!(bytes > 0, "the gateway closed the connection");
            self.read.extend_from_slice(&chunk[..bytes]);
        }
    }

    fn brings(&mut self, agent: u32, state: AgentState) {
        self.send(SetAgentStateReq {
            invoke_id: agent,
            peripheral_id: 5000,
            agent_state: state,
            agent_instrument: Text::new(&(agent + 2000).to_string()).ok(),
            agent_id: Text::new(&agent.to_string()).ok(),
            agent_password: Text::new(&format!("pw{agent}")).ok().map(Secret::new),
            ..Default::default()
        });
        let answer = self.receive(agent);
        assert!(matches!(answer, AnyMessage::SetAgentStateConf(_)), "{agent}: {answer:?}");
    }

    fn stands(&mut self, agent: u32) -> (AgentState, Vec<u32>) {
        let agent_id = Text::new(&agent.to_string()).ok();
        self.send(QueryAgentStateReq { invoke_id: agent, peripheral_id: 5000, agent_id, ..Default::default() });
        match self.receive(agent) {
            AnyMessage::QueryAgentStateConf(QueryAgentStateConf { agent_state, skill_groups, .. }) => {
                (agent_state, skill_groups.iter().filter_map(|group| group.number).collect())
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn one_agent_is_changed_and_ended_and_others_are_told_who_did_it() {
    let gateway = Gateway::start();
    let mut bridge = Bridge::open(&gateway);
    bridge.brings(1001, LOGIN);
    bridge.brings(1002, LOGIN);
    let mut watcher = Watcher::start(&gateway.address, &["--json", "--event", "AGENT_STATE_EVENT"]);
    let one = ["--agent", "1001", "--client-signature", "Grace"];
    for (more, told, state) in [
        (&["ready"][..], "agent 1001 ready", AVAILABLE),
        (&["notready", "--reason", "7"], "agent 1001 not ready (reason 7)", NOT_READY),
        (&["logout", "--reason", "3"], "agent 1001 logged out (reason 3)", LOGOUT),
    ] {
        let (lines, status) = supervise(&gateway, &[&one, more].concat());
        assert_eq!(lines, ["1 agent: 1 done", told]);
        assert_eq!(status, Some(0));
        assert_eq!(bridge.stands(1001).0, state);
        let event: serde_json::Value = serde_json::from_str(&watcher.shows("AGENT_STATE_EVENT")).expect("JSON");
        let fields = &event["fields"];
        assert_eq!((&fields["AgentID"], &fields["CTIClientSignature"]), (&"1001".into(), &"Grace".into()), "{event}");
        assert_eq!(fields["AgentState"], state.0, "{event}");
    }
    assert_eq!(bridge.stands(1002), (NOT_READY, vec![1, 2, 3]));
    // Once more: nothing is left to do, which is no failure.
    let (lines, status) = supervise(&gateway, &["--agent", "1001", "logout"]);
    assert_eq!(
        (&lines[..], status),
        (&["1 agent: 1 left as they are", "agent 1001 is logged out already"].map(String::from)[..], Some(0))
    );
    let (lines, status) = supervise(&gateway, &["--agent", "1001", "--agent", "1002", "notready"]);
    assert_eq!(lines[1..], ["agent 1001 is logged out and stays so", "agent 1002 is not ready already"]);
    assert_eq!(status, Some(0));
    // Without a signature the client's name stands there.
    supervise(&gateway, &["--agent", "1002", "--client-id", "Ada", "ready"]);
    assert!(watcher.shows("\"1002\"").contains("\"CTIClientSignature\":\"Ada\""));
}

#[test]
fn those_of_a_queue_leave_that_queue_alone() {
    let gateway = Gateway::start();
    let mut bridge = Bridge::open(&gateway);
    for agent in [1001, 1002, 1003] {
        bridge.brings(agent, LOGIN);
    }
    supervise(&gateway, &["--agent", "1003", "--queue", "2", "logout"]);
    assert_eq!(bridge.stands(1003), (NOT_READY, vec![1, 3]));

    let (lines, status) = supervise(&gateway, &["--queue", "2", "list"]);
    assert_eq!(lines, [1001, 1002].map(|id| format!("agent {id} is NOT_READY in queues 1, 2, 3 at {}", id + 2000)));
    assert_eq!(status, Some(0));
    let (lines, status) = supervise(&gateway, &["--queue", "2", "ready"]);
    assert_eq!(lines, ["2 agents: 2 done", "agent 1001 ready", "agent 1002 ready"]);
    assert_eq!(status, Some(0));
    let (lines, status) = supervise(&gateway, &["--queue", "2", "logout"]);
    let left = |id| format!("agent {id} logged out of queue 2");
    assert_eq!(lines, ["2 agents: 2 done".to_owned(), left(1001), left(1002)]);
    assert_eq!(status, Some(0));
    for (agent, state) in [(1001, AVAILABLE), (1002, AVAILABLE), (1003, NOT_READY)] {
        assert_eq!(bridge.stands(agent), (state, vec![1, 3]), "{agent}");
    }
    let (lines, status) = supervise(&gateway, &["--queue", "2", "logout"]);
    assert_eq!((&lines[..], status), (&["no agent is meant, nothing to do".to_owned()][..], Some(0)));
    let (lines, _) = supervise(&gateway, &["--queue", "2", "--agent", "1003", "logout"]);
    assert_eq!(lines, ["1 agent: 1 left as they are", "agent 1003 is not in queue 2"]);
    // The last queues: it is out of all.
    supervise(&gateway, &["--queue", "1", "--queue", "3", "--agent", "1003", "logout"]);
    assert_eq!(bridge.stands(1003), (LOGOUT, vec![]));
}

#[test]
fn a_supervisor_ends_its_teams_agents_and_nobody_elses() {
    let gateway = gateway(TEAMS);
    let mut bridge = Bridge::open(&gateway);
    for agent in [1001, 1002, 1003, 1004, 1006] {
        bridge.brings(agent, LOGIN);
    }
    bridge.brings(1003, AVAILABLE);
    let (lines, status) = supervise(&gateway, &["--as", "1001", "list"]);
    let begins = [
        "agent 1001 is NOT_READY in queues 1, 2, 3 at 3001, for ",
        "agent 1002 is NOT_READY in queues 1, 2, 3 at 3002, for ",
        "agent 1003 is AVAILABLE in queues 1, 2, 3 at 3003, for ",
        "agent 1004 is NOT_READY in queues 1, 2, 3 at 3004, for ",
        "agent 1005 is LOGOUT, for ",
        "agent 1009 is LOGOUT, for ",
    ];
    assert_eq!((lines.len(), status), (begins.len(), Some(0)), "{lines:#?}");
    for (line, begin) in lines.iter().zip(begins) {
        assert!(line.starts_with(begin), "{line}");
    }
    assert!(lines[0].ends_with(", a supervisor") && lines[5].ends_with(", a supervisor"), "{lines:#?}");

    let mut watcher = Watcher::start(&gateway.address, &["--json", "--event", "AGENT_STATE_EVENT"]);
    let (lines, status) = supervise(&gateway, &["--as", "1001", "--team", "1", "logout", "--reason", "5"]);
    assert_eq!(
        lines,
        [
            "3 agents: 2 done, 1 left as they are",
            "agent 1002 logged out (reason 5)",
            "agent 1003 logged out (reason 5)",
            "agent 1005 is logged out already",
        ]
    );
    assert_eq!(status, Some(0));
    for _ in 0..2 {
        let event = watcher.shows("AGENT_STATE_EVENT");
        assert!(event.contains("\"CTIClientSignature\":\"supervisor 1001\""), "{event}");
    }
    for (agent, state) in [(1001, NOT_READY), (1002, LOGOUT), (1003, LOGOUT), (1004, NOT_READY), (1006, NOT_READY)] {
        assert_eq!(bridge.stands(agent).0, state, "{agent}");
    }
    // By team and queue, of all its teams.
    let (lines, _) = supervise(&gateway, &["--as", "1001", "--queue", "3", "logout"]);
    assert_eq!(lines, ["1 agent: 1 done", "agent 1004 logged out of queue 3"]);
    assert_eq!(bridge.stands(1004), (NOT_READY, vec![1, 2]));
}

#[test]
fn what_the_gateway_refuses_is_said_and_exits_with_1() {
    let gateway = gateway(TEAMS);
    let mut bridge = Bridge::open(&gateway);
    bridge.brings(1004, LOGIN);
    bridge.brings(1006, LOGIN);
    // Not one of the supervisor's.
    let (lines, status) = supervise(&gateway, &["--as", "1001", "--agent", "1006", "--agent", "1004", "ready"]);
    assert_eq!(
        (&lines[..2], status),
        (&["2 agents: 1 done, 1 refused", "agent 1004 ready"].map(String::from)[..], Some(1))
    );
    assert!(lines[2].starts_with("agent 1006: refused: E_CTI_FUNCTION_NOT_AVAILABLE: "), "{lines:?}");
    assert_eq!(bridge.stands(1006).0, NOT_READY);
    // Nobody at all.
    let (lines, status) = supervise(&gateway, &["--agent", "9999", "--json", "logout"]);
    let is_told = |part| lines.iter().any(|line| line.contains(part));
    assert!(is_told("CF_INVALID_AGENT_ID_SPECIFIED") && is_told("\"refused\":1"), "{lines:?}");
    assert_eq!(status, Some(1));
    // No supervisor; a team that is another one's.
    let (lines, status) = supervise(&gateway, &["--as", "1002", "list"]);
    assert!(lines[0].contains("OPEN_REQ refused: ") && lines[0].contains("supervises no team"), "{lines:?}");
    assert_eq!(status, Some(1));
    let (lines, status) = supervise(&gateway, &["--as", "1009", "--team", "1", "list"]);
    assert!(lines[0].ends_with("--team 1 is not one of the supervisor's teams, which are [2]"), "{lines:?}");
    assert_eq!(status, Some(2));
    let ran = ctigate(&["supervise", "127.0.0.1:1", "list"], "");
    assert_eq!(ran.status.code(), Some(2));
    assert!(text(&ran.stderr).contains("127.0.0.1:1: cannot connect: "), "{}", text(&ran.stderr));
}

#[test]
fn thousands_are_never_more_at_a_time_than_the_gateway_takes() {
    let gateway = gateway(
        r#"
        [limits]
        requests_in_flight_max = 100
        [[acd]]
        kind = "embedded"
        latency = "5ms"
        [[acd.agents]]
        first = 1001
        count = 2000
        password = "pw{id}"
        queues = [1, 2, 3]
        [[acd.instruments]]
        first = 3001
        count = 2000
        "#,
    );
    let mut bridge = Bridge::open(&gateway);
    std::thread::scope(|scope| {
        for part in 0..20 {
            let mut bridge = Bridge::open(&gateway);
            scope.spawn(move || (0..100).for_each(|one| bridge.brings(1001 + part * 100 + one, LOGIN)));
        }
    });
    for (arguments, told) in [
        (&["--queue", "2", "logout"][..], "2000 agents: 2000 done"),
        (&["--queue", "1", "ready"], "2000 agents: 2000 done"),
        (&["--queue", "1", "--queue", "3", "logout"], "2000 agents: 2000 done"),
        (&["--queue", "1", "logout"], "no agent is meant, nothing to do"),
    ] {
        let (lines, status) = supervise(&gateway, arguments);
        assert_eq!((lines.first().map(String::as_str), status), (Some(told), Some(0)), "{arguments:?}");
    }
    for agent in [1001, 2000, 3000] {
        assert_eq!(bridge.stands(agent), (LOGOUT, vec![]));
    }
}

#[test]
fn a_closed_pipe_does_not_end_the_work() {
    let gateway = Gateway::start();
    let mut bridge = Bridge::open(&gateway);
    (1001..=1020).for_each(|agent| bridge.brings(agent, LOGIN));
    let mut child = Command::new(env!("CARGO_BIN_EXE_ctigate"))
        .args(["supervise", &gateway.address, "--queue", "1", "ready"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    drop(child.stdout.take());
    let ran = child.wait_with_output().expect("the command ends");
    assert_eq!((ran.status.code(), text(&ran.stderr).as_str()), (Some(0), ""));
    for agent in 1001..=1020 {
        assert_eq!(bridge.stands(agent).0, AVAILABLE, "{agent}");
    }
}

#[test]
fn a_signal_ends_it_while_the_gateway_is_silent() {
    for signal in ["-INT", "-TERM"] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let child = Command::new(env!("CARGO_BIN_EXE_ctigate"))
            .args(["supervise", &address, "list"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let (mut stream, _) = listener.accept().expect("a connection");
        assert!(stream.read(&mut [0; 64]).expect("an OPEN_REQ") > 0);
        let id = child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().expect("kill").success());
        // The goodbye is not answered but by the end of the connection.
        let mut rest = Vec::new();
        while !rest.ends_with(&0_u32.to_be_bytes()) {
            let mut chunk = [0; 64];
            let bytes = stream.read(&mut chunk).expect("a CLOSE_REQ");
            assert!(bytes > 0, "no CLOSE_REQ came");
            rest.extend_from_slice(&chunk[..bytes]);
        }
        drop(stream);
        let ran = child.wait_with_output().expect("the command ends");
        assert_eq!(ran.status.code(), Some(1), "{signal}");
        assert!(text(&ran.stderr).contains("stopped: no agent is meant"), "{}", text(&ran.stderr));
    }
}

const VERSION: Version = Version::new(20).unwrap();
